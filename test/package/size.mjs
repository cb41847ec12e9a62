// What an import costs, minified and compressed by brotli; fails if it costs more than its budget. `npm run check:size`.
// Bundled by esbuild and minified by terser, as webpack does; in brackets, minified by esbuild itself, as others do.

import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

/** Bytes. Lower them when the figures go lower, and never raise one without saying why. */
const BUDGETS = {
  "{ nextId }": 1600,
  "{ decode }": 1200,
  "{ uuid }": 500,
  "{ uuidv7 }": 1000,
  "{ randomString }": 970,
  "*": 5000,
};

async function bundle(names, minifying) {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./dist/index.js"`, resolveDir: process.cwd() },
    bundle: true,
    minify: minifying,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0].text;
}

const compressed = (code) => brotliCompressSync(Buffer.from(code)).length;

let over = 0;
for (const [names, budget] of Object.entries(BUDGETS)) {
  const { code } = await minify(await bundle(names, false), {
    module: true,
    ecma: 2022,
    compress: { passes: 3 },
  });
  const bytes = compressed(code);
  const other = compressed(await bundle(names, true));
  if (bytes > budget) over++;
  const verdict = bytes > budget ? "OVER" : "ok";
  console.log(
    `${names.padEnd(18)} ${String(bytes).padStart(5)} B of ${budget} (esbuild: ${other}) ${verdict}`,
  );
}
if (over > 0) process.exit(1);
