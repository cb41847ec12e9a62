import { defineConfig, type Options } from "tsup";

/**
 * One file for each entry, and what an entry uses of another it imports from that one's file: so every class exists
 * once, also in CommonJS, where esbuild cannot split shared code off by itself.
 */
const oneFileEach: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "one-file-each",
  setup({ initialOptions, onResolve }) {
    const extension = initialOptions.format === "cjs" ? "cjs" : "js";
    onResolve({ filter: /^\.\.?\/(core|[a-z]+\/index)\.ts$/ }, ({ path, kind }) =>
      kind === "entry-point"
        ? undefined
        : { path: path.replace(/^\.\.?\/(\w+).*/, `./$1.${extension}`), external: true },
    );
  },
};

const library: Options = {
  entry: {
    core: "src/core.ts",
    index: "src/index.ts",
    backend: "src/backend/index.ts",
    counter: "src/counter/index.ts",
    idempotency: "src/idempotency/index.ts",
    lease: "src/lease/index.ts",
    numeric: "src/numeric/index.ts",
    ratelimit: "src/ratelimit/index.ts",
    service: "src/service/index.ts",
    text: "src/text/index.ts",
    threads: "src/threads/index.ts",
  },
  format: ["esm", "cjs"],
  target: "es2022",
  platform: "neutral",
  dts: true,
  sourcemap: true,
  esbuildPlugins: [oneFileEach],
  splitting: false,
  // Off on purpose: with source maps on, it writes a second sourceMappingURL line. Consumers' bundlers shake.
  treeshake: false,
};

/** The program: ESM alone, for nobody imports it. What it uses of the library it loads from the library's own files. */
const program: Options = {
  entry: { cli: "src/cli/main.ts" },
  format: ["esm"],
  target: "es2022",
  platform: "neutral",
  sourcemap: true,
  esbuildPlugins: [oneFileEach],
  splitting: false,
  treeshake: false,
};

export default defineConfig([library, program]);
