// bitflake serve: IDs over HTTP, until somebody stops it.

import { type GeneratorOptions, makeGenerator, PRESETS, type SnowflakeGenerator } from "../../internal.ts";
import type * as ServiceModule from "../../service/index.ts";
import type { Service, ServiceOptions } from "../../service/index.ts";
import { isLoopback } from "../../service/loopbackGuard.ts";
import { type Command, defineCommand } from "../defineCommand.ts";
import { CommandError, UsageError } from "../errors.ts";
import { readTypesFile } from "../flags/idTypeFlags.ts";
import { nodeModule, pathFrom } from "../io.ts";
import { createLog, resolveLogFormat } from "../serve/log.ts";
import { SERVE_SETTINGS } from "../serve/settings.ts";
import { createStartReport } from "../serve/startReport.ts";
import { openStores, type ServeContext, type ServeStores } from "../serve/stores.ts";

/** The service, which only this command loads. */
function loadService(): Promise<typeof ServiceModule> {
  return import("../../service/index.ts");
}

/** Warns the user. */
async function warn({ values, isJson, io }: ServeContext, text: string): Promise<void> {
  // It stands among the lines of the log, so it has their form.
  const line =
    isJson || resolveLogFormat(values.log, isJson, io) === "json"
      ? JSON.stringify({ warning: text })
      : `warning: ${text}`;
  await io.stderr.write(`${line}\n`).catch(() => {});
}

/** The types that the service was told, by a file or at once. */
async function readTypes({ values, sources, io }: ServeContext): Promise<ServiceOptions["types"]> {
  const { types, config } = values;
  if (types === undefined) return undefined;
  if (types.path === undefined) return types.content as ServiceOptions["types"];
  const source = String(sources["types"]);
  const isInFile = config !== undefined && source === `types in ${config}`;
  // A path in a file is meant from where the file is.
  const { dirname } = await nodeModule(io, "node:path");
  const path = isInFile ? await pathFrom(io, types.path, dirname(config)) : types.path;
  return Object.fromEntries(
    Object.entries(await readTypesFile(io, source, path)).map(([name, { length, rules }]) => [
      name,
      { length, rules },
    ]),
  );
}

/** Refuses a service that others reach, unless they need a key or the user says that anyone may ask. */
function assertProtected({ values, sources }: ServeContext): void {
  const { host, apiKeys, public: isPublic } = values;
  if (apiKeys || isPublic || isLoopback(host)) return;
  throw new UsageError(
    `${sources["host"]} ${host} is reached by others: set BITFLAKE_API_KEYS, or --public if anyone may ask`,
  );
}

/** The generator options that the settings name. */
function layoutOptions({ values: { preset, epochMs } }: ServeContext): GeneratorOptions {
  // Without an epoch of the user's, that of the preset stands, if it has one.
  return { ...PRESETS[preset], ...(epochMs === undefined ? {} : { epochMs }) };
}

/** The options of the service, from the settings of the command. */
function serviceOptions(
  call: ServeContext,
  types: ServiceOptions["types"],
  { store, poolStore, leaseBackend }: ServeStores,
  isListening: () => boolean,
): ServiceOptions {
  const { values, sources, isJson, io } = call;
  const { name, noFence, datacenterId, machineId, apiKeys, proxies, maxBodyBytes } = values;
  const rateLimit =
    values.rateLimit === undefined
      ? undefined
      : {
          limit: values.rateLimit,
          windowMs: values.rateWindowMs,
          onFailure: values.onRateFailure,
        };
  for (const name of ["rateWindowMs", "onRateFailure"] as const) {
    if (rateLimit || values[name] === undefined) continue;
    throw new UsageError(`${sources[name]} says something of a rate limit, and there is none`);
  }
  const write = createLog(resolveLogFormat(values.log, isJson, io), io);
  return {
    backend: store.backend,
    poolBackend: poolStore?.backend,
    leaseBackend,
    fence: !noFence,
    name,
    preset: layoutOptions(call),
    datacenterId,
    machineId,
    types,
    apiKeys: apiKeys as ServiceOptions["apiKeys"], // What is in objects, the service looks at.
    rateLimit,
    proxies,
    maxBodyBytes,
    onEvent: write,
    // Before it listens, the only request is the one by which this command learns the node.
    log: write && ((entry) => (isListening() || entry.route !== "/health" ? write(entry) : undefined)),
  };
}

