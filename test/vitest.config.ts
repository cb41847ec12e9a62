// The unit tests: `npm test` runs the quick files, `npm run test:slow` the others.

import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import base from "./vitest.base.ts";

/**
 * Tests of modules that keep no state for the whole process. They share processes, which load each module once. All other tests,
 * and those that replace modules, have a process for each file.
 */
const stateless = [
  "test/{backend,client,counter,explain,idempotency,mask,migrate,orm,ratelimit,service,text,web}/**/*.test.ts",
  "test/numeric/!(poolHistory).test.ts",
  "test/cli/{settings,state,stores,terminal}/*.test.ts",
  "test/cli/help.test.ts",
  "test/docs/{apps,benchmarks,links,llms,paths,servers}.test.ts",
  "test/package/jsr.test.ts",
];

const slow = ["test/**/*.slow.test.ts"];

/** Slow files that cover no source that others do not, and that the counting of branches would slow down most. */
export const uncovered: string[] = [
  "test/docs/numeric-ids.slow.test.ts",
  "test/lease/model.slow.test.ts",
  "test/lease/modelCells.slow.test.ts",
  "test/migrate/prove.slow.test.ts",
  "test/numeric/poolIssuer.slow.test.ts",
  "test/numeric/type.slow.test.ts",
  "test/package/package.slow.test.ts",
  "test/package/types.slow.test.ts",
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
      project("stateless", stateless, slow, false),
      project("isolated", ["test/**/*.test.ts"], [...stateless, ...slow, ...integration]),
      project("slow", slow, [...uncovered, ...integration]),
      project("uncovered", uncovered, []),
    ],
  },
});
