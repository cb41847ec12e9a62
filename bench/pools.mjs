// A pool of numeric IDs on PostgreSQL: what it issues, beside what pgbench gets from the same server by the same
// statement, and what a refill adds.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromPg, setup } from "../dist/backend.js";
import { IdPool, NumericIdType } from "../dist/numeric.js";
import { isShort } from "./measure.mjs";

const CONNECTIONS = 40;
const SECONDS = isShort ? 1 : 2;

/** More than a round takes, so that the statement always finds enough. */
const STOCK = 250_000;

/** How many IDs the refill that is timed adds. */
const REFILL = isShort ? 10_000 : 100_000;

const type = new NumericIdType({ name: "farmer", length: 12 });

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Whether there is a pgbench to compare with. */
const hasPgbench = () => spawnSync("pgbench", ["--version"]).status === 0;

/** IDs per second of a pool that is asked by as many callers as there are connections, for so many seconds. */
async function issuing(pool, batch) {
  const issue = batch === 1 ? () => pool.issue() : () => pool.issueIds(batch);
  let issued = 0;
  const started = performance.now();
  const end = started + SECONDS * 1000;
  const caller = async () => {
    while (performance.now() < end) {
      await issue();
      issued += batch;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  return (issued / (performance.now() - started)) * 1000;
}

/**
 * IDs per second of a statement that pgbench sends: the library's own, parsed and planned each time as the driver has
 * it, with a rank of its own each time.
 */
function pgbench(url, folder, { text, params, batch }) {
  const script = join(folder, "issue.sql");
  const names = [":type", ":rank", ":history", ":count"];
  const statement = text.replace(/\$(\d)/g, (_, n) => names[n - 1]);
  writeFileSync(script, `\\set rank random(0, 4294967295)\n${statement};\n`);
  const clients = ["-c", CONNECTIONS, "-j", 2, "-M", "extended", "-T", SECONDS, "-n"];
  const variables = ["-D", `type=${type.name}`, "-D", `history=${params[2]}`, "-D", `count=${batch}`];
  const args = [...clients, ...variables, "-f", script, url].map(String);
  const { status, stdout, stderr } = spawnSync("pgbench", args, { encoding: "utf8" });
  const [, tps] = /^tps = ([\d.]+) /m.exec(stdout) ?? [];
  if (status !== 0 || !tps) throw new Error(`pgbench ended with ${status}: ${stderr}`);
  return Number(tps) * batch;
}

/**
 * IDs per second: of a pool and of pgbench, one by one and 100 at a time, the medians of rounds in turn; and of a
 * refill.
 *
 * @param Pool that of `pg`
 * @param url where the PostgreSQL is
 */
export async function pools(Pool, url) {
  const prefix = `bitflake_bench_${process.pid}`;
  const client = new Pool({ connectionString: url, max: CONNECTIONS });
  const folder = mkdtempSync(join(tmpdir(), "bitflake-bench-"));
  const sent = [];
  const plain = fromPg(client, { prefix });
  const backend = {
    ...plain,
    query(text, params) {
      sent.push({ text, params });
      return plain.query(text, params);
    },
  };
  // The stock as it was before the first round, with fresh indexes and statistics.
  const restore = async () => {
    await client.query(`TRUNCATE ${prefix}_ids`);
    await client.query(`INSERT INTO ${prefix}_ids SELECT * FROM ${prefix}_all`);
    await client.query(`VACUUM ANALYZE ${prefix}_ids`);
    await client.query("CHECKPOINT").catch(() => {}); // Not everyone may, and it is only for steadier figures.
  };
  const open = (backend) => new IdPool({ backend, type });
  try {
    await setup(backend, ["numeric"]);
    const first = open(backend);
    await first.fill({ to: STOCK - REFILL });
    const started = performance.now();
    await first.fill({ to: STOCK });
    const rates = { "IdPool.fill()": (REFILL / (performance.now() - started)) * 1000 };
    await first.stop(); // It is to look at no table that is emptied.
    await client.query(`CREATE TABLE ${prefix}_all AS SELECT * FROM ${prefix}_ids`);
    const against = hasPgbench();
    if (!against) console.error("no pgbench: pools are measured against nothing");
    for (const batch of [1, 100]) {
      sent.length = 0;
      await first.issueIds(batch);
      const { text, params } = sent.find(({ text }) => text.startsWith("WITH "));
      const [ours, theirs] = [[], []];
      for (let round = 0; round < (isShort ? 1 : 5); round++) {
        await restore();
        const pool = open(plain);
        ours.push(await issuing(pool, batch));
        await pool.stop();
        if (!against) continue;
        await restore();
        theirs.push(pgbench(url, folder, { text, params, batch }));
      }
      const by = batch === 1 ? "one by one" : `${batch} at a time`;
      rates[`IdPool, ${by}`] = median(ours);
      if (against) rates[`pgbench, ${by}`] = median(theirs);
    }
    return rates;
  } finally {
    await client.query(
      `DROP TABLE IF EXISTS ${prefix}_all, ${prefix}_ids, ${prefix}_id_types, ${prefix}_id_counts`,
    );
    await client.end();
    rmSync(folder, { recursive: true });
  }
}
