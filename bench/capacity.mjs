// A day of three regions with 1,024 nodes and their failures, simulated by the rule of leases itself (src/lease/rule.ts):
// `node bench/capacity.mjs` prints the figures, `--write` puts them and the charts into docs/capacity.md and docs/capacity.svg.
// The seed makes each run the same. Needs Node 24, which loads TypeScript.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { acquire, emptyNamespace, release, renew } from "../src/lease/rule.ts";
import { makeLeaseTerms } from "../src/lease/terms.ts";
import { drawCapacity } from "./capacityChart.mjs";

const HOUR = 3600;

/** The layout: 4 datacenters of 256 machines, 4,096 IDs a millisecond. One datacenter is spare. */
export const LAYOUT = { timestampBits: 41, datacenterBits: 2, machineBits: 8, sequenceBits: 12 };

export const NODES_PER_REGION = 2 ** LAYOUT.machineBits;

/** The default of `leaseNode`: a lease lasts for 30 s, and is renewed each 10 s. */
const TTL_S = 30;

/** How long a process takes to start after a crash, or as the successor of another, in seconds. */
const START_S = 5;

/** How many IDs a second each process is to make. */
const DEMAND = 2000;

/** How many crashes a process has a day. */
const CRASHES_A_DAY = 1;

/** The events of the day, by their hours. */
export const EVENTS = [
  { hour: 3, region: 0, name: "store silent for 15 s", store: { downS: 15 } },
  { hour: 6, region: 1, name: "failover, 10 s", store: { downS: 10, losesWrites: true } },
  { hour: 9, region: 0, name: "deploy of all processes", deploy: true },
  { hour: 10, region: 1, name: "deploy of all processes", deploy: true },
  { hour: 11, region: 2, name: "deploy of all processes", deploy: true },
  { hour: 13, region: 0, name: "half cut off for 3 min", partition: { share: 0.5, seconds: 180 } },
  { hour: 15, region: 2, name: "store down for 30 min", store: { downS: 1800 } },
  { hour: 18, region: 1, name: "300 processes for 256 nodes", surge: { processes: 300, seconds: HOUR } },
  {
    hour: 21,
    region: 2,
    name: "60 processes crash each 5 s, for 10 min",
    crashLoop: { processes: 60, seconds: 600 },
  },
];

/** Returns the tick of a second of the day: the epoch is an hour before it. */
const tickOf = (now) => now + HOUR;

