// Benchmark of bitflake beside the floor and beside its peers, all in one run: `npm run bench`. `--write` writes
// docs/benchmarks.md and the README's ten figures, `--json` prints the results, `--short` is for a test of the bench itself.

import { Snowflake as Sapphire } from "@sapphire/snowflake";
import FlakeId from "flake-idgen";
import { Redis } from "ioredis";
import { nanoid } from "nanoid";
import { Snowflake as NodejsSnowflake } from "nodejs-snowflake";
import pg from "pg";
import { Snowyflake } from "snowyflake";
import { v4, v7 } from "uuid";
import { uuidv7 as liosk } from "uuidv7";
import { makeGenerator, nextId, randomString, uuid, uuidv7 } from "../dist/index.js";
import { clients } from "./client.mjs";
import { counters } from "./counter.mjs";
import { acquired, leased } from "./leases.mjs";
import { duplicates, isShort, keep, race } from "./measure.mjs";
import { fairness, numericIds } from "./numeric.mjs";
import { machine, page, write } from "./page.mjs";
import { pools } from "./pools.mjs";
import { reading } from "./reading.mjs";
import { services } from "./service.mjs";
import { texts } from "./texts.mjs";
import { alone, together } from "./threads.mjs";

const BURST = 1_000_000;
const EPOCH = 1577836800000;

// The floor: a clock reading and a BigInt from two halves, which is the least that an honest Snowflake call can do.
const half = new Uint32Array(2);
const word = new BigUint64Array(half.buffer);
function floor() {
  half[0] = Date.now();
  return word[0];
}

// 22 bits of sequence are more than can be used up in a millisecond, so this shows the price and not the cap.
const uncapped = makeGenerator({ timestampBits: 41, datacenterBits: 0, machineBits: 0, sequenceBits: 22 });
const twitter = makeGenerator("twitter", { datacenterId: 1, machineId: 7 });
const sapphire = new Sapphire(EPOCH);
const snowyflake = new Snowyflake({ workerId: 1n, epoch: BigInt(EPOCH) });
const nodejsSnowflake = new NodejsSnowflake({ custom_epoch: EPOCH, instance_id: 1 });
const flake = new FlakeId({ epoch: EPOCH });
const patient = (next) => () => {
  for (;;) {
    try {
      return next();
    } catch {}
  }
};
const flakeId = patient(() => flake.next().readBigUInt64BE());

function snowflakes() {
  const best = race(
    {
      "Date.now() alone": (n) => {
        for (let i = 0; i < n; i++) keep(Date.now());
      },
      floor: (n) => {
        for (let i = 0; i < n; i++) keep(floor());
      },
      "bitflake, sequence of 22 bits": (n) => {
        for (let i = 0; i < n; i++) keep(uncapped.nextId());
      },
    },
    { count: 500_000, rounds: 40 },
  );
  Object.assign(
    best,
    race(
      {
        "bitflake, twitter": (n) => {
          for (let i = 0; i < n; i++) keep(twitter.nextId());
        },
        "bitflake, nextId()": (n) => {
          for (let i = 0; i < n; i++) keep(nextId());
        },
        "@sapphire/snowflake": (n) => {
          for (let i = 0; i < n; i++) keep(sapphire.generate());
        },
        snowyflake: (n) => {
          for (let i = 0; i < n; i++) keep(snowyflake.nextId());
        },
        "nodejs-snowflake": (n) => {
          for (let i = 0; i < n; i++) keep(nodejsSnowflake.getUniqueID());
        },
        "flake-idgen": (n) => {
          for (let i = 0; i < n; i++) keep(flakeId());
        },
      },
      { count: 100_000, rounds: 10 },
    ),
  );
  const next = {
    "Date.now() alone": undefined,
    floor: undefined,
    "bitflake, sequence of 22 bits": () => uncapped.nextId(),
    "bitflake, twitter": () => twitter.nextId(),
    "bitflake, nextId()": nextId,
    "@sapphire/snowflake": () => sapphire.generate(),
    snowyflake: () => snowyflake.nextId(),
    "nodejs-snowflake": () => nodejsSnowflake.getUniqueID(),
    "flake-idgen": () => flake.next().readBigUInt64BE(),
  };
  // By the bits of their sequence.
  const cap = {
    "bitflake, twitter": "4096 a ms",
    "bitflake, nextId()": "1024 a ms",
    "nodejs-snowflake": "1024 a ms",
    "flake-idgen": "4096 a ms",
  };
  return Object.entries(best).map(([name, ns]) => {
    const burst = next[name] && duplicates(next[name], BURST);
    return {
      name,
      ns,
      ratio: ns / best.floor,
      duplicates: burst?.duplicates,
      refusals: burst?.refusals,
      cap: cap[name],
    };
  });
}

