// bitflake serve --workers on a node:cluster that the test plays: the first process, and a worker. service-workers.test.ts has real
// processes.

import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { cli } from "../../cliIo.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-workers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Waits for a state as long as a busy machine may take for it. */
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 120_000 });

/** A worker that the test plays. */
class FakeWorker extends EventEmitter {
  readonly sent: object[] = [];
  readonly process = Object.assign(new EventEmitter(), {
    pid: 1 as number | undefined,
    send: () => true,
    kill: vi.fn((signal: string) => {
      this.emit("exit", null, signal);
    }),
  });
  isConnected(): boolean {
    return true;
  }
  send(message: object): void {
    this.sent.push(message);
  }
  listens(): void {
    this.emit("listening");
    this.emit("message", { kind: "listening", startReport: "it listens" });
  }
}

/** A node:cluster whose workers the test plays. */
function playCluster() {
  const workers: FakeWorker[] = [];
  const variables: object[] = [];
  const cluster = {
    isPrimary: true,
    SCHED_RR: 2,
    schedulingPolicy: 1,
    setupPrimary: vi.fn(),
    fork: vi.fn((env: object) => {
      variables.push(env);
      const worker = new FakeWorker();
      workers.push(worker);
      return worker;
    }),
  };
  const load = (name: string): Promise<unknown> =>
    name === "node:cluster" ? Promise.resolve({ default: cluster }) : import(/* @vite-ignore */ name);
  return { cluster, workers, variables, load };
}

test("the first process starts the workers, prints the report of the first, and ends them with the signal", async () => {
  const { cluster, workers, variables, load } = playCluster();
  const stop = new AbortController();
  const done = cli("serve --workers 2 --port 8080 --host localhost --log json", {
    import: load,
    signal: stop.signal,
  });
  await until(() => expect(workers.length).toBe(1));
  expect(cluster.schedulingPolicy).toBe(cluster.SCHED_RR);
  expect(cluster.setupPrimary).toHaveBeenCalledWith({ serialization: "advanced" });
  workers[0]?.listens();
  await until(() => expect(workers.length).toBe(2));
  // One that cannot be started has no process, and is replaced.
  const failing = workers[1] as FakeWorker;
  failing.process.pid = undefined;
  failing.emit("error", new Error("spawn EAGAIN"));
  await until(() => expect(workers.length).toBe(3));
  workers[2]?.listens();
  // Errors of messages to a process that runs are no end.
  workers[2]?.emit("error", new Error("EPIPE"));
  expect(variables).toEqual([
    { SUPERVISED_BY_BITFLAKE: "1" },
    { SUPERVISED_BY_BITFLAKE: "1", BITFLAKE_HOST: "localhost", BITFLAKE_PORT: "8080" },
    { SUPERVISED_BY_BITFLAKE: "1", BITFLAKE_HOST: "localhost", BITFLAKE_PORT: "8080" },
  ]);
  stop.abort();
  for (const worker of [workers[0], workers[2]] as FakeWorker[]) {
    expect(worker.sent).toEqual([{ kind: "stop" }]);
    worker.emit("exit", 0, null);
  }
  const { code, out, err } = await done;
  expect([code, out]).toEqual([0, "it listens\n"]);
  expect(JSON.parse(err)).toMatchObject({
    level: "warn",
    event: "worker_exited",
    message:
      "Worker 2 ended with the error spawn EAGAIN. Another starts, with the configuration as it is then.",
    worker: 2,
  });
});

test("auto starts one worker for each core, and one that fails to fork ends the start with exit code 1", async () => {
  const { cluster, workers, load } = playCluster();
  const stop = new AbortController();
  const done = cli("serve --workers auto --log none", {
    import: load,
    signal: stop.signal,
    terminal: ["stdout"],
  });
  await until(() => expect(workers.length).toBe(1));
  workers[0]?.listens();
  await until(() => expect(workers.length).toBe(availableParallelism()));
  stop.abort();
  for (const worker of workers) worker.process.kill("SIGKILL");
  expect((await done).code).toBe(0);

  cluster.fork.mockImplementation(() => {
    throw new Error("too many files");
  });
  const failed = await cli("serve --workers 2 --log text", { import: load, signal: stop.signal });
  expect(failed.code).toBe(1);
});

/** Plays the process of a worker. */
function playWorker() {
  const listeners: ((message: unknown) => void)[] = [];
  const sent: { readonly kind: string; readonly [field: string]: unknown }[] = [];
  const process = {
    pid: 77,
    channel: { unref: vi.fn() },
    send: (message: (typeof sent)[number], _handle: undefined, _options: undefined, done: () => void) => {
      sent.push(message);
      done();
    },
    on: (_event: "message", listener: (message: unknown) => void) => listeners.push(listener),
  };
  const cluster = { isPrimary: false, worker: { id: 2 } };
  const load = (name: string): Promise<unknown> => {
    if (name === "node:cluster") return Promise.resolve({ default: cluster });
    if (name === "node:process") return Promise.resolve({ default: process });
    return import(/* @vite-ignore */ name);
  };
  const receive = (message: unknown) => {
    for (const listener of listeners) listener(message);
  };
  return { process, sent, receive, load };
}

test.each(["stop", "retire"] as const)(
  "a worker reports that it listens, answers and reads reports, and ends by %s",
  async (kind) => {
    const { process, sent, receive, load } = playWorker();
    // A store that workers share needs SQLite, which not each Node has; this one is only named like that.
    const done = cli("serve --workers 2 --port 0 --store sqlite:worker.db --log none --json", {
      import: load,
      env: { SUPERVISED_BY_BITFLAKE: "1" },
      cwd: folder,
    });
    const outcome = await Promise.race([
      done,
      until(() => expect(sent[0]?.kind).toBe("listening")).then(() => undefined),
    ]);
    // Node 20 has no SQLite: then the reason is an error, and there is nothing more to see here.
    if (outcome !== undefined) {
      expect(outcome.err).toContain("sqlite: on this runtime requires a client package");
      return;
    }
    const { url, workers } = JSON.parse(sent[0]?.["startReport"] as string);
    expect(workers).toBe(2);
    receive(null);
    receive({ kind: "report", id: 5 });
    await until(() => expect(sent.at(-1)).toMatchObject({ kind: "report", id: 5 }));
    const scraped = fetch(`${url}/metrics`);
    await until(() => expect(sent.at(-1)?.kind).toBe("readPeers"));
    receive({ kind: "peerReports", id: sent.at(-1)?.["id"], reports: { number: 2, others: [] } });
    expect(await (await scraped).text()).toContain('bitflake_ready{worker="2"} 1');
    receive({ kind });
    expect((await done).code).toBe(0);
    expect(process.channel.unref).toHaveBeenCalled();
  },
);

test.each([
  ["serve --port 0", "--workers was removed: restart the first process to serve without workers"],
  ["serve --port 0 --workers 2 --store memory:", "--workers requires a store that processes share"],
  [
    "serve --port 0 --workers 2 --machine-id 3",
    "--workers requires leased nodes, and --machine-id gives one",
  ],
])("a worker refuses %s", async (line, message) => {
  const { load } = playWorker();
  const { code, err } = await cli(line, { import: load, env: { SUPERVISED_BY_BITFLAKE: "1" } });
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test("a runtime that only imitates node:cluster is refused", async () => {
  vi.stubGlobal("Bun", { version: "1.3.0" });
  const { code, err } = await cli("serve --workers 2 --store sqlite:ids.db");
  vi.unstubAllGlobals();
  expect(code).toBe(2);
  expect(err).toContain("--workers requires Node, and this is bun 1.3.0");
});
