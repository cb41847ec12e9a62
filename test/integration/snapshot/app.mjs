// Program of snapshot.test.ts: uses every random feature while a V8 startup snapshot is built, and again in each process
// that starts from it. It is bundled first, because a snapshot can load only the modules built into Node.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { startupSnapshot } from "node:v8";
import { makeGenerator, randomString, uuid, uuidv7 } from "bitflake";
import { fromIORedis, memory } from "bitflake/backend";
import { Counter } from "bitflake/counter";
import { Idempotency } from "bitflake/idempotency";
import { leaseNode } from "bitflake/lease";
import { NumericIdType, PermutedIds } from "bitflake/numeric";
import { RateLimit } from "bitflake/ratelimit";

/** How long IDs are made on a lease: longer than the time to its first renewal. */
const ISSUING_MS = 1500;

/** How far the clock of the machine that builds the snapshot is ahead. */
const AHEAD_MS = 3_600_000;

/** A store for clients that each process creates itself, because connections do not survive the build. */
let redis;
const backend = { eval: (script, keys, args) => redis.eval(script, keys, args) };

const once = new Idempotency({ backend, name: process.env.SNAPSHOT_NAME });
const farmers = new NumericIdType({ name: "farmer", length: 16 });
const permuted = new PermutedIds({
  type: farmers,
  key: "2b7e151628aed2a6abf7158809cf4f3c",
  counter: new Counter({ backend, name: "farmers" }),
});

function draw() {
  return {
    uuid: uuid(),
    randomString: randomString(),
    coins: randomString(128, "01"),
    numericId: farmers.generate(),
    // Without its random end, which would hide that two copies count alike.
    uuidv7: uuidv7().slice(0, 28),
  };
}

function drawEarly() {
  for (let i = 0; i < 3; i++) draw();
  crypto.randomUUID();
  const { now } = Date;
  Date.now = () => now() + AHEAD_MS;
  uuidv7();
  Date.now = now;
}

async function build() {
  drawEarly();
  makeGenerator("twitter", { machineId: 3 }).nextId();
  permuted.idAt(1n);
  new RateLimit({ backend, name: "r", limit: 1, windowMs: 1000 });
  // The random values that these draw and keep in the build.
  const lease = await leaseNode({ backend: memory(), preset: "twitter" });
  lease.generator.nextId();
  await lease.release();
  await new Idempotency({ backend: memory(), name: "built" }).once("k", "f", () => 1);
  drawEarly();
  // A snapshot keeps when Node's next timer was due in the build, also if the timer was cleared. A process whose first timer is
  // due later than that gets none, as on a slow machine. Node forgets the time when a timer runs after all others were due.
  await pause(2000);
}

/** Repeats the work of one key until this process or another has done it. */
async function doOnce() {
  let runs = 0;
  const work = async () => {
    runs++;
    await pause(300);
    return "done";
  };
  for (;;) {
    try {
      const { value } = await once.once("the key", "the work", work);
      return { runs, value };
    } catch (error) {
      if (error.code !== "ERR_IN_FLIGHT") throw error;
      await pause(20);
    }
  }
}

/** Makes IDs in bursts, so that 4 processes leave time for each other and for the renewals. */
async function issue(lease) {
  const ids = [];
  for (const end = performance.now() + ISSUING_MS; performance.now() < end; await pause(5)) {
    for (let i = 0; i < 200; i++) ids.push(String(lease.generator.nextId()));
  }
  return ids;
}

async function run() {
  // First of all, before any other part of the program.
  const tokens = draw();
  // A platform's cipher is not in the snapshot, but the object that uses it is.
  permuted.idAt(2n);
  const { Redis } = createRequire(`${process.cwd()}/`)("ioredis");
  const client = new Redis(process.env.REDIS_URL);
  redis = fromIORedis(client);
  await client.ping();
  console.log("ready");
  const input = createInterface(process.stdin);
  const closed = new Promise((close) => input.once("close", close));
  await new Promise((go) => input.once("line", go));
  const [lease, did] = await Promise.all([
    leaseNode({ backend, preset: "twitter", name: process.env.SNAPSHOT_NAME, ttlMs: 30_000 }),
    doOnce(),
  ]);
  const ids = await issue(lease);
  console.log(JSON.stringify({ tokens, more: draw(), node: lease.node, ids, ...did }));
  // Held until all processes have reported, so that no node is leased again because its holder has ended.
  await closed;
  await lease.release();
  client.disconnect();
}

startupSnapshot.setDeserializeMainFunction(() => {
  run().catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
void build();
