// The options of the service, from the settings of `bitflake serve`.

import { type GeneratorOptions, PRESETS } from "../../internal.ts";
import type { ServiceOptions } from "../../service/index.ts";
import { UsageError } from "../errors.ts";
import { readTypesFile } from "../flags/idTypeFlags.ts";
import { nodeModule, pathFrom } from "../io.ts";
import { createLog, resolveLogFormat } from "./log.ts";
import type { ServeContext, ServeStores } from "./stores.ts";

/** Returns the generator options of the settings. */
export function generatorOptions({ values: { preset, epochMs } }: ServeContext): GeneratorOptions {
  // Without --epoch-ms, a platform's preset keeps its own epoch.
  return { ...PRESETS[preset], ...(epochMs === undefined ? {} : { epochMs }) };
}

/** Returns the types of numeric IDs: of a file, or of the configuration file. */
export async function readTypes({ values, sources, io }: ServeContext): Promise<ServiceOptions["types"]> {
  const { types, config } = values;
  if (types === undefined) return undefined;
  if (types.path === undefined) return types.content as ServiceOptions["types"];
  const source = String(sources["types"]);
  const isInFile = config !== undefined && source === `types in ${config}`;
  // A path in the configuration file is relative to that file.
  const { dirname } = await nodeModule(io, "node:path");
  const path = isInFile ? await pathFrom(io, types.path, dirname(config)) : types.path;
  return Object.fromEntries(
    Object.entries(await readTypesFile(io, source, path)).map(([name, { length, rules }]) => [
      name,
      { length, rules },
    ]),
  );
}

/**
 * Returns the rate limit of the settings.
 *
 * @throws {@link UsageError} for a setting of a limit that is not set
 */
function rateLimitOf({ values, sources }: ServeContext): ServiceOptions["rateLimit"] {
  const { rateLimit: limit, rateWindowMs: windowMs, rateLimitOnStoreError: onStoreError } = values;
  if (limit !== undefined) return { limit, windowMs, onStoreError };
  for (const name of ["rateWindowMs", "rateLimitOnStoreError"] as const) {
    if (values[name] !== undefined) throw new UsageError(`${sources[name]} requires --rate-limit`);
  }
  return undefined;
}

/** Returns the name of this process among the holders of leased nodes: the machine's, or the pod's, and the process ID. */
export async function holderOf({ io }: ServeContext): Promise<string> {
  const { hostname } = await nodeModule(io, "node:os");
  const { pid } = (await nodeModule(io, "node:process")).default;
  // A lease refuses other characters in the name of its holder.
  return `${hostname()
    .replace(/[^\w.-]/g, "-")
    .slice(0, 80)} ${pid}`;
}

/**
 * Returns the options of the service.
 *
 * @param holder the name of this process among the holders of leased nodes
 * @param isStartReported returns whether the start report is complete
 */
export function serviceOptions(
  context: ServeContext,
  types: ServiceOptions["types"],
  holder: string,
  { store, poolStore, leaseBackend }: ServeStores,
  isStartReported: () => boolean,
): ServiceOptions {
  const { values, isJson, io } = context;
  const { name, noFence, noConsole, datacenterId, machineId, apiKeys, proxies, corsOrigins, maxBodyBytes } =
    values;
  const write = createLog(resolveLogFormat(values.log, isJson, io), io);
  return {
    backend: store.backend,
    poolBackend: poolStore?.backend,
    leaseBackend,
    fence: !noFence,
    console: !noConsole,
    name,
    preset: generatorOptions(context),
    datacenterId,
    machineId,
    holder,
    types,
    apiKeys: apiKeys as ServiceOptions["apiKeys"], // The service validates the objects.
    rateLimit: rateLimitOf(context),
    proxies,
    corsOrigins: corsOrigins as ServiceOptions["corsOrigins"], // The service validates the origins.
    maxBodyBytes,
    onEvent: write,
    // Before the start report is complete, the only request is its own, to /health for the node. That one is not logged.
    log: write && ((entry) => (isStartReported() || entry.route !== "/health" ? write(entry) : undefined)),
  };
}
