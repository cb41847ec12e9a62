// The programs of docs/node-ids.md, each in its own process, on the built package and a real Redis. The tests change three
// things: the name of the lease, how soon a lease ends, and the fence, because the Redis has just started.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fromIORedis } from "../../src/backend/index.ts";
import { decode } from "../../src/index.ts";
import { type HeldNode, inspect } from "../../src/lease/index.ts";
import { freePort } from "../freePort.mjs";
import { makeProject, programsOf } from "./programs.ts";

const programs = programsOf("docs/node-ids.md");

test("the guide has exactly the programs that are tested here", () => {
  expect(Object.keys(programs)).toEqual(["server.mjs", "ecosystem.config.cjs", "cluster.mjs", "handler.mjs"]);
});

const { REDIS_URL } = process.env;
let client: Redis;
/** The folder with the programs of the running test, and the name of their leases. */
let folder = "";
let name = "";
let installs = 0;
const children = new Set<ChildProcess>();

/** Writes the programs to a folder where they find their packages, with a lease name of their own. */
function install(change: (code: string) => string = (code) => code): void {
  name = `guides ${process.pid} ${installs++}`;
  const own = (code: string) => change(code).replace('"orders"', `${JSON.stringify(name)}, fence: false`);
  const files = Object.entries(programs).map(([file, code]) => [file, own(code)]);
  folder = makeProject(Object.fromEntries(files), "ioredis");
}

function start(program: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = fork(join(folder, program), { env: { ...process.env, ...env }, silent: true });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Waits for the end of a process; returns its exit code and its error output. */
async function end(child: ChildProcess): Promise<{ code: unknown; errors: string }> {
  const errors = text(child.stderr as NonNullable<typeof child.stderr>);
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  return { code, errors: await errors };
}

/** Sends a request on a new connection, so that each worker of a cluster gets its turn. */
function request(port: number, path = "/"): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = get({ port, path, agent: false, host: "127.0.0.1" }, async (response) => {
      resolve({ status: response.statusCode, body: await text(response) });
    });
    sent.once("error", reject);
  });
}

async function held(): Promise<readonly HeldNode[]> {
  return (await inspect(fromIORedis(client), name)).held;
}

const nodesOf = (holders: readonly HeldNode[]) => holders.map(({ node }) => node);
const pidOf = ({ holder }: HeldNode) => Number(/ (\d+)$/.exec(holder)?.[1]);
const machineOf = (id: string) => decode(id, "twitter").machineId;

