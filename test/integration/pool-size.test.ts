// Statements of a pool and of the service cost PostgreSQL the same with a thousand taken IDs and with a million, counted in
// the blocks that each statement touches. bench/size.mjs measures times, with more rows.

import pg from "pg";
import { expect, test } from "vitest";
import { fromPg, type SqlPort, setup } from "../../src/backend/index.ts";
import { IdPool, NumericIdType } from "../../src/numeric/index.ts";
import { createService } from "../../src/service/index.ts";

const { DATABASE_URL } = process.env;

/** The part of an EXPLAIN plan that is read here. */
interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Loops": number;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Plan[];
}

/** Returns whether a plan has a sequential scan. */
const reads = (table: string, { Plans = [], ...plan }: Plan): boolean =>
  (plan["Node Type"] === "Seq Scan" && plan["Relation Name"] === table && plan["Actual Loops"] > 0) ||
  Plans.some((part) => reads(table, part));

/** Returns how many IDs a statement adds or takes. It varies, because refills are stopped at any step. */
const entriesIn = (params: readonly string[]): number =>
  params[1]?.startsWith("[") ? (JSON.parse(params[1]) as unknown[]).length : 1;

/** Returns the blocks that each statement touches per ID, with so many taken IDs. */
async function blocksOf(client: pg.Pool, taken: number): Promise<Map<string, number>> {
  const prefix = `size_${process.pid}_${taken}`;
  const sent = new Map<string, readonly string[]>();
  const plain = fromPg(client, { prefix });
  const port: SqlPort = {
    ...plain,
    query(text, params) {
      if (/^(WITH|SELECT|INSERT|UPDATE|DELETE)/.test(text) && text.includes(`"${prefix}_id`)) {
        // Of several, the one with most IDs, so that its fixed cost hardly counts.
        if (entriesIn(params) >= entriesIn(sent.get(text) ?? [])) sent.set(text, params);
      }
      return plain.query(text, params);
    },
  };
  try {
    await setup(plain);
    const type = new NumericIdType({ name: "farmer", length: 12 });
    const pool = new IdPool({ backend: port, type, lowMark: 500, highMark: 1000 });
    await pool.fill();
    await client.query(`ALTER TABLE ${prefix}_ids SET (autovacuum_enabled = FALSE)`);
    await client.query(
      `INSERT INTO ${prefix}_ids (type, id, rank, taken)
       SELECT 'farmer', LPAD(CAST(i AS TEXT), 12, '0'), (i * 2654435761) % 4294967296, i FROM GENERATE_SERIES(1, $1::BIGINT) AS i`,
      [taken],
    );
    await client.query(`UPDATE ${prefix}_id_types SET taken = taken + $1`, [taken]);
    sent.clear();

    // All statements except the one that runs once after an upgrade.
    const fresh = new IdPool({ backend: port, type, lowMark: 500, highMark: 1000 });
    await fresh.issue();
    await fresh.issueIds(100);
    await fresh.issue({ requestKey: "form 17" });
    await fresh.issue({ requestKey: "form 17" });
    await fresh.import(type.generateIds(500));
    await fresh.issueIds(400);
    expect(await fresh.fill()).toBe(1000);
    expect(await fresh.status()).toMatchObject({ available: 1000, taken: taken + 1002 });
    await fresh.stop();
    const service = createService({ backend: port, machineId: 5, types: { farmer: { length: 12 } } });
    await service.start();
    for (const path of ["/health", "/metrics"]) {
      expect((await service(new Request(`http://127.0.0.1${path}`))).status).toBe(200);
    }
    await service.stop();

    const blocks = new Map<string, number>();
    // Before ANALYZE and after it.
    for (const analyze of [false, true]) {
      if (analyze) await client.query(`ANALYZE ${prefix}_ids`);
      for (const [text, params] of sent) {
        const connection = await client.connect();
        await connection.query("BEGIN");
        const sql = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`;
        const { rows } = await connection.query(sql, [...params]);
        await connection.query("ROLLBACK");
        connection.release();
        const { Plan } = rows[0]["QUERY PLAN"][0] as { Plan: Plan };
        expect([text, reads(`${prefix}_ids`, Plan) && taken > 1000]).toEqual([text, false]);
        const name = text.replaceAll(prefix, "");
        const touched = (Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"]) / entriesIn(params);
        blocks.set(name, Math.max(touched, blocks.get(name) ?? 0));
      }
    }
    return blocks;
  } finally {
    const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE starts_with(tablename, $1)", [
      `${prefix}_`,
    ]);
    for (const { tablename } of rows) await client.query(`DROP TABLE "${tablename}"`);
  }
}

test.skipIf(!DATABASE_URL)(
  "no statement touches more blocks with a million taken IDs than with a thousand",
  async () => {
    const client = new pg.Pool({ connectionString: DATABASE_URL });
    try {
      const few = await blocksOf(client, 1000);
      const many = await blocksOf(client, 1_000_000);
      // A search that begins again at the first rank is sent only if no available ID is at or after the random one.
      const always = (names: Iterable<string>) =>
        [...names].filter((name) => !name.startsWith("WITH later AS")).sort();
      expect(always(many.keys())).toEqual(always(few.keys()));
      const both = [...many].filter(([name]) => few.has(name));
      expect(both.length).toBeGreaterThanOrEqual(12);
      // The index of a million rows has one or two levels more.
      const tooMany = both.filter(([name, blocks]) => blocks > 2 * (few.get(name) as number) + 50);
      expect(tooMany.map(([name, blocks]) => [name, few.get(name), blocks])).toEqual([]);
    } finally {
      await client.end();
    }
  },
);
