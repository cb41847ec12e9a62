// bitflake serve: IDs over HTTP, until somebody stops it.

import { type GeneratorOptions, PRESETS } from "../core.ts";
import type { Service, ServiceOptions } from "../service/index.ts";
import { type Command, define } from "./command.ts";
import { Failure, UsageError } from "./failure.ts";
import { readTypes } from "./numericType.ts";
import { logOf } from "./serveLog.ts";
import { SERVE_SETTINGS } from "./serveSettings.ts";
import { openStores, type ServeCall } from "./serveStores.ts";
import type { OpenStore, StoreKind } from "./store.ts";
import { nodeModule, pathFrom, type World } from "./world.ts";

/** The service, which only this command loads. */
function serviceModule(): Promise<typeof import("../service/index.ts")> {
  return import("../service/index.ts");
}

/** What stores of this process alone mean. */
const MEANS = {
  sqlite: "kept in this file, on this machine",
  memory: "gone when the service ends, and shared with no other process",
} as const;

/** Tells whoever started it something. */
async function note(world: World, isJson: boolean, kind: "note" | "warning", text: string): Promise<void> {
  const line = isJson ? JSON.stringify({ [kind]: text }) : `${kind}: ${text}`;
  await world.stderr.write(`${line}\n`).catch(() => {});
}

/** The types that the service was told, by a file or at once. */
async function typesOf({ values, sources, world }: ServeCall): Promise<ServiceOptions["types"]> {
  const { types, config } = values;
  if (types === undefined) return undefined;
  if (types.path === undefined) return types.content as ServiceOptions["types"];
  const source = String(sources["types"]);
  const isInFile = config !== undefined && source === `types in ${config}`;
  // A path in a file is meant from where the file is.
  const { dirname } = await nodeModule(world, "node:path");
  const path = isInFile ? await pathFrom(world, types.path, dirname(config)) : types.path;
  return Object.fromEntries(
    Object.entries(await readTypes(world, source, path)).map(([name, { length, rules }]) => [
      name,
      { length, rules },
    ]),
  );
}

/** Whether only this machine can reach an address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Says what whoever started it may not expect: where things are kept, and who may ask. */
async function introduce(
  { values, isJson, world }: ServeCall,
  kind: StoreKind,
  store: OpenStore,
): Promise<void> {
  const { host, apiKeys } = values;
  if (kind === "sqlite" || kind === "memory") {
    await note(world, isJson, "note", `the store is ${store.description.replace(/:$/, "")}: ${MEANS[kind]}`);
  }
  if (!apiKeys?.length && !isLoopback(host)) {
    await note(world, isJson, "warning", `${host} is open to others, and without apiKeys anyone may ask`);
  }
}

/** The options of the service, from the settings of the command. */
function optionsOf(
  { values, sources, isJson, world }: ServeCall,
  types: ServiceOptions["types"],
  store: OpenStore,
  poolStore: OpenStore | undefined,
): ServiceOptions {
  const { name, datacenterId, machineId, apiKeys, proxies, maxBodyBytes, preset, epochMs } = values;
  // Without an epoch of the user's, that of the preset stands, if it has one.
  const layout: GeneratorOptions = { ...PRESETS[preset], ...(epochMs === undefined ? {} : { epochMs }) };
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
  const log = logOf(values.log ?? (world.stderr.isTTY && !isJson ? "text" : "json"), world);
  return {
    backend: store.backend,
    poolBackend: poolStore?.backend,
    name,
    preset: layout,
    datacenterId,
    machineId,
    types,
    apiKeys,
    rateLimit,
    proxies,
    maxBodyBytes,
    log,
  };
}

/** Serves until it is stopped. */
async function serveOn(
  service: Service,
  { values, isJson, world }: ServeCall,
  store: OpenStore,
): Promise<void> {
  const signal = world.stopSignal();
  await service.start();
  if (signal.aborted) return;
  const { listen } = await serviceModule();
  const { host, port } = values;
  const { url, close } = await listen(service, { host, port }).catch((error) => {
    if (error?.code !== "EADDRINUSE") throw error;
    throw new Failure("ERR_LISTEN", `${host}:${port} is in use by another; take another port`, {
      cause: error,
    });
  });
  try {
    const text = isJson ? JSON.stringify({ url, store: store.description }) : `listening on ${url}`;
    await world.stdout.write(`${text}\n`);
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener("abort", stop, { once: true }));
  } finally {
    await close();
  }
}

export const serve: Command = define({
  words: "serve",
  summary: "Serves IDs over HTTP: Snowflakes, counters, pools.",
  notes: [
    "Without a store it keeps what it must remember in bitflake.db in this folder, or in memory where the runtime has no SQLite, and says which. A flag wins over a variable, a variable over the file, the file over the default. The variables of the other commands, FLAKEID_..., say nothing to it.",
    "SIGINT or SIGTERM ends it in order, with exit code 0: requests under way are answered, and the node is given back. A second one ends it at once, by the signal itself.",
  ],
  flags: SERVE_SETTINGS,
  examples: [
    { run: "bitflake serve" },
    { run: "bitflake serve --store $REDIS_URL --port 8080 --log json" },
    { run: "bitflake serve --config bitflake.json" },
  ],
  async run(call) {
    const types = await typesOf(call);
    const { kind, store, poolStore, close } = await openStores(call, types !== undefined);
    try {
      await introduce(call, kind, store);
      const { createService } = await serviceModule();
      const service = createService(optionsOf(call, types, store, poolStore));
      try {
        await serveOn(service, call, store);
      } finally {
        await service.stop();
      }
      return 0;
    } finally {
      await close();
    }
  },
});
