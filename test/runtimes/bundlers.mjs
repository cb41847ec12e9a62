// A three-line app bundled by esbuild, Vite and webpack: the bundle runs, and contains only the features that the app uses.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { run } from "./program.mjs";

/** A text of each feature that a minifier keeps. */
const MARKERS = {
  nextId: "bitflake.ledger.v3",
  clock: "stands still",
  decode: "generatedAt",
  capacity: "idsPerSecond",
  parseId: "decimal string",
  env: "FLAKEID_",
  randomness: "fair randomness",
  uuidv7: "bitflake.uuidv7.v1",
  randomString: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
};

/** By app, its code, its output, and the features that may be in its bundle. */
const APPS = {
  nextId: {
    code: `import { nextId } from "bitflake";
const id = nextId();
console.log(nextId() > id);`,
    prints: "true\n",
    features: ["nextId", "clock"],
  },
  decode: {
    code: `import { decode } from "bitflake";
const { sequence } = decode("175928847299117063", "twitter");
console.log(sequence);`,
    prints: "7\n",
    features: ["decode", "parseId"],
  },
  // Contains every marker: without it, a misspelt marker would look like a feature that was left out.
  everything: {
    code: `import * as bitflake from "bitflake";
const names = Object.keys(bitflake);
console.log(names.includes("uuid"));`,
    prints: "true\n",
    features: Object.keys(MARKERS),
  },
};

/** By bundler, a function that builds a minified module `app.js` from an entry into a folder. */
const BUNDLERS = {
  esbuild: (entry, folder) =>
    esbuild.build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: "esm",
      outfile: join(folder, "app.js"),
    }),

  vite: (entry, folder) =>
    vite.build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: {
        outDir: folder,
        emptyOutDir: false,
        modulePreload: false,
        rolldownOptions: { input: entry, output: { entryFileNames: "app.js" } },
      },
    }),

  webpack: async (entry, folder) => {
    const compiler = webpack({
      mode: "production",
      context: folder,
      entry,
      output: { path: folder, filename: "app.js" },
    });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, done) => (error ? reject(error) : resolve(done)));
    });
    if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
  },
};

/** Returns "ok" and the bundle's size, or the failure. */
async function verdict(build, { code, prints, features }, folder) {
  const entry = join(folder, "entry.mjs");
  await mkdir(folder, { recursive: true });
  await writeFile(entry, code);
  await build(entry, folder);
  const bundle = await readFile(join(folder, "app.js"));
  const found = Object.keys(MARKERS).filter((feature) => bundle.includes(MARKERS[feature]));
  const printed = await run(process.execPath, [join(folder, "app.js")]);
  if (`${found}` !== `${features}`) return `contains ${found} and should contain ${features}`;
  if (printed !== prints) return `prints ${printed}`;
  return `ok, ${bundle.length} B, ${brotliCompressSync(bundle).length} B brotli`;
}

/** Returns the {@link verdict} of each app, by bundler. */
export async function bundle({ folder }) {
  const outcomes = new Map();
  for (const [bundler, build] of Object.entries(BUNDLERS)) {
    const outcome = {};
    for (const [app, code] of Object.entries(APPS)) {
      outcome[app] = await verdict(build, code, join(folder, "apps", bundler, app)).catch(String);
    }
    outcomes.set(bundler, outcome);
  }
  return outcomes;
}
