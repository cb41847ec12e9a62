// What an import costs, bundled and minified by esbuild and compressed by brotli, and what the installed package takes on a
// disk; fails if it costs more than its budget. `npm run check:size`.

import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
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
  // 2910 and not 2650 since it also makes the tables of numeric IDs, of running once and of rate limits. All that take a
  // backend cost 40 B more since they refuse a client that is given as one.
  "bitflake/backend": { "{ fromIORedis }": 710, "*": 2910 },
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
  "bitflake/lease": { "{ leaseNode }": 12_010 },
  "bitflake/ratelimit": { "{ RateLimit }": 3350, "{ addressKey }": 840, "*": 4610 },
  // All of the above but threads' and idempotency's own: a service is no page's. 40,800 and not 33,900 since it has
  // clients with names and scopes, probes that write, events, fuller log lines and connections that wait their turn.
  "bitflake/service": { "{ createService }": 40_800 },
};

/** What the package may take on a disk: 2 MB. */
const INSTALLED_KB = 2048;

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
// In blocks of 4 KiB, as file systems keep files and folders.
const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
const folders = new Set(files.map(({ path }) => dirname(path)));
const installed = files.reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4, folders.size * 4);
if (installed >= INSTALLED_KB) over++;
console.log(`installed: ${installed} kB of ${INSTALLED_KB} ${installed >= INSTALLED_KB ? "OVER" : "ok"}`);

if (over > 0) process.exit(1);
