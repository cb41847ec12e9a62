// SharedGenerator in real worker threads, on the built package.

import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { SharedHandle } from "../../src/threads/index.ts";

// The threads load what was built; their generator has to come from there as well.
const { SharedGenerator } = (await import(
  new URL("../../dist/threads.js", import.meta.url).href
)) as typeof import("../../src/threads/index.ts");

interface Report {
  readonly made: number;
  readonly refusals: Readonly<Record<string, number>>;
}

const crew: Worker[] = [];
afterEach(async () => {
  await Promise.all(crew.splice(0).map((worker) => worker.terminate()));
});

/** Threads that stand ready to make so many IDs each into one array, and the gate that lets them start. */
async function assemble(handle: SharedHandle, threads: number, count: number, skewMs: number[] = []) {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const words = new SharedArrayBuffer(threads * count * 8);
  const workers = Array.from({ length: threads }, (_, at) => {
    const workerData = { handle, gate, words, at, count, skewMs: skewMs[at] };
    return new Worker(new URL("worker.mjs", import.meta.url), { workerData });
  });
  crew.push(...workers);
  const message = (worker: Worker) =>
    new Promise<Report>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  await Promise.all(workers.map(message));
  const reports = workers.map(message);
  const open = () => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  const ids = (at: number) => new BigUint64Array(words, at * count * 8, count);
  return { workers, reports, open, ids };
}

const repeats = (ids: BigUint64Array): number =>
  ids.sort().reduce((found, id, at) => found + Number(at > 0 && id === ids[at - 1]), 0);

const increases = (ids: BigUint64Array): boolean =>
  ids.every((id, at) => at === 0 || id > (ids[at - 1] ?? id));

function joined(parts: BigUint64Array[]): BigUint64Array {
  const all = new BigUint64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

describe("threads that share a generator", () => {
  test.each([2, 4, 8])(
    "%d of them, 1,000,000 IDs each: no duplicate, and each thread's increase",
    async (threads) => {
      const shared = new SharedGenerator("high_throughput", { machineId: 1 });
      const { reports, open, ids } = await assemble(shared.handle, threads, 1_000_000);
      open();
      for (const report of await Promise.all(reports))
        expect(report).toMatchObject({ made: 1_000_000, refusals: {} });
      const parts = Array.from({ length: threads }, (_, at) => ids(at));
      for (const part of parts) expect(increases(part)).toBe(true);
      expect(repeats(joined(parts))).toBe(0);
    },
  );

  test("at the cap of their layout none starves, and the maker of the handle can go on meanwhile", async () => {
    const shared = new SharedGenerator("twitter", { machineId: 2 });
    const { workers, open, ids } = await assemble(shared.handle, 4, 4_000_000);
    open();
    const count = (at: number) => ids(at).indexOf(0n);
    // Until each thread has made many, however little of the processor they get. A thread that starves makes next to nothing.
    const untilEachHas = async (least: number) => {
      while ([0, 1, 2, 3].some((at) => count(at) >= 0 && count(at) < least))
        await new Promise((wake) => setTimeout(wake, 50));
    };
    await untilEachHas(5000);
    const own: bigint[] = [];
    while (own.length < 5000) own.push(...shared.nextIds(100));
    await untilEachHas(20_000);
    // No other one was finished before, which takes 4,000,000 IDs.
    expect([0, 1, 2, 3].map(count)).not.toContain(-1);
    await Promise.all(workers.map((worker) => worker.terminate()));
    const made = Array.from({ length: 4 }, (_, at) => ids(at).subarray(0, ids(at).indexOf(0n)));
    const all = joined([...made, BigUint64Array.from(own)]);
    expect(repeats(all)).toBe(0);
  });

  test("one that is killed in the middle leaves the others working", async () => {
    const shared = new SharedGenerator("twitter", { machineId: 3 });
    const { workers, reports, open, ids } = await assemble(shared.handle, 4, 300_000);
    open();
    await new Promise((wake) => setTimeout(wake, 20));
    await (workers[0] as Worker).terminate();
    for (const report of await Promise.all(reports.slice(1))) expect(report.made).toBe(300_000);
    const first = ids(0).subarray(0, ids(0).indexOf(0n));
    expect(first.length).toBeLessThan(300_000);
    expect(repeats(joined([first, ids(1), ids(2), ids(3), BigUint64Array.from(shared.nextIds(1000))]))).toBe(
      0,
    );
  });

  test("of which one has its clock set back: that one throws, the others go on", async () => {
    const shared = new SharedGenerator("twitter", { machineId: 4 });
    shared.nextId();
    const { reports, open, ids } = await assemble(shared.handle, 3, 100_000, [0, -60_000, 0]);
    open();
    const [one, two, three] = await Promise.all(reports);
    expect(one).toEqual(expect.objectContaining({ made: 100_000, refusals: {} }));
    expect(two).toEqual(expect.objectContaining({ made: 0, refusals: { ERR_CLOCK_BACKWARDS: 200_000 } }));
    expect(three).toEqual(expect.objectContaining({ made: 100_000, refusals: {} }));
    expect(repeats(joined([ids(0), ids(2)]))).toBe(0);
  });
});
