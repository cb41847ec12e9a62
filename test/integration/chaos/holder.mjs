// A process of the chaos test: leases a node, writes IDs to a file, releases the node, and repeats that during all faults.
// It logs the events of its leases, one line of JSON each. An unexpected error ends it.

import { appendFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { between, burst, Pen } from "./bursts.mjs";
import { connections } from "./connections.mjs";

const plan = JSON.parse(process.argv[2]);
const { dist, store, url, path, role, threads, ttlMs, tickMs, layout, namespace } = plan;
const backends = await import(new URL("backend.js", dist).href);
const { leaseNode } = await import(new URL("lease.js", dist).href);

const HOUR = 3_600_000;
const chance = (share) => Math.random() < share;
const log = (event, facts) =>
  appendFileSync(`${path}.log`, `${JSON.stringify({ at: Date.now(), event, ...facts })}\n`);

// --- The clock: the system's own, one that is off by less than `maxSkewMs`, one that is off by an hour with a larger
// `maxSkewMs`, or one that jumps by an hour and back.

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

/**
 * The codes of errors that a generator may throw. Only a clock that jumps goes backwards. A lease that is acquired again after
 * a jump back continues after the IDs of an hour ahead, and the next tick is then an hour away.
 */
const jumping = ["ERR_CLOCK_BACKWARDS", "ERR_SEQUENCE_EXHAUSTED"];
const expected = ["ERR_LEASE_EXPIRED", ...(role === "jumping" ? jumping : [])];
/** The codes of errors that leaseNode may throw. */
const refusals = ["ERR_NO_NODE_AVAILABLE", "ERR_BACKEND", "ERR_CLOCK_SKEW"];

// --- The store.

// Shorter and longer than a lease, so that late answers arrive before and after a holder's timeout.
const timeoutMs = [ttlMs / 4, ttlMs, 5000][between(0, 2)];
const { backend } = await connections[store](backends, url, { timeoutMs });

// --- The threads.

/** The number of the lease whose IDs the threads make. */
const turn = new Int32Array(new SharedArrayBuffer(4));
const workers = [];
let startedWorkers = 0;

function startWorker() {
  const workerData = { at: ++startedWorkers, dist, turn, offset, ownClock, expected, path };
  const worker = new Worker(new URL("thread.mjs", import.meta.url), { workerData });
  worker.on("error", fail);
  workers.push(worker);
  return worker;
}

// --- The loop: acquire, use, release.

let leaving = false;
process.once("SIGTERM", () => {
  leaving = true;
});
// It ends when the process that started it ends.
process.stdin.once("end", () => process.exit(0)).resume();

function fail(error) {
  console.error(error);
  log("failed", { error: String(error?.stack ?? error) });
  process.exit(2);
}
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

let leases = 0;

async function acquireLease() {
  const started = Date.now();
  const options = {
    backend,
    namespace,
    preset: layout,
    tickMs,
    ttlMs,
    // With the large `maxSkewMs` of some, a restarted Redis would grant no node for hours.
    fence: store !== "redis",
    holder: plan.name,
    threads,
    clock,
    // Each lease with a clock that is ahead uses up a node for an hour, so such a process takes only one.
    onExpired: role === "ahead" || chance(0.35) ? "throw" : "reacquire",
    waitMs: between(0, 1000),
    ...(role === "ahead" || role === "behind" ? { maxSkewMs: 2 * HOUR } : {}),
  };
  log("asked", {});
  try {
    const lease = await leaseNode(options);
    const facts = {
      lease: ++leases,
      onExpired: options.onExpired,
      offsetMs: offset[0],
      ms: Date.now() - started,
    };
    log("granted", { ...facts, node: lease.node, until: lease.until });
    return { lease, onExpired: options.onExpired };
  } catch (error) {
    if (!refusals.includes(error.code)) throw error;
    const { code, reason, message } = error;
    log("refused", { code, reason, message, ms: Date.now() - started });
    return undefined;
  }
}

/** Makes IDs under a lease for a while, or until it is lost for good. */
async function useLease({ lease, onExpired }) {
  const number = leases;
  const pen = new Pen(`${path}.${number}.0.ids`);
  let { grants, failures } = lease.status();
  lease.onLost(({ cause, nowMs, untilMs }) =>
    log("lost", { lease: number, nowMs, untilMs, cause: String(cause) }),
  );
  if (threads) {
    Atomics.store(turn, 0, number);
    for (const worker of workers) worker.postMessage({ handle: lease.generator.handle, lease: number });
  }
  const end = performance.now() + between(300, 6000);
  // A holder that has lost its lease waits for the next one, unless that takes too long.
  const extraMs = () => (lease.status().state === "lost" ? 5000 : 0);
  while (!leaving && (role === "ahead" || performance.now() < end + extraMs())) {
    try {
      await burst(lease.generator, pen, threads ? 4 : 1);
      await setTimeout(between(0, 40));
    } catch (error) {
      ignoreExpected(error);
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
    // Now and then a thread is terminated, and another replaces it.
    if (threads && chance(0.01)) {
      workers.splice(between(0, workers.length - 1), 1)[0].terminate();
      startWorker().postMessage({ handle: lease.generator.handle, lease: number });
    }
  }
  // Without a release, as many programs end.
  if (role !== "ahead" && !leaving && chance(0.05)) leave("left");
  // Until the release, so that the next holder gets the node within the same tick if possible.
  if (chance(0.5)) await burst(lease.generator, pen, 1).catch(ignoreExpected);
  const released = releaseLease(lease, number);
  if (chance(0.5)) await released;
  Atomics.store(turn, 0, 0);
  pen.close();
}

/** Ignores the errors that a generator may throw, and throws others. */
function ignoreExpected(error) {
  if (!expected.includes(error.code)) throw error;
}

async function releaseLease(lease, number) {
  for (let tries = 1; tries <= 2; tries++) {
    // The threads make IDs meanwhile, until their generator throws.
    const released = lease.release();
    try {
      lease.generator.nextId();
      fail(new Error("a released lease makes IDs"));
    } catch (error) {
      ignoreExpected(error);
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
  const held = await acquireLease();
  if (held) await useLease(held);
  else await setTimeout(between(20, 250));
  if (role === "ahead") break;
}
leave("ended");
