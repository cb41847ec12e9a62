// The command line on real stores, with each client: connections, pools, leases, the service.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { type OpenStore, openStore } from "../../src/cli/stores/openStore.ts";
import { leaseNode } from "../../src/lease/index.ts";
import { IdPool, NumericIdType } from "../../src/numeric/index.ts";
import { createService, type Listening, listen, type Service } from "../../src/service/index.ts";
import { type CliOptions, cli, storeContext } from "../cli/cliIo.ts";
import { examples, needsStore, typesFile } from "../cli/examples.ts";
import { buildProgram, type Program } from "../cli/program.ts";
import { startable, startPostgres, startRedis } from "./servers.ts";
import { networkTo } from "./silent-proxy.ts";
import { sqliteHere } from "./sqlite-here.ts";

const { REDIS_URL = "", DATABASE_URL = "" } = process.env;
const namespace = `cli_${process.pid}`;

const folder = mkdtempSync(join(tmpdir(), "bitflake-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Creates a folder with some of the clients installed. The program has none beside it. */
function placeWith(...clients: string[]): { cwd: string; programUrl: string } {
  const cwd = join(folder, clients.join("-") || "empty");
  mkdirSync(join(cwd, "node_modules"), { recursive: true });
  for (const name of clients) {
    const client = fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));
    symlinkSync(client, join(cwd, "node_modules", name), "junction");
  }
  writeFileSync(join(cwd, "types.json"), typesFile());
  return { cwd, programUrl: pathToFileURL(join(folder, "elsewhere", "cli.js")).href };
}

/** Returns the URL of a client's own database, because the tables of the command line have the names of a user's tables. */
function databaseOf(client: string): string {
  const url = new URL(DATABASE_URL || "postgres://nowhere/");
  url.pathname = `/${namespace}_${client}`;
  return url.href;
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: DATABASE_URL });
  await client.connect();
  await client.query(sql);
  await client.end();
}

beforeAll(async () => {
  if (!DATABASE_URL) return;
  for (const client of ["pg", "postgres"]) await administer(`CREATE DATABASE ${namespace}_${client}`);
});
afterAll(async () => {
  if (DATABASE_URL)
    for (const client of ["pg", "postgres"])
      await administer(`DROP DATABASE ${namespace}_${client} WITH (FORCE)`);
  if (!REDIS_URL) return;
  const client = new Redis(REDIS_URL);
  for (const key of await client.keys(`bitflake:{${namespace}*`)) await client.del(key);
  await client.quit();
});

const clients = [
  ...(REDIS_URL ? ["ioredis", "redis"].map((client) => ({ client, url: REDIS_URL })) : []),
  ...(DATABASE_URL ? ["pg", "postgres"].map((client) => ({ client, url: databaseOf(client) })) : []),
  ...(sqliteHere.better ? [{ client: "better-sqlite3", url: "sqlite:better.db" }] : []),
];
const places = new Map(clients.map(({ client }) => [client, placeWith(client)]));
const placeOf = (client: string): CliOptions => places.get(client) as CliOptions;

/** Imports as a runtime without SQLite does. */
const withoutSqlite = (name: string): Promise<unknown> =>
  name === "node:sqlite" ? Promise.reject(new Error("no such module")) : import(/* @vite-ignore */ name);

async function echo({ backend }: OpenStore): Promise<unknown> {
  if ("eval" in backend) return backend.eval("return ARGV[1]", [], ["hello"]);
  if ("query" in backend)
    return (await backend.query("SELECT CAST($1 AS TEXT) AS echo", ["hello"]))[0]?.["echo"];
  return "hello";
}

