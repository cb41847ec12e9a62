// What an import costs, minified and compressed by brotli; fails if it costs more than its budget. `npm run check:size`.

import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes. Lower them when the figures go lower, and never raise one without saying why. */
const BUDGETS = {
  "{ nextId }": 2200,
  "{ decode }": 1200,
  "{ uuid }": 800,
  "{ uuidv7 }": 1200,
  "{ randomString }": 1200,
  "*": 5000,
};

let over = 0;
for (const [names, budget] of Object.entries(BUDGETS)) {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./dist/index.js"`, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const minified = outputFiles[0].contents;
  const bytes = brotliCompressSync(minified).length;
  if (bytes > budget) over++;
  const verdict = bytes > budget ? "OVER" : "ok";
  console.log(
    `${names.padEnd(18)} ${String(bytes).padStart(5)} B of ${budget} (${minified.length} minified) ${verdict}`,
  );
}
if (over > 0) process.exit(1);
