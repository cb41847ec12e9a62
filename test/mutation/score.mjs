// Mutation scores of the last `npm run mutate`, by folder. Fails when one is below its threshold.

import { readFileSync } from "node:fs";

/** The least score of a folder in percent; 95 % of every other. */
const LEAST = { "src/snowflake": 97 };

const { files } = JSON.parse(readFileSync("reports/mutation.json", "utf8"));
const groups = new Map();
for (const [path, { mutants }] of Object.entries(files)) {
  const folder = path.split("/").slice(0, 2).join("/");
  const group = groups.get(folder) ?? { killed: 0, all: 0 };
  groups.set(folder, group);
  for (const { status } of mutants) {
    const isKilled = status === "Killed" || status === "Timeout";
    if (isKilled) group.killed++;
    if (isKilled || status === "Survived" || status === "NoCoverage") group.all++;
  }
}

for (const [folder, { killed, all }] of [...groups].sort()) {
  const score = (100 * killed) / all;
  const least = LEAST[folder] ?? 95;
  const isLow = score < least;
  if (isLow) process.exitCode = 1;
  console.log(
    `${folder.padEnd(18)} ${score.toFixed(1)} % of ${all} mutants, at least ${least} % ${isLow ? "LOW" : "ok"}`,
  );
}
