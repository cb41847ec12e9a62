// A process of service.test.ts: the service of the built package, on the stores that it is told. It says where it
// listens; told to end by SIGTERM it ends in good order, and says which requests were under way then or came later.

import { subscribe } from "node:diagnostics_channel";
import { Redis } from "ioredis";
import pg from "pg";

const { dist, redis, postgres, prefix, timeoutMs, isStarted = true, options } = JSON.parse(process.argv[2]);
const { fromIORedis, fromPg } = await import(new URL("backend.js", dist).href);
const { createService, listen } = await import(new URL("service.js", dist).href);

// Whoever started this has ended without a word.
const leave = () => process.exit(1);
process.once("disconnect", leave);

const closing = [];

/** The client reconnects by itself, and what is asked meanwhile fails at once or when its time is over. */
function onRedis(url) {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  client.on("error", () => {});
  closing.push(() => client.disconnect());
  return fromIORedis(client, { prefix, timeoutMs });
}

function onPostgres(url) {
  const client = new pg.Pool({ connectionString: url, max: 10 });
  client.on("error", () => {});
  closing.push(() => client.end());
  return fromPg(client, { prefix, timeoutMs });
}

const pools = onPostgres(postgres);
const backend = redis ? onRedis(redis) : pools;
// The Redis of a test has just come up, and has forgotten nothing.
const service = createService({ backend, poolBackend: pools, fence: false, ...options });

// From outside the service, so that it is Node's word and not its own: each request is numbered by who sent it.
const underWay = new Set();
const late = [];
let isEnding = false;
subscribe("http.server.request.start", ({ request, response }) => {
  const number = Number(request.headers["x-number"] ?? -1);
  underWay.add(number);
  if (isEnding) late.push(number);
  response.once("close", () => underWay.delete(number));
});

// A store that is down is no reason not to listen.
if (isStarted) await service.start().catch(() => {});
const server = await listen(service, { port: 0 });

process.once("SIGTERM", async () => {
  isEnding = true;
  const begun = [...underWay];
  await server.close();
  await service.stop();
  for (const close of closing) await close();
  process.off("disconnect", leave);
  // Nothing may be left that keeps it alive: it is not made to end here, and whoever waits for it would wait as long.
  process.send({ begun, late }, () => process.disconnect());
});

process.send({ url: server.url });
