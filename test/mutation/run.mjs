// `npm run mutate [-- area…]`: mutation tests of each area (default: all), then the scores of all that have a report.

import { spawnSync } from "node:child_process";
import { areas } from "./areas.mjs";

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(areas);
for (const name of names) {
  if (!Object.hasOwn(areas, name))
    throw new Error(`area must be one of ${Object.keys(areas).join(", ")}, got ${name}`);
  const env = { FC_RUNS: "30", FC_SEED: "20200101", ...process.env, BITFLAKE_MUTATION_AREA: name };
  const { status } = spawnSync("npx", ["stryker", "run", "test/mutation/stryker.config.mjs"], {
    stdio: "inherit",
    env,
  });
  if (status !== 0) process.exit(status ?? 1);
}
await import("./score.mjs");
