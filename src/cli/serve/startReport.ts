// What a service says of itself when it starts: where it is, what it works with, and what would repeat its IDs.

import type { SnowflakeGenerator } from "../../internal.ts";
import type { Service, ServiceOptions } from "../../service/index.ts";
import { isLoopback } from "../../service/loopbackGuard.ts";
import { printable } from "../terminal/color.ts";
import type { ServeContext, ServeStores } from "./stores.ts";

/** The node of a service. */
interface NodeReport {
  readonly datacenterId: number;
  readonly machineId: number;
  /** Where it is leased; `null` if the user gave it. */
  readonly leasedFrom: string | null;
  /** Which other service would have the same. */
  readonly twins: string;
}

/** Asks a service that has started for the number of the node that it has leased. */
async function leasedNode(service: Service): Promise<number | undefined> {
  const response = await service(new Request("http://localhost/health"));
  const { lease } = (await response.json()) as { lease?: { node?: number } | null };
  return lease?.node;
}

/** Returns what is known of the node. */
async function nodeReport(
  service: Service,
  { values }: ServeContext,
  { kind, store, leaseBackend }: ServeStores,
  { layout }: SnowflakeGenerator,
): Promise<NodeReport> {
  const { machineId, datacenterId = 0, name } = values;
  if (machineId !== undefined) {
    return { datacenterId, machineId, leasedFrom: null, twins: "any other process with this node" };
  }
  const node = (await leasedNode(service)) ?? 0;
  const machines = 2 ** layout.machineBits;
  const fields = { datacenterId: Math.floor(node / machines), machineId: node % machines };
  if (leaseBackend) {
    const twins = "a process of another user or machine, or one that was given a node or a store";
    return { ...fields, leasedFrom: "the state folder", twins };
  }
  const place = kind === "sqlite" ? "in another file" : "in another store";
  const twins = `a service that leases ${place}, or has another --name than ${printable(name)}`;
  return { ...fields, leasedFrom: store.description, twins };
}

/** Collects what the start says of a service that has started. Returns what writes it: as text, a line each. */
export async function createStartReport(
  service: Service,
  call: ServeContext,
  stores: ServeStores,
  generator: SnowflakeGenerator,
  { apiKeys, types = {} }: Pick<ServiceOptions, "apiKeys" | "types">,
): Promise<(url: string) => string> {
  const { values, isJson } = call;
  const { preset, host, rateLimit = null, rateWindowMs = 60_000 } = values;
  const node = await nodeReport(service, call, stores, generator);
  const { layout, epochMs, tickMs } = generator;
  const store = stores.store.description;
  const poolStore = stores.poolStore?.description ?? null;
  const keys = apiKeys?.length ?? 0;
  const names = Object.keys(types);
  if (isJson) {
    const limits = rateLimit === null ? null : { limit: rateLimit, windowMs: rateWindowMs };
    const facts = { node, layout: { preset, ...layout, epochMs, tickMs }, store, poolStore };
    return (url) => JSON.stringify({ url, ...facts, auth: { keys }, limits, types: names });
  }
  const { datacenterId, machineId, leasedFrom, twins } = node;
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = layout;
  const bits = [timestampBits, datacenterBits, machineBits, sequenceBits].join("·");
  const source = leasedFrom === null ? "as given" : `leased from ${leasedFrom}`;
  const anyone = isLoopback(host) ? "any program on this machine" : "anyone who reaches it";
  return (url) =>
    [
      `listening on ${url}`,
      `node: datacenter ${datacenterId}, machine ${machineId}, ${source}; what could repeat its IDs: ${twins}`,
      `layout: ${preset}, ${bits} bits, epoch ${new Date(epochMs).toISOString()}`,
      `store: ${store}${poolStore === null ? "" : `, pools in ${poolStore}`}`,
      `auth: ${keys > 0 ? `API keys, ${keys} of them` : `none, ${anyone} may ask`}`,
      `limits: ${rateLimit === null ? "none" : `${rateLimit} requests a client in ${rateWindowMs} ms`}`,
      `types: ${names.length > 0 ? names.map(printable).join(", ") : "none"}`,
    ].join("\n");
}
