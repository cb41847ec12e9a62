// next_id() beside nextval() as the default of a column, on one PostgreSQL in one run: single-row INSERT statements of concurrent
// sessions, and bulk inserts. `node bench/sql.mjs`, on a Node that strips types (22.18 or later), with the packages of
// test/integration.

import { createRequire } from "node:module";
import { isShort, median } from "./measure.mjs";

const { sqlFunctions } = await import("../src/sql/index.ts");
const { startPostgres } = await import("../test/integration/servers.ts");
const pg = createRequire(new URL("../test/integration/servers.ts", import.meta.url))("pg");

const ROUNDS = isShort ? 1 : 7;
const SINGLE_MS = isShort ? 100 : 2000;
const BULK = isShort ? 1000 : 200_000;

/** Returns the rows per second of sessions that insert one row after the other. */
async function single(clients, table) {
  const end = performance.now() + SINGLE_MS;
  let rows = 0;
  const insert = async (client) => {
    for (; performance.now() < end; rows++)
      await client.query({ name: table, text: `INSERT INTO ${table} (note) VALUES ('a')` });
  };
  const started = performance.now();
  await Promise.all(clients.map(insert));
  return (rows * 1000) / (performance.now() - started);
}

/** Returns the rows per second of one statement that inserts many rows. */
async function bulk([client], table) {
  await client.query(`TRUNCATE ${table}`);
  const started = performance.now();
  await client.query(`INSERT INTO ${table} (note) SELECT 'a' FROM GENERATE_SERIES(1, ${BULK})`);
  return (BULK * 1000) / (performance.now() - started);
}

const server = await startPostgres();
try {
  const clients = Array.from({ length: 16 }, () => new pg.Client({ connectionString: server.url }));
  for (const client of clients) {
    client.on("error", () => {});
    await client.connect();
  }
  const [admin] = clients;
  await admin.query(sqlFunctions({ dialect: "postgres", node: { machineId: 5 } }).install);
  await admin.query("CREATE TABLE serial (id bigserial PRIMARY KEY, note text)");
  await admin.query("CREATE TABLE snowflake (id bigint PRIMARY KEY DEFAULT next_id(), note text)");
  const cases = [
    ["single rows, 1 session", single, clients.slice(0, 1)],
    ["single rows, 16 sessions", single, clients],
    [`${BULK} rows in a statement`, bulk, clients],
  ];
  for (const [title, measure, sessions] of cases) {
    const rates = { serial: [], snowflake: [] };
    // The two take turns, so that both see the same load of the machine.
    for (let round = 0; round < ROUNDS; round++)
      for (const table of ["serial", "snowflake"]) rates[table].push(await measure(sessions, table));
    const [serial, snowflake] = [median(rates.serial), median(rates.snowflake)];
    const share = (snowflake / serial).toFixed(2);
    console.log(
      `${title}: next_id() ${Math.round(snowflake)} rows/s, nextval() ${Math.round(serial)} rows/s, ${share}`,
    );
  }
  for (const client of clients) await client.end();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await server.stop();
}
