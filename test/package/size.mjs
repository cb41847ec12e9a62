// What an import costs, bundled and minified by esbuild and compressed by brotli; fails if it costs more than its budget.
// `npm run check:size`.

import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes. Lower them when the figures go lower, and never raise one without saying why. */
const BUDGETS = {
  bitflake: {
    "{ nextId }": 1680,
    "{ decode }": 1200,
    "{ uuid }": 500,
    "{ uuidv7 }": 960,
    "{ randomString }": 970,
    "*": 5000,
  },
  "bitflake/text": { "{ base32 }": 1100, "{ base62 }": 1190, "{ hex }": 590, "*": 2140 },
  // 5.4 kB and not 4.8 since it can sit on a lease, whose node and end the threads read from its memory.
  "bitflake/threads": { "{ SharedGenerator }": 5360 },
  "bitflake/backend": { "{ fromIORedis }": 1080, "*": 2650 },
  "bitflake/counter": { "{ Counter }": 3370 },
  "bitflake/lease": { "{ leaseNode }": 11930 },
};

async function bundle(names, path) {
  const file = path === "bitflake" ? "index" : path.replace("bitflake/", "");
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./dist/${file}.js"`, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0].contents;
}

let over = 0;
for (const [path, budgets] of Object.entries(BUDGETS)) {
  for (const [names, budget] of Object.entries(budgets)) {
    const bytes = brotliCompressSync(await bundle(names, path)).length;
    if (bytes > budget) over++;
    const title = `${names} from "${path}"`.padEnd(44);
    console.log(`${title} ${String(bytes).padStart(5)} B of ${budget} ${bytes > budget ? "OVER" : "ok"}`);
  }
}
if (over > 0) process.exit(1);
