// One of the processes of sqlite-shared.test.ts: adds to one row by one statement, and prints what it got.

import { createRequire } from "node:module";
import { setTimeout } from "node:timers/promises";
import { fromSqlite } from "../../../dist/backend.js";

const [, , client, file, times] = process.argv;
const module = createRequire(import.meta.url)(client);
// Neither client waits by itself for a file that is busy: that is what the adapter does.
const db = client === "node:sqlite" ? new module.DatabaseSync(file) : new module(file, { timeout: 0 });
const port = fromSqlite(db, { timeoutMs: 30_000 });

console.log("started");
const values = [];
for (let call = 0; call < Number(times); call++) {
  const [row] = await port.query(
    `INSERT INTO counters (name, last) VALUES ($1, 1)
      ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING CAST(last AS TEXT) AS last`,
    ["shared"],
  );
  values.push(Number(row.last));
  // Or the first process is done before the others get a word in.
  await setTimeout(Math.random() * 2);
}
db.close();
console.log(JSON.stringify(values));
