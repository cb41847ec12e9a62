// `once` in a transaction of the caller: the record and the work are committed together or not at all, on each client that has
// transactions; and PostgreSQL with concurrent calls, other isolation, and clients that die before the commit.

import { spawn } from "node:child_process";
import { once as event } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type BetterSqlite3 from "better-sqlite3";
import pg from "pg";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  fromPGlite,
  fromPg,
  fromPostgresJs,
  fromSqlite,
  memory,
  type SqliteDatabase,
  type SqlPort,
  setup,
} from "../../src/backend/index.ts";
import { Idempotency, InFlightError } from "../../src/idempotency/index.ts";
import { sqliteHere } from "./sqlite-here.ts";
import { clean } from "./stores.ts";

const prefix = `tx_${process.pid}`;
const TABLE = `"${prefix}_transfers"`;
const require = createRequire(import.meta.url);
const { DATABASE_URL = "" } = process.env;
const folder = mkdtempSync(join(tmpdir(), "bitflake-tx-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A database whose client has transactions. */
interface Database {
  /** A port outside of any transaction. */
  readonly backend: SqlPort;
  /** Runs a function in a transaction, and commits if it resolves. */
  transact<T>(body: (transaction: SqlPort) => Promise<T>, begin?: string): Promise<T>;
  close(): unknown;
}

/** Runs statements around a function. */
async function between<T>(run: (sql: string) => unknown, begin: string, body: () => Promise<T>): Promise<T> {
  await run(begin);
  try {
    const result = await body();
    await run("COMMIT");
    return result;
  } catch (error) {
    await run("ROLLBACK");
    throw error;
  }
}

function openPg(timeoutMs?: number): Database {
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
  pool.on("error", () => {});
  return {
    backend: fromPg(pool, { prefix, timeoutMs }),
    async transact(body, begin = "BEGIN") {
      const client = await pool.connect();
      // Otherwise the end of its connection would end this process.
      client.on("error", () => {});
      try {
        return await between(
          (sql) => client.query(sql),
          begin,
          () => body(fromPg(client, { prefix, timeoutMs })),
        );
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

function openSqlite(db: SqliteDatabase & { exec(sql: string): unknown; close(): unknown }): Database {
  const backend = fromSqlite(db, { prefix });
  return {
    backend,
    transact: (body, begin = "BEGIN IMMEDIATE") =>
      between(
        (sql) => db.exec(sql),
        begin,
        () => body(backend),
      ),
    close: () => db.close(),
  };
}

const databases: { name: string; open(): Database | Promise<Database> }[] = [];
if (DATABASE_URL) {
  databases.push({ name: "pg", open: () => openPg() });
  databases.push({
    name: "postgres.js",
    open() {
      const sql = postgres(DATABASE_URL, { onnotice: () => {} });
      return {
        backend: fromPostgresJs(sql, { prefix }),
        transact: async <T>(body: (transaction: SqlPort) => Promise<T>) =>
          (await sql.begin((transaction) => body(fromPostgresJs(transaction, { prefix })))) as T,
        close: () => sql.end({ timeout: 1 }),
      };
    },
  });
}
databases.push({
  name: "PGlite",
  async open() {
    const { PGlite } = await import("@electric-sql/pglite");
    const db = await PGlite.create();
    return {
      backend: fromPGlite(db, { prefix }),
      transact: async <T>(body: (transaction: SqlPort) => Promise<T>) =>
        (await db.transaction((transaction) => body(fromPGlite(transaction, { prefix })))) as T,
      close: () => db.close(),
    };
  },
});
const openNodeSqlite = (file: string) => {
  const { DatabaseSync } = require("node:sqlite") as typeof import("node:sqlite");
  return openSqlite(new DatabaseSync(file));
};
if (sqliteHere.node) databases.push({ name: "node:sqlite", open: () => openNodeSqlite(":memory:") });
if (sqliteHere.better) {
  databases.push({
    name: "better-sqlite3",
    open() {
      const Database = require("better-sqlite3") as typeof BetterSqlite3;
      return openSqlite(new Database(":memory:", { timeout: 0 }));
    },
  });
}

/** The rows that work has written. */
const rowsOf = ({ backend }: Database) => backend.query(`SELECT key, note FROM ${TABLE} ORDER BY note`, []);
const insert = (port: SqlPort, note: string) => port.query(`INSERT INTO ${TABLE} VALUES ('k', $1)`, [note]);
const createTables = async ({ backend }: Database) => {
  await setup(backend, ["idempotency"]);
  await backend.query(`CREATE TABLE ${TABLE} (key TEXT NOT NULL, note TEXT NOT NULL)`, []);
};

/** Returns the error of a call that must fail. */
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.fail("did not fail"),
    (error) => error,
  );

describe.each(databases)("a transaction of $name", ({ open }) => {
  let database: Database;
  let names = 0;
  /** Creates keys of a new name. */
  const make = (options = {}) =>
    new Idempotency({ backend: database.backend, name: `n${names++}`, ...options });
  beforeAll(async () => {
    database = await open();
    await createTables(database);
  });
  afterEach(() => database.backend.query(`DELETE FROM ${TABLE}`, []));
  afterAll(async () => {
    await clean(database.backend);
    await database.close();
  });

  /** Runs `once` in a transaction, and then a function. */
  const run = (once: Idempotency, note: string, after: () => unknown = () => {}, print = "f") =>
    database.transact(async (transaction) => {
      const work = async () => {
        await insert(transaction, note);
        return { note };
      };
      const result = await once.once("k", print, work, { transaction });
      await after();
      return result;
    });

  test("that commits keeps the record and the work, for calls in transactions and others", async () => {
    const once = make();
    expect(await run(once, "a")).toEqual({ value: { note: "a" }, isReplay: false });
    expect(await run(once, "b")).toEqual({ value: { note: "a" }, isReplay: true });
    expect(await once.once("k", "f", () => "c")).toEqual({ value: { note: "a" }, isReplay: true });
    expect(await once.peek("k")).toEqual({ state: "completed", isKept: true, value: { note: "a" } });
    expect(await errorOf(run(once, "d", () => {}, "g"))).toHaveProperty("code", "ERR_FINGERPRINT");
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "a" }]);
  });

  test("that is rolled back after the work keeps neither", async () => {
    const once = make();
    const error = new Error("after the work");
    const fail = () => {
      throw error;
    };
    expect(await errorOf(run(once, "a", fail))).toBe(error);
    expect(await once.peek("k")).toEqual({ state: "absent" });
    expect(await rowsOf(database)).toEqual([]);
    expect(await run(once, "b", () => {}, "g")).toEqual({ value: { note: "b" }, isReplay: false });
  });

  test("whose work throws keeps neither, also if the caller commits", async () => {
    const once = make();
    const error = new Error("no");
    const commit = database.transact(async (transaction) => {
      const work = async () => {
        throw error;
      };
      expect(await errorOf(once.once("k", "f", work, { transaction }))).toBe(error);
    });
    await commit;
    expect(await once.peek("k")).toEqual({ state: "absent" });
  });

  test("whose work fails in SQL throws its error, and keeps neither", async () => {
    const once = make();
    const failed = database.transact((transaction) =>
      once.once("k", "f", () => transaction.query("SELECT missing FROM nowhere", []), { transaction }),
    );
    expect(String(await errorOf(failed))).toMatch(/nowhere/);
    expect(await once.peek("k")).toEqual({ state: "absent" });
  });

  test("refuses a key whose work is in progress elsewhere, and takes over one whose lock has ended", async () => {
    const once = make();
    let finish = () => {};
    const first = once.once(
      "k",
      "f",
      () =>
        new Promise<string>((resolve) => {
          finish = () => resolve("first");
        }),
    );
    await expect.poll(() => once.peek("k")).toMatchObject({ state: "in-progress" });
    expect(await errorOf(run(once, "a"))).toBeInstanceOf(InFlightError);
    finish();
    await first;
    expect(await run(once, "b")).toEqual({ value: "first", isReplay: true });
  });

  test("refuses a key that it uses itself", async () => {
    const once = make();
    await database.transact(async (transaction) => {
      const inner = () => once.once("k", "f", () => 2, { transaction });
      const outer = once.once("k", "f", async () => (await errorOf(inner())).code, { transaction });
      expect(await outer).toEqual({ value: "ERR_IN_FLIGHT", isReplay: false });
    });
  });

  test("keeps that the work is done, if its result is not JSON or too large", async () => {
    const once = make({ maxBytes: 3 });
    const error = await errorOf(
      database.transact((transaction) => once.once("k", "f", () => 5n, { transaction })),
    );
    expect(error).toHaveProperty("field", "result");
    // Rolled back, because `once` has thrown.
    expect(await once.peek("k")).toEqual({ state: "absent" });
    const large = () => "too long";
    expect(await database.transact((transaction) => once.once("k", "f", large, { transaction }))).toEqual({
      value: "too long",
      isReplay: false,
    });
    expect(await once.peek("k")).toEqual({ state: "completed", isKept: false, value: undefined });
  });

  test("must have the settings of a backend of SQL", async () => {
    const call = (once: Idempotency, transaction: SqlPort) =>
      errorOf(once.once("k", "f", () => 1, { transaction }));
    const other = { ...database.backend, prefix: "other" };
    expect(await call(make(), other)).toMatchObject({ field: "transaction" });
    expect(await call(make(), { ...database.backend, schema: "s" })).toMatchObject({ field: "transaction" });
    expect(await call(make(), {} as SqlPort)).toMatchObject({ field: "transaction" });
    const inMemory = new Idempotency({ backend: memory(), name: "n" });
    expect(await call(inMemory, database.backend)).toMatchObject({ field: "transaction" });
  });
});

describe.skipIf(!DATABASE_URL)("PostgreSQL", () => {
  let database: Database;
  let names = 0;
  const make = (options = {}) =>
    new Idempotency({ backend: database.backend, name: `pg${names++}`, ...options });
  beforeAll(async () => {
    database = openPg();
    await createTables(database);
  });
  afterEach(() => database.backend.query(`DELETE FROM ${TABLE}`, []));
  afterAll(async () => {
    await clean(database.backend);
    await database.close();
  });

  const insertIn = (transaction: SqlPort, note: string) => async () => {
    await insert(transaction, note);
    return note;
  };

  /** Begins a transaction that has done its work. Returns functions that end it. */
  async function beginWork(once: Idempotency, note: string) {
    let end = (_: boolean) => {};
    const ended = new Promise<boolean>((resolve) => {
      end = resolve;
    });
    let note_ = () => {};
    const worked = new Promise<void>((resolve) => {
      note_ = resolve;
    });
    const all = database.transact(async (transaction) => {
      await once.once("k", "f", insertIn(transaction, note), { transaction });
      note_();
      if (!(await ended)) throw new Error("rolled back");
    });
    all.catch(() => {});
    await Promise.race([worked, all]);
    const finish = async (isCommitted: boolean) => {
      end(isCommitted);
      await all.catch(() => {});
    };
    return { commit: () => finish(true), rollback: () => finish(false) };
  }

  /** Waits until statements of this run wait for a lock. */
  const waitForBlocked = (count: number) =>
    expect
      .poll(async () => {
        const [row] = await database.backend.query(
          "SELECT CAST(COUNT(*) AS TEXT) AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1",
          [`%${prefix}_once%`],
        );
        return row?.["count"];
      })
      .toBe(String(count));

  test("blocks a second call until the first commits, and then returns its result", async () => {
    const once = make();
    const first = await beginWork(once, "a");
    const second = database.transact((transaction) =>
      once.once("k", "f", insertIn(transaction, "b"), { transaction }),
    );
    const outside = once.once("k", "f", () => "c");
    await waitForBlocked(2);
    expect(await once.peek("k")).toEqual({ state: "absent" });
    await first.commit();
    expect(await second).toEqual({ value: "a", isReplay: true });
    expect(await outside).toEqual({ value: "a", isReplay: true });
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "a" }]);
  });

  test("blocks a second call until the first is rolled back, and then does its work", async () => {
    const once = make();
    const first = await beginWork(once, "a");
    const second = database.transact((transaction) =>
      once.once("k", "f", insertIn(transaction, "b"), { transaction }),
    );
    await waitForBlocked(1);
    await first.rollback();
    expect(await second).toEqual({ value: "b", isReplay: false });
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "b" }]);
  });

  test("refuses a call that is blocked for longer than timeoutMs", async () => {
    const once = make();
    const first = await beginWork(once, "a");
    const impatient = openPg(300);
    const second = impatient.transact((transaction) =>
      once.once("k", "f", insertIn(transaction, "b"), { transaction }),
    );
    const error = errorOf(second);
    // Its rollback is queued behind the blocked statement.
    await waitForBlocked(1);
    await new Promise((wake) => setTimeout(wake, 400));
    await first.commit();
    expect(await error).toMatchObject({ code: "ERR_BACKEND", reason: "timeout" });
    expect(await once.peek("k")).toMatchObject({ state: "completed", value: "a" });
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "a" }]);
    await impatient.close();
  });

  test("refuses a call that is blocked for longer than its lock_timeout", async () => {
    const once = make();
    const first = await beginWork(once, "a");
    const second = database.transact(async (transaction) => {
      await transaction.query("SET LOCAL lock_timeout = '50ms'", []);
      return once.once("k", "f", insertIn(transaction, "b"), { transaction });
    });
    expect(await errorOf(second)).toMatchObject({ code: "ERR_BACKEND", cause: { code: "55P03" } });
    await first.commit();
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "a" }]);
  });

  test("does the work of 15 concurrent transactions once, also if some are rolled back", async () => {
    const once = make();
    const calls = Array.from({ length: 15 }, (_, at) =>
      database.transact(async (transaction) => {
        const result = await once.once("k", "f", insertIn(transaction, `${at}`), { transaction });
        if (!result.isReplay && at % 2 === 0) throw new Error("rolled back");
        return result;
      }),
    );
    const outcomes = await Promise.all(
      calls.map((call) =>
        call.then(
          () => "committed",
          () => "rolled back",
        ),
      ),
    );
    const [row, ...more] = await rowsOf(database);
    expect(more).toEqual([]);
    const found = await once.peek("k");
    // All were even and were rolled back, or one odd call committed.
    expect(found).toEqual(
      row ? { state: "completed", isKept: true, value: row["note"] } : { state: "absent" },
    );
    for (const [at, outcome] of outcomes.entries()) if (at % 2 === 1) expect(outcome).toBe("committed");
  });

  test.each(["REPEATABLE READ", "SERIALIZABLE"])(
    "under %s refuses the second of two calls with the conflict's code, and a new transaction gets the result",
    async (level) => {
      const once = make();
      const begin = `BEGIN ISOLATION LEVEL ${level}`;
      const first = await beginWork(once, "a");
      const second = errorOf(
        database.transact(async (transaction) => {
          // Takes the snapshot.
          await transaction.query("SELECT 1", []);
          return once.once("k", "f", insertIn(transaction, "b"), { transaction });
        }, begin),
      );
      await waitForBlocked(1);
      await first.commit();
      expect(await second).toMatchObject({ code: "ERR_BACKEND", cause: { code: "40001" } });
      const again = database.transact(
        (transaction) => once.once("k", "f", insertIn(transaction, "c"), { transaction }),
        begin,
      );
      expect(await again).toEqual({ value: "a", isReplay: true });
    },
  );

  test("keeps both or neither by savepoint", async () => {
    const once = make();
    await database.transact(async (transaction) => {
      await transaction.query("SAVEPOINT s", []);
      await once.once("k", "f", insertIn(transaction, "a"), { transaction });
      await transaction.query("ROLLBACK TO SAVEPOINT s", []);
      expect(await once.once("k", "f", insertIn(transaction, "b"), { transaction })).toEqual({
        value: "b",
        isReplay: false,
      });
    });
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "b" }]);
    expect(await once.peek("k")).toMatchObject({ value: "b" });
  });

  test("refuses a pool instead of a client, before the work, and leaves no record", async () => {
    const once = make();
    const transaction = database.backend;
    expect(await errorOf(once.once("k", "f", insertIn(transaction, "a"), { transaction }))).toMatchObject({
      field: "transaction",
    });
    expect(await once.peek("k")).toEqual({ state: "absent" });
    expect(await rowsOf(database)).toEqual([]);
  });

  test("keeps a result for ttlMs, also if lockMs is longer", async () => {
    const once = make({ ttlMs: 1, lockMs: 30_000 });
    await database.transact((transaction) => once.once("k", "f", () => 1, { transaction }));
    while ((await once.peek("k")).state !== "absent") await new Promise((wake) => setTimeout(wake, 1));
    expect(await once.once("k", "g", () => 2)).toEqual({ value: 2, isReplay: false });
  });

  test("deletes no expired records in the transaction", async () => {
    const once = make({ ttlMs: 1, lockMs: 100 });
    await once.once("old", "f", () => 1);
    await new Promise((wake) => setTimeout(wake, 200));
    const texts: string[] = [];
    await database.transact((transaction) => {
      const query: SqlPort["query"] = (text, params) => {
        texts.push(text);
        return transaction.query(text, params);
      };
      return once.once("k", "f", () => 1, { transaction: { ...transaction, query } });
    });
    expect(texts.map((text) => text.split(" ", 1)[0])).toEqual(["INSERT", "SELECT", "UPDATE"]);
  });

  test("keeps neither if the connection ends between the work and the commit", async () => {
    const once = make();
    const failed = database.transact(async (transaction) => {
      await once.once("k", "f", insertIn(transaction, "a"), { transaction });
      const [row] = await transaction.query("SELECT CAST(pg_backend_pid() AS TEXT) AS pid", []);
      await database.backend.query("SELECT pg_terminate_backend(CAST($1 AS INTEGER))", [`${row?.["pid"]}`]);
    });
    await errorOf(failed);
    expect(await rowsOf(database)).toEqual([]);
    expect(await once.once("k", "g", () => "next")).toEqual({ value: "next", isReplay: false });
  });
});

