// Runs and seed of the property tests: 10,000 runs a property in CI, else 100. FC_RUNS sets another number, FC_SEED repeats a run.

import fc from "fast-check";

const seed = Number(process.env.FC_SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env.FC_RUNS ?? (process.env.CI ? 10_000 : 100));

fc.configureGlobal({ seed, numRuns, endOnFailure: false });
if (process.env.CI)
  console.info(`fast-check: seed ${seed}, ${numRuns} runs a property (repeat with FC_SEED=${seed})`);
