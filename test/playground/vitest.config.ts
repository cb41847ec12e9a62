import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default defineConfig({
  root,
  resolve: { alias: { bitflake: `${root}dist/index.js` } },
  test: {
    // Not *.test.ts: those run everywhere, these want a browser and `npm run build` first.
    include: ["test/playground/*.spec.ts"],
    // Leashes for a hang, never measures of speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env.TEST_REPORT
      ? ["default", ["json", { outputFile: process.env.TEST_REPORT }]]
      : ["default"],
  },
});
