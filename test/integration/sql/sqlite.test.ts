// The SQL in SQLite: transactions of the caller, removed functions, conflict clauses, tables of other kinds, parameters.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { decode, PRESET_TWITTER } from "bitflake";
import { fromSqlite, setup } from "bitflake/backend";
import { type SqlOptions, sqlFunctions } from "bitflake/sql";
import { describe, expect, test } from "vitest";
import { sqliteHere } from "../sqlite-here.ts";

const NODE = { node: { machineId: 5 } };
/** A layout with one ID in a tick, so that many IDs run ahead of the clock. */
const NARROW = { timestampBits: 41, datacenterBits: 0, machineBits: 22, sequenceBits: 0 };
const build = (options: Partial<SqlOptions> = NODE) =>
  sqlFunctions({ dialect: "sqlite", ...options } as SqlOptions);

/** Opens a database in memory. */
async function open(sql = ""): Promise<DatabaseSync> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(":memory:");
  db.exec(sql);
  return db;
}

/** Returns the rows of a query, with whole numbers as BigInt. */
function rowsOf(db: DatabaseSync, sql: string, ...params: (string | number | bigint | null)[]) {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  return statement.all(...params);
}
const nextId = (db: DatabaseSync, sql: { nextId: string }) => rowsOf(db, sql.nextId)[0]?.["id"] as bigint;

/** Returns all that a database holds, except the views of the clock, whose rows change. */
function contentsOf(db: DatabaseSync) {
  const schema = rowsOf(db, "SELECT name, sql FROM sqlite_schema ORDER BY name");
  const tables = rowsOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  return [schema, tables.map(({ name }) => rowsOf(db, `SELECT * FROM "${name}"`))];
}

/** Runs the statements of a script as `sqlite3` without `-bail` does: it goes on after an error. */
function goOn(db: DatabaseSync, script: string) {
  let errors = 0;
  for (const statement of script.split(/(?<=;\n)(?!END)(?=[A-Z])/)) {
    try {
      db.exec(statement);
    } catch {
      errors++;
    }
  }
  expect(errors).toBeGreaterThan(0);
}

