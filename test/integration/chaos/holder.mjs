// A process of the chaos test: leases a node, makes IDs into a file, gives the node back, and so on, whatever is done to
// it meanwhile. What happens to its leases goes into a log, one line of JSON each; an error that should not be ends it.

import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Redis } from "ioredis";
import pg from "pg";
import { between, burst, Pen } from "./bursts.mjs";

const plan = JSON.parse(process.argv[2]);
const { dist, store, url, path, role, threads, ttlMs, tickMs, layout, namespace } = plan;
const { fromIORedis, fromPg } = await import(new URL("backend.js", dist).href);
const { leaseNode } = await import(new URL("lease.js", dist).href);

const HOUR = 3_600_000;
const chance = (share) => Math.random() < share;
const log = (event, facts) =>
  appendFileSync(`${path}.log`, `${JSON.stringify({ at: Date.now(), event, ...facts })}\n`);

// --- The clock: the system's own, one that is off by less than anyone minds, one that is an hour off and allowed to be,
// or one that jumps by an hour and comes back.

const offset = new Int32Array(new SharedArrayBuffer(4));
const ownClock = role !== "true";
const clock = ownClock ? () => Date.now() + Atomics.load(offset, 0) : undefined;
if (role === "near") offset[0] = between(300, 1200) * (chance(0.5) ? 1 : -1);
if (role === "ahead") offset[0] = HOUR;
if (role === "behind") offset[0] = -HOUR;

async function jump() {
  for (;;) {
    await setTimeout(between(1000, 4000), undefined, { ref: false });
    Atomics.store(offset, 0, chance(0.5) ? HOUR : -HOUR);
    log("jumped", { offsetMs: offset[0] });
    await setTimeout(between(100, 2 * ttlMs), undefined, { ref: false });
    Atomics.store(offset, 0, 0);
  }
}
if (role === "jumping") jump();

/** What a generator may refuse with. Only a clock that jumps goes backwards. */
const expected = ["ERR_LEASE_EXPIRED", ...(role === "jumping" ? ["ERR_CLOCK_BACKWARDS"] : [])];
/** What the store may be refused with, or refuse with. */
const refusals = ["ERR_NO_NODE_AVAILABLE", "ERR_BACKEND", "ERR_CLOCK_SKEW"];

// --- The store, by clients with their own ideas of what to do in an outage.

async function connect() {
  // Shorter and longer than a lease: late answers come to holders that have given up and to some that have not.
  const timeoutMs = [ttlMs / 4, ttlMs, 5000][between(0, 2)];
  if (store === "postgres") {
    const pool = new pg.Pool({ connectionString: url, max: between(1, 4) });
    pool.on("error", () => {});
    return fromPg(pool, { timeoutMs });
  }
  // By default ioredis keeps what is asked while it is not connected, and asks again what was not answered.
  const failing = { enableOfflineQueue: false, maxRetriesPerRequest: 0 };
  const client = new Redis(url, { retryStrategy: () => 50, ...(chance(0.3) ? failing : {}) });
  client.on("error", () => {});
  await Promise.race([once(client, "ready").catch(() => {}), setTimeout(1000)]);
  return fromIORedis(client, { timeoutMs });
}

const backend = await connect();

// --- The threads.

/** The number of the lease whose IDs the threads make. */
const turn = new Int32Array(new SharedArrayBuffer(4));
const crew = [];
let workers = 0;

function startWorker() {
  const workerData = { at: ++workers, dist, turn, offset, ownClock, expected, path };
  const worker = new Worker(new URL("thread.mjs", import.meta.url), { workerData });
  worker.on("error", fail);
  crew.push(worker);
  return worker;
}

// --- Its life.

let leaving = false;
process.once("SIGTERM", () => {
  leaving = true;
});
// The end of whoever started it is its own.
process.stdin.once("end", () => process.exit(0)).resume();

function fail(error) {
  console.error(error);
  log("failed", { error: String(error?.stack ?? error) });
  process.exit(2);
}
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

let leases = 0;

