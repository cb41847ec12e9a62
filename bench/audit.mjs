// Audits ten million IDs with seeded faults: `npm run build && node --expose-gc bench/audit.mjs [count]`. Prints the memory at each
// million, the time, and whether each fault was found. Exits with 1 if one was not, or one was found that is not there.

import { Audit } from "../dist/explain.js";
import { encode } from "../dist/index.js";

const COUNT = Number(process.argv[2] ?? 10_000_000);
const NOW_MS = Date.UTC(2026, 10, 28);
const EPOCH_MS = 1_577_836_800_000;
const START_MS = Date.UTC(2026, 9, 1);
const NODES = 32;
const CHUNK = 65_536;

/** A generator of numbers, the same in each run: mulberry32. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Writes an ID of preset twitter as a line, by way of two numbers, because ten million BigInts take longer than the audit. */
function line(timeMs, node, sequence) {
  const tick = timeMs - EPOCH_MS;
  // tick * 2^22 + node * 2^12 + sequence, in parts of ten digits.
  const low = node * 4096 + sequence;
  const upper = Math.floor(tick / 1e6);
  const lower = tick % 1e6;
  const right = lower * 4_194_304 + low;
  const left = upper * 4_194_304 + Math.floor(right / 1e6);
  return `${left}${String(right % 1e6).padStart(6, "0")}\n`;
}
if (
  line(1_795_222_180_605, 39, 5) !==
  `${encode({ timestampMs: 1_795_222_180_605, datacenterId: 1, machineId: 7, sequence: 5 }, "twitter")}\n`
)
  throw new Error("line() differs from encode()");

/**
 * Yields chunks of lines: 32 nodes at 4 IDs a ms or so, with these faults:
 * - node 3: 500 IDs are written twice, each copy at once. test/explain/recentIds.slow.test.ts measures those that are far apart;
 * - node 5: a second writer whose clock is 5 s behind, for 2000 of its IDs;
 * - node 7: its clock steps back by 90 s once;
 * - node 9: its clock is 10 min ahead for 3000 of its IDs;
 * - node 11: 20 ms use their last sequence number;
 * - node 13: 1000 IDs with the epoch of X, whose times are in the future;
 * - 40 lines that are no ID.
 * As sequences start at 0, the shards are uneven too.
 */
function* chunks() {
  const random = randomFrom(1);
  const lastMs = new Float64Array(NODES);
  const sequence = new Int32Array(NODES);
  let text = [];
  let timeMs = START_MS;
  let twice = 0;
  let second = 0;
  let ahead = 0;
  let stray = 0;
  for (let i = 0; i < COUNT; i++) {
    if (random() < 0.25) timeMs++;
    const node = Math.floor(random() * NODES);
    let atMs = timeMs;
    if (node === 7 && i > COUNT * 0.6) atMs -= 90_000;
    if (node === 9 && i > COUNT * 0.3 && ahead < 3000) {
      atMs += 600_000;
      ahead++;
    }
    if (node === 13 && i > COUNT * 0.2 && stray < 1000) {
      atMs += EPOCH_MS - 1_288_834_974_657;
      stray++;
      text.push(line(atMs, node, 0));
      continue;
    }
    if (atMs !== lastMs[node]) sequence[node] = 0;
    else sequence[node]++;
    lastMs[node] = atMs;
    const own = line(atMs, node, sequence[node]);
    text.push(own);
    if (node === 3 && i > COUNT * 0.1 && twice < 500) {
      twice++;
      text.push(own);
      i++;
    }
    if (node === 5 && i > COUNT * 0.4 && second < 2000) {
      second++;
      // It began when the first writer's IDs of that time were made long ago, with sequences of its own.
      text.push(line(atMs - 5000, node, 2000 + (second % 2000)));
      i++;
    }
    if (node === 11 && i % 500_000 < 40) text.push(line(atMs, node, 4095));
    if (i % 250_000 === 0) text.push("not an ID\n");
    if (text.length >= CHUNK) {
      yield text.join("");
      text = [];
    }
  }
  yield text.join("");
}

const memoryMb = () => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 1e6);
};

const audit = new Audit("twitter", { nowMs: NOW_MS });
let auditMs = 0;
let lines = 0;
let printed = 0;
for (const chunk of chunks()) {
  const startMs = performance.now();
  audit.write(chunk);
  auditMs += performance.now() - startMs;
  lines += chunk.split("\n").length - 1;
  if (Math.floor(lines / 1e6) > printed) {
    printed = Math.floor(lines / 1e6);
    console.log(`${printed} million lines: ${memoryMb()} MB`);
  }
}
const startMs = performance.now();
const report = audit.report();
auditMs += performance.now() - startMs;
console.log(`${report.ids} IDs and ${report.invalid} other lines in ${(auditMs / 1000).toFixed(2)} s`);

const EXPECTED = [
  "duplicate",
  "sequence-end",
  "future",
  "invalid",
  "two-writers 0/5",
  "clock-backward 0/7",
  "clock-backward 0/9",
  "clock-ahead 0/9",
  "other-epoch",
  "shard-skew",
];
const found = report.findings.map(({ kind, datacenterId, machineId }) =>
  datacenterId === undefined ? kind : `${kind} ${datacenterId}/${machineId}`,
);
for (const { certainty, message } of report.findings) console.log(`  ${certainty}: ${message}`);
const missed = EXPECTED.filter((name) => !found.includes(name));
const extra = found.filter((name) => !EXPECTED.includes(name));
console.log(missed.length === 0 ? "all faults found" : `missed: ${missed.join(", ")}`);
if (extra.length > 0) console.log(`not seeded: ${extra.join(", ")}`);
if (missed.length + extra.length > 0) process.exitCode = 1;