/** Serves until it is stopped. */
async function serveUntilStopped(
  service: Service,
  call: ServeContext,
  stores: ServeStores,
  generator: SnowflakeGenerator,
  options: ServiceOptions,
  onListening: () => void,
): Promise<void> {
  const { values, io } = call;
  const signal = io.stopSignal();
  // A start that waits for a node gives up.
  const giveUp = () => void service.stop();
  signal.addEventListener("abort", giveUp);
  try {
    await service.start();
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  if (signal.aborted) return;
  const facts = await createStartReport(service, call, stores, generator, options);
  onListening();
  const { listen } = await loadService();
  const { host, port, allowedHosts, keepAliveTimeoutMs, headersTimeoutMs } = values;
  const { requestTimeoutMs, maxConnections, lameDuckMs } = values;
  const limits = { keepAliveTimeoutMs, headersTimeoutMs, requestTimeoutMs, maxConnections };
  const { url, close } = await listen(service, { host, port, allowedHosts, ...limits }).catch((error) => {
    if (error?.code !== "EADDRINUSE") throw error;
    throw new CommandError("ERR_LISTEN", `${host}:${port} is in use by another; take another port`, {
      cause: error,
    });
  });
  try {
    await io.stdout.write(`${facts(url)}\n`);
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener("abort", stop, { once: true }));
    await service.drain(lameDuckMs);
  } finally {
    await close();
  }
}

/** Warns of other pods, which this one knows nothing of. */
async function warnAboutPods(call: ServeContext, { kind }: ServeStores): Promise<void> {
  const { values, io } = call;
  if (!io.env["KUBERNETES_SERVICE_HOST"] || values.machineId !== undefined) return;
  if (kind === "redis" || kind === "postgres") return;
  await warn(
    call,
    "the service of another pod would repeat these IDs: name a --store that all of them share, or a --machine-id for each",
  );
}

/** Warns of what a store in memory forgets, where nobody asked for one. */
async function warnAboutMemory(call: ServeContext, { kind }: ServeStores, hasPools: boolean): Promise<void> {
  const { store, poolStore } = call.values;
  if (store !== undefined || kind !== "memory") return;
  const pools =
    hasPools && poolStore === undefined ? " and numeric IDs that were issued are issued again" : "";
  await warn(
    call,
    `this runtime has no SQLite, so all but the node is kept in memory: when the service ends, counters begin at 1 again${pools && `,${pools}`}. Other services on this machine do the same. Use Node 22.13 or later, install better-sqlite3, or name a --store`,
  );
}

export const serveCommand: Command = defineCommand({
  name: "serve",
  summary: "Serves IDs over HTTP: Snowflakes, counters, pools.",
  notes: [
    "Without a store it keeps what it must remember in bitflake.db: in this folder if that file is there, otherwise in a folder of this user, which all of the user's services share. Where the runtime has no SQLite, all but the node is kept in memory. A flag wins over a variable, a variable over the file, the file over the default. The variables of the other commands, FLAKEID_..., say nothing to it.",
    "SIGINT, SIGTERM or SIGHUP ends it in order, with exit code 0: for --lame-duck-ms the health route says that it is stopping while requests are served, then requests under way are answered, and the node is given back. A second one ends it at once, by the signal itself.",
  ],
  flags: SERVE_SETTINGS,
  examples: [
    { run: "bitflake serve" },
    { run: "bitflake serve --store $REDIS_URL --port 8080 --log json" },
    { run: "bitflake serve --config bitflake.json" },
  ],
  async run(call) {
    assertProtected(call);
    const types = await readTypes(call);
    // For its layout alone: no ID is made with this node.
    const generator = makeGenerator(layoutOptions(call), { machineId: 0 });
    const stores = await openStores(call, types !== undefined, generator);
    try {
      await warnAboutMemory(call, stores, types !== undefined);
      await warnAboutPods(call, stores);
      const { createService } = await loadService();
      let isListening = false;
      const options = serviceOptions(call, types, stores, () => isListening);
      const service = createService(options);
      try {
        await serveUntilStopped(service, call, stores, generator, options, () => {
          isListening = true;
        });
      } finally {
        await service.stop();
      }
      return 0;
    } finally {
      await stores.close();
    }
  },
});
