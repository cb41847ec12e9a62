// The adapter for mysql2: its table, any settings of the pool, deadlocks, and a server that is down, frozen or slow.

import { createConnection, createPool, type PoolOptions } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Cells } from "../../../src/backend/cells.ts";
import { fromMysql2, type Mysql2Pool, setup, setupSql } from "../../../src/backend/index.ts";
import { VERSION } from "../../../src/backend/schemaVersion.ts";
import { Counter } from "../../../src/counter/index.ts";
import { ArgumentError, BackendError } from "../../../src/internal.ts";
import { type MysqlConnection, mysqlAdapters } from "../mysql-clients.ts";
import { type Server, startable, startMariadb } from "../servers.ts";
import { clean } from "../stores.ts";
import { again, failure } from "./outcomes.ts";

const { MYSQL_URL = "" } = process.env;
const [mysql2] = mysqlAdapters;

let prefixes = 0;
const freshPrefix = () => `mysql_${process.pid}_${prefixes++}`;
const nameOf = (prefix: string) => `\`${prefix.replaceAll("`", "``")}_cells\``;

const opened: MysqlConnection[] = [];
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
});

async function open(prefix: string, url = MYSQL_URL): Promise<MysqlConnection> {
  const connection = await mysql2.open(url, { prefix, timeoutMs: 60_000 });
  opened.push(connection);
  return connection;
}

/** Runs the statements of a script, because a connection takes one at a time. */
async function runAll(run: MysqlConnection["run"], sql: string): Promise<void> {
  for (const statement of sql.trimEnd().split(/;\n+/)) if (statement !== "") await run(statement);
}

/** The method by which the adapter knows a pool. It is not called. */
const execute = () => Promise.reject(new Error("called"));

/** Adds one to a number. */
const add = (value = "0") => ({ value: String(Number(value) + 1), result: true });

