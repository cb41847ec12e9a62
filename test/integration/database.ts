// A database of one's own on the PostgreSQL of the ground, for code that makes tables as it likes.

import pg from "pg";

let made = 0;

/** Runs with `DATABASE_URL` and `PGDATABASE` saying an empty database, which is gone afterwards. */
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
    // It waits for connections that are about to end; one that nobody ends makes it fail, and should.
    await admin.query(`DROP DATABASE ${name}`);
    await admin.end();
  }
}
