// The integration tests, with real clients and servers: `npm run test:integration`.

import unit, { onServers } from "../vitest.base.ts";
import { sqliteHere } from "./sqlite-here.ts";

// vitest reports a file without a test as an error.
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
      // The unit tests cover the branches for unexpected responses, by scripted ports.
      thresholds: { branches: 85, statements: 94, functions: 94, lines: 94 },
    },
    // More workers than cores, because these tests mostly wait. In CI the unit tests run beside them.
    maxWorkers: process.env.CI ? 2 : 3,
  },
};
