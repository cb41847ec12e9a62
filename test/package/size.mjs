// What an import costs, bundled and minified by esbuild and compressed by brotli; fails if it costs more than its budget.
// `npm run check:size`.

import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes. Lower them when the figures go lower, and never raise one without saying why. */
const BUDGETS = {
  bitflake: {
    // 2740 and not 1680 since it warns where processes share its node, counts the time that a call waits, refuses a tick
    // that the node has used with another tick length, and works in a frozen realm.
    "{ nextId }": 2740,
    // 1320 and not 1200 since the presets of platforms, and what a polluted Object.prototype says does not count.
    "{ decode }": 1320,
    "{ uuid }": 500,
    // 1030 and not 960 since it works in a frozen realm.
    "{ uuidv7 }": 1030,
    "{ randomString }": 970,
  },
  "bitflake/text": { "{ base32 }": 1100, "{ base62 }": 1190, "{ hex }": 590, "*": 2165 },
  // 5.4 kB and not 4.8 since it can sit on a lease, whose node and end the threads read from its memory.
  // 7070 and not 5360 since the core has grown by as much, with encode(), nextIdsAsync() and one time for each call.
  "bitflake/threads": { "{ SharedGenerator }": 7070 },
  // 2910 and not 2650 since it also makes the tables of numeric IDs, of running once and of rate limits. All that take a
  // backend cost 40 B more since they refuse a client that is given as one.
  // 50 B more since names in a form that looks like another are refused, and a message says so.
  "bitflake/backend": { "{ fromIORedis }": 760, "*": 2960 },
  // 3580 and not 3370 since it gives several values in one step.
  "bitflake/counter": { "{ Counter }": 3630 },
  "bitflake/idempotency": { "{ Idempotency }": 5660, "{ idempotent }": 7100, "*": 7730 },
  "bitflake/numeric": {
    "{ verhoeff }": 580,
    "{ NumericIdType }": 4160,
    "{ IdPool }": 9760,
    "{ PermutedIds }": 7530,
    "*": 11_860,
  },
  // 13,700 and not 12,010: what the core and threads have grown by.
  "bitflake/lease": { "{ leaseNode }": 13_700 },
  "bitflake/ratelimit": { "{ RateLimit }": 3410, "{ addressKey }": 840, "*": 4670 },
  // All of the above but threads' and idempotency's own: a service is no page's.
  "bitflake/service": { "{ createService }": 35_650 },
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
