// The engines that sqlFunctions writes SQL for, each with a clock that tests set by hand.

import { randomBytes } from "node:crypto";
import { type Backend, fromMysql2, fromPg, fromSqlite } from "bitflake/backend";
import { type SqlFunctions, type SqlOptions, sqlFunctions } from "bitflake/sql";
import mysql from "mysql2/promise";
import pg from "pg";
import { sqliteHere } from "../sqlite-here.ts";

/** An own database of an engine. */
export interface Database {
  readonly dialect: SqlOptions["dialect"];
  readonly backend: Backend;
  /** Runs a script of statements. */
  exec(sql: string): Promise<unknown>;
  /** Runs a statement on a session; returns its rows, with IDs as text. */
  query(sql: string, params?: readonly unknown[], session?: number): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const SESSIONS = 8;

async function openPostgres(): Promise<Database> {
  const name = `bitflake_sql_${randomBytes(6).toString("hex")}`;
  const url = new URL(process.env.DATABASE_URL as string);
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href });
  const sessions = Array.from({ length: SESSIONS }, () => new pg.Client({ connectionString: url.href }));
  for (const session of sessions) {
    session.on("error", () => {});
    await session.connect();
  }
  return {
    dialect: "postgres",
    backend: fromPg(pool),
    exec: (sql) => pool.query(sql),
    query: async (sql, params = [], session = 0) =>
      (await (sessions[session] as pg.Client).query(sql, [...params])).rows,
    async close() {
      await pool.end();
      for (const session of sessions) await session.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

async function openMysql(): Promise<Database> {
  const name = `bitflake_sql_${randomBytes(6).toString("hex")}`;
  const url = new URL(process.env.MYSQL_URL as string);
  const admin = await mysql.createConnection(url.href);
  await admin.query(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  const options = {
    uri: url.href,
    supportBigNumbers: true,
    bigNumberStrings: true,
    multipleStatements: true,
  };
  const pool = mysql.createPool(options);
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => mysql.createConnection(options)));
  return {
    dialect: "mysql",
    backend: fromMysql2(pool as never),
    exec: (sql) => pool.query(sql),
    query: async (sql, params = [], session = 0) =>
      (await (sessions[session] as mysql.Connection).query(sql, [...params]))[0] as Record<string, unknown>[],
    async close() {
      await pool.end();
      for (const session of sessions) await session.end();
      await admin.query(`DROP DATABASE ${name}`);
      await admin.end();
    },
  };
}

async function openSqlite(): Promise<Database> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(":memory:");
  return {
    dialect: "sqlite",
    backend: fromSqlite(db),
    exec: async (sql) => db.exec(sql),
    async query(sql, params = []) {
      const statement = db.prepare(sql);
      statement.setReadBigInts(true);
      return statement.all(...(params as never[]));
    },
    async close() {
      db.close();
    },
  };
}

/** The engines that are here, with a function that opens an own database of each. */
export const engines: readonly { readonly name: SqlOptions["dialect"]; open(): Promise<Database> }[] = [
  ...(process.env.DATABASE_URL ? [{ name: "postgres" as const, open: openPostgres }] : []),
  ...(process.env.MYSQL_URL ? [{ name: "mysql" as const, open: openMysql }] : []),
  ...(sqliteHere.node ? [{ name: "sqlite" as const, open: openSqlite }] : []),
];

/** Functions that are installed in a database. */
export interface Installed extends SqlFunctions {
  /** Makes an ID in a session. */
  next(session?: number): Promise<bigint>;
  /** Makes many IDs in one statement. */
  many(count: number, session?: number): Promise<bigint[]>;
  /** Sets the clock of the functions; `undefined` for the engine's own. */
  setClock(nowMs: number): Promise<void>;
}

let made = 0;

/** Installs functions with a prefix of their own, and a clock that stands still until it is set. */
export async function install(
  db: Database,
  options: Partial<SqlOptions>,
  { hasOwnClock = false } = {},
): Promise<Installed> {
  // Functions with one chosen node are refused beside each other, unless their tables have another prefix.
  const isAlone = options.functionPrefix === undefined && options.name === undefined;
  const functionPrefix = options.functionPrefix ?? `f${made++}_`;
  const prefix = isAlone ? { prefix: functionPrefix } : {};
  const sql = sqlFunctions({ dialect: db.dialect, ...prefix, ...options, functionPrefix } as SqlOptions);
  await db.exec(sql.install);
  const clock = `${functionPrefix}test_clock`;
  if (!hasOwnClock) {
    await db.exec(`CREATE TABLE ${clock} (ms BIGINT); INSERT INTO ${clock} VALUES (0)`);
    await db.exec(
      {
        postgres: `CREATE OR REPLACE FUNCTION ${functionPrefix}id_clock_ms() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT ms FROM public.${clock}'`,
        mysql: `DROP FUNCTION ${functionPrefix}id_clock_ms; CREATE FUNCTION ${functionPrefix}id_clock_ms(last_ms BIGINT) RETURNS BIGINT READS SQL DATA RETURN (SELECT ms FROM ${clock})`,
        sqlite: `DROP VIEW ${functionPrefix}id_clock; CREATE VIEW ${functionPrefix}id_clock AS SELECT ms FROM ${clock}`,
      }[db.dialect],
    );
  }
  const idOf = ([row]: Record<string, unknown>[]) => BigInt(String(row?.["id"]));
  const statement = db.dialect === "sqlite" ? sql.nextId : `SELECT ${sql.nextId} AS id`;
  return {
    ...sql,
    next: async (session) => idOf(await db.query(statement, [], session)),
    async many(count, session) {
      if (db.dialect === "sqlite") {
        const ids: bigint[] = [];
        while (ids.length < count) ids.push(idOf(await db.query(statement)));
        return ids;
      }
      const rows = db.dialect === "postgres" ? `GENERATE_SERIES(1, ${count}) AS row` : `seq_1_to_${count}`;
      const made = await db.query(`SELECT ${sql.nextId} AS id FROM ${rows}`, [], session);
      return made.map((row) => idOf([row]));
    },
    setClock: async (nowMs) => void (await db.exec(`UPDATE ${clock} SET ms = ${nowMs}`)),
  };
}
