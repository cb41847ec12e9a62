// The start report of the service: its URL, node, layout, store, authentication, limits and types, and which other processes
// could repeat its IDs.

import { ping } from "../../backend/ping.ts";
import { clockOf } from "../../backend/storeClock.ts";
import type { SnowflakeGenerator } from "../../internal.ts";
import type { Service, ServiceOptions } from "../../service/index.ts";
import { isLoopback } from "../../service/requestGuard.ts";
import { printable } from "../terminal/color.ts";
import { formatDuration } from "../terminal/formatDuration.ts";
import type { ServeContext, ServeStores } from "./stores.ts";
import { workerCount } from "./workers/workerCount.ts";

/** The node of a service. */
interface NodeReport {
  readonly datacenterId: number;
  readonly machineId: number;
  /** The store of the lease; `null` if the user gave the node. */
  readonly leasedFrom: string | null;
  /** Which other processes could have the same node, and so repeat IDs. */
  readonly couldRepeatIds: string;
}

/** Returns the node that a started service has leased. */
async function leasedNode(service: Service): Promise<number | undefined> {
  const response = await service(new Request("http://localhost/health"));
  const { lease } = (await response.json()) as { lease?: { node?: number } | null };
  return lease?.node;
}

async function nodeReport(
  service: Service,
  { values }: ServeContext,
  { kind, store, leaseBackend }: ServeStores,
  { layout }: SnowflakeGenerator,
): Promise<NodeReport> {
  const { machineId, datacenterId = 0, name } = values;
  if (machineId !== undefined) {
    return { datacenterId, machineId, leasedFrom: null, couldRepeatIds: "any other process with this node" };
  }
  const node = (await leasedNode(service)) ?? 0;
  const machines = 2 ** layout.machineBits;
  const fields = { datacenterId: Math.floor(node / machines), machineId: node % machines };
  if (leaseBackend) {
    const couldRepeatIds = "processes of other users or machines, or with their own --machine-id or --store";
    return { ...fields, leasedFrom: "the state folder", couldRepeatIds };
  }
  const place = kind === "sqlite" ? "in another file" : "in another store";
  const couldRepeatIds = `services that lease ${place}, or with another --name than ${printable(name)}`;
  return { ...fields, leasedFrom: store.description, couldRepeatIds };
}

/** Returns the line for a person at a terminal: where to look at the service. */
function toOpen(url: string, hasConsole: boolean): string {
  const pages = hasConsole ? `${url}/ and ${url}/docs in a browser, ` : "";
  return `pages: ${pages}bitflake top ${url} in another terminal`;
}

/** Collects the start report of a started service. Returns a function that formats it: as JSON, or as lines of text. */
export async function createStartReport(
  service: Service,
  context: ServeContext,
  stores: ServeStores,
  generator: SnowflakeGenerator,
  { apiKeys, types = {} }: Pick<ServiceOptions, "apiKeys" | "types">,
): Promise<(url: string) => string> {
  const { values, isJson, io } = context;
  const { preset, host, rateLimit = null, rateWindowMs = 60_000 } = values;
  const node = await nodeReport(service, context, stores, generator);
  const { layout, epochMs, tickMs } = generator;
  const { description: store, backend } = stores.store;
  // The answer shows whether the store has a clock. If there is none now, the log reports the outage.
  await ping(backend, values.storeTimeoutMs).catch(() => {});
  const clock = clockOf(backend);
  const poolStore = stores.poolStore?.description ?? null;
  const keys = apiKeys?.length ?? 0;
  const names = Object.keys(types);
  const workers = values.workers === undefined ? null : await workerCount(context);
  if (isJson) {
    const limits = rateLimit === null ? null : { limit: rateLimit, windowMs: rateWindowMs };
    const facts = { node, layout: { preset, ...layout, epochMs, tickMs }, store, clock, poolStore };
    return (url) => JSON.stringify({ url, workers, ...facts, auth: { keys }, limits, types: names });
  }
  const { datacenterId, machineId, leasedFrom, couldRepeatIds } = node;
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = layout;
  const bits = [timestampBits, datacenterBits, machineBits, sequenceBits].join("·");
  const source = leasedFrom === null ? "as given" : `leased from ${leasedFrom}`;
  const clients = isLoopback(host) ? "every program on this machine" : "every client that reaches it";
  const limit =
    rateLimit === null ? "none" : `${rateLimit} requests per client in ${formatDuration(rateWindowMs)}`;
  const noClock = clock === "store" ? "" : ", which has no clock: limits and leases go by this machine's";
  return (url) =>
    [
      `listening on ${url}`,
      `node: datacenter ${datacenterId}, machine ${machineId}, ${source}; could be repeated by ${couldRepeatIds}`,
      ...(workers !== null && workers > 1
        ? [`workers: ${workers}, each with a node of its own; the first has this one`]
        : []),
      `layout: ${preset}, ${bits} bits, epoch ${new Date(epochMs).toISOString()}`,
      `store: ${store}${noClock}${poolStore === null ? "" : `, pools in ${poolStore}`}`,
      `auth: ${keys > 0 ? `API keys, ${keys} configured` : `none, ${clients} is accepted`}`,
      `limits: ${limit}`,
      `types: ${names.length > 0 ? names.map((name) => printable(name)).join(", ") : "none"}`,
      ...(io.stdout.isTTY ? [toOpen(url, !values.noConsole)] : []),
    ].join("\n");
}
