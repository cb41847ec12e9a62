// A process of idempotency-transaction.test.ts, on the built package: does work in a transaction, prints that, and waits to be
// killed before the commit.

import { createRequire } from "node:module";
import { fromPg, fromSqlite } from "../../../dist/backend.js";
import { Idempotency } from "../../../dist/idempotency.js";

const { engine, address, prefix, table, begin } = JSON.parse(process.argv[2]);
const require = createRequire(import.meta.url);

let transaction;
let run;
if (engine === "postgres") {
  const client = new (require("pg").Client)({ connectionString: address });
  await client.connect();
  transaction = fromPg(client, { prefix });
  run = (sql) => client.query(sql);
} else {
  const db = new (require("node:sqlite").DatabaseSync)(address);
  transaction = fromSqlite(db, { prefix });
  run = async (sql) => db.exec(sql);
}
await run(begin);
const once = new Idempotency({ backend: transaction, name: "crash" });
const work = async () => {
  await run(`INSERT INTO ${table} VALUES ('k', 'dead')`);
  return "dead";
};
await once.once("k", "f", work, { transaction });
console.log("worked");
setInterval(() => {}, 1000);