describe.each(clients)("a store opened with $client", ({ client, url }) => {
  const call = storeContext({ ...placeOf(client), import: withoutSqlite });

  test("answers until it is closed", async () => {
    const store = await openStore(url, call);
    expect(await echo(store)).toBe("hello");
    await store.close();
    await expect(echo(store)).rejects.toThrow();
  });

  if (url.startsWith("redis:")) {
    test("uses the named database, and no other one", async () => {
      const nowhere = new URL(url);
      nowhere.pathname = "/999999";
      const { code, out, err } = await cli(`lease inspect --store ${nowhere.href}`, { ...placeOf(client) });
      expect([code, out]).toEqual([1, ""]);
      expect(err).toMatch(/^error: redis:\/\/\S+: .*DB index is out of range\n$/);
    });
  }

  if (url.startsWith("sqlite:")) return;
  test("that is down is an error with the reason, and no password", async () => {
    const nowhere = new URL(url);
    nowhere.host = "127.0.0.1:1";
    nowhere.username = "user";
    nowhere.password = "s3cr3t";
    const { code, out, err } = await cli(`lease inspect --store ${nowhere.href}`, { ...placeOf(client) });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^error: \w+:\/\/user:\*\*\*@127\.0\.0\.1:1\S*: .*ECONNREFUSED.*\n$/);
    expect(err).not.toContain("s3cr3t");
  });
});

describe.skipIf(!startable.redis || !startable.postgres)("an outage", () => {
  test.each(clients.filter(({ url }) => !url.startsWith("sqlite:")))(
    "does not end a process that uses $client, which works again after the restart",
    async ({ client, url }) => {
      const server = await (url.startsWith("redis") ? startRedis() : startPostgres());
      const store = await openStore(server.url, storeContext(placeOf(client)));
      await server.kill();
      await expect(echo(store)).rejects.toThrow();
      await server.restart();
      const until = Date.now() + 20_000;
      let answer: unknown;
      while (answer !== "hello" && Date.now() < until) {
        answer = await echo(store).catch(() => setTimeout(50));
      }
      expect(answer).toBe("hello");
      await store.close();
      await server.stop();
    },
  );

  test.each(clients.filter(({ url }) => !url.startsWith("sqlite:")))(
    "that freezes the server of $client ends the command in time",
    async ({ client, url }) => {
      const server = await (url.startsWith("redis") ? startRedis() : startPostgres());
      server.pause();
      const { code, err } = await cli(`lease inspect --store ${server.url}`, placeOf(client));
      server.resume();
      await server.stop();
      expect(code).toBe(1);
      expect(err).toMatch(/^error: \S+: .+\n$/);
    },
  );
});

