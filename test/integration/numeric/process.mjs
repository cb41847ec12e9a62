// A process of pool-chaos.test.ts, on the built package: issues IDs or fills a pool, whatever is done to it meanwhile.
// It writes down what it asks for before it asks, and what it gets as soon as it has it; an error ends it.

import { openSync, writeSync } from "node:fs";
import pg from "pg";
import { fromPg } from "../../../dist/backend.js";
import { IdPool, NumericIdType } from "../../../dist/numeric.js";

const { task, url, prefix, type, marks, connections, journal, ...plan } = JSON.parse(process.argv[2]);

const client = new pg.Pool({ connectionString: url, max: connections });
const backend = fromPg(client, { prefix });
const pool = new IdPool({ backend, type: new NumericIdType(type), waitMs: 60_000, ...marks });

const file = openSync(journal, "a");
/** Synchronous, so that it is on record before anything else happens to this process. */
const write = (entry) => writeSync(file, `${JSON.stringify(entry)}\n`);

let isOver = false;
process.once("SIGTERM", () => {
  isOver = true;
});
// The end of whoever started it is its own.
process.stdin.once("end", () => process.exit(0)).resume();

const between = (least, most) => least + Math.floor(Math.random() * (most - least + 1));

let calls = 0;
/** One call, with its question and its answer. */
async function asked(count, key) {
  const call = `${process.pid}.${++calls}`;
  write({ call, count, key });
  const ids =
    key === undefined && count > 1 ? await pool.issueIds(count) : [await pool.issue({ requestKey: key })];
  write({ call, ids });
}

const atOnce = (work) => Promise.all(Array.from({ length: connections }, (_, at) => work(at)));

/** So many IDs, and no more: some one by one, the others by the batch. */
async function issueAll({ singles, batches, batch }) {
  const sizes = [...Array(singles).fill(1), ...Array(batches).fill(batch)].sort(() => Math.random() - 0.5);
  await atOnce(async () => {
    for (let count = sizes.pop(); count !== undefined; count = sizes.pop()) await asked(count);
  });
}

/** As it comes, until it is told to end: for requests of one's own, and for those that others ask for as well. */
async function issueOn({ name, first }) {
  let next = first;
  await atOnce(async () => {
    while (!isOver) {
      const way = Math.random();
      if (way < 0.4) await asked(1);
      else if (way < 0.5) await asked(between(2, 50));
      else if (way < 0.8) await asked(1, `${name} ${next++}`);
      else await asked(1, `shared ${between(1, 2000)}`);
    }
  });
}

const tasks = {
  issueAll,
  issueOn,
  fill: ({ to }) => pool.fill({ to, onProgress: (progress) => write({ at: Date.now(), ...progress }) }),
};

await tasks[task](plan);
await pool.stop();
await client.end();
process.exit(0);