describe.skipIf(!MYSQL_URL)("setup on MySQL", () => {
  test("creates the table once, and resolves to its SQL", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    await expect(new Counter({ backend: port, name: "n" }).next()).rejects.toMatchObject({
      reason: "failed",
      message: expect.stringMatching(/^counter: reserve: has setup\(\) been run\? Table .* doesn't exist$/),
    });
    const sql = setupSql({ dialect: "mysql", prefix }, ["counter"]);
    expect(await setup(port, ["counter"])).toBe(sql);
    expect(await new Counter({ backend: port, name: "n" }).next()).toBe(1n);
    expect(await setup(port, ["counter"])).toBe("");
    expect(await new Counter({ backend: port, name: "n" }).next()).toBe(2n);
    await run(`DROP TABLE ${nameOf(prefix)}`);
    // The SQL is a script that can be run again.
    for (let time = 0; time < 2; time++) await runAll(run, sql);
    expect(await setup(port, ["counter"])).toBe("");
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });

  test("records the version by its SQL as by its call, and keeps a later one", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    const sql = setupSql({ dialect: "mysql", prefix }, []);
    const key = `${prefix}:meta:schema`;
    await runAll(run, sql);
    const recorded = await port.read(key);
    expect(JSON.parse(recorded.value as string)).toEqual({ version: VERSION, least: 1 });
    const later = JSON.stringify({ version: VERSION + 7, least: VERSION });
    const earlier = JSON.stringify({ version: VERSION - 1, least: 1 });
    for (const [before, after] of [
      [later, later],
      [earlier, recorded.value],
    ] as const) {
      const { version } = await port.read(key);
      const written = await port.swap(key, version, before as string);
      expect(written.swapped).toBe(true);
      await runAll(run, sql);
      const { value, version: token } = await port.read(key);
      expect([value, token === written.version]).toEqual([after, after === before]);
    }
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });

  test("succeeds ten times at once", async () => {
    const prefix = freshPrefix();
    const ports = await Promise.all(Array.from({ length: 10 }, () => open(prefix)));
    await Promise.all(ports.map(({ port }) => setup(port)));
    expect(await setup(ports[0].port)).toBe("");
    await clean(ports[0].port);
  });

  test("accepts any prefix that MySQL keeps, and refuses the others before it connects", async () => {
    const awkward = `P\`; "Žluť" 日本 ${process.pid}`;
    const { port, run } = await open(awkward);
    await setup(port, ["counter"]);
    expect(await port.swap("k", "", "v")).toMatchObject({ swapped: true });
    await run(`DROP TABLE ${nameOf(awkward)}`);
    const refuse = () => Promise.reject(new Error("connected"));
    const pool = { query: refuse, execute: refuse };
    expect(() => fromMysql2(pool, { prefix: "x".repeat(54) })).not.toThrow();
    expect(() => fromMysql2(pool, { prefix: "x".repeat(55) })).toThrow(ArgumentError);
    expect(() => fromMysql2(pool, { prefix: "🙂" })).toThrow(ArgumentError);
    expect(() => setupSql({ dialect: "mysql", prefix: "x".repeat(55) })).toThrow(ArgumentError);
    const target = { dialect: "mysql", schema: "ids" } as never;
    expect(() => setupSql(target)).toThrow("schema must be left out for SQLite and MySQL");
    expect(() => setupSql({ dialect: "mysql" }, ["no feature" as never])).toThrow(ArgumentError);
  });

  test("needs no right to create tables if the table exists", async () => {
    const prefix = freshPrefix();
    const { run } = await open(prefix);
    // In the database "test" each user may do anything.
    await run(`CREATE DATABASE ${prefix}`);
    await run(`CREATE USER ${prefix}@'%'`);
    const ours = new URL(MYSQL_URL);
    ours.pathname = `/${prefix}`;
    const asUser = new URL(ours);
    asUser.username = prefix;
    try {
      await setup((await open(prefix, ours.href)).port, ["counter"]);
      await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${prefix}.${nameOf(prefix)} TO ${prefix}@'%'`);
      const user = await open(prefix, asUser.href);
      expect(await setup(user.port, ["counter"])).toBe("");
      expect(await new Counter({ backend: user.port, name: "n" }).next()).toBe(1n);
      const other = await mysql2.open(asUser.href, { prefix: `${prefix}_none` });
      opened.push(other);
      await expect(setup(other.port)).rejects.toMatchObject({ reason: "failed", operation: "setup" });
    } finally {
      await run(`DROP USER ${prefix}@'%'`);
      await run(`DROP DATABASE ${prefix}`);
    }
  });
});

describe.skipIf(!MYSQL_URL)("the table", () => {
  test("finds a key by its primary key, and the prefix of a list by a range of it", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    await setup(port, ["counter"]);
    const sent: string[] = [];
    const pool = createPool(MYSQL_URL);
    const query: Mysql2Pool["query"] = (options) => {
      if (!options.sql.startsWith("DELETE")) sent.push(options.sql);
      return pool.query(options);
    };
    const counted = fromMysql2({ query, execute }, { prefix });
    for (let at = 0; at < 200; at++) await counted.swap(`k${at}`, "", "v", 1_000_000);
    sent.splice(0);
    const { version } = await counted.read("k7");
    await counted.list?.("k1");
    await counted.swap("k7", version, "w");
    expect(sent).toHaveLength(3);
    await run(`ANALYZE TABLE ${nameOf(prefix)}`);
    for (const sql of sent) {
      const plan = JSON.stringify(await run(`EXPLAIN ${sql}`));
      expect(plan).toContain('"key":"PRIMARY"');
      expect(plan).not.toContain('"type":"ALL"');
    }
    await pool.end();
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });

  test("keeps a longest key", async () => {
    const prefix = "é".repeat(54);
    const { port, run } = await open(prefix);
    await setup(port, ["counter"]);
    const counter = new Counter({ backend: port, name: "\u{1F642}".repeat(100) });
    expect(await counter.next()).toBe(1n);
    const key = `${prefix}:feature:${encodeURIComponent("\u{1F642}".repeat(100))}:${"\u{1F642}".repeat(255)}`;
    expect(await port.swap(key, "", "v")).toMatchObject({ swapped: true });
    expect(await port.list?.(key)).toMatchObject([{ key, value: "v" }]);
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });

  test("loses the rows that have ended, in the background", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    await setup(port, ["counter"]);
    for (let at = 0; at < 20; at++) await port.swap(`old ${at}`, "", "v", 0);
    await port.swap("kept", "", "v");
    await port.swap("long", "", "v", 1_000_000);
    // Another process cleans with its first call.
    const { port: other } = await open(prefix);
    await other.swap("another", "", "v");
    const count = async () => JSON.stringify(await run(`SELECT COUNT(*) AS n FROM ${nameOf(prefix)}`));
    // With the record of the schema's version.
    await expect.poll(count).toBe('[{"n":4}]');
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });
});

describe.skipIf(!MYSQL_URL)("a pool", () => {
  const settings: [string, PoolOptions][] = [
    ["rows as arrays", { rowsAsArray: true }],
    ["big numbers as text", { supportBigNumbers: true, bigNumberStrings: true }],
    ["named placeholders", { namedPlaceholders: true }],
    ["several statements", { multipleStatements: true }],
    ["no casts", { typeCast: false }],
    ["casts of its own", { typeCast: (_field, next) => next() }],
    ["casts to text", { typeCast: (field) => field.string() }],
    ["rows by table", { nestTables: true }],
    ["columns by table", { nestTables: "_" }],
    ["one connection", { connectionLimit: 1 }],
    ["latin1", { charset: "latin1_swedish_ci" }],
    ["ascii", { charset: "ascii_bin" }],
    ["a time zone", { timezone: "+05:00", dateStrings: true }],
  ];
  test.each(settings)("with %s answers as any other", async (_, options) => {
    const prefix = freshPrefix();
    const pool = createPool({ uri: MYSQL_URL, ...options });
    const port = fromMysql2(pool, { prefix });
    await setup(port, ["counter"]);
    const first = await port.swap("ключ 🙂", "", "значение 🙂", 1_000_000);
    expect(first).toMatchObject({ swapped: true, nowMs: expect.any(Number) });
    expect(await port.read("ключ 🙂")).toMatchObject({ value: "значение 🙂", version: first.version });
    expect(await port.swap("ключ 🙂", "", "x")).toMatchObject({ swapped: false });
    expect(await port.swap("ключ 🙂", first.version, "x")).toMatchObject({ swapped: true });
    expect(await port.list?.("к")).toMatchObject([{ key: "ключ 🙂", value: "x" }]);
    const before = Date.now();
    const { nowMs } = await port.read("?");
    expect(nowMs).toBeGreaterThan(before - 2000);
    expect(nowMs).toBeLessThan(Date.now() + 2000);
    await pool.query(`DROP TABLE ${nameOf(prefix)}`);
    await pool.end();
  });

  test("with autocommit off is refused, because its writes would be lost", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    await setup(port);
    const pool = createPool({ uri: MYSQL_URL, connectionLimit: 1 });
    const off = fromMysql2(pool, { prefix });
    await pool.query("SET autocommit = 0");
    const refused = { reason: "failed", message: expect.stringContaining("autocommit is off") };
    await expect(setup(off)).rejects.toMatchObject(refused);
    const counter = new Counter({ backend: off, name: "n" });
    await expect(counter.next()).rejects.toMatchObject(refused);
    await pool.query("SET autocommit = 1");
    expect(await counter.next()).toBe(1n);
    await pool.end();
    expect(await new Counter({ backend: port, name: "n" }).next()).toBe(2n);
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });

  test.each(["ANSI", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "TRADITIONAL", "ORACLE", ""])(
    "of a server in the SQL mode '%s', in a zone whose clock goes back, answers as any other",
    async (mode) => {
      const prefix = freshPrefix();
      const connection = await createConnection(MYSQL_URL);
      await connection.query(`SET sql_mode = '${mode}', time_zone = '-11:30'`);
      const port = fromMysql2(connection, { prefix });
      await setup(port, ["counter"]);
      const value = "\\' OR ''='";
      const before = Date.now();
      const first = await port.swap("\\' --", "", value, 0);
      expect(first.nowMs).toBeGreaterThan(before - 2000);
      expect(first.nowMs).toBeLessThan(Date.now() + 2000);
      const second = await port.swap("\\' --", "", value);
      expect(second).toMatchObject({ swapped: true });
      expect(await port.swap("\\' --", "", "x")).toMatchObject({ swapped: false, value });
      expect(await port.swap("\\' --", second.version, "x")).toMatchObject({ swapped: true });
      await connection.query(`DROP TABLE ${nameOf(prefix)}`);
      await connection.end();
    },
  );

  test("behind a proxy that drops the ID of an insert still knows whether it wrote", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    await setup(port, ["counter"]);
    const pool = createPool(MYSQL_URL);
    const query: Mysql2Pool["query"] = async (options) => {
      const [result, columns] = await pool.query(options);
      return [Array.isArray(result) ? result : { ...result, insertId: 0 }, columns];
    };
    const behind = fromMysql2({ query, execute }, { prefix });
    const first = await behind.swap("k", "", "v");
    expect(first).toMatchObject({ swapped: true, value: "v", nowMs: expect.any(Number) });
    expect(await behind.swap("k", "", "w")).toMatchObject({ swapped: false, value: "v" });
    expect(await behind.swap("k", first.version, "w")).toMatchObject({ swapped: true, value: "w" });
    expect(await behind.swap("k", first.version, "x")).toMatchObject({ swapped: false, value: "w" });
    await pool.end();
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });

  test("a swap is one statement if it writes, and two if it lost", async () => {
    const sent: string[] = [];
    const prefix = freshPrefix();
    const pool = createPool(MYSQL_URL);
    const query: Mysql2Pool["query"] = (options) => {
      if (!options.sql.startsWith("DELETE")) sent.push(options.sql);
      return pool.query(options);
    };
    const port = fromMysql2({ query, execute }, { prefix });
    await setup(port, ["counter"]);
    const calls = async (call: () => Promise<unknown>) => {
      sent.splice(0);
      await call();
      return sent.length;
    };
    expect(await calls(() => port.read("k"))).toBe(1);
    expect(await calls(() => port.swap("k", "", "v", 0))).toBe(1);
    expect(await calls(() => port.swap("k", "", "over an ended one"))).toBe(1);
    const { version } = await port.read("k");
    expect(await calls(() => port.swap("k", version, "w"))).toBe(1);
    expect(await calls(() => port.swap("k", version, "lost"))).toBe(2);
    expect(await calls(() => port.swap("k", "", "lost"))).toBe(2);
    await pool.query(`DROP TABLE ${nameOf(prefix)}`);
    await pool.end();
  });

  test("surfaces no deadlock when 40 connections insert, end and clean the same keys", async () => {
    const prefix = freshPrefix();
    const pool = createPool({ uri: MYSQL_URL, connectionLimit: 40 });
    const ports = Array.from({ length: 8 }, () => fromMysql2(pool, { prefix, timeoutMs: 20_000 }));
    await setup(ports[0], ["counter"]);
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const work = async (at: number) => {
      for (let round = 0; round < 30; round++) {
        const key = `k${next(12)}`;
        const { version } = await ports[at % 8].read(key);
        await ports[at % 8].swap(key, version, `${at} ${round}`, next(3));
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, at) => work(at)));
    await pool.query(`DROP TABLE ${nameOf(prefix)}`);
    await pool.end();
  });

  test("in SERIALIZABLE with isolated snapshots, the default of MariaDB 11.6, surfaces no conflict", async () => {
    const prefix = freshPrefix();
    const pool = createPool({ uri: MYSQL_URL, connectionLimit: 20 });
    const connections = await Promise.all(Array.from({ length: 20 }, () => pool.getConnection()));
    for (const connection of connections) {
      await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      // MySQL, and MariaDB before 10.6.18, have no such variable.
      await connection.query("SET SESSION innodb_snapshot_isolation = ON").catch(() => {});
      connection.release();
    }
    const port = fromMysql2(pool, { prefix, timeoutMs: 20_000 });
    await setup(port);
    const processes = Array.from({ length: 20 }, () => new Cells(port));
    await Promise.all(Array.from({ length: 100 }, (_, at) => processes[at % 20].step("test", "k", add)));
    expect(await port.read("k")).toMatchObject({ value: "100" });
    await pool.query(`DROP TABLE ${nameOf(prefix)}`);
    await pool.end();
  });

  test("sends a statement again that was in a deadlock, and gives up before the time limit", async () => {
    const deadlock = Object.assign(new Error("Deadlock found"), { code: "ER_LOCK_DEADLOCK", errno: 1213 });
    let failures = 3;
    const query: Mysql2Pool["query"] = async () => {
      if (failures-- > 0) throw deadlock;
      return [{ affectedRows: 1, insertId: 1_800_000_000_000 }, undefined];
    };
    const unhurried = fromMysql2({ query, execute }, { timeoutMs: 60_000 });
    expect(await unhurried.swap("k", "", "v")).toMatchObject({ swapped: true, nowMs: 1_800_000_000_000 });
    failures = Number.POSITIVE_INFINITY;
    const port = fromMysql2({ query, execute }, { timeoutMs: 300 });
    const error = await failure(new Cells(port).step("test", "k", add));
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ operation: "test", message: expect.stringMatching(/Deadlock|no answer/) });
  });

  test("waits for a row that another transaction holds, and then decides by what it has left", async () => {
    const prefix = freshPrefix();
    const { port, run } = await open(prefix);
    await setup(port, ["counter"]);
    const { version } = await port.swap("k", "", "v");
    const other = await createConnection(MYSQL_URL);
    await other.query("BEGIN");
    await other.query(`UPDATE ${nameOf(prefix)} SET value = 'w', version = 'theirs'`);
    const waiting = [port.swap("k", version, "mine"), port.swap("k", "", "mine"), port.read("k")];
    // A read does not wait, and sees what was committed.
    expect(await waiting[2]).toMatchObject({ value: "v" });
    await other.query("COMMIT");
    for (const lost of (await Promise.all(waiting)).slice(0, 2))
      expect(lost).toMatchObject({ swapped: false, value: "w", version: "theirs" });
    await other.end();
    await run(`DROP TABLE ${nameOf(prefix)}`);
  });
});

describe.skipIf(!startable.mariadb)("a MariaDB of its own", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(() => server.stop());

  test("fails calls in time while it is down or frozen, forgets nothing, and answers again", async () => {
    const { port, close } = await mysql2.open(server.url, { timeoutMs: 400 });
    const unhurried = await mysql2.open(server.url, { timeoutMs: 60_000 });
    await setup(unhurried.port, ["counter"]);
    const counter = new Counter({ backend: port, name: "orders" });
    const slow = new Counter({ backend: unhurried.port, name: "orders" });
    expect(await slow.next()).toBe(1n);

    server.pause();
    // Its threads stop one after the other.
    while ((await counter.next().catch(() => undefined)) !== undefined);
    const started = performance.now();
    const frozen = await Promise.all(Array.from({ length: 5 }, () => failure(counter.next())));
    expect(performance.now() - started).toBeLessThan(60_000);
    for (const error of frozen) expect(error).toMatchObject({ reason: "timeout" });
    server.resume();
    const next = await again(() => counter.next());
    // Values of calls without an answer may be skipped, and none repeats.
    expect(next).toBeGreaterThan(1n);

    await server.kill();
    expect(await failure(slow.next())).toMatchObject({ reason: "failed", cause: expect.any(Error) });
    await expect(setup(unhurried.port)).rejects.toMatchObject({ reason: "failed", operation: "setup" });
    await server.restart();
    const after = await again(() => counter.next());
    expect(after).toBeGreaterThan(next);
    await unhurried.close();
    await close();
  });
});