describe("the settings of a store", () => {
  const sql = clients.filter(({ url }) => url.startsWith("postgres"));

  test.each(sql)("are applied with $client: prefix, pool size, timeout", async ({ client, url }) => {
    const given = placeOf(client);
    const prefix = "own_prefix";
    const line = `--store ${url} --types types.json --type farmer --store-prefix ${prefix}`;
    expect(await cli(`pool fill ${line} --to 50`, given)).toMatchObject({ code: 0 });
    const { out } = await cli(`pool status ${line} --json`, given);
    expect(JSON.parse(out)).toMatchObject({ available: 50 });
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    const named = `SELECT COUNT(*)::INT AS count FROM ${prefix}_ids`;
    expect((await other.query(named)).rows).toEqual([{ count: 50 }]);
    await other.end();

    const call = storeContext(given, { storeTimeoutMs: 2000, storePoolSize: 2 });
    const store = await openStore(url, call);
    const { backend } = store;
    if (!("query" in backend)) throw new Error("no SQL");
    const pids = await Promise.all(
      Array.from({ length: 8 }, () => backend.query("SELECT PG_BACKEND_PID() AS pid, PG_SLEEP(0.01)", [])),
    );
    expect(new Set(pids.map(([row]) => row?.["pid"])).size).toBeLessThanOrEqual(2);
    await expect(backend.query("SELECT PG_SLEEP(8)", [])).rejects.toThrow("no answer within 2 s");
    expect(await echo(store)).toBe("hello");
    await store.close();
  });

  test.each(sql)(
    "allow a pool to issue again after its store went back, once it is accepted, with $client",
    async (client) => {
      const given = placeOf(client.client);
      const prefix = `accepted_${client.client}`;
      const line = `--store ${client.url} --types types.json --type farmer --store-prefix ${prefix}`;
      expect(await cli(`pool fill ${line} --to 50`, given)).toMatchObject({ code: 0 });
      expect(await cli(`pool accept ${line}`, given)).toMatchObject({
        code: 0,
        out: "The pool of farmer is not blocked: there is nothing to accept.\n",
      });
      const other = new pg.Client({ connectionString: client.url });
      await other.connect();
      // As after a restore: recorded on another timeline.
      await other.query(`UPDATE ${prefix}_id_types SET history = '1.0000000A'`);
      await other.end();
      const status = async () => JSON.parse((await cli(`pool status ${line} --json`, given)).out);
      expect(await status()).toMatchObject({ isRefused: true, available: 50 });
      expect((await cli(`pool status ${line}`, given)).out).toContain("bitflake pool accept --help");
      expect(await cli(`pool accept ${line}`, given)).toMatchObject({
        code: 0,
        out: "The pool of farmer issues IDs again.\n",
      });
      expect(await status()).toMatchObject({ isRefused: false });
    },
  );

  test.skipIf(!REDIS_URL)("are applied with ioredis: prefix", async () => {
    const line = `serve --store ${REDIS_URL} --store-prefix ${namespace}_p --name ${namespace} --port 0 --log none`;
    const controller = new AbortController();
    const onWrite = (where: string) => {
      if (where === "stdout") controller.abort();
    };
    const { code } = await cli(line, { ...placeOf("ioredis"), onWrite, signal: controller.signal });
    expect(code).toBe(0);
    const client = new Redis(REDIS_URL);
    const keys = await client.keys(`${namespace}_p:{${namespace}}*`);
    expect(keys.length).toBeGreaterThan(0);
    await client.del(...keys);
    await client.quit();
  });
});

describe("a connection that goes silent, without an end", () => {
  const servers = clients.filter(({ url }) => !url.startsWith("sqlite:"));

  test.each(servers)(
    "is replaced with $client: requests fail, and succeed again soon",
    async ({ client, url }) => {
      const network = await networkTo(url);
      const controller = new AbortController();
      let checks: Promise<void> | undefined;
      /** Silences and restores the network, and checks the responses. */
      const checkResponses = async (base: string) => {
        const counter = () => fetch(`${base}/generate_counter_id`);
        const statusOf = async () => (await counter()).status;
        // Several at once, so that a pool has several connections.
        const many = () => Promise.all(Array.from({ length: 8 }, statusOf));
        const untilAllAnswer = async () => {
          while ((await many()).some((status) => status !== 200));
        };
        await untilAllAnswer();
        network.silence();
        const refused = await counter();
        expect([refused.status, await refused.json()]).toMatchObject([503, { code: "ERR_BACKEND" }]);
        // New connections are silent too, and their requests fail as well.
        expect(await many()).toEqual(Array(8).fill(503));
        network.restore();
        const restored = performance.now();
        while ((await statusOf()) !== 200) expect(performance.now() - restored).toBeLessThan(60_000);
        await untilAllAnswer();
      };
      const onWrite = (where: string, text: string) => {
        const base = where === "stdout" ? /http:\/\/127\S+/.exec(text)?.[0] : undefined;
        if (base) checks = checkResponses(base).finally(() => controller.abort());
      };
      const line = `serve --store ${network.url} --machine-id 1 --store-timeout-ms 1500 --store-pool-size 2 --port 0 --log none`;
      const { code, err } = await cli(`${line} --name ${namespace}`, {
        ...placeOf(client),
        onWrite,
        signal: controller.signal,
      });
      await checks;
      expect([code, err]).toEqual([0, ""]);
      network.close();
    },
  );
});

