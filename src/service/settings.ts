// The options of a service, validated once, with defaults.

import { assertName } from "../backend/names.ts";
import { type OnStoreError, resolveOnStoreError } from "../backend/onStoreError.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import {
  assertFunction,
  assertKnownOptions,
  assertObject,
  assertOneOf,
  assertWhole,
  type GeneratorOptions,
  mergeOptions,
  type PresetName,
  resolveGeneratorSettings,
} from "../internal.ts";
import { defineIdTypes, type NumericIdType } from "../numeric/index.ts";
import { RateLimit } from "../ratelimit/index.ts";
import { type ConfiguredKey, resolveApiKeys } from "./apiKeys.ts";
import { resolveCorsOrigins } from "./cors.ts";
import type { ServiceEvent, ServiceLogEntry, ServiceOptions } from "./options.ts";

const MAX_PROXIES = 100;

/** The largest `maxBodyBytes`: 256 MiB. */
const MAX_BODY = 2 ** 28;

const DEFAULT_WINDOW_MS = 60_000;

export interface RateLimitSettings {
  readonly limiter: RateLimit;
  readonly onStoreError: OnStoreError;
}

/** {@link ServiceOptions}, validated. */
export interface ServiceSettings {
  readonly backend: Backend;
  readonly poolBackend: Backend;
  readonly leaseBackend: Backend;
  readonly name: string;
  /** Layout and options of the Snowflake IDs. */
  readonly preset: PresetName | GeneratorOptions;
  /** The option `fence`. */
  readonly hasLeaseFence: boolean;
  /** The node's fields that were given. Without a machine ID, a node is leased. */
  readonly node: { readonly datacenterId?: number; readonly machineId?: number };
  /** The name of this process among the holders of leased nodes. */
  readonly holder: string | undefined;
  readonly types: Readonly<Record<string, NumericIdType>>;
  /** Empty if every client is authorized. */
  readonly apiKeys: readonly ConfiguredKey[];
  readonly rateLimit: RateLimitSettings | undefined;
  readonly proxies: number;
  /** The option `corsOrigins`. */
  readonly corsOrigins: ReadonlySet<string> | undefined;
  readonly maxBodyBytes: number;
  /** The option `setup`. */
  readonly createsTables: boolean;
  /** The option `console`. */
  readonly hasConsole: boolean;
  readonly log: ((entry: ServiceLogEntry) => void) | undefined;
  readonly onEvent: ((event: ServiceEvent) => void) | undefined;
}

const OPTION_NAMES = [
  "backend",
  "poolBackend",
  "leaseBackend",
  "name",
  "preset",
  "fence",
  "datacenterId",
  "machineId",
  "holder",
  "types",
  "apiKeys",
  "rateLimit",
  "proxies",
  "corsOrigins",
  "maxBodyBytes",
  "setup",
  "console",
  "log",
  "onEvent",
];

function resolveRateLimit(options: ServiceOptions): RateLimitSettings | undefined {
  const { backend, name = "service", rateLimit } = options;
  if (rateLimit === undefined) return undefined;
  for (const option of Object.keys(assertObject("rateLimit", rateLimit))) {
    if (option !== "onFailure")
      assertOneOf("a name in rateLimit", option, ["limit", "windowMs", "onStoreError"]);
  }
  const { limit, windowMs = DEFAULT_WINDOW_MS } = rateLimit;
  const onStoreError = resolveOnStoreError(rateLimit, ["closed", "open"]);
  return { limiter: new RateLimit({ backend, name, limit, windowMs, onStoreError }), onStoreError };
}

/** Asserts that the options are valid, and returns them with defaults. */
export function resolveServiceSettings(options: ServiceOptions): ServiceSettings {
  assertKnownOptions(options, OPTION_NAMES);
  const { backend, name = "service", preset = "twitter", types = {} } = options;
  const {
    poolBackend = backend,
    leaseBackend = backend,
    fence = true,
    datacenterId,
    machineId = Object(preset).machineId as number | undefined,
    holder,
    apiKeys,
    proxies = 0,
    corsOrigins,
    maxBodyBytes = 65_536,
    setup = true,
    console = true,
    log,
    onEvent,
  } = options;
  const node = {
    ...(datacenterId !== undefined && { datacenterId }),
    ...(machineId !== undefined && { machineId }),
  };
  resolveGeneratorSettings(mergeOptions(node, mergeOptions(preset)));
  if (log !== undefined) assertFunction("log", log);
  if (onEvent !== undefined) assertFunction("onEvent", onEvent);
  return {
    backend: assertBackend(backend),
    poolBackend: assertBackend(poolBackend),
    leaseBackend: assertBackend(leaseBackend),
    name: assertName("name", name),
    preset,
    hasLeaseFence: assertOneOf("fence", fence, [true, false]),
    node,
    holder: holder === undefined ? undefined : assertName("holder", holder),
    types: typeof types === "string" ? defineIdTypes(types) : defineIdTypes(types),
    apiKeys: resolveApiKeys(apiKeys),
    rateLimit: resolveRateLimit(options),
    proxies: assertWhole("proxies", proxies, 0, MAX_PROXIES),
    corsOrigins: resolveCorsOrigins(corsOrigins),
    maxBodyBytes: assertWhole("maxBodyBytes", maxBodyBytes, 0, MAX_BODY),
    createsTables: assertOneOf("setup", setup, [true, false]),
    hasConsole: assertOneOf("console", console, [true, false]),
    log,
    onEvent,
  };
}
