// The tests that need servers, run by `npm run test:integration`: the clients are real, and so are the servers.

import unit, { onServers } from "../vitest.config.ts";
import { sqliteHere } from "./sqlite-here.ts";

// A file in which there is nothing to test is an error to vitest.
const sqlite = sqliteHere.node || sqliteHere.better ? [] : ["test/integration/**/sqlite*.test.ts"];

export default {
  ...unit,
  test: {
    ...unit.test,
    include: ["test/integration/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...sqlite],
    globalSetup: ["test/integration/globalSetup.ts"],
    coverage: {
      ...unit.test?.coverage,
      include: onServers,
      exclude: [],
      // Answers that make no sense come from scripted ports, in the unit suite.
      thresholds: { branches: 85, statements: 94, functions: 94, lines: 94 },
    },
    // They wait more than they work.
    maxWorkers: 3,
  },
};
