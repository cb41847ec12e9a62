// The tests of the playground in a browser: `npm run test:playground`.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default defineConfig({
  root,
  resolve: {
    alias: [
      { find: /^bitflake$/, replacement: `${root}dist/index.js` },
      { find: /^bitflake\/(\w+)$/, replacement: `${root}dist/$1.js` },
    ],
  },
  test: {
    // Not *.test.ts, because these need a browser and the built package.
    include: ["test/playground/*.spec.ts"],
    // Limits that only a hang reaches.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    reporters: process.env.TEST_REPORT
      ? ["default", ["json", { outputFile: process.env.TEST_REPORT }]]
      : ["default"],
  },
});
