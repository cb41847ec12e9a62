// A backfill of a table in PostgreSQL that is killed again and again, while new rows get their IDs from a generator.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { decode, makeGenerator } from "bitflake";
import { Backfill, backfill } from "bitflake/migrate";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const { DATABASE_URL } = process.env;
const ROWS = 6000;
const BATCH = 200;
const table = `bitflake_migrate_${process.pid}`;
const children = new Set<ChildProcess>();

describe.skipIf(!DATABASE_URL)("a backfill on PostgreSQL", () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: DATABASE_URL });
    await pool.query(
      `CREATE TABLE ${table} (key SERIAL PRIMARY KEY, created_at TIMESTAMPTZ(3) NOT NULL, id BIGINT UNIQUE)`,
    );
    // 300 moments, so that 20 rows share each.
    await pool.query(`INSERT INTO ${table} (created_at)
      SELECT TIMESTAMPTZ '2024-05-01' + (i * 7919 % 300) * INTERVAL '7 ms' FROM generate_series(1, ${ROWS}) AS i`);
  });
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await pool?.query(`DROP TABLE ${table}`);
    await pool?.end();
  });

  /** Returns how many rows have no ID. */
  async function missing(): Promise<number> {
    const { rows } = await pool.query(`SELECT count(*)::int AS n FROM ${table} WHERE id IS NULL`);
    return rows[0].n;
  }

  /** Runs the program until it ends, or kills it after some batches. Returns its exit code; null if it was killed. */
  async function runUntil(batches: number): Promise<number | null> {
    const program = join(import.meta.dirname, "migrate/backfill.mjs");
    const child = fork(program, [table, String(BATCH)], { env: { ...process.env } });
    children.add(child);
    const ended = once(child, "exit");
    let written = 0;
    child.on("message", () => {
      if (++written === batches) child.kill("SIGKILL");
      else child.send("go on");
    });
    const [code] = await ended;
    children.delete(child);
    return code;
  }

  test("that is killed between its batches continues, with unique IDs in the order of created_at, beside live inserts", async () => {
    const ids = makeGenerator("twitter", { datacenterId: 1, machineId: 7 });
    let isDone = false;
    let inserted = 0;
    const live = (async () => {
      while (!isDone) {
        await pool.query(`INSERT INTO ${table} (created_at, id) VALUES (now(), $1)`, [String(ids.nextId())]);
        inserted++;
      }
    })();
    const codes: (number | null)[] = [];
    const left: number[] = [];
    try {
      for (const batches of [1, 2, 5, 3]) {
        codes.push(await runUntil(batches));
        left.push(await missing());
      }
      codes.push(await runUntil(Number.POSITIVE_INFINITY));
    } finally {
      isDone = true;
      await live;
    }
    expect(codes).toEqual([null, null, null, null, 0]);
    // Each run wrote some batches, and none of the killed ones all.
    for (const [at, count] of left.entries()) {
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThan(left[at - 1] ?? ROWS);
      expect(count % BATCH).toBe(0);
    }
    expect(inserted).toBeGreaterThan(0);
    const { rows } = await pool.query(`SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids,
        bool_and(created_at >= before) AS ordered FROM (
      SELECT id, created_at, coalesce(lag(created_at) OVER (ORDER BY id), '-infinity') AS before
      FROM ${table} WHERE key <= ${ROWS}) AS old`);
    expect(rows[0]).toEqual({ rows: ROWS, ids: ROWS, ordered: true });
    // The UNIQUE column is now the primary key of all rows, live ones too.
    await pool.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_pkey, ADD PRIMARY KEY (id)`);
    const all = await pool.query(`SELECT id, created_at FROM ${table} WHERE key <= ${ROWS}`);
    for (const { id, created_at } of all.rows) {
      expect(decode(id, "twitter")).toMatchObject({ timestampMs: created_at.getTime(), datacenterId: 31 });
    }
  });

  test("whose run does not get the IDs of the table is refused by the column", async () => {
    const options = {
      preset: "twitter",
      nodes: [{ datacenterId: 31 }],
      before: new Date("2026-11-01"),
    } as const;
    const createdAt = new Date("2023-05-01");
    const insert = (id: bigint) =>
      pool.query(`INSERT INTO ${table} (created_at, id) VALUES ($1, $2)`, [createdAt, String(id)]);
    await insert(new Backfill(options).nextId(createdAt));
    await expect(insert(new Backfill(options).nextId(createdAt))).rejects.toMatchObject({ code: "23505" });
    const { rows } = await pool.query(`SELECT id FROM ${table}`);
    const taken = rows.map(({ id }) => id as string);
    for await (const { id } of backfill([{ createdAt }], { ...options, taken })) await insert(id);
  });
});
