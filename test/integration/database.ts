// A temporary database on the PostgreSQL of the run, for code that creates any tables.

import { setTimeout } from "node:timers/promises";
import pg from "pg";

let made = 0;

/** Drops a database when its last connection has closed. One that stays open is an error after a minute. */
async function drop(admin: pg.Client, name: string): Promise<void> {
  for (const end = Date.now() + 60_000; ; await setTimeout(100)) {
    try {
      await admin.query(`DROP DATABASE ${name}`);
      return;
    } catch (error) {
      // It is in use.
      if ((error as { code?: unknown }).code !== "55006" || Date.now() > end) throw error;
    }
  }
}

/** Runs a function with `DATABASE_URL` and `PGDATABASE` set to an empty database, which is dropped afterwards. */
export async function inOwnDatabase(body: () => Promise<void>): Promise<void> {
  const { DATABASE_URL = "", PGDATABASE = "" } = process.env;
  const name = `bitflake_${process.pid}_${made++}`;
  const admin = new pg.Client({ connectionString: DATABASE_URL });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  try {
    const url = new URL(DATABASE_URL);
    url.pathname = `/${name}`;
    Object.assign(process.env, { DATABASE_URL: url.href, PGDATABASE: name });
    await body();
  } finally {
    Object.assign(process.env, { DATABASE_URL, PGDATABASE });
    await drop(admin, name);
    await admin.end();
  }
}
