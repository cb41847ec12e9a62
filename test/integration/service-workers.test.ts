// bitflake serve --workers, as real processes on one port: restarts under load, deaths, counts, limits and stops.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildProgram, type Program } from "../cli/program.ts";
import { parseExposition } from "../service/exposition.ts";
import { sqliteHere } from "./sqlite-here.ts";

/** The longest wait for a state of processes, which may all start at once on a busy machine. */
const LONG_MS = 120_000;

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

let databases = 0;

/** Returns the URL of a new store. */
const freshStore = (): string => `sqlite:ids-${databases++}.db`;

/** Returns the child processes of a process that have not ended. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.trim().split(" ").filter(Boolean).map(Number);
}

const isRunning = (pid: number): boolean => {
  try {
    // A zombie has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** Starts a service with this many workers, and waits until all serve. */
async function startWorkers(count: number, ...flags: string[]) {
  const args = ["serve", "--workers", String(count), "--port", "0", "--json", ...flags];
  if (!flags.includes("--store")) args.push("--store", freshStore());
  const running = program.start(args);
  const { child, written } = running;
  const pid = child.pid as number;
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await running.ended;
  });
  await running.waitForOutput("\n");
  const { url, workers } = JSON.parse(written.out) as { url: string; workers: number };
  const scrape = async () => parseExposition(await (await fetch(`${url}/metrics`)).text());
  /** Returns the samples of a family by the numbers of workers. */
  const samplesOf = async (name: string) =>
    (await scrape()).find((family) => family.name === name)?.samples ?? [];
  // By /status, which counts in no rate limit.
  const untilServing = async () =>
    expect
      .poll(async () => (await (await fetch(`${url}/status`)).json()).processes, { timeout: LONG_MS })
      .toBe(count);
  await untilServing();
  return { ...running, pid, url, workers, samplesOf, untilServing, workerPids: () => childrenOf(pid) };
}

/** Sends requests for Snowflake IDs on connections that are kept alive, until it is ended. */
function startLoad(url: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const ids: string[] = [];
  const failures: string[] = [];
  let isOver = false;
  const request = async () => {
    const sent = get(`${url}/generate_snowflake_id`, { agent });
    try {
      const [response] = await once(sent, "response");
      const body = await text(response);
      if (response.statusCode === 200) ids.push(JSON.parse(body).id);
      else failures.push(`${response.statusCode} ${body}`);
    } catch (error) {
      failures.push(`${(error as NodeJS.ErrnoException).code} ${sent.reusedSocket ? "kept" : "new"}`);
    }
  };
  const loops = Array.from({ length: connections }, async () => {
    while (!isOver) await request();
  });
  return {
    ids,
    failures,
    async end() {
      isOver = true;
      await Promise.all(loops);
      agent.destroy();
    },
  };
}

/** Returns how often an event was logged. */
const countEvent = (log: string, event: string): number => log.split(`"event":"${event}"`).length - 1;

