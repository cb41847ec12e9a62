import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

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
      "test/services/**",
      ...(process.env.STRYKER_MUTATOR_WORKER
        ? ["package", "docs", "text", "threads", "lease", "counter", "backend"].map(
            (part) => `test/${part}/**`,
          )
        : []),
    ],
    setupFiles: ["test/support/fast-check.ts"],
    // Property tests do 10,000 runs each in CI; this is a leash for a hang, never a measure of speed.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The plain report is for people, the other is for the count that CI ends with.
    reporters: process.env.CI ? ["default", ["json", { outputFile: "reports/tests.json" }]] : ["default"],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      // They only say what is given out.
      exclude: ["src/index.ts", "src/core.ts", "src/*/index.ts"],
      reporter: ["text", "json-summary"],
      thresholds: { branches: 98, statements: 98, functions: 98, lines: 98 },
    },
  },
});