const pools = [
  ...clients
    .filter(({ client }) => /^(pg|postgres|better-sqlite3)$/.test(client))
    .map((one) => ({ ...one, import: withoutSqlite })),
  ...(sqliteHere.node ? [{ client: "node:sqlite", url: "sqlite:own.db", import: undefined }] : []),
];
if (sqliteHere.node) places.set("node:sqlite", placeWith());

describe.each(pools)("a pool on $client", ({ client, url, import: load }) => {
  const type = client.replace(/\W/g, "");
  const given: CliOptions = { ...placeOf(client), ...(load && { import: load }) };
  writeFileSync(
    join(given.cwd as string, "own.json"),
    JSON.stringify({ [type]: { length: 10 }, tiny: { length: 3 } }),
  );
  const of = (what: string, name = type) => `pool ${what} --store ${url} --types own.json --type ${name}`;

  test("has a status before it exists, and nothing is left behind", async () => {
    const { code, out, err } = await cli(of("status"), given);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(
      url.startsWith("sqlite:")
        ? /^error: sqlite:\w+\.db(: the file does not exist| has no pool tables; `bitflake pool fill` creates them)\n$/
        : /^error: \S+ has no pool tables; `bitflake pool fill` creates them\n$/,
    );
  });

  test("is filled twice, and has a status", async () => {
    expect(await cli(of("fill --to 800"), given)).toMatchObject({
      code: 0,
      out: `${type}: 800 IDs are available, 800 of them new.\n`,
    });
    expect((await cli(`${of("fill --to 1000")} --json`, given)).out).toBe(
      `{"type":"${type}","available":1000,"added":200,"target":1000,"isStopped":false}\n`,
    );
    const { code, out } = await cli(`${of("status")} --json`, given);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type, available: 1000, taken: 0, isExhausted: false });
  });

  test("is filled up to the last ID of its type", async () => {
    const { code, out } = await cli(of("fill", "tiny"), given);
    expect(code).toBe(1);
    const [, available] = /^tiny: (\d+) IDs/.exec(out) ?? [];
    const { out: status } = await cli(`${of("status", "tiny")} --json`, given);
    expect(JSON.parse(status)).toMatchObject({
      available: Number(available),
      remaining: available,
      isExact: true,
    });
  });

  test("is exhausted when all IDs are issued", async () => {
    const store = await openStore(url, storeContext(given));
    const tiny = new NumericIdType({ name: "tiny", length: 3 });
    const pool = new IdPool({ backend: store.backend, type: tiny, waitMs: 0 });
    await pool.issueIds((await pool.status()).available);
    await pool.stop();
    await store.close();
    const { code, out } = await cli(of("status", "tiny"), given);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^type +tiny\navailable +0\ntaken +\d+\nremaining +0\nexhausted +yes\nbeing filled +no\n$/,
    );
  });

  test("keeps its IDs when the fill is interrupted", async () => {
    const controller = new AbortController();
    const onWrite = (where: string) => {
      if (where === "stderr") controller.abort();
    };
    const { code } = await cli(of("fill --to 100000"), { ...given, onWrite, signal: controller.signal });
    expect(code).toBe(130);
    const { available, isFilling } = JSON.parse((await cli(`${of("status")} --json`, given)).out);
    expect(available).toBeGreaterThanOrEqual(1000);
    expect(isFilling).toBe(false);
  });
});

