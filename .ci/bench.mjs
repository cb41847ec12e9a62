// Runs the bench of what is built, shortened, beside a Redis and a PostgreSQL of its own; fails if an ID was repeated, or a part that
// needs a server was left out. For Node 24, which reads the TypeScript of the tests' servers.

import { spawnSync } from "node:child_process";
import ground from "../test/integration/globalSetup.ts";

const stop = await ground();
const { status, stdout } = spawnSync(process.execPath, ["bench/run.mjs", "--json", "--short"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
await stop();
if (status !== 0) process.exit(1);
const { goals, ids } = JSON.parse(stdout);
console.log(goals);
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
