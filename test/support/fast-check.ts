// How hard the property tests try, and with which seed: FC_SEED repeats a run, FC_RUNS deepens it.

import fc from "fast-check";

const seed = Number(process.env.FC_SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env.FC_RUNS ?? (process.env.CI ? 10_000 : 1_000));

fc.configureGlobal({ seed, numRuns, endOnFailure: false });
if (process.env.CI)
  console.info(`fast-check: seed ${seed}, ${numRuns} runs a property (repeat with FC_SEED=${seed})`);