describe("leases", () => {
  const stores = [
    ...(REDIS_URL ? [{ client: "ioredis", url: REDIS_URL }] : []),
    ...(DATABASE_URL ? [{ client: "pg", url: databaseOf("pg") }] : []),
  ];

  test.each(stores)("on $client are listed with their holders", async ({ client, url }) => {
    const given = placeOf(client);
    const line = `lease inspect --store ${url} --name ${namespace}`;
    const none = await cli(line, given);
    expect(none.out || none.err).toMatch(/[Nn]o node has been leased/);
    const store = await openStore(url, storeContext(given));
    if ("query" in store.backend)
      await (await import("../../src/backend/index.ts")).setup(store.backend, ["lease"]);
    const lease = await leaseNode({ backend: store.backend, namespace, preset: "twitter", holder: "pod-7" });
    const { code, out } = await cli(line, given);
    expect(code).toBe(0);
    expect(out).toContain(`${namespace}: 1 held, 0 expired, 1 ever used; layout `);
    expect(out).toMatch(/\nNODE +DATACENTER .*\n0 +0 +0 +\S+Z +\S+Z +held +pod-7\n$/);
    expect(JSON.parse((await cli(`${line} --json`, given)).out)).toMatchObject({
      namespace,
      held: [{ node: 0, holder: "pod-7", isCurrent: true }],
    });
    await lease.release();
    expect((await cli(line, given)).out).toContain(`${namespace}: 0 held, 0 expired, 1 ever used; layout `);
    await store.close();
  });
});

describe.skipIf(!REDIS_URL || !DATABASE_URL || !sqliteHere.node)("the examples that require a store", () => {
  const place = placeWith("ioredis", "pg");
  const guide = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");
  const [config = ""] = [...guide.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json).slice(-1);
  writeFileSync(
    join(place.cwd, "bitflake.json"),
    JSON.stringify({ ...JSON.parse(config), store: REDIS_URL, name: namespace, port: 0 }),
  );
  const env = { REDIS_URL, DATABASE_URL: databaseOf("pg") };

  let service: Service;
  let server: Listening;
  beforeAll(async () => {
    service = createService({ backend: memory(), machineId: 1 });
    server = await listen(service, { port: 0 });
  });
  afterAll(async () => {
    await server.close();
    await service.stop();
  });

  // Workers are processes, and run in service-workers.test.ts.
  test.each(examples.filter((one) => needsStore(one) && !one.line.includes("--workers")))(
    "in $where print the output that is shown: bitflake $line",
    async ({ line, output }) => {
      // The ports of the examples may be in use here. Each pool is new, as its shown output requires.
      const isService = /^(serve|top)/.test(line);
      const free =
        line.replace(/ --port \d+/, "").replace("http://127.0.0.1:3000", server.url) +
        (line.startsWith("serve") && !line.includes("--config") ? " --port 0" : "");
      if (/^pool fill.*sqlite/.test(line)) rmSync(join(place.cwd, "ids.db"), { force: true });
      const controller = new AbortController();
      const onWrite = (where: string) => {
        if (where === "stdout" && isService) controller.abort();
      };
      const { code, out } = await cli(free, { ...place, env, onWrite, signal: controller.signal });
      expect(code).toBe(0);
      if (output) expect(out).toBe(output);
      else expect(out).not.toBe("");
    },
  );
});

