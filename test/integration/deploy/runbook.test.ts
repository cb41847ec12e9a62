// docs/runbook.md: each of its commands, with the answer that it shows, on a `bitflake serve` that is really broken in the way of its
// section. `logs` reads a file here, because there is no journal.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, afterEach, expect, test } from "vitest";
import { fromIORedis, fromPg } from "../../../src/backend/index.ts";
import { leaseNode } from "../../../src/lease/index.ts";
import { IdPool, NumericIdType } from "../../../src/numeric/index.ts";
import { root } from "../../docs/snippet.ts";
import { freePort } from "../../freePort.mjs";
import { type Server, startable, startPostgres, startRedis } from "../servers.ts";

const run = promisify(execFile);
const cli = join(root, "dist/cli.js");
const ISSUE_KEY = "an-example-of-a-key";
const METRICS_KEY = "another-one-of-them";

interface Command {
  readonly command: string;
  /** The output that the runbook shows; `…` stands for any text. */
  readonly answer: string;
}

/** Returns the commands by the titles of their sections. */
function readRunbook(): Map<string, Command[]> {
  const sections = new Map<string, Command[]>();
  for (const section of readFileSync(join(root, "docs/runbook.md"), "utf8").split(/^#+ /m).slice(1)) {
    const [title = ""] = section.split("\n", 1);
    const commands = [...section.matchAll(/^```console\n(.*?)^```/gms)].flatMap(([, block = ""]) =>
      block
        .split(/^\$ /m)
        .slice(1)
        .map((text) => {
          const [command = "", ...answer] = text.split("\n");
          return { command, answer: answer.join("\n").trim() };
        }),
    );
    if (commands.length > 0) sections.set(title, commands);
  }
  return sections;
}

const runbook = readRunbook();

/** The names that the runbook defines before its commands. The machine's folders and its journal are replaced. */
const [, definitions = ""] =
  /^```sh\n(.*?)^```/ms.exec(readFileSync(join(root, "docs/runbook.md"), "utf8")) ?? [];

const executed = new Set<string>();

/** Returns the pattern of an answer: the whole output, where … is any text. */
function patternOf(answer: string): RegExp {
  const parts = answer.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*")}\\s*$`);
}

/** A service that an operator looks after, and its shell. */
class Deployment {
  readonly folder = mkdtempSync(join(tmpdir(), "bitflake-runbook-"));
  readonly #store: string;
  readonly #settings: Readonly<Record<string, string>>;
  #service: ChildProcess | undefined;
  #port = 0;

  constructor(
    store: string,
    { types = { farmer: { length: 10 } }, ...settings }: Record<string, unknown> = {},
  ) {
    this.#store = store;
    this.#settings = settings as Record<string, string>;
    mkdirSync(join(this.folder, "bin"));
    mkdirSync(join(this.folder, "node_modules"));
    for (const name of ["ioredis", "pg"]) {
      const client = fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
      symlinkSync(client, join(this.folder, "node_modules", name), "junction");
    }
    const program = `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`;
    writeFileSync(join(this.folder, "bin/bitflake"), program);
    chmodSync(join(this.folder, "bin/bitflake"), 0o755);
    const isSql = store.startsWith("postgres:");
    writeFileSync(join(this.folder, "types.json"), JSON.stringify(types));
    const clients = [
      { name: "orders", keys: [ISSUE_KEY], scopes: ["issue"] },
      { name: "prometheus", keys: [METRICS_KEY], scopes: ["watch"] },
    ];
    writeFileSync(join(this.folder, "bitflake.json"), JSON.stringify({ apiKeys: clients }));
    // As in docs/deploy/bitflake.env.
    writeFileSync(
      join(this.folder, "bitflake.env"),
      `BITFLAKE_STORE=${store}\n${isSql ? `BITFLAKE_TYPES=${join(this.folder, "types.json")}\n` : ""}`,
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(isReady = true): Promise<void> {
    this.#port = await freePort();
    const log = openSync(join(this.folder, "log"), "a");
    this.#service = spawn(process.execPath, [cli, "serve", "--port", String(this.#port), "--log", "json"], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        BITFLAKE_STORE: this.#store,
        ...(this.#store.startsWith("postgres:") && { BITFLAKE_TYPES: join(this.folder, "types.json") }),
        BITFLAKE_CONFIG: join(this.folder, "bitflake.json"),
        // A new Redis would let the start wait for 40 s.
        BITFLAKE_NO_FENCE: "true",
        BITFLAKE_STORE_TIMEOUT_MS: "5000",
        ...this.#settings,
      },
      // A journal has both outputs.
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    if (!isReady) return;
    await this.until(async () => this.hasEnded || (await fetch(`${this.url}/health`)).ok);
    if (this.hasEnded) throw new Error(`the service has ended:\n${this.log}`);
  }

  get hasEnded(): boolean {
    return this.#service?.exitCode !== null;
  }

  get ended(): Promise<unknown> {
    return once(this.#service as ChildProcess, "exit");
  }

  send(path: string, key = ISSUE_KEY, method = "GET"): Promise<Response> {
    return fetch(this.url + path, { method, headers: { "x-api-key": key } });
  }

  get log(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }

  async until(isSo: () => boolean | Promise<boolean>, ms = 600_000): Promise<void> {
    for (
      const end = Date.now() + ms;
      !(await Promise.resolve()
        .then(isSo, () => false)
        .catch(() => false));
    ) {
      if (Date.now() > end) throw new Error(`the log is:\n${this.log.slice(-2000)}`);
      await sleep(100);
    }
  }

  untilLogged(event: string): Promise<void> {
    return this.until(() => this.log.includes(`"event":"${event}"`));
  }

  /** Runs a command in the shell of the operator. */
  async shell(command: string): Promise<string> {
    const prelude = [
      `METRICS_KEY=${METRICS_KEY}`,
      definitions
        .replace("/etc/bitflake", this.folder)
        .replace("/opt/bitflake/node_modules/.bin", `${this.folder}/bin`),
      `URL=${this.url}`,
      `logs() { cat ${this.folder}/log; }`,
    ];
    const env = { PATH: `${this.folder}/bin:${process.env.PATH}`, HOME: this.folder, TERM: "dumb" };
    const { stdout } = await run("bash", ["-c", `${prelude.join("\n")}\n${command}`], {
      cwd: this.folder,
      env,
    }).catch((error) => error as { stdout: string });
    return stdout;
  }

  /**
   * Runs the commands of a section, and compares their output.
   *
   * @param mend called before the command that contains this text, for the remedy that the section describes
   */
  async follow(
    title: string,
    mend?: { readonly before: string; readonly by: () => Promise<void> },
  ): Promise<void> {
    const commands = runbook.get(title) ?? [];
    expect([title, commands.length]).not.toEqual([title, 0]);
    executed.add(title);
    let isBroken = true;
    for (const { command, answer } of commands) {
      if (isBroken && mend && command.includes(mend.before)) {
        await mend.by();
        isBroken = false;
      }
      const output = await this.shell(command);
      if (!patternOf(answer).test(output)) {
        throw new Error(`${title}: $ ${command}\n${output}\nis not as the runbook shows:\n${answer}`);
      }
    }
    if (mend) expect(isBroken).toBe(false);
  }

  async stop(): Promise<void> {
    if (this.#service && this.#service.exitCode === null && this.#service.signalCode === null) {
      const { ended } = this;
      this.#service.kill("SIGKILL");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function ownRedis(): Promise<Server> {
  const redis = await startRedis();
  cleanUps.push(() => redis.stop());
  return redis;
}

async function deploy(store: string, settings?: Record<string, unknown>): Promise<Deployment> {
  const deployment = new Deployment(store, settings);
  cleanUps.push(() => deployment.stop());
  await deployment.start();
  return deployment;
}

const canRun = startable.redis && startable.postgres;

test.runIf(canRun)(
  "the store is stopped, until the lease is lost, and then it is started",
  async () => {
    const redis = await ownRedis();
    const service = await deploy(redis.url);
    await service.follow("Runbook");
    await redis.kill();
    await service.send("/generate_counter_id");
    await service.untilLogged("store_down");
    await service.untilLogged("lease_renewal_failed");
    await service.follow("BitflakeNotReady");
    await service.follow("BitflakeStoreErrors");
    await service.follow("BitflakeErrors");
    await service.follow("BitflakeLeaseNotRenewed");
    await service.untilLogged("lease_lost");
    expect((await service.send("/generate_snowflake_id")).status).toBe(503);
    await service.follow("BitflakeLeaseLost");
    await service.follow("BitflakeLeaseLostOften");
    await service.follow("BitflakeStoreDown", {
      before: "grep store_up",
      by: async () => {
        await redis.restart();
        await service.untilLogged("store_up");
        await service.untilLogged("lease_regained");
      },
    });
    expect((await service.send("/generate_snowflake_id")).status).toBe(200);
  },
  600_000,
);

test.runIf(canRun)(
  "the store answers late",
  async () => {
    const redis = await ownRedis();
    const service = await deploy(redis.url, { BITFLAKE_STORE_TIMEOUT_MS: "60000" });
    redis.pause();
    const answer = service.send("/generate_counter_id");
    await sleep(3000);
    redis.resume();
    expect((await answer).status).toBe(200);
    await service.follow("BitflakeStoreSlow");
    const text = await (await service.send("/metrics", METRICS_KEY)).text();
    const within = (le: string) =>
      Number(new RegExp(`operation="counter: reserve",le="${le}"} (\\d+)`).exec(text)?.[1]);
    expect(within("\\+Inf")).toBeGreaterThan(within("0\\.5"));
    await service.follow("BitflakeSlow");
    await service.follow("BitflakeEventLoopBlocked");
    await service.follow("BitflakeMemory");
  },
  600_000,
);

test.runIf(canRun)(
  "all nodes are taken",
  async () => {
    const redis = await ownRedis();
    const client = new Redis(redis.url);
    cleanUps.push(() => client.disconnect());
    const backend = fromIORedis(client);
    for (let node = 0; node < 32; node++) {
      const lease = await leaseNode({ backend, preset: "safe_integer", name: "service", fence: false });
      cleanUps.push(() => lease.release().catch(() => {}));
    }
    const service = new Deployment(redis.url, { BITFLAKE_PRESET: "safe_integer" });
    cleanUps.push(() => service.stop());
    await service.start(false);
    const [code] = (await service.ended) as [number];
    expect(code).toBe(1);
    expect(service.log).toContain("all 32 nodes that this process may lease");
    await service.follow("BitflakeDown");
    expect(await service.shell(runbook.get("BitflakeDown")?.[1]?.command ?? "")).toContain("32 held");
    await service.follow("BitflakeRestarting");
  },
  600_000,
);

test.runIf(canRun)(
  "the clock is ahead of the store's, and is then set back",
  async () => {
    const redis = await ownRedis();
    const folder = mkdtempSync(join(tmpdir(), "bitflake-clock-"));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const offset = join(folder, "offset");
    writeFileSync(offset, "3000");
    writeFileSync(
      join(folder, "clock.mjs"),
      `import { readFileSync } from "node:fs";
const now = Date.now;
Date.now = () => now() + Number(readFileSync(${JSON.stringify(offset)}, "utf8"));`,
    );
    const service = await deploy(redis.url, { NODE_OPTIONS: `--import=${join(folder, "clock.mjs")}` });
    await service.follow("BitflakeClockSkew");
    const metrics = await (await service.send("/metrics", METRICS_KEY)).text();
    const skew = Number(/^bitflake_lease_clock_skew_seconds (\S+)$/m.exec(metrics)?.[1]);
    // Less by the time that a renewal took to arrive.
    expect(skew).toBeGreaterThan(0);
    expect(skew).toBeLessThan(3.5);
    expect((await service.send("/generate_snowflake_id")).status).toBe(200);
    writeFileSync(offset, "-20000");
    await service.until(async () => (await service.send("/generate_snowflake_id")).status === 503);
    await service.untilLogged("generator_failing");
    await service.follow("BitflakeGeneratorFailing");
    writeFileSync(offset, "4000");
    await service.untilLogged("generator_recovered");
  },
  600_000,
);

test.runIf(canRun)(
  "wrong keys, and a client above the rate limit",
  async () => {
    const redis = await ownRedis();
    const service = await deploy(redis.url, { BITFLAKE_RATE_LIMIT: "3" });
    for (let sent = 0; sent < 6; sent++) await service.send("/generate_uuid");
    await service.send("/generate_uuid", "a-key-that-is-not-known");
    await service.send("/metrics");
    await service.until(() => service.log.includes('"status":401'));
    const [limited] = runbook.get("BitflakeRateLimited") ?? [];
    await service.follow("BitflakeRateLimited");
    expect(await service.shell(limited?.command ?? "")).toMatch(/^\s*\d+ "client":"orders"\n$/);
    const [refused] = runbook.get("BitflakeKeysRefused") ?? [];
    await service.follow("BitflakeKeysRefused");
    expect(await service.shell(refused?.command ?? "")).toContain('"code":"ERR_UNAUTHORIZED"');
  },
  600_000,
);

test.runIf(canRun)(
  "a pool that cannot be refilled, and one that is used up",
  async () => {
    const server = await startPostgres();
    cleanUps.push(() => server.stop());
    const admin = new pg.Pool({ connectionString: server.url });
    cleanUps.push(() => admin.end());
    await admin.query("CREATE ROLE ids LOGIN; ALTER SCHEMA public OWNER TO ids");
    const store = server.url.replace("postgres@", "ids@");
    const service = await deploy(store);
    const farmer = async () => {
      const { pools } = (await (await fetch(`${service.url}/health`)).json()) as {
        pools: { farmer: { status: string; available: number | null } };
      };
      return pools.farmer;
    };
    await service.until(async () => (await farmer()).available === 6000);
    await admin.query("REVOKE INSERT ON bitflake_ids FROM ids");
    const client = new pg.Pool({ connectionString: store });
    cleanUps.push(() => client.end());
    const take = async (length: number, ids: number) => {
      const type = new NumericIdType({ name: "farmer", length });
      const pool = new IdPool({ backend: fromPg(client), type, lowMark: 1, highMark: 2 });
      await pool.issueIds(ids);
      await pool.stop();
    };
    await take(10, 5995);
    const issue = () => service.send("/v1/idgenerator/farmer/id", ISSUE_KEY, "POST");
    await service.until(async () => (await issue()).status === 503);
    await service.untilLogged("refill_failed");
    await service.until(async () => {
      // One that is left, because a call came too late before.
      await issue();
      return (await farmer()).status === "failing";
    });
    await service.follow("BitflakePoolFailing");
    await service.follow("BitflakePoolNotRefilled");
    await admin.query("GRANT INSERT ON bitflake_ids TO ids");
    await service.follow("BitflakePoolEmpty");
    expect((await issue()).status).toBe(200);
    await service.follow("BitflakePoolNearlyUsedUp");
  },
  600_000,
);

afterAll(() => {
  if (canRun) expect([...runbook.keys()].filter((title) => !executed.has(title))).toEqual([]);
});
