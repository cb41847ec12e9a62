// Empty databases for the tests of ORMs: PostgreSQL, MariaDB and SQLite.

import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll } from "vitest";
import { inOwnDatabase } from "../database.ts";
import { sqliteHere } from "../sqlite-here.ts";

const { DATABASE_URL, MYSQL_URL } = process.env;

/** A kind of database. */
export interface Kind {
  readonly name: "postgres" | "mysql" | "sqlite";
  readonly isHere: boolean;
  /** Runs a function with the address of an empty database, which is dropped afterwards. SQLite has one in memory. */
  run(body: (url: string) => Promise<void>): Promise<void>;
}

let made = 0;

/** Runs a function with the address of an empty database on MariaDB. */
async function inOwnMysql(body: (url: string) => Promise<void>): Promise<void> {
  const url = new URL(MYSQL_URL ?? "");
  const admin = await createConnection(url.href);
  const name = `bitflake_orm_${process.pid}_${made++}`;
  await admin.query(`CREATE DATABASE ${name}`);
  try {
    url.pathname = `/${name}`;
    await body(url.href);
  } finally {
    await admin.query(`DROP DATABASE ${name}`);
    await admin.end();
  }
}

export const kinds: readonly Kind[] = [
  {
    name: "postgres",
    isHere: Boolean(DATABASE_URL),
    run: (body) => inOwnDatabase(() => body(process.env.DATABASE_URL as string)),
  },
  { name: "mysql", isHere: Boolean(MYSQL_URL), run: inOwnMysql },
  { name: "sqlite", isHere: sqliteHere.better, run: (body) => body(":memory:") },
];

/** Opens an empty database before the tests of a block, and drops it after them. Returns a function that returns its address. */
export function useDatabase(kind: Kind): () => string {
  let address = "";
  let release = () => {};
  let dropped: Promise<void> | undefined;
  beforeAll(
    () =>
      new Promise<void>((opened, failed) => {
        dropped = kind.run((url) => {
          address = url;
          opened();
          return new Promise((ended) => {
            release = ended;
          });
        });
        dropped.catch(failed);
      }),
  );
  afterAll(() => {
    release();
    return dropped;
  });
  return () => address;
}
