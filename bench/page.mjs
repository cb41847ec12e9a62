// The results of the bench as text: the page docs/benchmarks.md, and the ten figures that the README repeats.
// `node bench/page.mjs FILE` writes both from results that `npm run --silent bench -- --json` saved.

import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

const root = new URL("../", import.meta.url);

/** The heading of the ten figures, on the page and in the README. */
const TEN = "## Ten figures";

/** Returns when, where and with which versions the bench runs. */
export function machine() {
  const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const date = new Date().toISOString().slice(0, 10);
  return {
    date,
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim(),
    peers: dependencies,
  };
}

const count = (value) => value?.toLocaleString("en-US") ?? "–";
const fixed = (value) => value.toFixed(1);

/** Returns a Markdown table, its columns aligned for a terminal; the first is text, the others are numbers. */
function table(head, rows) {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  const [first, ...rest] = lines.map((line) => line.map(pad));
  return [first, rule, ...rest].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** Returns a table of results that have one number each. */
const pairs = (head, results, format = fixed) =>
  table(
    head,
    Object.entries(results).map(([name, value]) => [name, format(value)]),
  );

/** Formats a time of so many nanoseconds. */
function time(ns) {
  if (ns >= 10_000) return `${count(Math.round(ns / 1000))} µs`;
  return ns >= 100 ? `${count(Math.round(ns))} ns` : `${fixed(ns)} ns`;
}

/** Returns the sentence that says when and where the results were measured. */
function measured({ date, node, cores, cpu }) {
  const day = new Date(date).toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
  return `Measured on ${day} with Node ${node.replace(/^v/, "")} on ${cores} cores (${cpu}).`;
}

/** Returns the rows of the ten figures. A part that was left out for the lack of its server has a dash. */
function tenFigures(report) {
  const ids = Object.fromEntries(report.ids.map(({ name, ns }) => [name, ns]));
  const strings = Object.fromEntries(report.strings.map(({ name, ns }) => [name, ns]));
  const { texts, thread, lease, redis, pools, service } = report;
  const ns = (value) => (value === undefined ? "–" : time(value));
  const rate = (value, unit) => (value === undefined ? "–" : `${count(Math.round(value))} ${unit}`);
  const rows = [
    [
      "`nextId()`, sequence of 22 bits",
      ns(ids["bitflake, sequence of 22 bits"]),
      `the floor: ${ns(ids.floor)}`,
    ],
    [
      '`nextId()`, `"twitter"`, full load',
      `${count(Math.min(4096, Math.round(report.fullLoad.share * 4096)))} IDs a ms`,
      "the most that 12 bits allow: 4,096",
    ],
    ["`fill()`, per ID", ns(report.fillNs), ""],
    [
      "`nextId()` on a lease",
      ns(lease["the same, on a lease"]),
      `without one: ${ns(lease["SnowflakeGenerator.nextId()"])}`,
    ],
    [
      "`SharedGenerator.nextId()`",
      ns(thread["SharedGenerator.nextId()"]),
      `\`SnowflakeGenerator\`: ${ns(thread["SnowflakeGenerator.nextId()"])}`,
    ],
    [
      "`uuidv7()`",
      ns(strings["bitflake, uuidv7()"]),
      `uuidv7: ${ns(strings["uuidv7, uuidv7()"])}, uuid: ${ns(strings["uuid, v7()"])}`,
    ],
    ["`base32.encode`", ns(texts["base32.encode"]), `\`toString(32)\`: ${ns(texts["BigInt, toString(32)"])}`],
    [
      "`Counter`, blocks of 1,000",
      ns(redis["Counter, block 1000"]),
      `Redis \`INCR\`: ${ns(redis["Redis, INCR"])}`,
    ],
    [
      "`IdPool`, 100 at a time",
      rate(pools["IdPool, 100 at a time"], "IDs a second"),
      `pgbench, the same statement: ${rate(pools["pgbench, 100 at a time"], "IDs")}`,
    ],
    [
      "the service",
      rate(service.service.perSecond, "requests a second"),
      `bare \`node:http\`: ${rate(service.bare.perSecond, "requests")}`,
    ],
  ];
  return ["| | bitflake | beside it |", "|---|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
    "\n",
  );
}

/** Returns the page. */
export function page(report) {
  const burst = count(1_000_000);
  const peers = Object.entries(report.peers).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

The cost of bitflake beside its peers and beside the floor, all measured in one run. \`npm run bench -- --write\` measures
and writes this page.

${measured(report)} Peers: ${peers.join(", ")}.

${TEN}

${tenFigures(report)}

## How it is measured

- Times are nanoseconds per call. Candidates take turns, and the best of many short rounds is the figure, because noise
  only adds time.
- The floor is one clock reading and one BigInt from two halves: the least work of a correct Snowflake call.
- A 12-bit sequence limits every correct generator to 4,096 IDs a millisecond, which is 244 ns each. At that rate the
  figure is the limit. Duplicates are counted in a burst of ${burst} IDs.
- Leases and counters run on the Redis of \`REDIS_URL\` or of the machine. Each call is awaited before the next.
- Pools run on the PostgreSQL of \`DATABASE_URL\` or of the machine, beside pgbench with the same statement.
- The service and a bare handler with the same response are loaded by autocannon in turn. The heap is observed over five
  minutes of all routes.

## Snowflake IDs

${table(
  ["generator", "ns", "/ floor", `duplicates in ${burst}`, "refused", "limit"],
  report.ids.map((row) => [
    row.name,
    fixed(row.ns),
    row.ratio.toFixed(2),
    count(row.duplicates),
    count(row.refusals),
    row.cap ?? "–",
  ]),
)}

## UUIDs and random strings

${table(
  ["function", "ns", `duplicates in ${burst}`],
  report.strings.map((row) => [row.name, fixed(row.ns), count(row.duplicates)]),
)}

## Reading IDs and creating generators

${pairs(["call", "ns"], report.reading)}

## Text forms and threads

${pairs(["function", "ns"], { ...report.texts, ...report.thread })}

## Leases and counters

${pairs(["call", "ns"], { ...report.lease, ...report.redis })}

## Numeric IDs

${pairs(["call", "ns"], report.numeric)}

From 25 digits on, the draw is not exactly fair. The probabilities of the IDs differ so much:

${table(
  ["rules", "likeliest / fair", "unlikeliest / fair", "deviation", "effective"],
  report.fairness.map(({ rules, length, likeliest, unlikeliest, deviation, effective }) => [
    `${rules}, ${length} digits`,
    fixed(likeliest),
    unlikeliest.toFixed(2),
    deviation.toFixed(2),
    `${(effective * 100).toFixed(0)} %`,
  ]),
)}

## Pools on PostgreSQL

40 connections.

${pairs(["call", "IDs a second"], report.pools, (value) => count(Math.round(value)))}

## Service

\`GET /generate_snowflake_id\`, 10 connections.

${table(
  ["server", "requests a second", "p50 µs", "p99 µs", "CPU µs each"],
  Object.entries({ "bare node:http": report.service.bare, "bitflake/service": report.service.service }).map(
    ([name, { perSecond, p50Us, p99Us, cpuUs }]) => [
      name,
      count(Math.round(perSecond)),
      ...[p50Us, p99Us, cpuUs].map((us) => us.toFixed(0)),
    ],
  ),
)}

## Client of the service

One process that serves, and one that uses the IDs. "bare" are requests for 1,000 IDs by \`fetch\`, one at a time, with a
BigInt of each text.

${pairs(["way", "IDs a second"], report.client.perSecond, (value) => count(Math.round(value)))}

## Goals

${pairs(["goal", "measured"], report.goals, (value) => Number(value.toFixed(3)))}
`;
}

/** Writes the page and replaces the ten figures of the README. */
export function write(report) {
  writeFileSync(new URL("docs/benchmarks.md", root), page(report));
  const path = new URL("README.md", root);
  const [before, after] = readFileSync(path, "utf8").split(`${TEN}\n`);
  if (after === undefined) throw new Error(`README.md has no heading "${TEN}"`);
  const section = after
    .replace(/Measured on [^\n]*?\)\./, measured(report))
    .replace(/(?:^\|.*\|\n)+/m, `${tenFigures(report)}\n`);
  writeFileSync(path, `${before}${TEN}\n${section}`);
}

if (process.argv[1]?.endsWith("bench/page.mjs")) write(JSON.parse(readFileSync(process.argv[2], "utf8")));
