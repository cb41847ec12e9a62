// Size budgets: `npm run check:size`. An import is bundled and minified by esbuild and compressed by brotli. Fails when one is
// larger than its budget, or when the installed package is.

import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes, 5 % above the present size. Lower one when the size falls; when you raise one, say why beside it. */
const BUDGETS = {
  bitflake: {
    // 1.7 kB before it warned when processes share its node, limited the time that a call waits, shared one class of source
    // with the calls for many IDs and the asynchronous ones, refused a tick that the node has used with another tick length,
    // worked in a frozen realm, and joined the ledger entries of a clock that replaces Date.now (0.3 kB).
    "{ nextId }": 3790,
    // 1.3 kB before it wrote the time's text itself and parsed IDs by their halves, ten and two times as fast. Functions of
    // the subpaths that parse IDs grew by 0.3 kB with it.
    // 0.1 kB of it let JSON.stringify write its results.
    "{ decode }": 2550,
    // 0.5, 1.0 and 1.0 kB before bytes drawn ahead were dropped after each turn and stubs of crypto were refused.
    "{ uuid }": 700,
    "{ uuidv7 }": 1310,
    "{ randomString }": 1200,
  },
  // 0.2 kB of base58 and base62 compute the pattern for JSON Schemas. Most of idSchema are the options and the presets.
  "bitflake/text": {
    "{ base32 }": 1540,
    "{ base62 }": 1820,
    "{ hex }": 920,
    "{ prefixed }": 1080,
    "{ idSchema }": 2200,
    "{ uuidSchema }": 770,
    "{ readIds }": 1050,
  },
  // 1.9 kB of it are encode(), nextIdsAsync(), one time limit for each call, and random bytes as above; 0.4 kB are the entries
  // that join.
  // The goal was 3 kB. 1.0 kB of masked are AES and its keys; 0.9 kB of each are the errors and decimal text to BigInt; 0.2 kB keep a
  // key in the wrong place out of the errors.
  "bitflake/mask": { "{ masked }": 3380, "{ scatter }": 1820 },
  "bitflake/threads": { "{ SharedGenerator }": 9370 },
  "bitflake/backend": { "{ fromIORedis }": 790 },
  // Most of it are the attempts and retries, the buffer, and the checks of answers and options; 0.9 kB are decimal text to BigInt,
  // presets, errors and random UUIDs.
  "bitflake/client": { "{ BitflakeClient }": 7930 },
  // 0.7 kB of these, and of all that follow, run the rules on stores with compare-and-set.
  // 0.1 kB, as in the other features: a queue of steps on cells that refuses those that would be too late.
  "bitflake/counter": { "{ Counter }": 5100 },
  // Most of it are the clock rule that it observes, and the errors.
  "bitflake/events": { "{ publishGeneratorEvents }": 1860 },
  // 1.5 and 1.7 kB of these wait for the call in progress, call hooks, and look up and remove keys on each kind of store; of the
  // first also run in the user's transaction, of the second also read canonical JSON. Some 50 bytes more or less are the short
  // names that the minifier chooses, which change with each export of internal.ts.
  "bitflake/idempotency": { "{ Idempotency }": 9160, "{ idempotent }": 11_360 },
  // Of explain, a third are the text forms, the check digit and the errors, and a third the formats with their reasons. Of Audit, 1.9 kB
  // are the layouts and the errors; 5.7 kB before it read a clock and found inputs in descending order. drawHistogram was 1.4 kB before
  // it validated reports from JSON, whose errors are most of the rest. 0.05 kB of each, and of bitflake/migrate, keep a polluted prototype
  // from configuring them.
  "bitflake/explain": { "{ explain }": 5800, "{ Audit }": 6400, "{ drawHistogram }": 2000 },
  "bitflake/numeric": {
    "{ verhoeff }": 590,
    // 0.3 kB of these are Standard Schema and JSON Schema.
    "{ NumericIdType }": 5030,
    // 9.7 kB before a pool detected a store that went back, took its issued IDs again, and kept the number of taken IDs;
    // 2.8 kB of it are MySQL.
    "{ IdPool }": 17_700,
    // 7.5 kB before it used the platform's AES, where there is one, and enciphered many numbers at once; the clock errors, which
    // name the page on fake timers, are 0.1 kB of it.
    "{ PermutedIds }": 10_340,
  },
  "bitflake/kysely": { "{ IdColumnsPlugin }": 1790 },
  // 12 kB before it detected copies of a process by generation and nonce, and a store that went back by its history, repaired
  // the index in Redis, and refused a Redis that is cut off: each in the rule, in Lua and in SQL. It has the core of above, and
  // Lua scripts with the names of the rule.
  "bitflake/lease": { "{ leaseNode }": 23_570 },
  // 4.3 kB before limits had burst, peek, refund, block, reset, several limits in one step, waiting, remembered denials, shadow
  // and an insurance: each operation in the rule, in Lua and in SQL.
  "bitflake/ratelimit": { "{ RateLimit }": 9780, "{ addressKey }": 1095 },
  // Beyond `idempotent` and `rateLimited`, 4.1 and 3.1 kB, 1.1 and 0.1 kB for Hono: a request that is created when it is read, a body that is read and put
  // back, parsed bodies and files as bytes, and a response that is captured in every way in which Node can write one.
  "bitflake/drizzle": { "{ pgId }": 1910, "{ mysqlId }": 1930, "{ sqliteId }": 1920 },
  "bitflake/express": { "{ idempotency }": 15_580, "{ rateLimit }": 14_120 },
  "bitflake/fastify": { "{ idempotency }": 15_740, "{ rateLimit }": 14_350 },
  // 0.06 kB of idempotency let the headers of the handlers win.
  "bitflake/hono": { "{ idempotency }": 12_490, "{ rateLimit }": 11_380 },
  "bitflake/node": { "{ toNodeListener }": 2280 },
  // The errors and the checks of arguments are 0.9 kB of each.
  "bitflake/prisma": { "{ idExtension }": 1510 },
  // The goal was 3 kB. About 3 kB of it are each of the three scripts, and the checks of options with the presets are 2: each text has its own clock rule, claim of a node, refusals, decode and range; 0.1 kB keep SQLite's scripts out of attached databases. It is for migrations, and
  // not for pages.
  "bitflake/sql": { "{ sqlFunctions }": 12_150 },
  "bitflake/typeorm": { "{ idColumn, IdSubscriber }": 1440 },
  // The goal was 3 kB. 0.7 kB of the first are the errors and checks, 0.3 kB the schemes, and 0.1 kB of each the limits of moments as dates.
  "bitflake/migrate": { "{ proveMigration }": 3250, "{ Backfill }": 3130, "{ backfill }": 3330 },
  "bitflake/testing": {
    // A whole generator.
    "{ deterministic }": 7440,
    "{ reset }": 690,
    "{ testStore }": 830,
    // It contains all features, whose rules it runs on a port. 40.4 kB before the operations of rate limits.
    "{ runConformance }": 44_800,
  },
  // It contains nearly all of the above, because a page has no use for a service. 34 kB before clients had names and scopes,
  // probes wrote, events and log lines had more fields, and connections were queued; 8 kB of it came with leases and pools. 3 kB
  // are the operations of rate limits, and 3.5 kB /status and its description.
  "bitflake/service": { "{ createService }": 72_750 },
  // No export of the package: the service imports it when a browser requests a page. 7.4 kB are bitflake/explain and bitflake/mask.
  console: { "{ consolePage, referencePage }": 28_200 },
};