function strings() {
  const rows = race(
    {
      "crypto.randomUUID()": (n) => {
        for (let i = 0; i < n; i++) keep(crypto.randomUUID());
      },
      "bitflake, uuid()": (n) => {
        for (let i = 0; i < n; i++) keep(uuid());
      },
      "uuid, v4()": (n) => {
        for (let i = 0; i < n; i++) keep(v4());
      },
      "bitflake, uuidv7()": (n) => {
        for (let i = 0; i < n; i++) keep(uuidv7());
      },
      "uuidv7, uuidv7()": (n) => {
        for (let i = 0; i < n; i++) keep(liosk());
      },
      "uuid, v7()": (n) => {
        for (let i = 0; i < n; i++) keep(v7());
      },
      "bitflake, randomString(21)": (n) => {
        for (let i = 0; i < n; i++) keep(randomString(21));
      },
      "nanoid, nanoid(21)": (n) => {
        for (let i = 0; i < n; i++) keep(nanoid(21));
      },
    },
    { count: 50_000 },
  );
  const next = {
    "crypto.randomUUID()": () => crypto.randomUUID(),
    "bitflake, uuid()": uuid,
    "uuid, v4()": v4,
    "bitflake, uuidv7()": uuidv7,
    "uuidv7, uuidv7()": liosk,
    "uuid, v7()": v7,
    "bitflake, randomString(21)": () => randomString(21),
    "nanoid, nanoid(21)": () => nanoid(21),
  };
  const burst = isShort ? BURST / 10 : BURST;
  return Object.entries(rows).map(([name, ns]) => ({ name, ns, ...duplicates(next[name], burst) }));
}

/** How much of the twitter layout's 4096 IDs a millisecond is reached, and how many repeat; best of three seconds. */
function fullLoad() {
  const ids = new BigUint64Array(4096 * 1000);
  let share = 0;
  let repeated = 0;
  for (let round = 0; round < 4; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < ids.length; i++) ids[i] = twitter.nextId();
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    if (round > 0) share = Math.max(share, ids.length / ms / 4096);
    for (let i = 1; i < ids.length; i++) if (ids[i] <= ids[i - 1]) repeated++;
  }
  return { share, repeated };
}

/** Nanoseconds per ID of `fill`, within one millisecond and below what it can hold. */
function filling() {
  const generator = makeGenerator("high_throughput");
  const target = new BigUint64Array(50_000);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 200; round++) {
    for (const now = Date.now(); Date.now() === now; ) {
      // Starts with a fresh millisecond.
    }
    const start = process.hrtime.bigint();
    generator.fill(target);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / target.length);
  }
  return best;
}

function arrays() {
  const COUNT = 50_000;
  const source = new BigUint64Array(COUNT).fill(2n ** 62n);
  return race(
    {
      "array of BigInts from a typed array": () => {
        const array = new Array(COUNT);
        for (let i = 0; i < COUNT; i++) array[i] = source[i];
        keep(array);
      },
      "bitflake, nextIds": () => keep(uncapped.nextIds(COUNT)),
    },
    { count: COUNT, rounds: 200 },
  );
}

/** Seconds until a wait on a clock that never moves ends in an error. */
function stall() {
  const generator = makeGenerator("twitter", { clock: () => EPOCH });
  generator.nextIds(4096);
  const start = process.hrtime.bigint();
  try {
    generator.nextId();
  } catch {
    return Number(process.hrtime.bigint() - start) / 1e9;
  }
  throw new Error("an ID, though the clock stands still");
}

/** What takes a Redis, the one of REDIS_URL or of this machine. Without one it is left out. */
async function onRedis() {
  const url = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  redis.on("error", () => {});
  try {
    await redis.connect();
  } catch {
    console.error(`no Redis at ${url}: leases and counters are left out`);
    return {};
  }
  const ns = { ...(await acquired(redis)), ...(await counters(redis)) };
  redis.disconnect();
  return ns;
}

/** What takes a PostgreSQL, the one of DATABASE_URL or of this machine. Without one it is left out. */
async function onPostgres() {
  const url = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
  } catch {
    console.error("no PostgreSQL by DATABASE_URL or on this machine: pools are left out");
    return {};
  }
  await client.end();
  return pools(pg.Pool, url);
}