describe.skipIf(!sqliteHere.node)("the program", () => {
  let program: Program;
  beforeAll(async () => {
    program = await buildProgram();
    writeFileSync(join(program.folder, "types.json"), typesFile());
  });
  afterAll(() => program.remove());

  /** Opens a database as another program does. */
  const opened = async (file: string) => {
    const { DatabaseSync } = (await import("node:sqlite")) as { DatabaseSync: new (path: string) => Sqlite };
    return new DatabaseSync(file);
  };
  interface Sqlite {
    exec(sql: string): void;
    prepare(sql: string): { get(): Record<string, unknown> | undefined };
    close(): void;
  }

  test("keeps its state in a file of the user without a --store", async () => {
    const args = ["serve", "--types", "types.json", "--port", "0", "--log", "none"];
    const { child, written, ended, waitForOutput } = program.start(args);
    await waitForOutput("listening on ");
    child.kill("SIGTERM");
    expect([await ended, written.err]).toEqual([0, ""]);
    const file = join(program.folder, "home", ".local", "state", "bitflake", "bitflake.db");
    expect(written.out).toContain(`\nstore: sqlite:${file}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(join(program.folder, "bitflake.db"))).toBe(false);
  });

  test("leases its node from the given file, and releases it when it stops", async () => {
    const args = ["serve", "--store", "sqlite:named.db", "--port", "0", "--log", "none"];
    const { child, written, ended, waitForOutput } = program.start(args);
    await waitForOutput("listening on ");
    child.kill("SIGTERM");
    expect([await ended, written.err]).toEqual([0, ""]);
    expect(written.out).toMatch(
      /\nnode: datacenter 0, machine 0, leased from sqlite:named\.db; could be repeated/,
    );
    const look = program.start(["lease", "inspect", "--store", "sqlite:named.db", "--name", "service"]);
    expect([await look.ended, look.written.err]).toEqual([0, ""]);
    expect(look.written.out).toContain("service: 0 held, 0 expired, 1 ever used");
  });

  test("creates a file in WAL mode, for the user alone, and waits for other writers", async () => {
    const pool = ["--store", "sqlite:wal.db", "--types", "types.json", "--type", "farmer"];
    const timeout = ["--store-timeout-ms", "60000"];
    const fill = (to: string) => program.start(["pool", "fill", ...pool, ...timeout, "--to", to]);
    expect(await fill("100").ended).toBe(0);
    const file = join(program.folder, "wal.db");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const other = await opened(file);
    expect(other.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    other.exec("BEGIN IMMEDIATE");
    const waiting = fill("200");
    // Reads succeed meanwhile; a write waits for the other program.
    const status = program.start(["pool", "status", ...pool]);
    expect([await status.ended, status.written.err]).toEqual([0, ""]);
    other.exec("COMMIT");
    expect([await waiting.ended, waiting.written.out]).toEqual([
      0,
      "farmer: 200 IDs are available, 100 of them new.\n",
    ]);
    other.close();
  });

  test("keeps the mode of an existing file, and its journal if it only reads", async () => {
    const file = join(program.folder, "shared.db");
    const other = await opened(file);
    other.exec("CREATE TABLE mine (x)");
    chmodSync(file, 0o640);
    const look = program.start(["lease", "inspect", "--store", "sqlite:shared.db"]);
    expect(await look.ended).toBe(1);
    expect(look.written.err).toContain("has no lease tables");
    expect(other.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
    other.close();
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test("stops a fill at SIGINT, and keeps its IDs", async () => {
    const pool = ["--store", "sqlite:ids.db", "--types", "types.json", "--type", "farmer"];
    const { child, written, ended, waitForOutput } = program.start([
      "pool",
      "fill",
      ...pool,
      "--to",
      "1000000",
    ]);
    await waitForOutput("farmer:", "err");
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    const { written: status, ended: looked } = program.start(["pool", "status", ...pool, "--json"]);
    expect(await looked).toBe(0);
    const { isFilling } = JSON.parse(status.out);
    // A status counts no further than a refill goes.
    const ids = await opened(join(program.folder, "ids.db"));
    const { count } = ids.prepare("SELECT COUNT(*) AS count FROM bitflake_ids").get() as { count: number };
    ids.close();
    expect(written.out).toContain(
      `farmer: ${count} IDs are available, ${count} of them new. The fill was interrupted.`,
    );
    expect(isFilling).toBe(false);
  });

  test("refuses a file that is not a database", async () => {
    const { written, ended } = program.start(["lease", "inspect", "--store", "sqlite:types.json"]);
    expect(await ended).toBe(1);
    expect(written.err).toMatch(/^error: sqlite:types\.json: .*not a database\n$/);
    const missing = program.start(["serve", "--store", "sqlite:no/such/folder.db", "--port", "0"]);
    expect(await missing.ended).toBe(1);
    expect(missing.written.err).toMatch(/^error: sqlite:no\/such\/folder\.db: .*unable to open.*\n$/);
  });
});
