import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** What the tests of test/integration cover. */
export const onServers = [
  "src/backend/{history,ping,retry,schema,settings}.ts",
  "src/backend/drivers/{postgres,redis,sqlite}.ts",
  "src/cli/commands/{leaseInspect,poolAccept,poolStatus}.ts",
  "src/cli/flags/poolFlags.ts",
  "src/cli/stores/{postgres,redis,sqlite}.ts",
  "src/{idempotency,lease,numeric}/native/*.ts",
  "src/numeric/registry.ts",
];

const source = fileURLToPath(new URL("../src/", import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: {
    alias: [
      { find: /^bitflake$/, replacement: `${source}index.ts` },
      { find: /^bitflake\/(\w+)$/, replacement: `${source}$1/index.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // What needs servers has a command of its own. Mutants are made in src/snowflake: there is nothing for them in what
    // looks at the built package, or at a subpath.
    exclude: [
      "test/integration/**",
      ...(process.env.STRYKER_MUTATOR_WORKER
        ? [
            "package",
            "docs",
            "text",
            "threads",
            "lease",
            "counter",
            "backend",
            "numeric",
            "idempotency",
            "ratelimit",
            "service",
            "cli",
          ].map((part) => `test/${part}/**`)
        : []),
    ],
    setupFiles: ["test/support/fast-check.ts"],
    // Left to itself vitest leaves a core free, which is half of a small machine.
    maxWorkers: "100%",
    // Property tests do 10,000 runs each in CI; this is a leash for a hang, never a measure of speed.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The plain report is for people, the other is for the count that CI ends with.
    reporters: process.env.TEST_REPORT
      ? ["default", ["json", { outputFile: process.env.TEST_REPORT }]]
      : ["default"],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: [
        // They only say what is given out, and what there is.
        "src/index.ts",
        "src/internal.ts",
        "src/*/index.ts",
        "src/backend/ports.ts",
        "src/lease/lease.ts",
        "src/http/fetchTypes.ts",
        "src/service/node/types.ts",
        "src/service/options.ts",
        // It runs as a process, and is tried as one.
        "src/cli/main.ts",
        // What only real servers can try is counted where they are.
        ...onServers,
      ],
      reporter: ["text", "json-summary"],
      thresholds: { branches: 98, statements: 98, functions: 98, lines: 98 },
    },
  },
});
