// The HTTP service beside a bare node:http handler with the same response, each in its own process, measured in turn by
// autocannon; and the growth of its heap over minutes of load. Runs alone too: `node bench/service.mjs`, with `--short` for a
// trial run, `--no-growth` without the heap, `--json` for machines.

import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createHistogram } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { memory } from "../dist/backend.js";
import { makeGenerator } from "../dist/index.js";
import { createService, listen } from "../dist/service.js";
import { isShort, median } from "./measure.mjs";

const CONNECTIONS = 10;

const file = fileURLToPath(import.meta.url);
// --- The measured processes

/** The service without API keys and rate limits, which the bare handler does not have either. */
async function plain() {
  const service = createService({ backend: memory() });
  await service.start();
  return listen(service, { port: 0 });
}

/** The service with everything that could accumulate: rate limits of many clients, types, all kinds of responses. */
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

/** The least work for the same response. */
async function bare(hasLength) {
  const generator = makeGenerator("twitter");
  const server = createServer((_request, response) => {
    const body = `{"id":"${generator.nextId()}"}`;
    const headers = {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    };
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

/** Starts one of them. `measure` resolves to its processor time so far, and its heap after a garbage collection. */
async function start(...what) {
  const execArgv = ["--expose-gc"];
  // SERVICE_PROFILE is a folder for a CPU profile of the service.
  if (process.env.SERVICE_PROFILE)
    execArgv.push("--cpu-prof", `--cpu-prof-dir=${process.env.SERVICE_PROFILE}`);
  const child = fork(file, ["serve", ...what.map(String)], { execArgv });
  const [{ url }] = await once(child, "message");
  const measure = async () => {
    child.send("measure");
    const [measured] = await once(child, "message");
    return measured;
  };
  const stop = async () => {
    child.disconnect();
    await once(child, "exit");
  };
  return { url, measure, stop };
}

// --- The measurement

/** Sends load. Times are autocannon's, before it rounds them to milliseconds. */
async function sendLoad(url, seconds, more = {}) {
  const times = createHistogram();
  const load = autocannon({ url, connections: CONNECTIONS, duration: seconds, ...more });
  load.on("response", (_client, _status, _bytes, ms) => times.record(Math.max(1, Math.round(ms * 1e6))));
  const { errors, timeouts, non2xx, duration } = await load;
  if (errors + timeouts > 0) throw new Error(`${errors} errors and ${timeouts} timeouts at ${url}`);
  return { requests: times.count, perSecond: times.count / duration, non2xx, times };
}

/** Measures one round: requests a second, percentiles, and processor time per request. */
async function round({ url, measure }, seconds) {
  const before = await measure();
  const { requests, perSecond, non2xx, times } = await sendLoad(`${url}/generate_snowflake_id`, seconds);
  const after = await measure();
  if (non2xx > 0) throw new Error(`${non2xx} responses are not 200`);
  return {
    perSecond,
    p50Us: times.percentile(50) / 1000,
    p99Us: times.percentile(99) / 1000,
    cpuUs: (after.cpuUs - before.cpuUs) / requests,
  };
}

/** Resolves to the names of the headers, and the shape of the response: its digits are replaced. */
async function shapeOf(url) {
  const response = await fetch(`${url}/generate_snowflake_id`);
  const names = [...response.headers.keys()].filter((name) => name !== "date").sort();
  return { names, text: `${names} ${(await response.text()).replace(/\d+/, "1")}` };
}

/** Requests to all kinds of routes. */
const PATHS = [
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

/** Measures the growth of the heap of a service under requests of all kinds, by clients of many addresses. */
async function growth(seconds) {
  const { url, measure, stop } = await start("full");
  let sent = 0;
  const setupRequest = (request) => {
    sent++;
    const path = sent % 20 === 0 ? `/nothing/${sent}` : PATHS[sent % PATHS.length];
    const address = `10.${sent & 255}.${(sent >> 8) & 255}.1`;
    return { ...request, path, headers: { ...request.headers, "x-forwarded-for": address } };
  };
  const load = () => sendLoad(url, seconds / 10, { requests: [{ setupRequest }] });
  // The first two tenths compile the code and fill caches.
  for (let tenth = 0; tenth < 2; tenth++) await load();
  const heaps = [(await measure()).heap];
  let requests = 0;
  for (let tenth = 2; tenth < 10; tenth++) {
    requests += (await load()).requests;
    heaps.push((await measure()).heap);
  }
  await stop();
  return { seconds: seconds * 0.8, requests, heaps, grownKb: (heaps[8] - heaps[0]) / 1024 };
}

/**
 * Measures requests a second, percentiles and processor time of the service and of the bare handler, as medians of
 * alternating rounds; and the growth of the heap.
 */
export async function services(hasGrowth = true) {
  const [rounds, seconds, minutes] = isShort ? [1, 1, 5 / 60] : [9, 5, 5];
  const service = await start("plain");
  const { names, text } = await shapeOf(service.url);
  const bareHandler = await start("bare", names.includes("content-length"));
  const bareShape = await shapeOf(bareHandler.url);
  if (bareShape.text !== text) throw new Error(`different responses: ${text} and ${bareShape.text}`);
  const found = { service: [], bare: [] };
  await round(service, seconds);
  await round(bareHandler, seconds);
  for (let count = 0; count < rounds; count++) {
    found.service.push(await round(service, seconds));
    found.bare.push(await round(bareHandler, seconds));
  }
  await service.stop();
  await bareHandler.stop();
  const of = (rows) =>
    Object.fromEntries(Object.keys(rows[0]).map((name) => [name, median(rows.map((row) => row[name]))]));
  // Of neighbouring rounds, because the speed of the machine drifts.
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
