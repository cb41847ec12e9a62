// Bun, at its path when no install script has run.

import { installed } from "../workspace.mjs";
import { runInProcess } from "./process.mjs";

export const bun = {
  name: "bun",
  suites: ["process"],
  runSuite: (suite, workspace) => runInProcess([installed("@oven/bun-linux-x64/bin/bun")], suite, workspace),
};
