// Stryker's settings for one area.

import { area, reportFile } from "./areas.mjs";

export default {
  packageManager: "npm",
  testRunner: "vitest",
  vitest: { configFile: "test/mutation/vitest.config.mjs", related: false },
  plugins: ["@stryker-mutator/vitest-runner"],
  mutate: area().mutate,
  coverageAnalysis: "perTest",
  concurrency: 2,
  timeoutMS: 10000,
  reporters: ["clear-text", "json", "progress-append-only"],
  jsonReporter: { fileName: reportFile(process.env.BITFLAKE_MUTATION_AREA) },
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  tempDirName: ".stryker-tmp",
  ignorePatterns: ["dist", "docs", "bench", "reports", "coverage"],
};
