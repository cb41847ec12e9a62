// The programs of docs/node-ids.md, run as they stand there: in processes of their own, on the built package and a real
// Redis. Only the namespace is the test's own, leases that are to end are made to end sooner, and that the Redis has just
// come up is not held against it.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fromIORedis } from "../../src/backend/index.ts";
import { decode } from "../../src/index.ts";
import { type HeldNode, inspect } from "../../src/lease/index.ts";
import { programsOf, settled } from "./programs.ts";

const programs = programsOf("docs/node-ids.md");

test("the guide has no program that is not run here", () => {
  expect(Object.keys(programs)).toEqual(["server.mjs", "ecosystem.config.cjs", "cluster.mjs", "handler.mjs"]);
});

const { REDIS_URL } = process.env;
let client: Redis;
/** Where the programs of a test lie, and what is leased by them. */
let folder = "";
let namespace = "";
let settles = 0;
const children = new Set<ChildProcess>();

/** Puts the programs where they find their packages, with a namespace of their own. */
function settle(change: (code: string) => string = (code) => code): void {
  namespace = `guides ${process.pid} ${settles++}`;
  const own = (code: string) =>
    change(code).replace('"orders"', `${JSON.stringify(namespace)}, fence: false`);
  const files = Object.entries(programs).map(([name, code]) => [name, own(code)]);
  folder = settled(Object.fromEntries(files), "ioredis");
}

function start(program: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = fork(join(folder, program), { env: { ...process.env, ...env }, silent: true });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** What a process has to say for itself, and how it ended. */
async function end(child: ChildProcess): Promise<{ code: unknown; errors: string }> {
  const errors = text(child.stderr as NonNullable<typeof child.stderr>);
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  return { code, errors: await errors };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Asks by a connection of its own, so that each worker of a cluster gets its turn. */
function ask(port: number, path = "/"): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ port, path, agent: false, host: "127.0.0.1" }, async (response) => {
      resolve({ status: response.statusCode, body: await text(response) });
    });
    request.once("error", reject);
  });
}

async function held(): Promise<readonly HeldNode[]> {
  return (await inspect(fromIORedis(client), namespace)).held;
}

const nodesOf = (holders: readonly HeldNode[]) => holders.map(({ node }) => node);
const pidOf = ({ holder }: HeldNode) => Number(/ (\d+)$/.exec(holder)?.[1]);
const machineOf = (id: string) => decode(id, "twitter").machineId;

/** Asks again until the answer will do. */
async function until<T>(question: () => Promise<T>, will: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await question();
    if (will(answer)) return answer;
    if (tries === 1000) throw new Error(`still ${JSON.stringify(answer)}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

describe.skipIf(!REDIS_URL)("the programs of docs/node-ids.md", () => {
  beforeAll(() => {
    client = new Redis(REDIS_URL ?? "");
  });
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    await client.del(`bitflake:{${namespace}}:lease`, `bitflake:{${namespace}}:lease:0`);
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => client?.quit());

  test.each(["SIGTERM", "SIGINT"] as const)(
    "server.mjs makes IDs with a node that it has leased, and gives it back on %s",
    async (signal) => {
      settle();
      const port = await freePort();
      const server = start("server.mjs", { PORT: String(port) });
      expect(await once(server, "message")).toContain("ready");
      expect(await ask(port, "/ready")).toEqual({ status: 200, body: "held" });
      const [holder] = (await held()) as [HeldNode];
      expect(pidOf(holder)).toBe(server.pid);
      expect(machineOf((await ask(port)).body)).toBe(holder.machineId);
      server.kill(signal);
      expect(await end(server)).toEqual({ code: 0, errors: "" });
      expect(await held()).toEqual([]);
    },
  );

  describe("server.mjs, paused for longer than its lease,", () => {
    const pauseOf = async (onExpired: string) => {
      settle((code) => code.replace('"reacquire"', `"${onExpired}", ttlMs: 1500`));
      const port = await freePort();
      const server = start("server.mjs", { PORT: String(port) });
      await once(server, "message");
      const { body: before } = await ask(port);
      server.kill("SIGSTOP");
      await new Promise((wake) => setTimeout(wake, 2500));
      server.kill("SIGCONT");
      return { server, port, before };
    };
    const saysSo = { code: 0, errors: expect.stringMatching(/^the lease of node 0 ended/) };

    test("makes no more IDs", async () => {
      const { server, port } = await pauseOf("throw");
      expect(await ask(port)).toEqual({ status: 503, body: "ERR_LEASE_EXPIRED" });
      expect(await ask(port, "/ready")).toEqual({ status: 503, body: "lost" });
      server.kill("SIGTERM");
      expect(await end(server)).toEqual(saysSo);
    });

    test("or goes on with another node, as the guide has it", async () => {
      const { server, port, before } = await pauseOf("reacquire");
      const { body: after } = await until(
        () => ask(port),
        ({ status }) => status === 200,
      );
      expect([before, after].map(machineOf)).toEqual([0, 1]);
      expect(BigInt(after) > BigInt(before)).toBe(true);
      server.kill("SIGTERM");
      expect(await end(server)).toEqual(saysSo);
    });
  });

  test("cluster.mjs has a node for each worker, another for who takes a dead one's place, and gives all back", async () => {
    settle();
    const port = await freePort();
    const primary = start("cluster.mjs", { PORT: String(port) });
    const isFull = (count: number) => (holders: readonly HeldNode[]) => holders.length === count;
    expect(nodesOf(await until(held, isFull(4)))).toEqual([0, 1, 2, 3]);
    const all: string[] = [];
    /** Many IDs, by as many workers. */
    const make = async (workers: number) => {
      const seen = new Set<number>();
      await until(
        async () => {
          const ids = await Promise.all(
            Array.from({ length: 100 }, () => ask(port).catch(() => ({ body: "" }))),
          );
          for (const { body } of ids) {
            if (!body) continue; // A worker that is listening to nobody yet, or no more.
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
    // Whom nobody could ask to give it back has it until it ends.
    expect(nodesOf(await held())).toEqual([2]);
  });

  test("handler.mjs keeps its lease from call to call, and takes another when it ended in the cold", async () => {
    settle((code) => code.replace("10_000", "1500"));
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
    await freeze(2500);
    ids.push(await invoke(), await invoke());
    await freeze(2500);
    ids.push(await invoke());
    expect(ids.map(machineOf)).toEqual([0, 0, 1, 1, 2]);
    expect(new Set(ids).size).toBe(5);
    expect([...ids].sort()).toEqual(ids);
  });

  test("ecosystem.config.cjs starts what is there, and gives it time", () => {
    settle();
    const { apps } = createRequire(import.meta.url)(join(folder, "ecosystem.config.cjs"));
    expect(apps).toEqual([
      expect.objectContaining({ script: "server.mjs", wait_ready: true, kill_timeout: 10_000 }),
    ]);
  });
});
