// Benchmark of IdPool on PostgreSQL: issues, against pgbench with the same statement on the same server, and a refill.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromPg, setup } from "../dist/backend.js";
import { IdPool, NumericIdType } from "../dist/numeric.js";
import { isShort, median } from "./measure.mjs";

const CONNECTIONS = 40;
const SECONDS = isShort ? 1 : 2;

/** How many IDs are available before a round: more than it takes. */
const AVAILABLE = 250_000;

/** How many IDs the measured refill adds. */
const REFILL = isShort ? 10_000 : 100_000;

const type = new NumericIdType({ name: "farmer", length: 12 });

/** Returns whether pgbench is installed. */
const hasPgbench = () => spawnSync("pgbench", ["--version"]).status === 0;

/** Returns the IDs per second that a pool issues to one caller per connection. */
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
 * Returns the IDs per second of pgbench with the library's statement, parsed and planned each time as by the driver, with
 * a random rank each time.
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
 * Returns IDs per second: of a pool and of pgbench, one by one and 100 at a time, as medians of alternating rounds; and of
 * a refill.
 *
 * @param Pool the class `Pool` of `pg`
 * @param url the connection string of the PostgreSQL
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
  // Restores the IDs of the first round, with fresh indexes and statistics.
  const restore = async () => {
    await client.query(`TRUNCATE ${prefix}_ids`);
    await client.query(`INSERT INTO ${prefix}_ids SELECT * FROM ${prefix}_all`);
    await client.query(`VACUUM ANALYZE ${prefix}_ids`);
    await client.query("CHECKPOINT").catch(() => {}); // Needs a privilege, and only steadies the figures.
  };
  const open = (backend) => new IdPool({ backend, type });
  try {
    await setup(backend, ["numeric"]);
    const first = open(backend);
    await first.fill({ to: AVAILABLE - REFILL });
    const started = performance.now();
    await first.fill({ to: AVAILABLE });
    const rates = { "IdPool.fill()": (REFILL / (performance.now() - started)) * 1000 };
    await first.stop(); // It must not count the IDs of an emptied table.
    await client.query(`CREATE TABLE ${prefix}_all AS SELECT * FROM ${prefix}_ids`);
    const against = hasPgbench();
    if (!against) console.error("pgbench is not installed: pools have no comparison");
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