describe.skipIf(!sqliteHere.node)("workers", { timeout: 300_000 }, () => {
  test("are replaced ten times under load: no request fails, no ID repeats, and all nodes come back", async () => {
    const { child, written, url, workers, workerPids, waitForOutput, ended } = await startWorkers(2);
    expect(workers).toBe(2);
    const first = workerPids();
    const load = startLoad(url, 16);
    for (let restart = 1; restart <= 10; restart++) {
      const before = load.ids.length;
      child.kill("SIGHUP");
      await expect
        .poll(() => countEvent(written.err, "workers_restarted"), { timeout: LONG_MS })
        .toBe(restart);
      await expect.poll(() => load.ids.length, { timeout: LONG_MS }).toBeGreaterThan(before);
    }
    await load.end();
    expect(load.failures).toEqual([]);
    expect(new Set(load.ids).size).toBe(load.ids.length);
    const last = workerPids();
    expect(last.length).toBe(2);
    expect(last.filter((pid) => first.includes(pid))).toEqual([]);
    const { nodes } = await (await fetch(`${url}/status`)).json();
    expect(nodes.held).toBe(2);
    expect(countEvent(written.err, "worker_exited")).toBe(0);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    await waitForOutput("\n");
    console.log(`10 restarts of 2 workers: ${load.ids.length} IDs, 0 failed, 0 repeated`);
  });

  test("that die are replaced, and the others serve on", async () => {
    const { written, url, workerPids, untilServing, child, ended } = await startWorkers(2);
    const [victim, other] = workerPids() as [number, number];
    process.kill(victim, "SIGKILL");
    // Connections that the dead one has accepted fail. Those on their way to it are answered by the other: none waits for ever.
    const agent = new Agent({ keepAlive: false });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, async () => {
        try {
          const [response] = await once(get(`${url}/generate_snowflake_id`, { agent }), "response");
          await text(response);
          return response.statusCode;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      }),
    );
    expect(outcomes.filter((outcome) => outcome !== 200 && outcome !== "ECONNRESET")).toEqual([]);
    expect(outcomes).toContain(200);
    await expect.poll(() => workerPids().length, { timeout: LONG_MS }).toBe(2);
    await untilServing();
    expect(workerPids()).toContain(other);
    expect(workerPids()).not.toContain(victim);
    expect(countEvent(written.err, "worker_exited")).toBe(1);
    // The dead one's node is free when its lease ends; until then, for 30 s at most, its successor has another.
    const { nodes } = await (await fetch(`${url}/status`)).json();
    expect([2, 3]).toContain(nodes.held);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  test("are counted together, each metric with the number of its worker", async () => {
    const { url, samplesOf } = await startWorkers(3);
    // A connection of its own for each, so that they are handed to all workers in turn.
    const agent = new Agent({ keepAlive: false });
    const requests = 30;
    for (let sent = 0; sent < requests; sent++) {
      const [response] = await once(get(`${url}/generate_uuid`, { agent }), "response");
      await text(response);
    }
    const counts = (await samplesOf("bitflake_ids_total")).filter(({ labels }) => labels["kind"] === "uuid");
    expect(counts.map(({ labels }) => labels["worker"]).sort()).toEqual(["1", "2", "3"]);
    expect(counts.reduce((sum, { value }) => sum + value, 0)).toBe(requests);
    const nodes = (await samplesOf("bitflake_lease_held")).map(({ labels }) => labels["node"]);
    expect(new Set(nodes).size).toBe(3);
    const status = await (await fetch(`${url}/status`)).json();
    expect(status).toMatchObject({ processes: 3, ids: { uuid: requests } });
  });

  test("share the limit of a client", async () => {
    const { url } = await startWorkers(2, "--rate-limit", "10", "--rate-window-ms", "2147483647");
    const agent = new Agent({ keepAlive: false });
    const statuses: (number | undefined)[] = [];
    for (let sent = 0; sent < 20; sent++) {
      const [response] = await once(get(`${url}/generate_uuid`, { agent }), "response");
      statuses.push(response.statusCode);
      response.resume();
    }
    expect(statuses).toEqual([...Array(10).fill(200), ...Array(10).fill(429)]);
  });

  test("read the configuration again at a restart; if it is wrong, those that run serve on", async () => {
    const path = join(program.folder, "workers.json");
    const store = freshStore();
    writeFileSync(path, JSON.stringify({ store, types: { farmer: { length: 10 } } }));
    const { child, written, url, workerPids } = await startWorkers(2, "--config", path, "--store", store);
    const issue = (type: string) => fetch(`${url}/v1/idgenerator/${type}/id`, { method: "POST" });
    expect((await issue("shop")).status).toBe(404);
    const before = workerPids();
    writeFileSync(path, JSON.stringify({ types: { farmer: { length: 99 } } }));
    child.kill("SIGHUP");
    await expect.poll(() => countEvent(written.err, "workers_restart_failed"), { timeout: LONG_MS }).toBe(1);
    expect(written.err).toContain("types.farmer.length");
    expect(workerPids()).toEqual(before);
    expect((await issue("farmer")).status).toBe(200);
    writeFileSync(path, JSON.stringify({ types: { farmer: { length: 10 }, shop: { length: 8 } } }));
    child.kill("SIGHUP");
    await expect.poll(() => countEvent(written.err, "workers_restarted"), { timeout: LONG_MS }).toBe(1);
    expect((await issue("shop")).status).toBe(200);
  });

  test("stay on their port if the configuration file has another, and are not replaced if it has no workers", async () => {
    const path = join(program.folder, "moved.json");
    const store = freshStore();
    writeFileSync(path, JSON.stringify({ workers: 2, store, port: 0, host: "127.0.0.1" }));
    const running = program.start(["serve", "--json", "--config", path]);
    onTestFinished(async () => {
      running.child.kill("SIGKILL");
      await running.ended;
    });
    await running.waitForOutput("\n");
    const { url } = JSON.parse(running.written.out) as { url: string };
    const restart = async (settings: object, event: string, times: number) => {
      writeFileSync(path, JSON.stringify(settings));
      running.child.kill("SIGHUP");
      await expect.poll(() => countEvent(running.written.err, event), { timeout: LONG_MS }).toBe(times);
    };
    await expect
      .poll(async () => (await (await fetch(`${url}/status`)).json()).processes, { timeout: LONG_MS })
      .toBe(2);
    await restart({ workers: 2, store, port: 1, host: "localhost" }, "workers_restarted", 1);
    expect((await fetch(`${url}/generate_snowflake_id`)).status).toBe(200);
    await restart({ store }, "workers_restart_failed", 1);
    expect(running.written.err).toContain(
      "workers was removed: restart the first process to serve without workers",
    );
    expect((await fetch(`${url}/generate_snowflake_id`)).status).toBe(200);
    running.child.kill("SIGTERM");
    expect(await running.ended).toBe(0);
  });

  test("end when the first process is killed, so that nothing holds the port", async () => {
    const { child, url, workerPids, ended } = await startWorkers(2);
    const pids = workerPids();
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    await expect.poll(() => pids.filter(isRunning), { timeout: LONG_MS }).toEqual([]);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  test("that cannot start are reported once, with the exit code of the cause", async () => {
    const { url } = await startWorkers(1);
    const taken = program.start([
      "serve",
      "--workers",
      "2",
      "--port",
      new URL(url).port,
      "--store",
      freshStore(),
    ]);
    expect(await taken.ended).toBe(1);
    expect(taken.written.err.match(/already in use/g)?.length).toBe(1);
    const wrong = program.start(["serve", "--workers", "2", "--store", "memory:"]);
    expect(await wrong.ended).toBe(2);
    expect(wrong.written.err).toContain(
      "--workers requires a store that processes share, such as sqlite:ids.db, got memory:",
    );
    const owned = program.start(["serve", "--workers", "auto", "--machine-id", "1", "--store", freshStore()]);
    expect(await owned.ended).toBe(2);
    expect(owned.written.err).toContain("--workers requires leased nodes, and --machine-id gives one");
  });

  test("say that they stop for the lame-duck time, and serve in it; a second signal ends it", async () => {
    // So long that it ends in no test.
    const { child, url, ended } = await startWorkers(2, "--lame-duck-ms", "3600000");
    child.kill("SIGTERM");
    const healthOf = async () => (await (await fetch(`${url}/health`)).json()).status;
    await expect.poll(healthOf, { timeout: LONG_MS }).toBe("stopping");
    expect((await fetch(`${url}/generate_snowflake_id`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await ended).toBe("SIGTERM");
  });
});
