// The unit tests: `npm test` runs the quick files, `npm run test:slow` the others.

import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import base from "./vitest.base.ts";

/**
 * Tests that replace modules or globals, or need a state of the whole process that no other test has changed: its generators, its
 * events, its random numbers. Each file has a process. All other tests share processes, which load each module once.
 */
const isolated = [
  "test/{events,testing,threads,wrappers}/**/*.test.ts",
  "test/cli/{commands,stores}.test.ts",
  "test/cli/commands/serve.test.ts",
  "test/cli/serve/workers/serveWorkers.test.ts",
  "test/docs/{fake-timers,readme}.test.ts",
  "test/lease/{cells,lease}.test.ts",
  "test/numeric/poolHistory.test.ts",
  "test/snowflake/!(clock|ledger|parse).test.ts",
];

const slow = ["test/**/*.slow.test.ts"];

/** Slow files that cover no source that others do not, and that the counting of branches would slow down most. */
export const uncovered: string[] = [
  "test/docs/numeric-ids.slow.test.ts",
  "test/events/channels.slow.test.ts",
  "test/lease/model.slow.test.ts",
  "test/lease/modelCells.slow.test.ts",
  "test/lease/threads.slow.test.ts",
  "test/migrate/prove.slow.test.ts",
  "test/numeric/poolIssuer.slow.test.ts",
  "test/numeric/type.slow.test.ts",
  "test/package/package.slow.test.ts",
  "test/package/types.slow.test.ts",
  "test/snowflake/frozenGlobal.slow.test.ts",
  "test/snowflake/stallBound.slow.test.ts",
];

/** Tests on servers, and the apps, have commands of their own. */
const integration = ["test/apps/**", "test/integration/**"];

function project(
  name: string,
  include: string[],
  exclude: string[],
  isolate = true,
): TestProjectInlineConfiguration {
  return { extends: true, test: { name, include, exclude: ["**/node_modules/**", ...exclude], isolate } };
}

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: [
      project("shared", ["test/**/*.test.ts"], [...isolated, ...slow, ...integration], false),
      project("isolated", isolated, slow),
      project("slow", slow, [...uncovered, ...integration]),
      project("uncovered", uncovered, []),
    ],
  },
});
