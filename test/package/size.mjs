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
  // 3.3 kB and not 2.9 since setup() also adds the columns that tables of an earlier version lack.
  // 2910 and not 2650 since it also makes the tables of numeric IDs, of running once and of rate limits. All that take a
  // backend cost 40 B more since they refuse a client that is given as one.
  "bitflake/backend": { "{ fromIORedis }": 710, "*": 3300 },
  // 3580 and not 3370 since it gives several values in one step.
  "bitflake/counter": { "{ Counter }": 3580 },
  "bitflake/idempotency": { "{ Idempotency }": 5600, "{ idempotent }": 7045, "*": 7670 },
  "bitflake/numeric": {
    "{ verhoeff }": 580,
    "{ NumericIdType }": 4110,
    "{ IdPool }": 9700,
    "{ PermutedIds }": 7470,
    "*": 11_800,
  },
  // 15.1 kB and not 12 since it knows copies of a process by generation and nonce and a store that went back by its
  // history, repairs the index in Redis, and refuses a Redis that is cut off: each in the protocol, in Lua and in SQL.
  "bitflake/lease": { "{ leaseNode }": 15_100 },
  "bitflake/ratelimit": { "{ RateLimit }": 3350, "{ addressKey }": 840, "*": 4610 },
  // All of the above but threads' and idempotency's own: a service is no page's.
  // 3.4 kB of it came with leases.
  "bitflake/service": { "{ createService }": 37_300 },
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