test.skipIf(!sqliteHere.node)(
  "a second connection to SQLite waits for the transaction, and then fails",
  async () => {
    const file = join(folder, "writers.db");
    const [database, other] = [openNodeSqlite(file), openNodeSqlite(file)];
    await createTables(database);
    const backend = { ...other.backend, timeoutMs: 300 };
    const outside = new Idempotency({ backend: other.backend, name: "n" });
    let late: Promise<unknown> | undefined;
    await database.transact(async (transaction) => {
      const once = new Idempotency({ backend: transaction, name: "n" });
      await once.once("k", "f", () => "a", { transaction });
      expect(await outside.peek("k")).toEqual({ state: "absent" });
      // The adapter's own limit is longer, so this is the limit of the call.
      const refused = new Idempotency({ backend, name: "n" }).once("k", "f", () => "b");
      expect(await errorOf(refused)).toMatchObject({ code: "ERR_BACKEND" });
      late = outside.once("k", "f", () => "c");
    });
    expect(await late).toEqual({ value: "a", isReplay: true });
    expect(await outside.peek("k")).toEqual({ state: "completed", isKept: true, value: "a" });
    database.close();
    other.close();
  },
);

const crashing = [
  ...(DATABASE_URL
    ? [{ engine: "postgres", address: DATABASE_URL, begin: "BEGIN", open: () => openPg() }]
    : []),
  ...(sqliteHere.node
    ? [
        {
          engine: "sqlite",
          address: join(folder, "crash.db"),
          begin: "BEGIN IMMEDIATE",
          open: () => openNodeSqlite(join(folder, "crash.db")),
        },
      ]
    : []),
];

test.each(crashing)(
  "a process that is killed between the work and the commit leaves neither on $engine",
  async ({ engine, address, begin, open }) => {
    const database = open();
    await createTables(database);
    const program = fileURLToPath(new URL("idempotency/transaction.mjs", import.meta.url));
    const facts = JSON.stringify({ engine, address, begin, prefix, table: TABLE });
    const child = spawn(process.execPath, [program, facts], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await event(child.stdout, "data");
    expect(String(line).trim()).toBe("worked");
    child.kill("SIGKILL");
    await event(child, "close");
    const once = new Idempotency({ backend: database.backend, name: "crash" });
    // PostgreSQL rolls back when it notices that the client has gone.
    const work = async (transaction: SqlPort) => {
      await insert(transaction, "next");
      return "next";
    };
    const result = await database.transact((transaction) =>
      once.once("k", "f", () => work(transaction), { transaction }),
    );
    expect(result).toEqual({ value: "next", isReplay: false });
    expect(await rowsOf(database)).toEqual([{ key: "k", note: "next" }]);
    await clean(database.backend);
    await database.close();
  },
);
