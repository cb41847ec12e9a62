// Mutation scores of the last `npm run mutate`, by folder. Fails when the score of the core, or that of all other rules
// together, is below its threshold.

import { existsSync, readFileSync } from "node:fs";
import { areas, reportFile } from "./areas.mjs";

/** The least scores in percent. */
const LEAST = { core: 97, "other rules": 95 };

const reports = Object.keys(areas).map(reportFile).filter(existsSync);
const files = reports.flatMap((file) => Object.entries(JSON.parse(readFileSync(file, "utf8")).files));
const groups = new Map();
for (const [path, { mutants }] of files) {
  const folder = path.split("/").slice(0, 2).join("/");
  for (const name of [folder, folder === "src/snowflake" ? "core" : "other rules"]) {
    const group = groups.get(name) ?? { killed: 0, all: 0 };
    groups.set(name, group);
    for (const { status } of mutants) {
      const isKilled = status === "Killed" || status === "Timeout";
      if (isKilled) group.killed++;
      if (isKilled || status === "Survived" || status === "NoCoverage") group.all++;
    }
  }
}

for (const [name, { killed, all }] of groups) {
  const score = (100 * killed) / all;
  const least = LEAST[name];
  const isLow = score < least;
  if (isLow) process.exitCode = 1;
  const limit = least === undefined ? "" : `, at least ${least} % ${isLow ? "LOW" : "ok"}`;
  console.log(`${name.padEnd(18)} ${score.toFixed(1)} % of ${all} mutants${limit}`);
}
