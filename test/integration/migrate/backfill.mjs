// Gives the rows of a table IDs, in batches in random order, as docs/migrate.md shows it: `node backfill.mjs TABLE BATCH`.
// It reports each batch to its parent, and goes on when the parent says so. The parent may kill it instead.

import { once } from "node:events";
import process from "node:process";
import pg from "pg";
import { backfill } from "../../../dist/migrate.js";

const [, , table, batchSize] = process.argv;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

async function* taken() {
  const { rows } = await pool.query(`SELECT id FROM ${table} WHERE id IS NOT NULL`);
  for (const { id } of rows) yield id;
}

async function* rows() {
  const { rows } = await pool.query(
    `SELECT key, created_at AS "createdAt" FROM ${table} WHERE id IS NULL ORDER BY random()`,
  );
  yield* rows;
}

async function write(batch) {
  await pool.query(
    `UPDATE ${table} AS t SET id = new.id FROM unnest($1::bigint[], $2::int[]) AS new (id, key) WHERE t.key = new.key AND t.id IS NULL`,
    [batch.map(({ id }) => String(id)), batch.map(({ row }) => row.key)],
  );
  if (!process.send) return;
  const answered = once(process, "message");
  process.send(batch.length);
  await answered;
}

const options = {
  preset: "twitter",
  nodes: [{ datacenterId: 31 }],
  before: new Date("2026-11-01"),
  taken: taken(),
};
let batch = [];
for await (const issued of backfill(rows(), options)) {
  batch.push(issued);
  if (batch.length < Number(batchSize)) continue;
  await write(batch);
  batch = [];
}
if (batch.length > 0) await write(batch);
await pool.end();
process.disconnect?.();
