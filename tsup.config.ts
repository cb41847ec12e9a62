import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts" },
  format: ["esm", "cjs"],
  target: "es2022",
  platform: "neutral",
  dts: true,
  sourcemap: true,
  clean: true,
  // Off on purpose: with source maps on, it writes a second sourceMappingURL line. Consumers' bundlers shake.
  treeshake: false,
});
