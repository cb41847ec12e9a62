// A worker process of service.test.ts: the service of the built package on the given stores. It sends the URL that it listens
// on. At SIGTERM it stops gracefully, and sends the numbers of the requests in flight and of those that arrive later.

import { subscribe } from "node:diagnostics_channel";
import { Redis } from "ioredis";
import pg from "pg";

const { dist, redis, postgres, prefix, timeoutMs, isStarted = true, options } = JSON.parse(process.argv[2]);
const { fromIORedis, fromPg } = await import(new URL("backend.js", dist).href);
const { createService, listen } = await import(new URL("service.js", dist).href);

// The parent process has exited.
const leave = () => process.exit(1);
process.once("disconnect", leave);

const closing = [];

/** Without retries: a call fails at once or at its timeout, and the client reconnects by itself. */
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
// The Redis of a test is new and has forgotten nothing, so no fence is needed.
const service = createService({ backend, poolBackend: pools, fence: false, ...options });

// Counted by Node's diagnostics channel, not by the service under test. The client numbers its requests.
const inFlight = new Set();
const late = [];
let isStopping = false;
subscribe("http.server.request.start", ({ request, response }) => {
  const number = Number(request.headers["x-number"] ?? -1);
  inFlight.add(number);
  if (isStopping) late.push(number);
  response.once("close", () => inFlight.delete(number));
});

// It listens also while the store is down.
if (isStarted) await service.start().catch(() => {});
const server = await listen(service, { port: 0 });

process.once("SIGTERM", async () => {
  isStopping = true;
  const begun = [...inFlight];
  await server.close();
  await service.stop();
  for (const close of closing) await close();
  process.off("disconnect", leave);
  // No process.exit(): the process must exit because nothing keeps it alive.
  process.send({ begun, late }, () => process.disconnect());
});

process.send({ url: server.url });
