// Node, one launcher for each of its lines.

import { installed } from "../workspace.mjs";
import { runInProcess } from "./process.mjs";

export const node = (line) => ({
  name: `node${line}`,
  suites: ["process"],
  runSuite: (suite, workspace) => runInProcess([installed(`node${line}/bin/node`)], suite, workspace),
});
