import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";
import { defineConfig, type Options } from "tsup";
import { writeDeclarations } from "./.build/declarations.ts";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/**
 * Makes one file for each entry. An entry imports another entry from its file, so that every class exists once, in CommonJS
 * too, where esbuild cannot split off shared code.
 */
const oneFileEach: Plugin = {
  name: "one-file-each",
  setup({ initialOptions, onResolve }) {
    const extension = initialOptions.format === "cjs" ? "cjs" : "js";
    onResolve({ filter: /^\..*\.ts$/ }, ({ path, kind, resolveDir }) => {
      const source = relative(import.meta.dirname, join(resolveDir, path));
      const entry = kind === "entry-point" ? undefined : nameOf.get(source);
      return entry ? { path: `./${entry}.${extension}`, external: true } : undefined;
    });
  },
};

/** Removes the doc comments, which the types and the sources have, and keeps the line numbers for the maps. */
const noDocComments: Plugin = {
  name: "no-doc-comments",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(/^ *\/\*\*(?:(?!\*\/).)*\*\/$/gms, (comment) =>
        comment.replace(/.+/g, ""),
      );
      return { contents, loader: "ts" };
    });
  },
};

/** Reduces a map to lines without columns, which is a third of it. */
async function keepLines(path: string): Promise<void> {
  const map = JSON.parse(await readFile(path, "utf8")) as { mappings: string };
  const lines = decode(map.mappings).map((segments) => {
    const kept: SourceMapSegment[] = [];
    for (const segment of segments) {
      const last = kept.at(-1);
      if (segment[1] !== last?.[1] || segment[2] !== last?.[2]) kept.push(segment);
    }
    return kept;
  });
  await writeFile(path, JSON.stringify({ ...map, mappings: encode(lines) }));
}

const common: Options = {
  target: "es2022",
  platform: "neutral",
  esbuildPlugins: [oneFileEach, noDocComments],
  splitting: false,
  // Off, because with source maps it writes a second sourceMappingURL line. The bundler of an app removes unused code.
  treeshake: false,
};

/** The entries of the library. */
const library = {
  entry: {
    internal: "src/internal.ts",
    index: "src/index.ts",
    backend: "src/backend/index.ts",
    client: "src/client/index.ts",
    counter: "src/counter/index.ts",
    drizzle: "src/orm/drizzle.ts",
    events: "src/events/index.ts",
    explain: "src/explain/index.ts",
    express: "src/web/express.ts",
    fastify: "src/web/fastify.ts",
    hono: "src/web/hono.ts",
    idempotency: "src/idempotency/index.ts",
    kysely: "src/orm/kysely.ts",
    lease: "src/lease/index.ts",
    mask: "src/mask/index.ts",
    migrate: "src/migrate/index.ts",
    node: "src/web/node.ts",
    numeric: "src/numeric/index.ts",
    prisma: "src/orm/prisma.ts",
    ratelimit: "src/ratelimit/index.ts",
    sql: "src/sql/index.ts",
    text: "src/text/index.ts",
    threads: "src/threads/index.ts",
    typeorm: "src/orm/typeorm.ts",
  },
};

/** The largest entries. The package contains only those of their sources that the types lead to, and no map. */
const largest = { entry: { service: "src/service/index.ts", testing: "src/testing/index.ts" } };

/** Loaded by the service when a browser requests a page. It is no export of the package, and has no declarations. */
const pages = { entry: { console: "src/service/console/index.ts" } };

/** The names of the entries, by their source files. */
const nameOf = new Map(
  Object.entries({ ...library.entry, ...largest.entry, ...pages.entry }).map(([name, source]) => [
    source,
    name,
  ]),
);

/** The library, for `import`. */
const modules: Options = {
  ...common,
  ...library,
  format: ["esm"],
  sourcemap: true,
  esbuildOptions: (options) => {
    // The package contains the sources.
    options.sourcesContent = false;
  },
  onSuccess: async () => {
    for (const name of Object.keys(library.entry)) await keepLines(`dist/${name}.js.map`);
    const { internal: _, ...entries } = { ...library.entry, ...largest.entry };
    await writeDeclarations(entries);
  },
};

/** Without spaces and without a map, because of the limit on the installed package (INSTALLED_KB in test/package/size.mjs). */
const dense: Options = {
  minifyWhitespace: true,
  minifySyntax: true,
  esbuildOptions: (options) => {
    // Node prints the line that throws, which should not be the whole file.
    options.lineLimit = 120;
  },
};

/** What is loaded lazily is required: neither Node nor Jest finds the exports of these files by `import()`. */
const commonjs: Options = {
  ...dense,
  esbuildOptions: (options, context) => {
    dense.esbuildOptions?.(options, context);
    options.supported = { ...options.supported, "dynamic-import": false };
  },
};

/** The program, for ESM alone, because nobody imports it. It loads the library from the library's own files. */
const program = { entry: { cli: "src/cli/main.ts" } };

export default defineConfig([
  modules,
  // For `require`.
  { ...common, ...commonjs, ...library, format: ["cjs"] },
  // With its own syntax: bundlers must not see the modules of Node that the service loads.
  { ...common, ...dense, ...largest, minifySyntax: false, format: ["esm"] },
  { ...common, ...commonjs, ...largest, format: ["cjs"] },
  { ...common, ...dense, ...pages, format: ["esm", "cjs"] },
  { ...common, ...dense, ...program, format: ["esm"] },
]);
