// What a service is set up with, validated once.

import type { Backend } from "../backend/ports.ts";
import { aBackend, aFunction, named, onlyKnown } from "../backend/settings.ts";
import {
  ArgumentError,
  anObject,
  compileSettings,
  type GeneratorOptions,
  gather,
  oneOf,
  type Preset,
  type PresetName,
  whole,
} from "../core.ts";
import { defineIdTypes, type NumericIdType } from "../numeric/index.ts";
import { RateLimit } from "../ratelimit/index.ts";
import type { ServiceLogEntry, ServiceOptions } from "./options.ts";

/** The most proxies that one goes through. */
const MAX_PROXIES = 100;

/** The largest body that may be allowed. */
const MAX_BODY = 2 ** 28;

/** The window of a rate limit that says none. */
const MINUTE = 60_000;

/** The same, with defaults. */
export interface Settings {
  readonly backend: Backend;
  readonly poolBackend: Backend;
  readonly leaseBackend: Backend;
  readonly name: string;
  /** Widths and options of the Snowflake IDs. */
  readonly preset: PresetName | Preset | GeneratorOptions;
  /** The node's fields where they are given; otherwise a node is leased. */
  readonly node: { readonly datacenterId?: number; readonly machineId?: number };
  readonly types: Readonly<Record<string, NumericIdType>>;
  readonly apiKeys: readonly string[];
  readonly limiter: RateLimit | undefined;
  readonly proxies: number;
  readonly maxBodyBytes: number;
  readonly isSetUp: boolean;
  readonly log: ((entry: ServiceLogEntry) => void) | undefined;
}

/** The names of the options. */
const NAMES = [
  "backend",
  "poolBackend",
  "leaseBackend",
  "name",
  "preset",
  "datacenterId",
  "machineId",
  "types",
  "apiKeys",
  "rateLimit",
  "proxies",
  "maxBodyBytes",
  "setup",
  "log",
];

/** Lets through keys that are long enough not to be guessed, and none of them twice. */
function keysOf(apiKeys: readonly string[]): readonly string[] {
  // A key is never shown, not even a wrong one, or several as one text.
  if (!Array.isArray(apiKeys)) throw new ArgumentError("apiKeys", "an array of texts", typeof apiKeys);
  for (const [at, key] of apiKeys.entries()) {
    const shown = typeof key === "string" ? `[a text of ${key.length} characters]` : key;
    if (typeof key !== "string" || !/^[\x21-\x7e]{16,255}$/.test(key)) {
      throw new ArgumentError(`apiKeys[${at}]`, "16 to 255 characters of visible ASCII", shown);
    }
    if (apiKeys.indexOf(key) < at)
      throw new ArgumentError(`apiKeys[${at}]`, "another one than before it", shown);
  }
  return [...apiKeys];
}

function limiterOf({ backend, name = "service", rateLimit }: ServiceOptions): RateLimit | undefined {
  if (rateLimit === undefined) return undefined;
  for (const option of Object.keys(anObject("rateLimit", rateLimit))) {
    oneOf("a name in rateLimit", option, ["limit", "windowMs", "onFailure"]);
  }
  const { limit, windowMs = MINUTE, onFailure = "closed" } = rateLimit;
  return new RateLimit({ backend, name, limit, windowMs, onFailure });
}

/** Validates the options. */
export function settingsOf(options: ServiceOptions): Settings {
  onlyKnown(options, NAMES);
  const { backend, name = "service", preset = "twitter", types = {} } = options;
  const {
    poolBackend = backend,
    leaseBackend = backend,
    datacenterId,
    machineId = Object(preset).machineId as number | undefined,
    apiKeys = [],
    proxies = 0,
    maxBodyBytes = 65_536,
    setup = true,
    log,
  } = options;
  const node = {
    ...(datacenterId !== undefined && { datacenterId }),
    ...(machineId !== undefined && { machineId }),
  };
  compileSettings(gather(node, gather(preset)));
  if (log !== undefined) aFunction("log", log);
  return {
    backend: aBackend(backend),
    poolBackend: aBackend(poolBackend),
    leaseBackend: aBackend(leaseBackend),
    name: named("name", name),
    preset,
    node,
    types: typeof types === "string" ? defineIdTypes(types) : defineIdTypes(types),
    apiKeys: keysOf(apiKeys),
    limiter: limiterOf(options),
    proxies: whole("proxies", proxies, 0, MAX_PROXIES),
    maxBodyBytes: whole("maxBodyBytes", maxBodyBytes, 0, MAX_BODY),
    isSetUp: oneOf("setup", setup, [true, false]),
    log,
  };
}