/** Repeats a call until its result meets a condition. */
async function until<T>(call: () => Promise<T>, condition: (result: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const result = await call();
    if (condition(result)) return result;
    if (tries === 1000) throw new Error(`still ${JSON.stringify(result)}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

describe.skipIf(!REDIS_URL)("the programs of docs/node-ids.md", () => {
  beforeAll(() => {
    client = new Redis(REDIS_URL ?? "");
  });
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    await client.del(`bitflake:{${name}}:lease`, `bitflake:{${name}}:lease:0`);
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => client?.quit());

  test.each(["SIGTERM", "SIGINT"] as const)(
    "server.mjs makes IDs with a leased node and releases it on %s",
    async (signal) => {
      install();
      const port = await freePort();
      const server = start("server.mjs", { PORT: String(port) });
      expect(await once(server, "message")).toContain("ready");
      expect(await request(port, "/ready")).toEqual({ status: 200, body: "held" });
      const [holder] = (await held()) as [HeldNode];
      expect(pidOf(holder)).toBe(server.pid);
      expect(machineOf((await request(port)).body)).toBe(holder.machineId);
      server.kill(signal);
      expect(await end(server)).toEqual({ code: 0, errors: "" });
      expect(await held()).toEqual([]);
    },
  );

  describe("server.mjs after a pause longer than its lease", () => {
    const pauseOf = async (onExpired: string) => {
      install((code) => code.replace('"reacquire"', `"${onExpired}", ttlMs: 4000`));
      const port = await freePort();
      const server = start("server.mjs", { PORT: String(port) });
      await once(server, "message");
      const { body: before } = await request(port);
      server.kill("SIGSTOP");
      await new Promise((wake) => setTimeout(wake, 5500));
      server.kill("SIGCONT");
      return { server, port, before };
    };
    const reportsLoss = { code: 0, errors: expect.stringMatching(/^the lease of node 0 ended/m) };

    test("makes no more IDs with onExpired: throw", async () => {
      const { server, port } = await pauseOf("throw");
      expect(await request(port)).toEqual({ status: 503, body: "ERR_LEASE_EXPIRED" });
      expect(await request(port, "/ready")).toEqual({ status: 503, body: "lost" });
      server.kill("SIGTERM");
      expect(await end(server)).toEqual(reportsLoss);
    });

    test("continues with another node with onExpired: reacquire, as in the guide", async () => {
      const { server, port, before } = await pauseOf("reacquire");
      const { body: after } = await until(
        () => request(port),
        ({ status }) => status === 200,
      );
      expect([before, after].map(machineOf)).toEqual([0, 1]);
      expect(BigInt(after) > BigInt(before)).toBe(true);
      server.kill("SIGTERM");
      expect(await end(server)).toEqual(reportsLoss);
    });
  });

  test("cluster.mjs leases a node for each worker, another for the successor of a dead worker, and releases all", async () => {
    install();
    const port = await freePort();
    const primary = start("cluster.mjs", { PORT: String(port) });
    const isFull = (count: number) => (holders: readonly HeldNode[]) => holders.length === count;
    expect(nodesOf(await until(held, isFull(4)))).toEqual([0, 1, 2, 3]);
    const all: string[] = [];
    /** Makes IDs until as many workers have answered; returns their machine IDs. */
    const make = async (workers: number) => {
      const seen = new Set<number>();
      await until(
        async () => {
          const ids = await Promise.all(
            Array.from({ length: 100 }, () => request(port).catch(() => ({ body: "" }))),
          );
          for (const { body } of ids) {
            if (!body) continue; // The worker does not listen now.
            all.push(body);
            seen.add(machineOf(body));
          }
          return seen.size;
        },
        (size) => size === workers,
      );
      return [...seen].sort();
    };
    expect(await make(4)).toEqual([0, 1, 2, 3]);

    const [victim] = (await held()).slice(2) as [HeldNode];
    process.kill(pidOf(victim), "SIGKILL");
    const five = await until(held, isFull(5));
    expect(nodesOf(five)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(five.map(pidOf)).size).toBe(5);
    expect(await make(4)).toEqual([0, 1, 3, 4]);
    expect(new Set(all).size).toBe(all.length);

    primary.kill("SIGTERM");
    expect(await end(primary)).toEqual({ code: 0, errors: "" });
    // The killed worker could not release its node.
    expect(nodesOf(await held())).toEqual([2]);
  });

  test("handler.mjs keeps its lease between invocations and takes another when it ended during a freeze", async () => {
    install((code) => code.replace("10_000", "4000"));
    writeFileSync(
      join(folder, "environment.mjs"),
      `import { handler } from "./handler.mjs";
      process.on("message", () => handler().then(({ body }) => process.send(JSON.parse(body).id), (error) => process.send(error.code)));
      process.send("up");`,
    );
    const environment = start("environment.mjs");
    await once(environment, "message");
    const invoke = async () => {
      const answer = once(environment, "message") as Promise<[string]>;
      environment.send("event");
      environment.kill("SIGCONT");
      return (await answer)[0];
    };
    const freeze = async (ms: number) => {
      environment.kill("SIGSTOP");
      await new Promise((wake) => setTimeout(wake, ms));
    };
    const ids = [await invoke()];
    await freeze(50);
    ids.push(await invoke());
    await freeze(5500);
    ids.push(await invoke(), await invoke());
    await freeze(5500);
    ids.push(await invoke());
    expect(ids.map(machineOf)).toEqual([0, 0, 1, 1, 2]);
    expect(new Set(ids).size).toBe(5);
    expect([...ids].sort()).toEqual(ids);
  });

  test("ecosystem.config.cjs starts server.mjs and gives it time to start and stop", () => {
    install();
    const { apps } = createRequire(import.meta.url)(join(folder, "ecosystem.config.cjs"));
    expect(apps).toEqual([
      expect.objectContaining({ script: "server.mjs", wait_ready: true, kill_timeout: 10_000 }),
    ]);
  });
});
