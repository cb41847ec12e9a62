// Ten million old rows in random order get IDs, while generators make live ones: `node --expose-gc bench/backfill.mjs [rows] [moments]`,
// after `npm run build`. It checks that the IDs have the order of `created_at`, that none repeats, and that none is a live
// one, and prints the speed and the memory. It exits with 1 if a check fails.

import { makeGenerator } from "../dist/index.js";
import { Backfill, proveMigration } from "../dist/migrate.js";

const rows = Number(process.argv[2] ?? 10_000_000);
/** The rows lie in so many milliseconds; on average so many rows share a millisecond. */
const moments = Number(process.argv[3] ?? rows);

const before = Date.now() - 1000;
const first = before - 3 * 365 * 86_400_000;
const step = Math.floor((before - first) / moments);
const reserved = { datacenterId: 31, machineId: 31 };

/** Returns the place of a row in an order that looks random: a permutation, because the factor is prime and no divisor of `rows`. */
const shuffled = (row) => (row * 7_368_787) % rows;
if (rows % 7_368_787 === 0) throw new Error("rows must not be a multiple of 7368787");

const createdAt = new Float64Array(rows);
for (let row = 0; row < rows; row++) createdAt[row] = first + (shuffled(row) % moments) * step;

const mb = (bytes) => Math.round(bytes / 1e6);
const baseline = process.memoryUsage();
const ids = new BigUint64Array(rows);
// Each live generator has a node of its own, and its clock goes through the times of the rows, so that live IDs are made in the
// same ticks.
let liveRow = 0;
const live = Array.from({ length: 4 }, (_, machineId) =>
  makeGenerator("twitter", {
    datacenterId: 31,
    machineId,
    clock: () => first + (liveRow % moments) * step,
  }),
);
const liveIds = new BigUint64Array(Math.ceil(rows / 10));

const old = new Backfill({ preset: "twitter", nodes: [reserved], before });
let liveMs = 0;
const start = performance.now();
for (let row = 0; row < rows; row++) {
  ids[row] = old.nextId(createdAt[row]);
  if (row % 1000 === 999) {
    const from = performance.now();
    for (let made = 0; made < 100; made++) {
      const at = Math.floor(row / 1000) * 100 + made;
      liveRow = Math.floor((at / liveIds.length) * moments);
      liveIds[at] = live[made % 4].nextId();
    }
    liveMs += performance.now() - from;
  }
}
const seconds = (performance.now() - start - liveMs) / 1000;
// Smaller tables of the state are garbage by now.
globalThis.gc?.();
const { arrayBuffers, rss } = process.memoryUsage();
// A use after the collection keeps the state.
old.markTaken(ids[0]);
const state = arrayBuffers - baseline.arrayBuffers - ids.byteLength - liveIds.byteLength;

// Sorted by ID, the times must not decrease. A tick is its row's time, and the tick of an ID is its upper 42 bits.
let failures = 0;
const epoch = 1_577_836_800_000n;
for (let row = 0; row < rows; row++) if (Number((ids[row] >> 22n) + epoch) !== createdAt[row]) failures++;
const sorted = ids.slice().sort();
for (let at = 1; at < rows; at++) if (sorted[at] === sorted[at - 1]) failures++;
const made = liveIds.filter((id) => id > 0n).sort();
let met = 0;
for (let a = 0, b = 0; a < rows && b < made.length; ) {
  if (sorted[a] === made[b]) met++;
  if (sorted[a] <= made[b]) a++;
  else b++;
}
/** The ticks in which there are IDs of both kinds. */
let shared = 0;
for (let a = 0, b = 0; a < rows && b < made.length; ) {
  const [x, y] = [sorted[a] >> 22n, made[b] >> 22n];
  if (x === y) {
    shared++;
    b++;
  } else if (x < y) a++;
  else b++;
}
const { disjoint } = proveMigration({
  from: { scheme: "twitter", nodes: [reserved] },
  to: { scheme: "twitter", nodes: [[0, 1022]], since: 0 },
  cutOver: before,
});

console.log(
  `${rows} rows in ${moments} ms, in random order: ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows a second`,
);
console.log(
  `state of the backfill: ${mb(state)} MB; the process: ${mb(rss)} MB, with ${mb(ids.byteLength * 3)} MB of rows and IDs`,
);
console.log(
  `rows whose ID has another time, or repeats: ${failures}; live IDs: ${made.length}, of which ${shared} in a tick with a row's, and ${met} equal to one`,
);
console.log(`proved: the reserved node and the live ones are ${disjoint ? "disjoint" : "NOT disjoint"}`);
if (failures > 0 || met > 0 || !disjoint || made.length === 0 || shared === 0) process.exit(1);
