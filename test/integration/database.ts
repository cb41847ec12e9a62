// A temporary database on the PostgreSQL of the run, for code that creates any tables.

import pg from "pg";

let made = 0;

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
    // By force, because connections may still be closing.
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  }
}