/** A generator of random numbers from 0 to 1 by a seed: Marsaglia's xorshift of 32 bits. */
function randomOf(seed) {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** A process: it leases a node, makes IDs while it has one, renews, and leases again after a loss. */
class Process {
  constructor(number, startAt) {
    this.owner = `p${number}`;
    this.nextAt = startAt;
    this.isStarted = false;
    this.grant = undefined;
    this.cutOffUntil = -Infinity;
    this.crashesEachS = 0;
    this.nonces = 0;
    this.failures = 0;
  }

  /** Whether it makes IDs in this second. */
  serves(now) {
    return this.grant !== undefined && tickOf(now) < this.grant.until;
  }
}

/** A region: a store, its processes, and what they did. */
class Region {
  constructor(index, random) {
    const space = {
      shape: "41.2.8.12",
      first: index * NODES_PER_REGION,
      count: NODES_PER_REGION,
      epochMs: -HOUR * 1000,
      tickMs: 1000,
    };
    this.terms = makeLeaseTerms(space, { ttlMs: TTL_S * 1000, maxSkewMs: 5000, usesFence: true });
    this.state = emptyNamespace(space.shape);
    this.random = random;
    this.processes = [];
    this.downUntil = -Infinity;
    this.history = 1;
    this.started = 0;
    /** The end of the last grant of each node, and whose it was: no other may begin before it. */
    this.ends = new Map();
    this.overlaps = 0;
    this.minutes = [];
    this.totals = { due: 0, made: 0, crashes: 0, starts: 0, waitedS: 0 };
  }

  start(startAt) {
    const process = new Process(this.started++, startAt);
    this.processes.push(process);
    this.totals.starts++;
    return process;
  }

  /** Ends a process: after a crash its lease stays until it ends; a stop releases it. */
  end(process, now, isReleased) {
    this.processes.splice(this.processes.indexOf(process), 1);
    if (!isReleased || !process.serves(now) || now < this.downUntil) return;
    const { node, generation, nonce } = process.grant;
    const proof = { owner: process.owner, node, generation, grantNonce: nonce, nonce: "" };
    const until = tickOf(now) + 1;
    this.state = release(this.state, proof, until);
    this.ends.set(node, { owner: process.owner, until });
  }

  /** Sends the request of a process that is due. */
  call(process, now) {
    const facts = { ms: now * 1000, historyId: String(this.history) };
    const isReached = now >= this.downUntil && now >= process.cutOffUntil;
    if (!process.serves(now)) process.grant = undefined;
    const nonce = `n${process.nonces++}`;
    let answer;
    if (isReached && process.grant) {
      const { node, generation, nonce: grantNonce } = process.grant;
      const proof = { owner: process.owner, node, generation, grantNonce, nonce };
      [this.state, answer] = renew(this.state, this.terms, proof, now * 1000, facts);
      if (answer.outcome === "lost") process.grant = undefined;
    } else if (isReached) {
      const request = { owner: process.owner, nonce };
      [this.state, answer] = acquire(this.state, this.terms, request, now * 1000, facts);
    }
    if (answer?.outcome === "granted") {
      this.check(process, answer);
      const generation = process.grant ? process.grant.generation + 1 : 0;
      process.grant = { ...answer, generation, nonce };
      process.isStarted = true;
      process.failures = 0;
      process.nextAt = now + TTL_S / 3;
    } else {
      // With pauses that double up to a sixth of the lease, as leaseNode has them.
      process.failures++;
      process.nextAt = now + Math.max(1, Math.round(Math.min(0.1 * 2 ** process.failures, TTL_S / 6)));
    }
  }

  /** Counts a grant that begins before the last one of another owner ends. */
  check({ owner }, { node, from, until }) {
    const last = this.ends.get(node);
    if (last && last.owner !== owner && from < last.until) this.overlaps++;
    this.ends.set(node, { owner, until });
  }

  /** Returns how many nodes are held, by processes that live or that have died. */
  heldNodes(now) {
    let held = 0;
    for (const { until } of this.state.nodes.values()) if (until > tickOf(now)) held++;
    return held;
  }
}

/** Returns how many processes a region wants: 140 at night, 200 at noon, each region six hours after the one before. */
function wanted(index, now) {
  const phase = (now / HOUR - 6 * index) / 24;
  return Math.round(170 - 30 * Math.cos(2 * Math.PI * phase));
}

/** Starts the events of this second. */
function begin(event, region, now) {
  const { store, partition, crashLoop } = event;
  if (store) {
    region.downUntil = now + store.downS;
    if (store.losesWrites) region.history++;
  }
  if (partition) {
    const cutOff = region.processes.slice(0, Math.floor(region.processes.length * partition.share));
    for (const process of cutOff) process.cutOffUntil = now + partition.seconds;
  }
  if (crashLoop) {
    region.crashLoop = { ...crashLoop, until: now + crashLoop.seconds };
  }
}

/** Replaces the processes of a deploy, 5 a second: each successor starts, and ends its predecessor when it serves. */
function deploy(region, now) {
  const { deploying } = region;
  if (!deploying) return;
  for (let count = 0; count < 5 && deploying.old.length > 0; count++) {
    deploying.pairs.push([deploying.old.shift(), region.start(now + START_S)]);
  }
  deploying.pairs = deploying.pairs.filter(([former, next]) => {
    if (!region.processes.includes(former)) return false;
    if (!next.serves(now)) return true;
    region.end(former, now, true);
    return false;
  });
  if (deploying.old.length === 0 && deploying.pairs.length === 0) region.deploying = undefined;
}

/** Keeps as many processes as the region wants. */
function scale(region, index, now) {
  if (region.deploying) return;
  const surge = EVENTS.find(
    (event) =>
      event.surge &&
      event.region === index &&
      now >= event.hour * HOUR &&
      now < event.hour * HOUR + event.surge.seconds,
  );
  const target = surge ? surge.surge.processes : wanted(index, now);
  while (region.processes.length < target) region.start(now + START_S);
  while (region.processes.length > target) {
    // Those that wait for a node first.
    const idle = region.processes.findLast((process) => !process.serves(now));
    region.end(idle ?? region.processes.at(-1), now, true);
  }
}

/** Crashes processes: some by chance, and those of a crash loop soon after each start. */
function crash(region, now) {
  const { crashLoop, random } = region;
  const isLooping = crashLoop && now < crashLoop.until;
  const crashed = region.processes.filter(
    (process, index) =>
      random() < CRASHES_A_DAY / (24 * HOUR) ||
      (isLooping && index < crashLoop.processes && process.isStarted && now % START_S === 0),
  );
  for (const process of crashed) {
    region.end(process, now, false);
    region.totals.crashes++;
    // The same place in the list, so that a crash loop is of the same processes.
    const next = region.start(now + START_S);
    region.processes.pop();
    region.processes.unshift(next);
  }
}

/**
 * Simulates a day, second by second.
 *
 * @param {number} hours how much of it
 * @returns {Region[]} the regions, with their minutes and totals
 */
export function simulate(hours = 24, seed = 20_200_101) {
  const random = randomOf(seed);
  const regions = [0, 1, 2].map((index) => new Region(index, random));
  // Before the day begins, all run.
  for (const [index, region] of regions.entries()) {
    for (let count = 0; count < wanted(index, 0); count++) region.start(-60 + (count % 50));
  }
  for (let now = -60; now < hours * HOUR; now++) {
    for (const [index, region] of regions.entries()) {
      for (const event of EVENTS) {
        if (event.region !== index || event.hour * HOUR !== now) continue;
        begin(event, region, now);
        if (event.deploy) region.deploying = { old: [...region.processes], pairs: [] };
      }
      if (now >= 0) {
        scale(region, index, now);
        crash(region, now);
      }
      deploy(region, now);
      for (const process of region.processes) if (now >= process.nextAt) region.call(process, now);
      if (now >= 0) record(region, now);
    }
  }
  return regions;
}

/** Adds a second to the minute that it is in. */
function record(region, now) {
  // The predecessors of a deploy serve until their successors do, so those have nothing to make.
  const starting = region.deploying?.pairs.length ?? 0;
  const serving = region.processes.filter((process) => process.serves(now)).length;
  const places = region.processes.length - starting;
  const made = Math.min(serving, places) * DEMAND;
  const due = places * DEMAND;
  const { totals, minutes } = region;
  totals.due += due;
  totals.made += made;
  totals.waitedS += places - Math.min(serving, places);
  if (now % 60 === 0) minutes.push({ made: 0, refused: 0, held: region.heldNodes(now) });
  const minute = minutes.at(-1);
  minute.made += made / 60;
  minute.refused += (due - made) / 60;
}

/** Returns what was refused in the hour that an event begins, in IDs. */
function refusedAfter({ hour, region }, regions) {
  const minutes = regions[region].minutes.slice(hour * 60, hour * 60 + 60);
  return minutes.reduce((sum, { refused }) => sum + refused * 60, 0);
}

const count = (value) => Math.round(value).toLocaleString("en-US");
const percent = (share) => `${(100 * share).toFixed(3)} %`;

/** Returns the tables of the page. */
export function capacityTables(regions) {
  const rows = regions.map(({ totals, minutes, overlaps }, index) => [
    `${index + 1}`,
    count(totals.due),
    percent(1 - totals.made / totals.due),
    count(Math.max(...minutes.map(({ held }) => held))),
    count(totals.starts),
    count(totals.crashes),
    String(overlaps),
  ]);
  const events = EVENTS.map((event) => {
    const minutes = regions[event.region].minutes.slice(event.hour * 60, event.hour * 60 + 60);
    return [
      `${String(event.hour).padStart(2, "0")}:00`,
      `${event.region + 1}`,
      event.name,
      count(refusedAfter(event, regions)),
      count(Math.max(...minutes.map(({ held }) => held))),
    ];
  });
  const table = (header, body) =>
    [
      `| ${header.join(" | ")} |`,
      `|${"---|".repeat(header.length)}`,
      ...body.map((row) => `| ${row.join(" | ")} |`),
    ].join("\n");
  return [
    table(
      ["region", "IDs requested", "not made", "most nodes held", "starts", "crashes", "overlapping leases"],
      rows,
    ),
    "",
    table(["time", "region", "event", "IDs not made in that hour", "most nodes held"], events),
  ].join("\n");
}

const docs = new URL("../docs/", import.meta.url);
const MARKS = ["<!-- bench/capacity.mjs -->", "<!-- end -->"];

/** Returns a page with the tables between its marks. */
export function withTables(page, tables) {
  const [start, end] = MARKS.map((mark) => page.indexOf(mark));
  if (start < 0 || end < start) throw new Error("docs/capacity.md has no marks");
  return `${page.slice(0, start)}${MARKS[0]}\n${tables}\n${page.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const regions = simulate();
  const tables = capacityTables(regions);
  console.log(tables);
  if (regions.some(({ overlaps }) => overlaps > 0))
    throw new Error("two processes held a node at the same time");
  if (process.argv.includes("--write")) {
    const page = new URL("capacity.md", docs);
    writeFileSync(page, withTables(readFileSync(page, "utf8"), tables));
    writeFileSync(new URL("capacity.svg", docs), drawCapacity(regions, EVENTS, NODES_PER_REGION));
  }
}
