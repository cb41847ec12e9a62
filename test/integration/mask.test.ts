// The ranges of scattered IDs as queries on real databases, in their order of BIGINTs, compared with a scan of all rows.

import { isBuiltin } from "node:module";
import { makeGenerator } from "bitflake";
import { type ScatterCodec, scatter } from "bitflake/mask";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { inOwnDatabase } from "./database.ts";

const START = Date.UTC(2026, 10, 28);

/** IDs of three nodes, some alone in their millisecond and some in bursts, with those at the ends of all IDs. */
function makeIds(): bigint[] {
  let nowMs = START;
  const nodes = [1, 7, 31].map((machineId) => makeGenerator("twitter", { machineId, clock: () => nowMs }));
  const ids = [0n, 1n, 2n ** 63n - 1n];
  for (let step = 0; step < 300; step++) {
    for (const [at, node] of nodes.entries()) ids.push(...node.nextIds((step % (7 + at)) + 1));
    nowMs += step % 3 === 0 ? 1 : 1000;
  }
  return ids;
}

const ids = makeIds();
const generator = makeGenerator("twitter");
const last = ids.at(-1) as bigint;

/** Spans of IDs: of time, of a few IDs, of one, of all, and empty. */
const SPANS = {
  "a minute": generator.range(START + 30_000, START + 90_000),
  "a millisecond": generator.range(START, START + 1),
  "from an ID to another": { min: ids[100] as bigint, max: ids[900] as bigint },
  "an ID": { min: last, max: last },
  "all IDs": { min: 0n, max: 2n ** 63n - 1n },
  "no ID": generator.range(START, START),
};

/** Selects the keys in ranges, given by their ends. */
type Select = (least: readonly bigint[], most: readonly bigint[]) => Promise<bigint[]>;

/** Compares the rows that each span's ranges select with the IDs of the span. */
async function checkSpans(keys: ScatterCodec, select: Select): Promise<void> {
  for (const [name, span] of Object.entries(SPANS)) {
    const ranges = keys.ranges(span);
    const found = await select(
      ranges.map(({ min }) => min),
      ranges.map(({ max }) => max),
    );
    const wanted = ids.filter((id) => span.min <= id && id <= span.max);
    if (name !== "no ID") expect(wanted.length, name).toBeGreaterThan(0);
    // Each once, so the ranges do not overlap.
    expect(found.map((key) => keys.decode(key)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      wanted.toSorted((a, b) => (a < b ? -1 : 1)),
    );
  }
}

describe.each([2, 16, 64, 1024])("with %i shards, the ranges select exactly the IDs of a span", (shards) => {
  const keys = scatter({ shards });
  const stored = ids.map((id) => keys.encode(id));

  test.skipIf(!process.env.DATABASE_URL)("in PostgreSQL", () =>
    inOwnDatabase(async () => {
      const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
      await client.connect();
      try {
        await client.query("CREATE TABLE orders (id BIGINT PRIMARY KEY)");
        await client.query("INSERT INTO orders SELECT unnest($1::bigint[])", [stored.map(String)]);
        await checkSpans(keys, async (least, most) => {
          const { rows } = await client.query(
            `SELECT orders.id FROM unnest($1::bigint[], $2::bigint[]) AS span (least, most)
             JOIN orders ON orders.id BETWEEN span.least AND span.most`,
            [least.map(String), most.map(String)],
          );
          return rows.map(({ id }) => BigInt(id));
        });
      } finally {
        await client.end();
      }
    }),
  );

  // Node 20 has no node:sqlite.
  test.skipIf(!isBuiltin("node:sqlite"))("in SQLite", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    const insert = db.prepare("INSERT INTO orders VALUES (?)");
    insert.setReadBigInts(true);
    for (const key of stored) insert.run(key);
    const between = db.prepare("SELECT id FROM orders WHERE id BETWEEN ? AND ?");
    between.setReadBigInts(true);
    await checkSpans(keys, async (least, most) =>
      least.flatMap((min, at) => between.all(min, most[at] as bigint).map(({ id }) => id as bigint)),
    );
    db.close();
  });
});