/**
 * Limit of the unpacked package in kB, as registries report it: the bytes of all files. 0.13 MB of it are bitflake/testing, 0.2 MB
 * the adapters for web frameworks, 0.1 MB each the new operations of rate limits, those of idempotency keys, the adapters of
 * ORMs together with the events, the client of the service, and its console, which is there for ESM and for CommonJS. 0.02 MB are
 * the metrics of the service, 0.06 MB bitflake/mask, 0.17 MB bitflake/explain with its
 * commands, 0.1 MB bitflake/migrate, 0.15 MB bitflake/sql.
 */
const UNPACKED_KB = 3985;

/** Limit of the installed package in kB. A file takes whole blocks of 4 kB, so many small files take more than few. */
const INSTALLED_KB = 5030;

async function bundle(names, path) {
  const file = path === "bitflake" ? "index" : path.replace("bitflake/", "");
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./dist/${file}.js"`, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    // Loaded when it is needed, so an import of the service does not load it.
    external: ["./console.js"],
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
const [{ files, unpackedSize }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]),
);
const folders = new Set(files.map(({ path }) => dirname(path)));
const sizes = [
  ["unpacked", Math.ceil(unpackedSize / 1000), UNPACKED_KB],
  // In blocks of 4 KiB, as file systems keep files and folders.
  [
    "installed",
    files.reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4, folders.size * 4),
    INSTALLED_KB,
  ],
];
for (const [title, size, limit] of sizes) {
  if (size >= limit) over++;
  console.log(`${title}: ${size} kB of ${limit} ${size >= limit ? "OVER" : "ok"}`);
}

if (over > 0) process.exit(1);