describe.skipIf(!sqliteHere.node)("SQLite", () => {
  test("a refused script changes nothing, and neither ends nor opens a transaction", async () => {
    const own = build();
    const db = await open(`${own.install}CREATE TABLE mine (a)`);
    await setup(fromSqlite(db), ["lease"]);
    const leased = build({ preset: "twitter", name: "orders", functionPrefix: "leased_" });
    db.exec(leased.install);
    db.exec(own.columnDefault("mine", "a"));
    // A namespace that is fenced does not matter to functions that have their node.
    db.exec("UPDATE bitflake_namespaces SET fence = 4000000000000");
    const refused: [string, string][] = [
      [build({ node: { machineId: 6 } }).install, "ERR_NAMESPACE: the state is not for"],
      [build({ ...NODE, tickMs: 2 }).install, "ERR_NAMESPACE: the state is not for"],
      [build({ name: "orders" }).install, "ERR_NAMESPACE: the state is not for"],
      [build({ node: { machineId: 6 } }).uninstall, "ERR_NAMESPACE: the state is not for"],
      [build({ name: "orders" }).uninstall, "ERR_NAMESPACE: the state is not for"],
      [own.uninstall, "ERR_ARGUMENT: the triggers of columns must be dropped before the functions"],
      [leased.install, "accepted"],
    ];
    for (const isInTransaction of [false, true]) {
      if (isInTransaction) db.exec("BEGIN; INSERT INTO mine VALUES (1)");
      for (const [script, message] of refused) {
        const before = contentsOf(db);
        if (message === "accepted") db.exec(script);
        else expect(() => db.exec(script)).toThrow(message);
        expect(contentsOf(db)).toEqual(before);
        expect(db.isTransaction).toBe(isInTransaction);
      }
    }
    db.exec("INSERT INTO mine VALUES (2); COMMIT");
    expect(rowsOf(db, "SELECT a FROM mine")).toEqual([{ a: 1n }, { a: 2n }]);
  });

  test("a refused first script changes no row, and neither ends nor opens a transaction", async () => {
    const layout = { ...NARROW, timestampBits: 42, machineBits: 1, sequenceBits: 20 };
    for (const isInTransaction of [false, true]) {
      const db = await open("CREATE TABLE mine (a)");
      await setup(fromSqlite(db), ["lease"]);
      for (const functionPrefix of ["one_", "two_"])
        db.exec(build({ ...layout, name: "full", functionPrefix }).install);
      db.exec("CREATE VIEW ID_next AS SELECT 1");
      db.exec(
        "INSERT INTO bitflake_namespaces (namespace, shape, fence) SELECT 'fenced', shape, 4000000000000 FROM bitflake_namespaces",
      );
      if (isInTransaction) db.exec("BEGIN; INSERT INTO mine VALUES (1)");
      const count = () =>
        ["mine", "bitflake_namespaces", "bitflake_nodes", "bitflake_sql", "sqlite_temp_schema"].map(
          (table) => rowsOf(db, `SELECT * FROM "${table}"`).length,
        );
      expect(() => db.exec(build().install)).toThrow("ERR_ARGUMENT: the database must have nothing else");
      const before = count();
      const other = { functionPrefix: "other_" };
      for (const [options, message] of [
        [{ ...layout, name: "full" }, "ERR_NO_NODE_AVAILABLE: all nodes"],
        [{ preset: "twitter", name: "full" }, "ERR_NAMESPACE: the namespace is not for"],
        [{ ...layout, name: "fenced" }, "ERR_LEASE_FENCE: the store may have lost leases"],
        [{ ...NODE, epochMs: new Date("2200-01-01") }, "ERR_ARGUMENT: the time must be within"],
      ] as const) {
        expect(() => db.exec(build({ ...options, ...other }).install)).toThrow(message);
        expect(count()).toEqual(before);
        expect(db.isTransaction).toBe(isInTransaction);
      }
    }
  });

  test("a first script is refused before its savepoint if other functions have all nodes", async () => {
    const layout = { ...NARROW, timestampBits: 42, machineBits: 1, sequenceBits: 20 };
    for (const isInTransaction of [false, true]) {
      const db = await open("CREATE TABLE mine (a)");
      await setup(fromSqlite(db), ["lease"]);
      for (const machineId of [0, 1])
        db.exec(build({ ...layout, node: { machineId }, functionPrefix: `f${machineId}_` }).install);
      const fresh = build({ ...layout, name: "fresh" });
      if (isInTransaction) db.exec("BEGIN; INSERT INTO mine VALUES (1)");
      for (let run = 0; run < 2; run++)
        expect(() => db.exec(fresh.install)).toThrow("ERR_NO_NODE_AVAILABLE: all nodes");
      expect(db.isTransaction).toBe(isInTransaction);
      expect(rowsOf(db, "SELECT * FROM bitflake_nodes")).toEqual([]);
      if (isInTransaction) db.exec("COMMIT");
      db.exec(build({ ...layout, node: { machineId: 1 }, functionPrefix: "f1_" }).uninstall);
      db.exec(fresh.install);
      expect(decode(nextId(db, fresh), layout).machineId).toBe(1);
      db.exec(fresh.install);
    }
  });

  test("a chosen node that is installed again makes no ID again, under a new name neither", async () => {
    for (const functionPrefix of ["", "order_"]) {
      const db = await open(build({ ...NODE, ...NARROW }).install);
      const own = build({ ...NODE, ...NARROW });
      let last = 0n;
      for (let i = 0; i < 500; i++) last = nextId(db, own);
      db.exec(own.uninstall);
      const again = build({ ...NODE, ...NARROW, functionPrefix });
      db.exec(again.install);
      expect(nextId(db, again)).toBeGreaterThan(last);
    }
  });

  test("a chosen node that is installed again while the clock is set back waits for its last reading", async () => {
    const own = build();
    const db = await open(own.install);
    nextId(db, own);
    // As if the clock had been an hour later.
    db.exec(own.uninstall);
    db.exec("UPDATE bitflake_sql SET reading = reading + 3600000, until = until + 3600000");
    db.exec(own.install);
    expect(() => nextId(db, own)).toThrow("ERR_CLOCK_BACKWARDS");
  });

  test("another tick, epoch or node goes on from its own removal", async () => {
    const slow = build({ ...NODE, tickMs: 1000 });
    const db = await open(slow.install);
    const last = decode(nextId(db, slow), { ...PRESET_TWITTER, tickMs: 1000 }).timestampMs;
    db.exec(slow.uninstall);
    const other = build({ node: { machineId: 6 } });
    db.exec(other.install);
    nextId(db, other);
    db.exec(other.uninstall);
    const epochMs = last - 60_000;
    const late = build({ ...NODE, epochMs });
    db.exec(late.install);
    expect(decode(nextId(db, late), { ...PRESET_TWITTER, epochMs }).timestampMs).toBeGreaterThanOrEqual(
      last + 1000,
    );
    expect(rowsOf(db, "SELECT node, functions FROM bitflake_sql ORDER BY node")).toEqual([
      { node: 5n, functions: "" },
      { node: 6n, functions: null },
    ]);
  });

  test("two sets of functions with one chosen node are refused, also when the first is run again", async () => {
    const [first, second] = [build(), build({ ...NODE, functionPrefix: "order_" })];
    const db = await open(first.install);
    expect(() => db.exec(second.install)).toThrow("ERR_NAMESPACE: other functions have this node");
    expect(() => nextId(db, second)).toThrow("no such table");
    db.exec(first.install);
    db.exec(build({ node: { machineId: 6 }, functionPrefix: "order_" }).install);
  });

  test("INSERT OR IGNORE gives no row the last ID again when the functions are not those of the state", async () => {
    const first = build();
    const db = await open(`${first.install}CREATE TABLE t (id BIGINT); CREATE TABLE u (id BIGINT)`);
    for (const table of ["t", "u"]) db.exec(first.columnDefault(table));
    db.exec("INSERT INTO t VALUES (NULL)");
    goOn(db, build({ node: { machineId: 6 } }).install);
    for (const verb of ["INSERT OR IGNORE", "INSERT OR REPLACE", "INSERT"])
      expect(() => db.exec(`${verb} INTO u VALUES (NULL)`)).toThrow(
        "ERR_NAMESPACE: the functions are not those of the state, so run their install script",
      );
    expect(rowsOf(db, "SELECT * FROM u")).toEqual([]);
    db.exec(first.install);
    db.exec("INSERT INTO u VALUES (NULL)");
    expect(rowsOf(db, "SELECT * FROM t JOIN u USING (id)")).toEqual([]);
  });

  test("a client that goes on after an error gets no IDs of another set, layout or node", async () => {
    const layout = { ...NARROW, timestampBits: 42, machineBits: 1, sequenceBits: 20 };
    const first = build();
    for (const options of [
      { ...NODE, functionPrefix: "order_" },
      { ...NODE, tickMs: 2 },
      { node: { machineId: 6 } },
      { preset: "twitter", name: "orders" },
      { preset: "twitter", name: "orders", functionPrefix: "leased_" },
    ] as const) {
      const db = await open(first.install);
      await setup(fromSqlite(db), ["lease"]);
      db.exec(build({ ...layout, name: "orders", functionPrefix: "own_" }).install);
      const last = nextId(db, first);
      const nodes = rowsOf(db, "SELECT * FROM bitflake_nodes");
      const refused = build(options);
      goOn(db, refused.install);
      expect(rowsOf(db, "SELECT * FROM bitflake_nodes")).toEqual(nodes);
      expect(db.isTransaction).toBe(false);
      let id: bigint | undefined;
      try {
        id = nextId(db, refused);
      } catch (error) {
        expect(String(error)).toMatch(
          /ERR_NAMESPACE: the functions are not those of the state|no such table/,
        );
      }
      expect(id).toBe(undefined);
      // The script of the functions that are installed repairs them.
      db.exec(first.install);
      expect(nextId(db, first)).toBeGreaterThan(last);
    }
  });

  test("views of the user are not replaced", async () => {
    for (const name of ["id_clock", "id_next", "ID_CLOCK"]) {
      const db = await open(`CREATE VIEW ${name} AS SELECT 1 AS mine`);
      expect(() => db.exec(build().install)).toThrow("ERR_ARGUMENT: the database must have nothing else");
      expect(rowsOf(db, `SELECT * FROM ${name}`)).toEqual([{ mine: 1n }]);
    }
  });

  test("INSERT OR IGNORE and INSERT OR REPLACE leave no row without an ID, and delete none", async () => {
    const sql = build({ ...NODE, ...NARROW });
    for (const verb of ["INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE", "INSERT OR FAIL"]) {
      const db = await open(`${sql.install}CREATE TABLE t (id BIGINT PRIMARY KEY, note TEXT)`);
      db.exec(sql.columnDefault("t"));
      db.exec(`${verb} INTO t (note) VALUES ('a')`);
      // Another program has the ID of the next second already.
      const taken = rowsOf(db, "SELECT ((tick + 1000) << 22) | 5 AS id FROM bitflake_sql_state")[0]?.["id"];
      db.exec(`INSERT INTO t VALUES (${taken}, 'b')`);
      db.exec("UPDATE bitflake_sql_state SET tick = tick + 999, reading = reading + 999");
      db.exec("DROP VIEW id_clock");
      db.exec(`CREATE VIEW id_clock AS SELECT reading AS ms FROM bitflake_sql_state`);
      expect(() => db.exec(`${verb} INTO t (note) VALUES ('c')`)).toThrow(
        "ERR_INVALID_ID: another row has the ID",
      );
      expect(rowsOf(db, "SELECT note FROM t ORDER BY note")).toEqual([{ note: "a" }, { note: "b" }]);
    }
  });

  test("a row that cannot take its ID is refused, whatever the conflict clause", async () => {
    const sql = build();
    for (const verb of ["INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE"]) {
      const db = await open(`${sql.install}CREATE TABLE t (id BIGINT PRIMARY KEY CHECK (id < 9), note TEXT)`);
      db.exec(sql.columnDefault("t"));
      expect(() => db.exec(`${verb} INTO t (note) VALUES ('a')`)).toThrow(/ERR_INVALID_ID|CHECK/);
      expect(rowsOf(db, "SELECT * FROM t")).toEqual([]);
    }
  });

  test("rows of a table with a column named rowid have an ID each", async () => {
    const sql = build();
    const db = await open(`${sql.install}CREATE TABLE t (id BIGINT, rowid TEXT, "or""d" TEXT)`);
    db.exec("INSERT INTO t (rowid) VALUES ('a')");
    db.exec(sql.columnDefault("t"));
    db.exec("INSERT INTO t (rowid) VALUES ('a'), ('a'), (NULL)");
    const ids = rowsOf(db, "SELECT id FROM t").map(({ id }) => id);
    expect(ids[0]).toBe(null);
    expect(new Set(ids.slice(1)).size).toBe(3);
    expect(ids.slice(1)).not.toContain(null);
    // A column that hides the last name of the row number.
    db.exec("CREATE TABLE u (id BIGINT, _rowid_ TEXT)");
    db.exec("INSERT INTO u (_rowid_) VALUES ('a')");
    db.exec(sql.columnDefault("u"));
    for (const value of ["'a'", "NULL"])
      expect(() => db.exec(`INSERT INTO u (_rowid_) VALUES (${value})`)).toThrow("ERR_INVALID_ID");
  });

  test("columnDefault refuses a table without row numbers or without the column, and opens no transaction", async () => {
    const sql = build();
    const db = await open(`${sql.install}CREATE TABLE t (id BIGINT PRIMARY KEY) WITHOUT ROWID`);
    for (const [table, column] of [["t"], ["missing"], ["t", "missing"]] as [string, string?][]) {
      expect(() => db.exec(sql.columnDefault(table, column))).toThrow(/no such (table|column)/);
      expect(db.isTransaction).toBe(false);
    }
  });

  test("columnDefault may be run again, for two columns of a table, and for names that look alike", async () => {
    const sql = build();
    const names: [string, string][] = [
      ["t", "id"],
      ["t", "key"],
      ["t:id", "b"],
      ["t", "id:b"],
      ["t%3Aid", "b"],
      ["o\"r'd", "i\"'d"],
      ["x".repeat(100), "y".repeat(100)],
    ];
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const db = await open(sql.install);
    db.exec(`CREATE TABLE t (id BIGINT PRIMARY KEY, key BIGINT UNIQUE, "id:b" BIGINT UNIQUE, note TEXT)`);
    for (const [table, column] of names)
      db.exec(`CREATE TABLE IF NOT EXISTS ${quote(table)} (${quote(column)} BIGINT PRIMARY KEY, note TEXT)`);
    for (let run = 0; run < 2; run++)
      for (const [table, column] of names) db.exec(sql.columnDefault(table, column));
    for (const [table] of names) db.exec(`INSERT INTO ${quote(table)} (note) VALUES ('a')`);
    const ids = names.flatMap(([table, column]) =>
      rowsOf(db, `SELECT ${quote(column)} AS id FROM ${quote(table)}`).map(({ id }) => id),
    );
    // Three rows of t with three IDs each, one of each other table.
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(13);
  });

  test("uninstall is refused while a trigger of a column uses the functions", async () => {
    const sql = build();
    const db = await open(`${sql.install}CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT)`);
    db.exec(sql.columnDefault("orders"));
    expect(() => db.exec(sql.uninstall)).toThrow("ERR_ARGUMENT: the triggers of columns");
    db.exec("INSERT INTO orders (note) VALUES ('a')");
    db.exec('DROP TRIGGER "bitflake_sql:orders:id"');
    db.exec(sql.uninstall);
    expect(() => db.exec(sql.uninstall)).toThrow("ERR_NAMESPACE: the state is not for");
  });

  test("a refused uninstall keeps the state, also if the client goes on after an error", async () => {
    const first = build({ ...NODE, tickMs: 60_000 });
    const leased = build({ preset: "twitter", name: "orders", functionPrefix: "leased_" });
    for (const [own, refused] of [
      [first, build()],
      [first, build({ ...NODE, tickMs: 60_000, epochMs: 0 })],
      [first, build({ node: { machineId: 6 }, tickMs: 60_000 })],
      [leased, build({ ...NODE, functionPrefix: "leased_" })],
      [leased, build({ preset: "twitter", name: "other", functionPrefix: "leased_" })],
    ] as const) {
      const db = await open();
      await setup(fromSqlite(db), ["lease"]);
      db.exec(own.install);
      const last = nextId(db, own);
      const rows = () =>
        ["bitflake_sql", `bitflake_sql_${own === leased ? "leased_" : ""}state`, "bitflake_nodes"].map(
          (table) => rowsOf(db, `SELECT * FROM ${table}`),
        );
      const before = rows();
      goOn(db, refused.uninstall);
      expect(rows()).toEqual(before);
      db.exec(own.install);
      expect(nextId(db, own)).toBeGreaterThan(last);
      // The right uninstall repairs it too.
      goOn(db, refused.uninstall);
      db.exec(own.uninstall);
    }
  });

  test("an uninstall that is refused for a trigger of a column keeps the state, also if the client goes on", async () => {
    const sql = build({ ...NODE, tickMs: 86_400_000 });
    for (const kind of ["", "TEMP"]) {
      const db = await open(`${sql.install}CREATE ${kind} TABLE orders (id BIGINT PRIMARY KEY, note TEXT)`);
      db.exec(sql.columnDefault("orders"));
      const last = nextId(db, sql);
      expect(() => db.exec(sql.uninstall)).toThrow("ERR_ARGUMENT: the triggers of columns");
      expect(nextId(db, sql)).toBe(last + 1n);
      goOn(db, sql.uninstall);
      db.exec(sql.install);
      db.exec("INSERT INTO orders (note) VALUES ('a')");
      expect(rowsOf(db, "SELECT id FROM orders")).toEqual([{ id: last + 2n }]);
    }
  });

  test("no script changes an attached database that has functions of the same names", async () => {
    const sql = build();
    const create = "CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT)";
    const folder = mkdtempSync(join(tmpdir(), "bitflake-sql-"));
    try {
      const file = join(folder, "archive.db");
      const { DatabaseSync } = await import("node:sqlite");
      const archive = new DatabaseSync(file);
      archive.exec(`${sql.install}${create};${sql.columnDefault("orders")}`);
      const before = contentsOf(archive);
      const db = await open(`ATTACH '${file}' AS archive`);
      expect(() => db.exec(sql.columnDefault("orders"))).toThrow("ERR_ARGUMENT: the table must be one of");
      expect(() => db.exec(sql.uninstall)).toThrow("no such table: main.bitflake_sql_state");
      db.exec(`${sql.install}${create};${sql.columnDefault("orders")}`);
      expect(contentsOf(archive)).toEqual(before);
      db.exec("INSERT INTO archive.orders (note) VALUES ('a'); INSERT INTO main.orders (note) VALUES ('b')");
      for (const schema of ["archive", "main"])
        expect(rowsOf(db, `SELECT id FROM ${schema}.orders`)).toEqual([{ id: expect.any(BigInt) }]);
      db.exec(`DROP TABLE main.orders; ${sql.uninstall}`);
      db.exec("INSERT INTO archive.orders (note) VALUES ('c')");
      expect(rowsOf(db, "SELECT id FROM archive.orders WHERE id IS NULL")).toEqual([]);
      db.close();
      archive.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("columnDefault is refused for a table that has a TEMP table of its name beside it", async () => {
    const sql = build();
    const db = await open(`${sql.install}CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT);`);
    db.exec(sql.columnDefault("orders"));
    db.exec("CREATE TEMP TABLE Orders (id BIGINT PRIMARY KEY, note TEXT)");
    expect(() => db.exec(sql.columnDefault("orders"))).toThrow("ERR_ARGUMENT: the table must be one of");
    db.exec("INSERT INTO main.orders (note) VALUES ('a')");
    expect(rowsOf(db, "SELECT id FROM main.orders")).toEqual([{ id: expect.any(BigInt) }]);
  });

  test("a refused first script takes no node, also if the client goes on and the namespace changes meanwhile", async () => {
    const db = await open();
    await setup(fromSqlite(db), ["lease"]);
    const { install, nextId } = build({
      ...PRESET_TWITTER,
      datacenterBits: 0,
      machineBits: 10,
      name: "orders",
    });
    const at = install.indexOf("SAVEPOINT");
    db.exec(install.slice(0, at));
    // As a lease of another layout that another process takes and releases.
    db.exec("INSERT INTO bitflake_namespaces (namespace, shape) VALUES ('orders', 'of another layout')");
    db.exec(
      "INSERT INTO bitflake_nodes (namespace, space, node, owner, since, until) VALUES ('orders', 0, 16, NULL, 5, 6)",
    );
    goOn(db, install.slice(at));
    expect(rowsOf(db, "SELECT node, owner, since FROM bitflake_nodes")).toEqual([
      { node: 16n, owner: null, since: 5n },
    ]);
    expect(rowsOf(db, nextId)).toEqual([]);
  });

  test("after uninstall, ALTER TABLE works, and a second uninstall is refused", async () => {
    const sql = build();
    const db = await open(`${sql.install}CREATE TABLE t (a)`);
    db.exec(sql.uninstall);
    db.exec("ALTER TABLE t RENAME TO u");
    expect(() => db.exec(sql.uninstall)).toThrow("ERR_NAMESPACE: the state is not for");
    db.exec(sql.install);
    nextId(db, sql);
  });

  test("columnDefault does not take the trigger of a table that was renamed", async () => {
    const sql = build();
    const create = "CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT)";
    const db = await open(`${sql.install}${create}`);
    db.exec(sql.columnDefault("orders"));
    db.exec(`ALTER TABLE orders RENAME TO orders_old; ${create}`);
    for (const table of ["orders", "ORDERS"]) {
      expect(() => db.exec(sql.columnDefault(table))).toThrow(
        "ERR_ARGUMENT: the trigger of this column is that of another table, so drop it",
      );
      expect(db.isTransaction).toBe(false);
    }
    db.exec("INSERT INTO orders_old (note) VALUES ('a')");
    expect(rowsOf(db, "SELECT id FROM orders_old")).not.toEqual([{ id: null }]);
    db.exec('DROP TRIGGER "bitflake_sql:orders:id"');
    for (const table of ["orders", "ORDERS", "orders_old"]) db.exec(sql.columnDefault(table));
    db.exec("INSERT INTO orders (note) VALUES ('b'); INSERT INTO orders_old (note) VALUES ('c')");
    const ids = rowsOf(db, "SELECT id FROM orders UNION ALL SELECT id FROM orders_old").map(({ id }) => id);
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(3);
  });

  test("a trigger of the table may insert into another table with IDs", async () => {
    const sql = build();
    for (const when of ["BEFORE UPDATE", "AFTER UPDATE", "BEFORE INSERT", "AFTER INSERT"]) {
      const db = await open(`${sql.install}CREATE TABLE t (id BIGINT PRIMARY KEY, note TEXT);
CREATE TABLE log (id BIGINT PRIMARY KEY, note TEXT)`);
      for (const table of ["t", "log"]) db.exec(sql.columnDefault(table));
      db.exec(`CREATE TRIGGER logged ${when} ON t BEGIN INSERT INTO log (note) VALUES (NEW.note); END`);
      db.exec("INSERT INTO t (note) VALUES ('a'), ('b')");
      const ids = rowsOf(db, "SELECT id FROM t UNION ALL SELECT id FROM log").map(({ id }) => id);
      expect(ids).not.toContain(null);
      expect(new Set(ids).size).toBe(4);
    }
  });

  test("decodeId returns no row for a parameter that is no ID", async () => {
    const sql = build();
    const db = await open();
    const none = [
      "9223372036854775808",
      "99999999999999999999999",
      "abc",
      "12abc",
      "",
      "-1",
      null,
      1e30,
      1.9,
      -1,
      2 ** 53,
    ];
    for (const value of none) expect([value, rowsOf(db, sql.decodeId, value)]).toEqual([value, []]);
    for (const value of ["9223372036854775807", 2n ** 63n - 1n])
      expect(rowsOf(db, sql.decodeId, value)).toMatchObject([{ machine_id: 31n, sequence: 4095n }]);
    for (const value of ["12", 12, 12n])
      expect(rowsOf(db, sql.decodeId, value)).toMatchObject([{ sequence: 12n }]);
  });

  test("idRange returns no row for a parameter that is no moment in milliseconds", async () => {
    const sql = build();
    const db = await open();
    const from = Date.UTC(2026, 0);
    expect(rowsOf(db, sql.idRange, from, from + 1)).toHaveLength(1);
    expect(rowsOf(db, sql.idRange, BigInt(from), String(from + 1))).toHaveLength(1);
    for (const [a, b] of [
      ["2026-01-01", "2026-01-02"],
      [from, "2026-01-02"],
      [null, from],
      [from + 0.5, from + 1],
      [from, 1e300],
      [from + 1, from],
    ] as const)
      expect([a, b, rowsOf(db, sql.idRange, a, b)]).toEqual([a, b, []]);
  });
});
