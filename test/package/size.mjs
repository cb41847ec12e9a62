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
    // 735, 1220 and 1220 and not 500, 960 and 970 since the bytes drawn ahead are dropped after each turn, and what a
    // stub of crypto leaves is refused. What draws at random elsewhere has grown by as much.
    "{ uuid }": 735,
    "{ uuidv7 }": 1220,
    "{ randomString }": 1220,
  },
  "bitflake/text": { "{ base32 }": 1100, "{ base62 }": 1190, "{ hex }": 590, "*": 2140 },
  // 5.4 kB and not 4.8 since it can sit on a lease, whose node and end the threads read from its memory.
  "bitflake/threads": { "{ SharedGenerator }": 5620 },
  // 2910 and not 2650 since it also makes the tables of numeric IDs, of running once and of rate limits. All that take a
  // backend cost 40 B more since they refuse a client that is given as one. 3820 since it adds the columns that tables of
  // an earlier version lack, keeps the number of taken IDs, and retries conflicts one after the other.
  "bitflake/backend": { "{ fromIORedis }": 740, "*": 3820 },
  // 3580 and not 3370 since it gives several values in one step.
  "bitflake/counter": { "{ Counter }": 3580 },
  // The latter two have 50 B more since refusals link documentation, and keys may have parameters. All have 200 B more
  // since a lock that a clock set back has left far ahead is pulled back, on each store.
  "bitflake/idempotency": { "{ Idempotency }": 5930, "{ idempotent }": 7660, "*": 8320 },
  "bitflake/numeric": {
    "{ verhoeff }": 580,
    "{ NumericIdType }": 4340,
    // 12,120 and not 9950 since a pool notices a store that went back, takes again what it has issued, and keeps the
    // number of taken IDs.
    "{ IdPool }": 12_120,
    // 8300 and not 7470 since AES is the platform's where it has one, and many numbers are enciphered at once.
    "{ PermutedIds }": 8300,
    "*": 14_840,
  },
  "bitflake/lease": { "{ leaseNode }": 12_400 },
  "bitflake/ratelimit": { "{ RateLimit }": 3350, "{ addressKey }": 840, "*": 4790 },
  // All of the above but threads' and idempotency's own: a service is no page's.
  "bitflake/service": { "{ createService }": 38_530 },
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
