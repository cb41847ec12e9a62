// setup() and setupSql(): they create the tables once, in the given schema and with the given prefix, also concurrently.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fromPg, type PostgresSettings, type SqlPort, setup, setupSql } from "../../../src/backend/index.ts";
import { VERSION } from "../../../src/backend/schemaVersion.ts";
import { ArgumentError } from "../../../src/internal.ts";
import { leaseNode } from "../../../src/lease/index.ts";
import {
  type PostgresAdapter,
  pgliteAdapter,
  postgresAdapters,
  type SqlConnection,
} from "../postgres-clients.ts";
import { sqliteAdapters } from "../sqlite-clients.ts";

const url = process.env.DATABASE_URL ?? "";

/** Returns a name that must be quoted, with quotes that must be doubled. */
const awkward = (name: string) => `${name} "Žluť" 日本`;
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

const tables = ["counters", "id_types", "ids", "meta", "namespaces", "nodes", "once", "rates"];
const indexes = ["ids_request", "ids_stock", "nodes_owner", "nodes_until", "once_ends", "rates_ends"];

/** The objects that count the taken IDs. */
const counts = { postgres: ["id_counts"], sqlite: ["ids_added", "ids_taken"] };

/** Returns the tables, indexes and functions of a prefix in PostgreSQL, each with its schema. */
async function found(port: SqlPort, prefix: string): Promise<string[]> {
  const rows = await port.query(
    `SELECT n.nspname || '/' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE starts_with(c.relname, $1::text) AND c.relname NOT LIKE '%_pkey' AND c.relkind <> 'S' ORDER BY 1`,
    [`${prefix}_`],
  );
  return rows.map((row) => String(row.name));
}

const all = (schema: string, prefix: string) =>
  [...tables, ...counts.postgres, ...indexes].map((name) => `${schema}/${prefix}_${name}`).sort();

const adapters = url ? [...postgresAdapters, pgliteAdapter] : [pgliteAdapter];

const opened: SqlConnection[] = [];
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
});

async function connect(open: PostgresAdapter["open"], settings: PostgresSettings): Promise<SqlPort> {
  const connection = await open(url, settings);
  opened.push(connection);
  return connection.port;
}

/** The tables of leases as bitflake 0.1.0 created them, each with a row. */
const firstTables = (namespaces: string, nodes: string) => [
  `CREATE TABLE ${namespaces} (namespace TEXT PRIMARY KEY, shape TEXT NOT NULL)`,
  `CREATE TABLE ${nodes} (namespace TEXT NOT NULL, space BIGINT NOT NULL, node BIGINT NOT NULL, owner TEXT,
    since BIGINT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (namespace, node))`,
  `INSERT INTO ${namespaces} VALUES ('n', 'shape')`,
  `INSERT INTO ${nodes} VALUES ('n', 0, 0, 'owner', 5, 9)`,
];
const addedTo = (nodes: string) => `SELECT CAST(generation AS TEXT) AS generation, nonce FROM ${nodes}`;

