// Settings of all tests with vitest: aliases, limits, reports, coverage.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The sources that the tests of test/integration cover. */
export const onServers = [
  "src/backend/{definitions,history,mysqlSchema,mysqlSql,ping,portSettings,retry,schema,setup,storeNames}.ts",
  "src/backend/drivers/{base64,dynamodb,etcd,etcdGateway,libsql,mysql2,nats}.ts",
  "src/backend/drivers/{postgres,redis,sqlite,sqlitePort,storedText}.ts",
  "src/cli/commands/{leaseInspect,poolAccept,poolExport,poolStatus}.ts",
  "src/cli/flags/poolFlags.ts",
  "src/cli/stores/{mysql,nats,postgres,redis,sqlite}.ts",
  "src/{idempotency,lease,numeric}/native/*.ts",
  "src/numeric/registry.ts",
  "src/http/realRequest.ts",
  "src/web/*.ts",
];

/**
 * Files for the report that has the counts of tests, and for the results and the coverage of a part of the tests. `.ci/run` runs the
 * unit tests in parts, and merges these, so that none runs again only to be counted.
 */
const { TEST_REPORT: report, TEST_PART: part } = process.env;

const source = fileURLToPath(new URL("../src/", import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: {
    alias: [
      { find: /^bitflake$/, replacement: `${source}index.ts` },
      { find: /^bitflake\/(drizzle|kysely)$/, replacement: `${source}orm/$1.ts` },
      { find: /^bitflake\/(express|fastify|hono|node)$/, replacement: `${source}web/$1.ts` },
      { find: /^bitflake\/(prisma|typeorm)$/, replacement: `${source}orm/$1.ts` },
      { find: /^bitflake\/(\w+)$/, replacement: `${source}$1/index.ts` },
    ],
  },
  test: {
    setupFiles: ["test/support/fast-check.ts"],
    // By default vitest leaves one core free, which is half of a small machine.
    maxWorkers: "100%",
    // A limit that only a hang reaches: in CI a property test does 10,000 runs, with a low priority.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    reporters: [
      "default",
      ...(report ? [["json", { outputFile: report }] as ["json", object]] : []),
      ...(part ? [["blob", { outputFile: part }] as ["blob", object]] : []),
    ],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: [
        // Exports and types without code.
        "src/index.ts",
        "src/internal.ts",
        "src/*/index.ts",
        "src/backend/ports.ts",
        "src/lease/lease.ts",
        "src/http/fetchTypes.ts",
        "src/service/node/types.ts",
        "src/service/options.ts",
        "src/cli/command.ts",
        // Tests run it as a process of its own.
        "src/cli/main.ts",
        // Tests run them in workerd, Bun and Deno.
        "src/backend/drivers/{bun,d1,denokv,durableObject}.ts",
        // The coverage of these is counted in test/integration.
        ...onServers,
      ],
      ...(part
        ? { enabled: true, reporter: [] }
        : {
            reporter: ["text", "json-summary"],
            thresholds: { branches: 98, statements: 98, functions: 98, lines: 98 },
          }),
    },
  },
});
