// What an import costs, bundled and minified by esbuild and compressed by brotli; fails if it costs more than its budget.
// `npm run check:size`.

import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes. Lower them when the figures go lower, and never raise one without saying why. */
const BUDGETS = {
  "{ nextId }": 1680,
  "{ decode }": 1200,
  "{ uuid }": 500,
  "{ uuidv7 }": 960,
  "{ randomString }": 970,
  "*": 5000,
};

async function bundle(names) {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./dist/index.js"`, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0].contents;
}

let over = 0;
for (const [names, budget] of Object.entries(BUDGETS)) {
  const bytes = brotliCompressSync(await bundle(names)).length;
  if (bytes > budget) over++;
  const verdict = bytes > budget ? "OVER" : "ok";
  console.log(`${names.padEnd(18)} ${String(bytes).padStart(5)} B of ${budget} ${verdict}`);
}
if (over > 0) process.exit(1);
