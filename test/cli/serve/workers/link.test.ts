// The link of a worker to its supervisor, over a process that the test plays.

import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import type { Io } from "../../../../src/cli/io.ts";
import { linkToSupervisor } from "../../../../src/cli/serve/workers/link.ts";
import type { ProcessReport } from "../../../../src/service/peers.ts";

const report = { families: [], counts: {} } as unknown as ProcessReport;

/** Links a worker whose process and stop signal the test plays. */
async function link({ isConnected = true } = {}) {
  const sent: object[] = [];
  const unref = vi.fn();
  const process = Object.assign(new EventEmitter(), {
    channel: isConnected ? { unref } : undefined,
    send: isConnected
      ? (message: object, _handle: unknown, _options: unknown, done: () => void) => {
          sent.push(message);
          done();
        }
      : undefined,
  });
  const signals = new AbortController();
  const io = {
    import: () => Promise.resolve({ default: process }),
    stopSignal: () => signals.signal,
  } as unknown as Io;
  return { process, sent, unref, signals, worker: await linkToSupervisor(io) };
}

test("reports that it listens, and lets the process end", async () => {
  const { worker, sent, unref } = await link();
  await worker.reportListening("it listens");
  expect(sent).toEqual([{ kind: "listening", startReport: "it listens" }]);
  worker.release();
  expect(unref).toHaveBeenCalledOnce();
});

test("without a channel nothing is sent, and nothing fails", async () => {
  const { worker, sent } = await link({ isConnected: false });
  await worker.reportListening("it listens");
  worker.release();
  expect(sent).toEqual([]);
});

test.each([
  ["stop", false],
  ["retire", true],
])("the message %s ends it; replaced: %s", async (kind, isReplaced) => {
  const { worker, process } = await link();
  process.emit("message", { kind });
  expect([worker.signal.aborted, worker.isReplaced()]).toEqual([true, isReplaced]);
});

test("a signal of the terminal ends it, and messages of other code do nothing", async () => {
  const { worker, process, signals } = await link();
  for (const message of [null, "stop", { kind: "other" }]) process.emit("message", message);
  expect(worker.signal.aborted).toBe(false);
  signals.abort();
  expect([worker.signal.aborted, worker.isReplaced()]).toEqual([true, false]);
});

test("answers with its report, and not before it has one nor if that fails", async () => {
  const { worker, process, sent } = await link();
  process.emit("message", { kind: "report", id: 1 });
  worker.answerWith(() => Promise.reject(new Error("fails")));
  process.emit("message", { kind: "report", id: 2 });
  worker.answerWith(() => Promise.resolve(report));
  process.emit("message", { kind: "report", id: 3 });
  await vi.waitFor(() => expect(sent.length).toBeGreaterThan(0), { timeout: 120_000 });
  expect(sent).toEqual([{ kind: "report", id: 3, report }]);
});

test("reads the reports of the others, each answer once", async () => {
  const { worker, process, sent } = await link();
  const reads = [worker.readPeers(), worker.readPeers()];
  expect(sent).toEqual([
    { kind: "readPeers", id: 1 },
    { kind: "readPeers", id: 2 },
  ]);
  const reports = [2, 1].map((id) => ({ own: id, others: [] }));
  process.emit("message", { kind: "peerReports", id: 2, reports: reports[0] });
  process.emit("message", { kind: "peerReports", id: 1, reports: reports[1] });
  process.emit("message", { kind: "peerReports", id: 1, reports: reports[0] });
  expect(await Promise.all(reads)).toEqual([reports[1], reports[0]]);
});
