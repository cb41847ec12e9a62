// A process of pool-chaos.test.ts, on the built package: issues IDs or fills a pool until it is killed. It records each call
// before it and each answer at once; an error ends it.

import { openSync, writeSync } from "node:fs";
import mysql from "mysql2/promise";
import pg from "pg";
import { fromMysql2, fromPg } from "../../../dist/backend.js";
import { IdPool, NumericIdType } from "../../../dist/numeric.js";

const { task, url, prefix, type, marks, connections, isolation, journal, ...plan } = JSON.parse(
  process.argv[2],
);

/** Opens the store of an address with as many connections. */
function open() {
  if (url.startsWith("postgres")) {
    const client = new pg.Pool({ connectionString: url, max: connections });
    return { backend: fromPg(client, { prefix, timeoutMs: 30_000 }), close: () => client.end() };
  }
  const client = mysql.createPool({ uri: url, connectionLimit: connections });
  const level = `SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`;
  client.pool.on("connection", (connection) => connection.query(level));
  return { backend: fromMysql2(client, { prefix, timeoutMs: 30_000 }), close: () => client.end() };
}

const { backend, close } = open();
const pool = new IdPool({ backend, type: new NumericIdType(type), waitMs: 60_000, ...marks });

const file = openSync(journal, "a");
/** Synchronous, so that the entry is written before the process can be killed. */
const write = (entry) => writeSync(file, `${JSON.stringify(entry)}\n`);

let isOver = false;
process.once("SIGTERM", () => {
  isOver = true;
});
// Ends with the process that started it.
process.stdin.once("end", () => process.exit(0)).resume();

const between = (least, most) => least + Math.floor(Math.random() * (most - least + 1));

let calls = 0;
/** Makes one call, and records it and its answer. */
async function recordCall(count, key) {
  const call = `${process.pid}.${++calls}`;
  write({ call, count, key });
  const ids =
    key === undefined && count > 1 ? await pool.issueIds(count) : [await pool.issue({ requestKey: key })];
  write({ call, ids });
}

const concurrently = (work) => Promise.all(Array.from({ length: connections }, (_, at) => work(at)));

/** Issues a given number of IDs, some one by one and the others in batches. */
async function issueAll({ singles, batches, batch }) {
  const sizes = [...Array(singles).fill(1), ...Array(batches).fill(batch)].sort(() => Math.random() - 0.5);
  await concurrently(async () => {
    for (let count = sizes.pop(); count !== undefined; count = sizes.pop()) await recordCall(count);
  });
}

/** Issues IDs until SIGTERM, some with request keys of its own or shared with other processes. */
async function issueOn({ name, first }) {
  let next = first;
  await concurrently(async () => {
    while (!isOver) {
      const way = Math.random();
      if (way < 0.4) await recordCall(1);
      else if (way < 0.5) await recordCall(between(2, 50));
      else if (way < 0.8) await recordCall(1, `${name} ${next++}`);
      else await recordCall(1, `shared ${between(1, 2000)}`);
    }
  });
}

const tasks = {
  issueAll,
  issueOn,
  /** Fills the pool, and kills this process once so many IDs are available. */
  fill({ to, killedAt = Infinity }) {
    const onProgress = (progress) => {
      write({ at: Date.now(), ...progress });
      if (progress.available >= killedAt) process.kill(process.pid, "SIGKILL");
    };
    return pool.fill({ to, onProgress });
  },
};

await tasks[task](plan);
await pool.stop();
await close();
process.exit(0);