async function seek() {
  const started = Date.now();
  const terms = {
    backend,
    namespace,
    preset: layout,
    tickMs,
    ttlMs,
    // With the skew that some are allowed, it would be hours until a Redis that was restarted granted a node.
    fence: store !== "redis",
    holder: plan.name,
    threads,
    clock,
    // Each lease of a clock that is ahead uses up a node for an hour; so these are careful with them.
    onExpired: role === "ahead" || chance(0.35) ? "throw" : "reacquire",
    waitMs: between(0, 1000),
    ...(role === "ahead" || role === "behind" ? { maxSkewMs: 2 * HOUR } : {}),
  };
  log("asked", {});
  try {
    const lease = await leaseNode(terms);
    const facts = {
      lease: ++leases,
      onExpired: terms.onExpired,
      offsetMs: offset[0],
      ms: Date.now() - started,
    };
    log("granted", { ...facts, node: lease.node, until: lease.until });
    return { lease, onExpired: terms.onExpired };
  } catch (error) {
    if (!refusals.includes(error.code)) throw error;
    const { code, reason, message } = error;
    log("refused", { code, reason, message, ms: Date.now() - started });
    return undefined;
  }
}

/** Makes IDs under a lease for a while, or until it is lost for good. */
async function live({ lease, onExpired }) {
  const number = leases;
  const pen = new Pen(`${path}.${number}.0.ids`);
  let { grants, failures } = lease.status();
  lease.onLost(({ cause, nowMs, untilMs }) =>
    log("lost", { lease: number, nowMs, untilMs, cause: String(cause) }),
  );
  if (threads) {
    Atomics.store(turn, 0, number);
    for (const worker of crew) worker.postMessage({ handle: lease.generator.handle, lease: number });
  }
  const end = performance.now() + between(300, 6000);
  // Who has lost its lease does not go before it has had another, unless that takes too long.
  const patience = () => (lease.status().state === "lost" ? 5000 : 0);
  while (!leaving && (role === "ahead" || performance.now() < end + patience())) {
    try {
      await burst(lease.generator, pen, threads ? 4 : 1);
      await setTimeout(between(0, 40));
    } catch (error) {
      tolerate(error);
      if (onExpired === "throw" && lease.status().state === "lost") break;
      await setTimeout(between(1, 30));
    }
    const status = lease.status();
    if (status.grants > grants) log("reacquired", { lease: number, node: status.node, until: status.until });
    if (status.failures > failures) {
      const { state, lastError } = status;
      log("failed to keep", {
        lease: number,
        state,
        failures: status.failures,
        lastError: String(lastError),
      });
    }
    ({ grants, failures } = status);
    // Now and then a thread ends where it stands, and another takes its place.
    if (threads && chance(0.01)) {
      crew.splice(between(0, crew.length - 1), 1)[0].terminate();
      startWorker().postMessage({ handle: lease.generator.handle, lease: number });
    }
  }
  // Without a word, as many programs end.
  if (role !== "ahead" && !leaving && chance(0.05)) leave("left");
  // Up to the last moment, so that the next holder comes within the same tick if it can.
  if (chance(0.5)) await burst(lease.generator, pen, 1).catch(tolerate);
  const released = giveBack(lease, number);
  if (chance(0.5)) await released;
  Atomics.store(turn, 0, 0);
  pen.close();
}

/** Lets pass what a generator may refuse with. */
function tolerate(error) {
  if (!expected.includes(error.code)) throw error;
}

async function giveBack(lease, number) {
  for (let tries = 1; tries <= 2; tries++) {
    // The threads make IDs meanwhile, until they cannot.
    const released = lease.release();
    try {
      lease.generator.nextId();
      fail(new Error("a lease that is given back makes IDs"));
    } catch (error) {
      tolerate(error);
    }
    try {
      await released;
      log("released", { lease: number, node: lease.node });
      return;
    } catch (error) {
      if (error.code !== "ERR_BACKEND") throw error;
      log("kept", { lease: number, node: lease.node, reason: error.reason });
    }
  }
}

function leave(how) {
  log(how, {});
  process.exit(0);
}

if (threads) for (let at = 0; at < 4; at++) startWorker();
while (!leaving) {
  const held = await seek();
  if (held) await live(held);
  else await setTimeout(between(20, 250));
  if (role === "ahead") break;
}
leave("ended");
