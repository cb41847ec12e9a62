import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fast-check.ts"],
    // Property tests do 10,000 runs each in CI; this is a leash for a hang, never a measure of speed.
    testTimeout: 120_000,
    typecheck: { enabled: false },
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/index.ts"],
      reporter: ["text", "json-summary"],
      thresholds: { branches: 98, statements: 98, functions: 98, lines: 98 },
    },
  },
});