const load = fullLoad();
const report = {
  ids: snowflakes(),
  strings: strings(),
  fullLoad: load,
  fillNs: filling(),
  nextIds: arrays(),
  reading: reading(),
  texts: texts(),
  thread: alone(),
  threads: await together(),
  lease: await leased(),
  redis: await onRedis(),
  numeric: numericIds(),
  fairness: await fairness(isShort ? 1000 : 30_000),
  pools: await onPostgres(),
  service: await services(),
  client: await clients(),
};
const ns = (name) => report.strings.find((row) => row.name === name).ns;
const against = (row, base) => ({ ratio: ns(row) / ns(base), row, base });
const [arrayNs, nextIdsNs] = Object.values(report.nextIds);
report.goals = {
  "nextId() / floor, at most 1.10": report.ids[2].ratio,
  "twitter at full load, at least 0.99 of 4096 a ms": load.share,
  "twitter at full load, repeated IDs, 0": load.repeated,
  "fill, ns per ID, at most 3": report.fillNs,
  "nextIds / array of BigInts, at most 1.2": nextIdsNs / arrayNs,
  "frozen clock, seconds to the error, under 2": stall(),
  "uuid() / crypto.randomUUID(), at most 1.1": against("bitflake, uuid()", "crypto.randomUUID()").ratio,
  "uuidv7's time / uuidv7(), at least 2": against("uuidv7, uuidv7()", "bitflake, uuidv7()").ratio,
  "randomString(21) / nanoid(21), at most 1.05": against("bitflake, randomString(21)", "nanoid, nanoid(21)")
    .ratio,
  "base32.encode / toString(32), at most 1.1":
    report.texts["base32.encode"] / report.texts["BigInt, toString(32)"],
  "base62.encode / toString(36), at most 1.5":
    report.texts["base62.encode"] / report.texts["BigInt, toString(36)"],
  "base32.decode / BigInt(decimal text), at most 0.8":
    report.texts["base32.decode"] / report.texts["BigInt(text) of the decimal text"],
  "base62.decode / BigInt(decimal text), at most 0.8":
    report.texts["base62.decode"] / report.texts["BigInt(text) of the decimal text"],
  "decode / deconstruct without the time's text, at most 3":
    report.reading["generator.decode"] / report.reading["@sapphire/snowflake, deconstruct"],
  'decode(id, "twitter") / generator.decode, at most 1.3':
    report.reading['decode(id, "twitter")'] / report.reading["generator.decode"],
  "parseId / BigInt(text), at most 1.2": report.reading["parseId(text)"] / report.reading["BigInt(text)"],
  "makeGenerator, µs, at most 2": report.reading['makeGenerator("twitter", { machineId })'] / 1000,
  "SharedGenerator / SnowflakeGenerator, one thread, at most 1.4":
    report.thread["SharedGenerator.nextId()"] / report.thread["SnowflakeGenerator.nextId()"],
  "twitter, 4 threads, at least 0.90 of 4096 a ms": report.threads.share,
  "twitter, 4 threads, repeated IDs, 0": report.threads.repeated,
  "nextId() on a lease / without, at most 1.05":
    report.lease["the same, on a lease"] / report.lease["SnowflakeGenerator.nextId()"],
};
if (report.redis["Redis, EVAL"]) {
  Object.assign(report.goals, {
    "leaseNode, 1000 of 1024 taken / EVAL, under 5":
      report.redis["leaseNode, 1000 of 1024 taken"] / report.redis["Redis, EVAL"],
    "Counter, block 1 / block 1000, at least 100":
      report.redis["Counter, block 1"] / report.redis["Counter, block 1000"],
  });
}
for (const [digits, least] of [
  [10, 1.8],
  [16, 4],
  [20, 6],
]) {
  report.goals[`draw and test / NumericIdType, ${digits} digits, at least ${least}`] =
    report.numeric[`draw and test, ${digits} digits`] / report.numeric[`NumericIdType, ${digits} digits`];
}
report.goals["NumericIdType, 20 digits / 32 digits, at least 0.25"] =
  report.numeric["NumericIdType, 20 digits"] / report.numeric["NumericIdType, 32 digits"];
for (const [by, least] of [
  ["one by one", 0.5],
  ["100 at a time", 0.8],
]) {
  if (!report.pools[`pgbench, ${by}`]) continue;
  report.goals[`IdPool / pgbench, ${by}, at least ${least}`] =
    report.pools[`IdPool, ${by}`] / report.pools[`pgbench, ${by}`];
}
const { ratios, growth } = report.service;
Object.assign(report.goals, {
  "service / bare node:http, requests a second, at least 0.8": ratios.perSecond,
  "service / bare node:http, p99, at most 2": ratios.p99Us,
  [`service, growth of the heap in kB in ${growth.requests.toLocaleString("en-US")} requests`]:
    growth.grownKb,
});

for (const [way, ratio] of Object.entries(report.client.ratios)) {
  report.goals[`client, ${way} / bare fetch, at least 0.6`] = ratio;
}
report.goals["client, IDs a second in the slowest way, at least 500,000"] = Math.min(
  ...Object.keys(report.client.ratios).map((way) => report.client.perSecond[way]),
);

Object.assign(report, machine());

if (process.argv.includes("--json")) {
  const plain = (_key, value) => (typeof value === "bigint" ? String(value) : value);
  console.log(JSON.stringify(report, plain, 2));
} else if (process.argv.includes("--write")) write(report);
else console.log(page(report));
