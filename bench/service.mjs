// The HTTP service beside a bare handler of node:http that answers the same, each in a process of its own, asked in turn
// by autocannon in the same run; and what the service keeps in memory after minutes of load. It also runs by itself:
// `node bench/service.mjs`, with `--short` where it only has to be seen to run, `--json` for machines.

import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createHistogram } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { memory } from "../dist/backend.js";
import { makeGenerator } from "../dist/index.js";
import { createService, listen } from "../dist/service.js";
import { isShort } from "./measure.mjs";

const CONNECTIONS = 10;

const file = fileURLToPath(import.meta.url);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

// --- The processes that are asked

/** What is measured: no key and no limit, as the bare handler has none. */
async function plain() {
  const service = createService({ backend: memory() });
  await service.start();
  return listen(service, { port: 0 });
}

/** What may pile up: limits of many clients, types, replies of all kinds. */
async function full() {
  const service = createService({
    backend: memory(),
    types: { farmer: { length: 12 } },
    rateLimit: { limit: 1000, windowMs: 1000 },
    proxies: 1,
    log: () => {},
  });
  await service.start();
  return listen(service, { port: 0 });
}

/** The least that a handler does for the same answer. */
async function bare(hasLength) {
  const generator = makeGenerator("twitter");
  const server = createServer((_request, response) => {
    const body = `{"id":"${generator.nextId()}"}`;
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    response.writeHead(200, hasLength ? { ...headers, "content-length": body.length } : headers);
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}` };
}

async function serve(what, hasLength) {
  const { url } = await { plain, full, bare }[what](hasLength === "true");
  process.on("message", () => {
    globalThis.gc();
    const { user, system } = process.cpuUsage();
    process.send({ cpuUs: user + system, heap: process.memoryUsage().heapUsed });
  });
  process.once("disconnect", () => process.exit(0));
  process.send({ url });
}

/** Starts one of them; `look` says what it has used so far, and what is left on its heap after a collection. */
async function start(...what) {
  const execArgv = ["--expose-gc"];
  // For a profile of the service: SERVICE_PROFILE says in which folder.
  if (process.env.SERVICE_PROFILE)
    execArgv.push("--cpu-prof", `--cpu-prof-dir=${process.env.SERVICE_PROFILE}`);
  const child = fork(file, ["serve", ...what.map(String)], { execArgv });
  const [{ url }] = await once(child, "message");
  const look = async () => {
    child.send("look");
    const [seen] = await once(child, "message");
    return seen;
  };
  const stop = async () => {
    child.disconnect();
    await once(child, "exit");
  };
  return { url, look, stop };
}

// --- The measurement

/** Asks for a while. Times are autocannon's own, before it rounds them to milliseconds. */
async function ask(url, seconds, more = {}) {
  const times = createHistogram();
  const load = autocannon({ url, connections: CONNECTIONS, duration: seconds, ...more });
  load.on("response", (_client, _status, _bytes, ms) => times.record(Math.max(1, Math.round(ms * 1e6))));
  const { errors, timeouts, non2xx, duration } = await load;
  if (errors + timeouts > 0) throw new Error(`${errors} errors and ${timeouts} timeouts at ${url}`);
  return { requests: times.count, perSecond: times.count / duration, non2xx, times };
}

/** One round: requests a second, percentiles, and what the process itself spends on a request. */
async function round({ url, look }, seconds) {
  const before = await look();
  const { requests, perSecond, non2xx, times } = await ask(`${url}/generate_snowflake_id`, seconds);
  const after = await look();
  if (non2xx > 0) throw new Error(`${non2xx} answers are no 200`);
  return {
    perSecond,
    p50Us: times.percentile(50) / 1000,
    p99Us: times.percentile(99) / 1000,
    cpuUs: (after.cpuUs - before.cpuUs) / requests,
  };
}

/** The names of the headers, and what the body is, with its digits made alike. */
async function shapeOf(url) {
  const response = await fetch(`${url}/generate_snowflake_id`);
  const names = [...response.headers.keys()].filter((name) => name !== "date").sort();
  return { names, text: `${names} ${(await response.text()).replace(/\d+/, "1")}` };
}

/** All that the service can be asked, by clients of many addresses. */
const QUESTIONS = [
  "/generate_snowflake_id",
  "/generate_snowflake_id?count=10",
  "/generate_counter_id",
  "/generate_uuid?version=7",
  "/generate_random_string/21",
  "/decode/911991170026962944",
  "/capacity?preset=safe_integer",
  "/metrics",
  "/health",
  "/generate_uuid?count=none",
  "/v1/idgenerator/farmer/id/validate/123",
];

/** How much the heap of a service grows, of which all is asked for so long. */
async function growth(seconds) {
  const { url, look, stop } = await start("full");
  let asked = 0;
  const setupRequest = (request) => {
    asked++;
    const path = asked % 20 === 0 ? `/nothing/${asked}` : QUESTIONS[asked % QUESTIONS.length];
    const address = `10.${asked & 255}.${(asked >> 8) & 255}.1`;
    return { ...request, path, headers: { ...request.headers, "x-forwarded-for": address } };
  };
  const load = () => ask(url, seconds / 10, { requests: [{ setupRequest }] });
  // The first two tenths are for what is compiled and kept once.
  for (let tenth = 0; tenth < 2; tenth++) await load();
  const heaps = [(await look()).heap];
  let requests = 0;
  for (let tenth = 2; tenth < 10; tenth++) {
    requests += (await load()).requests;
    heaps.push((await look()).heap);
  }
  await stop();
  return { seconds: seconds * 0.8, requests, heaps, grownKb: (heaps[8] - heaps[0]) / 1024 };
}

/**
 * Requests a second, percentiles and processor time of the service and of the bare handler, the medians of rounds in
 * turn; and the growth of the heap.
 */
export async function services(hasGrowth = true) {
  const [rounds, seconds, minutes] = isShort ? [1, 1, 5 / 60] : [9, 5, 5];
  const ours = await start("plain");
  const { names, text } = await shapeOf(ours.url);
  const theirs = await start("bare", names.includes("content-length"));
  const other = await shapeOf(theirs.url);
  if (other.text !== text) throw new Error(`not the same: ${text} and ${other.text}`);
  const found = { service: [], bare: [] };
  await round(ours, seconds);
  await round(theirs, seconds);
  for (let at = 0; at < rounds; at++) {
    found.service.push(await round(ours, seconds));
    found.bare.push(await round(theirs, seconds));
  }
  await ours.stop();
  await theirs.stop();
  const of = (rows) =>
    Object.fromEntries(Object.keys(rows[0]).map((name) => [name, median(rows.map((row) => row[name]))]));
  // Of pairs that follow each other, for the machine may be slower by and by.
  const ratio = (name) => median(found.service.map((row, at) => row[name] / found.bare[at][name]));
  return {
    service: of(found.service),
    bare: of(found.bare),
    ratios: { perSecond: ratio("perSecond"), p99Us: ratio("p99Us"), cpuUs: ratio("cpuUs") },
    growth: hasGrowth ? await growth(minutes * 60) : undefined,
  };
}

if (process.argv[1] === file) {
  if (process.argv[2] === "serve") await serve(...process.argv.slice(3));
  else {
    const report = await services(!process.argv.includes("--no-growth"));
    if (process.argv.includes("--json")) console.log(JSON.stringify(report, null, 2));
    else console.dir(report, { depth: 3 });
  }
}
