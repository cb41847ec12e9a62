// Short run of the bench on the built package, beside a Redis and a PostgreSQL of its own. Fails when an ID was repeated, when a
// part that needs a server is missing, or when the page of results cannot be written. Needs Node 24, which loads TypeScript.

import { spawnSync } from "node:child_process";
import { page } from "../bench/page.mjs";
import startServers from "../test/integration/globalSetup.ts";

const stop = await startServers();
const { status, stdout } = spawnSync(process.execPath, ["bench/run.mjs", "--json", "--short"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
await stop();
if (status !== 0) process.exit(1);
const report = JSON.parse(stdout);
const { goals, ids } = report;
console.log(page(report));
const ours = ids.filter((row) => row.name.startsWith("bitflake"));
const repeated = Object.entries(goals).filter(([goal]) => goal.includes("repeated IDs"));
const parts = ["Counter", "leaseNode", "NumericIdType", "IdPool", "service"];
if (
  ours.length < 3 ||
  ours.some((row) => row.duplicates !== 0) ||
  repeated.length < 2 ||
  repeated.some(([, count]) => count !== 0) ||
  !parts.every((part) => Object.keys(goals).some((goal) => goal.includes(part)))
) {
  process.exit(1);
}
