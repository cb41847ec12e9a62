// Mutation scores of the last `npm run mutate`, by folder, without the mutants of equivalents.mjs. Fails when the score of the core,
// or that of all other rules together, is below its threshold, and when one of those mutants is killed or missing.

import { existsSync, readFileSync } from "node:fs";
import { areas, reportFile } from "./areas.mjs";
import { equivalents } from "./equivalents.mjs";

/** The least scores in percent. */
const LEAST = { core: 97, "other rules": 95 };

const reports = Object.keys(areas).map(reportFile).filter(existsSync);
const files = reports.flatMap((file) => Object.entries(JSON.parse(readFileSync(file, "utf8")).files));
const groups = new Map();
const found = new Set();
for (const [path, { mutants, source }] of files) {
  const folder = path.split("/").slice(0, 2).join("/");
  const lines = source.split("\n");
  for (const { status, replacement, location } of mutants) {
    const line = lines[location.start.line - 1].trim();
    const equivalent = equivalents.find(
      (each) => each.file === path && each.source === line && each.replacement === replacement,
    );
    const isKilled = status === "Killed" || status === "Timeout";
    if (!isKilled && status !== "Survived" && status !== "NoCoverage") continue;
    const isLeftOut = equivalent !== undefined && !isKilled;
    if (isLeftOut) found.add(equivalent);
    for (const name of [folder, folder === "src/snowflake" ? "core" : "other rules"]) {
      const group = groups.get(name) ?? { killed: 0, all: 0, leftOut: 0 };
      groups.set(name, group);
      if (isLeftOut) group.leftOut++;
      else group.all++;
      if (isKilled) group.killed++;
    }
  }
}

for (const [name, { killed, all, leftOut }] of groups) {
  const score = (100 * killed) / all;
  const least = LEAST[name];
  const isLow = score < least;
  if (isLow) process.exitCode = 1;
  const limit = least === undefined ? "" : `, at least ${least} % ${isLow ? "LOW" : "ok"}`;
  const raw =
    leftOut === 0
      ? ""
      : ` (${((100 * killed) / (all + leftOut)).toFixed(1)} % with ${leftOut} equivalent ones)`;
  console.log(`${name.padEnd(18)} ${score.toFixed(1)} % of ${all} mutants${raw}${limit}`);
}

const mutated = new Set(files.map(([path]) => path));
for (const each of equivalents.filter((each) => mutated.has(each.file) && !found.has(each))) {
  process.exitCode = 1;
  console.log(`not found, or killed: ${each.replacement} in ${each.file}: ${each.source}`);
}