describe.each(adapters)("setup by $name", ({ open }) => {
  test("adds the columns that tables of an earlier version lack, once", async () => {
    const schema = awkward("old");
    const prefix = awkward("O");
    const port = await connect(open, { schema, prefix });
    const path = (table: string) => `${quoted(schema)}.${quoted(`${prefix}_${table}`)}`;
    await port.query(`CREATE SCHEMA ${quoted(schema)}`, []);
    for (const sql of firstTables(path("namespaces"), path("nodes"))) await port.query(sql, []);
    expect(await setup(port, ["lease"])).toMatch(
      /ALTER TABLE .*_nodes" ADD COLUMN IF NOT EXISTS generation /,
    );
    expect([...(await port.query(addedTo(path("nodes")), []))]).toEqual([{ generation: "0", nonce: "" }]);
    expect(await setup(port, ["lease"])).toBe("");
    await port.query(`DROP SCHEMA ${quoted(schema)} CASCADE`, []);
  });

  test("creates tables and indexes in the given schema with the given prefix, whatever characters are in the names", async () => {
    const schema = awkward("S");
    const prefix = awkward(`P${randomUUID().slice(0, 4)}`);
    const port = await connect(open, { schema, prefix });
    await port.query(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`, []);
    const sql = await setup(port);
    expect(sql).toBe(setupSql({ dialect: "postgres", schema, prefix }));
    expect(await found(port, prefix)).toEqual(all(schema, prefix));
    // A second run changes nothing, also when the tables have rows.
    const counters = `${quoted(schema)}.${quoted(`${prefix}_counters`)}`;
    await port.query(`INSERT INTO ${counters} VALUES ('a', 9223372036854775807)`, []);
    expect(await setup(port)).toBe("");
    // Only the missing index is created.
    await port.query(`DROP INDEX ${quoted(schema)}.${quoted(`${prefix}_nodes_owner`)}`, []);
    expect(await setup(port)).toMatch(/^CREATE INDEX IF NOT EXISTS [^;]*_nodes_owner" ON [^;]*;\n$/);
    expect([...(await port.query(`SELECT CAST(last AS TEXT) AS last FROM ${counters}`, []))]).toEqual([
      { last: "9223372036854775807" },
    ]);
    await port.query(`DROP SCHEMA ${quoted(schema)} CASCADE`, []);
  });

  test("uses the connection's search_path without a schema", async () => {
    const prefix = `plain_${randomUUID().slice(0, 8)}`;
    const port = await connect(open, { prefix });
    await setup(port, ["counter"]);
    expect(await found(port, prefix)).toEqual([`public/${prefix}_counters`, `public/${prefix}_meta`]);
    await port.query(`DROP TABLE ${prefix}_counters, ${prefix}_meta`, []);
  });

  test("throws an error that names the schema when it does not exist", async () => {
    const port = await connect(open, { schema: "nowhere" });
    await expect(setup(port)).rejects.toMatchObject({
      name: "BackendError",
      reason: "failed",
      operation: "setup",
      message: expect.stringContaining("nowhere"),
    });
  });
});

// Without PGlite, which has one connection.
describe.skipIf(!url).each(postgresAdapters)("setup by $name, run ten times at once", ({ open }) => {
  test("succeeds each time", async () => {
    const schema = `at_once_${randomUUID().slice(0, 8)}`;
    const ports = await Promise.all(Array.from({ length: 10 }, () => connect(open, { schema })));
    // All connect first, so that they start at the same time.
    await Promise.all(ports.map((port) => port.query("SELECT 1", [])));
    for (let round = 0; round < 10; round++) {
      await ports[0].query(`CREATE SCHEMA ${schema}`, []);
      await Promise.all(ports.map((port) => setup(port)));
      // Other tests of the run may have tables of the same names in another schema.
      const created = (await found(ports[0], "bitflake")).filter((name) => name.startsWith(`${schema}/`));
      expect(created).toEqual(all(schema, "bitflake"));
      await ports[0].query(`DROP SCHEMA ${schema} CASCADE`, []);
    }
  });
});

const connections = [
  ...(url ? [{ name: "pg", open: async (prefix: string) => postgresAdapters[0].open(url, { prefix }) }] : []),
  ...sqliteAdapters.slice(0, 1).map(({ open }) => ({
    name: "SQLite",
    open: async (prefix: string) => open(":memory:", { prefix }),
  })),
];

describe.each(connections)("the version of the tables, in $name", ({ open }) => {
  let connection: Awaited<ReturnType<typeof open>>;
  let prefix: string;
  beforeEach(async () => {
    prefix = `v${randomUUID().slice(0, 8)}`;
    connection = await open(prefix);
  });
  afterEach(async () => {
    const { port, close } = connection;
    const tables = port.dialect === "postgres" ? ["meta", "counters"] : [];
    for (const table of tables) await port.query(`DROP TABLE IF EXISTS ${prefix}_${table}`, []);
    await close();
  });
  const record = async () => {
    const sql = `SELECT CAST(version AS TEXT) AS version, CAST(least AS TEXT) AS least FROM ${prefix}_meta`;
    return [...(await connection.port.query(sql, []))];
  };
  const change = (version: number, least: number) =>
    connection.port.query(`UPDATE ${prefix}_meta SET version = ${version}, least = ${least}`, []);

  test("is recorded, and again over that of an earlier version", async () => {
    const { port } = connection;
    const now = [{ version: `${VERSION}`, least: "1" }];
    await setup(port, ["counter"]);
    expect(await record()).toEqual(now);
    await change(1, 1);
    expect(await setup(port, ["counter"])).toMatch(/^INSERT INTO [^;]*;\n$/);
    expect(await record()).toEqual(now);
  });

  test("stays if it is later and this code can use the tables", async () => {
    const { port } = connection;
    await setup(port, ["counter"]);
    await change(9, VERSION);
    expect(await setup(port, ["counter"])).toBe("");
    expect(await record()).toEqual([{ version: "9", least: `${VERSION}` }]);
  });

  test("is refused before anything is created if the tables need later code", async () => {
    const { port } = connection;
    await setup(port, ["counter"]);
    await change(9, VERSION + 1);
    await port.query(`DROP TABLE ${prefix}_counters`, []);
    await expect(setup(port, ["counter"])).rejects.toMatchObject({ code: "ERR_BACKEND", reason: "schema" });
    await expect(port.query(`SELECT 1 FROM ${prefix}_counters`, [])).rejects.toThrow();
  });
});

describe.skipIf(!url)("a rolling upgrade in PostgreSQL", () => {
  test("adds columns while processes of the earlier version write, and both versions work beside each other", async () => {
    const prefix = `roll${randomUUID().slice(0, 8)}`;
    const { port, close } = await postgresAdapters[0].open(url, { prefix });
    const nodes = `${prefix}_nodes`;
    for (const sql of firstTables(`${prefix}_namespaces`, nodes)) await port.query(sql, []);
    await port.query(`UPDATE ${nodes} SET node = 1000`, []);
    // The statements by which bitflake 0.1.0 granted and renewed, on nodes of its own.
    const granted = `INSERT INTO ${nodes} (namespace, space, node, owner, since, until) VALUES ('n', 0, $1::bigint, 'old', 5, 9)`;
    const renewed = `UPDATE ${nodes} SET until = until + 1 WHERE namespace = 'n' AND node = 1000 AND owner = 'owner' RETURNING node`;
    let isUpgraded = false;
    let renewals = 0;
    const writer = async (first: number) => {
      for (let node = first; !isUpgraded || node < first + 20; node++) {
        await port.query(granted, [String(node)]);
        const { length } = await port.query(renewed, []);
        renewals += length;
      }
    };
    const writers = [2000, 3000, 4000].map(writer);
    await Promise.all([setup(port), setup(port), setup(port)]);
    const lease = await leaseNode({ backend: port, name: "new" });
    isUpgraded = true;
    await Promise.all(writers);
    expect(renewals).toBeGreaterThanOrEqual(60);
    const [row] = await port.query(
      `SELECT CAST(until AS TEXT) AS until FROM ${nodes} WHERE namespace = 'n' AND node = 1000`,
      [],
    );
    expect(row).toEqual({ until: String(9 + renewals) });
    expect(typeof lease.generator.nextId()).toBe("bigint");
    await lease.release();
    for (const table of [...tables, ...counts.postgres])
      await port.query(`DROP TABLE ${prefix}_${table}`, []);
    await close();
  });
});

describe.skipIf(!url)("setup by a role that may not create tables", () => {
  test("does nothing when all tables exist, and throws when they do not", async () => {
    const name = `role_${randomUUID().slice(0, 8)}`;
    const admin = await connect(postgresAdapters[0].open, { schema: name });
    const asRole = new URL(url ?? "");
    asRole.username = name;
    await admin.query(`CREATE SCHEMA ${name}`, []);
    await admin.query(`CREATE ROLE ${name} LOGIN`, []);
    await admin.query(`GRANT USAGE ON SCHEMA ${name} TO ${name}`, []);
    const { port, close } = await postgresAdapters[0].open(asRole.href, { schema: name });
    await expect(setup(port)).rejects.toMatchObject({ reason: "failed", operation: "setup" });
    await setup(admin);
    await admin.query(`GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${name} TO ${name}`, []);
    expect(await setup(port)).toBe("");
    await close();
    await admin.query(`DROP SCHEMA ${name} CASCADE`, []);
    await admin.query(`DROP ROLE ${name}`, []);
  });
});

describe.skipIf(!url)("setupSql for PostgreSQL", () => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: url });
  });
  afterAll(() => pool.end());

  test("is a script that can be run repeatedly", async () => {
    const target = { dialect: "postgres", schema: awkward("script"), prefix: "x" } as const;
    await pool.query(`CREATE SCHEMA ${quoted(target.schema)}`);
    try {
      for (let time = 0; time < 2; time++) await pool.query(setupSql(target));
      expect(await found(fromPg(pool), "x")).toEqual(all(target.schema, "x"));
    } finally {
      await pool.query(`DROP SCHEMA ${quoted(target.schema)} CASCADE`);
    }
  });

  test("accepts names as long as PostgreSQL keeps them, and refuses longer ones before it creates anything", async () => {
    const longest = "é".repeat(25) + "x";
    const target = { dialect: "postgres", prefix: longest } as const;
    const port = fromPg(pool, { prefix: longest });
    await setup(port);
    expect(await found(port, longest)).toEqual(all("public", longest));
    for (const table of tables) await pool.query(`DROP TABLE ${quoted(`${longest}_${table}`)}`);

    const tooLong = `${longest}y`;
    expect(() => fromPg(pool, { prefix: tooLong })).toThrow(ArgumentError);
    await expect(setup({ ...port, prefix: tooLong })).rejects.toThrow(ArgumentError);
    expect(() => setupSql({ dialect: "sqlite", schema: "main" })).toThrow(
      "schema must be left out for SQLite",
    );
    expect(await found(port, tooLong)).toEqual([]);
    expect(() => setupSql({ ...target, prefix: tooLong })).toThrow(ArgumentError);
    expect(() => setupSql({ ...target, prefix: "x", schema: "é".repeat(32) })).toThrow(ArgumentError);
    expect(() => fromPg(pool, { schema: "é".repeat(32) })).toThrow(ArgumentError);
    expect(() => fromPg(pool, { prefix: "x".repeat(63) })).toThrow(ArgumentError);
  });
});

describe.each(sqliteAdapters)("setup by $name", ({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-setup-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const made = async (port: SqlPort, prefix: string) => {
    const sql =
      "SELECT name FROM sqlite_master WHERE sql IS NOT NULL AND substr(name, 1, $1) = $2 ORDER BY 1";
    return (await port.query(sql, [String(prefix.length), prefix])).map((row) => row.name);
  };

  test("adds the columns that tables of an earlier version lack, also when ten run at once", async () => {
    const prefix = awkward("O");
    const file = join(folder, `${randomUUID()}.db`);
    const connections = Array.from({ length: 10 }, () => open(file, { prefix }));
    const [{ port }] = connections;
    const path = (table: string) => quoted(`${prefix}_${table}`);
    try {
      for (const sql of firstTables(path("namespaces"), path("nodes"))) await port.query(sql, []);
      await Promise.all(connections.map((connection) => setup(connection.port, ["lease"])));
      expect([...(await port.query(addedTo(path("nodes")), []))]).toEqual([{ generation: "0", nonce: "" }]);
      expect(await setup(port, ["lease"])).toBe("");
    } finally {
      for (const { close } of connections) close();
    }
  });

  test("creates tables with the given prefix, whatever characters are in it, and succeeds when ten run at once", async () => {
    const prefix = awkward("P");
    const file = join(folder, `${randomUUID()}.db`);
    const connections = Array.from({ length: 10 }, () => open(file, { prefix }));
    try {
      const results = await Promise.all(connections.map(({ port }) => setup(port)));
      expect(new Set(results)).toEqual(new Set([setupSql({ dialect: "sqlite", prefix })]));
      for (const { port } of connections) {
        expect(await made(port, prefix)).toEqual(
          [...tables, ...counts.sqlite, ...indexes].map((name) => `${prefix}_${name}`).sort(),
        );
      }
    } finally {
      for (const { close } of connections) close();
    }
  });
});
