// What a service is set up with, validated once.

import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  assertObject,
  assertOneOf,
  assertWhole,
  compileSettings,
  type GeneratorOptions,
  mergeOptions,
  type Preset,
  type PresetName,
} from "../internal.ts";
import { defineIdTypes, type NumericIdType } from "../numeric/index.ts";
import { RateLimit } from "../ratelimit/index.ts";
import type {
  ServiceApiKey,
  ServiceEvent,
  ServiceLogEntry,
  ServiceOptions,
  ServiceScope,
} from "./options.ts";

/** The most proxies that one goes through. */
const MAX_PROXIES = 100;

/** The largest body that may be allowed. */
const MAX_BODY = 2 ** 28;

/** The window of a rate limit that says none. */
const MINUTE = 60_000;

/** Everything that an API key can be for. */
export const SCOPES: readonly ServiceScope[] = ["issue", "watch"];

/** An API key, and the client that has it. */
export interface ConfiguredKey {
  readonly key: string;
  /** Missing for a key that was given without a name. */
  readonly name: string | undefined;
  readonly scopes: ReadonlySet<ServiceScope>;
}

/** The same, with defaults. */
export interface ServiceSettings {
  readonly backend: Backend;
  readonly poolBackend: Backend;
  readonly leaseBackend: Backend;
  readonly name: string;
  /** Widths and options of the Snowflake IDs. */
  readonly preset: PresetName | Preset | GeneratorOptions;
  /** Whether a store that may have forgotten leases grants no node for a while. */
  readonly fencesLeases: boolean;
  /** The node's fields where they are given; otherwise a node is leased. */
  readonly node: { readonly datacenterId?: number; readonly machineId?: number };
  readonly types: Readonly<Record<string, NumericIdType>>;
  readonly apiKeys: readonly ConfiguredKey[];
  readonly limiter: RateLimit | undefined;
  /** Whether requests pass while the store cannot count them. */
  readonly allowsOnStoreError: boolean;
  readonly proxies: number;
  readonly maxBodyBytes: number;
  readonly createsTables: boolean;
  readonly log: ((entry: ServiceLogEntry) => void) | undefined;
  readonly onEvent: ((event: ServiceEvent) => void) | undefined;
}

/** The names of the options. */
const NAMES = [
  "backend",
  "poolBackend",
  "leaseBackend",
  "name",
  "preset",
  "fence",
  "datacenterId",
  "machineId",
  "types",
  "apiKeys",
  "rateLimit",
  "proxies",
  "maxBodyBytes",
  "setup",
  "log",
  "onEvent",
];

/** What a key is called in an error: never shown, not even a wrong one. */
function describeWithoutValue(key: unknown): unknown {
  return typeof key === "string" ? `[a text of ${key.length} characters]` : typeof key;
}

/** Asserts that API keys are long enough not to be guessed, that none comes twice, and that clients have names. */
function resolveApiKeys(apiKeys: ServiceOptions["apiKeys"]): readonly ConfiguredKey[] {
  if (apiKeys === undefined) return [];
  if (!Array.isArray(apiKeys)) throw new ArgumentError("apiKeys", "an array", describeWithoutValue(apiKeys));
  const entries: readonly unknown[] = apiKeys;
  // A list that came out empty by mistake would let anyone in.
  if (entries.length === 0) {
    const rule = "an array of at least one key; leave it out if anyone may ask";
    throw new ArgumentError("apiKeys", rule, "an empty array");
  }
  const known: ConfiguredKey[] = [];
  const add = (field: string, key: unknown, name: string | undefined, scopes: readonly ServiceScope[]) => {
    if (typeof key !== "string" || !/^[\x21-\x7e]{16,255}$/.test(key)) {
      throw new ArgumentError(field, "16 to 255 characters of visible ASCII", describeWithoutValue(key));
    }
    if (known.some((other) => other.key === key)) {
      throw new ArgumentError(field, "another one than before it", describeWithoutValue(key));
    }
    known.push({ key, name, scopes: new Set(scopes) });
  };
  for (const [at, entry] of entries.entries()) {
    const field = `apiKeys[${at}]`;
    if (typeof entry !== "object" || entry === null) {
      add(field, entry, undefined, SCOPES);
      continue;
    }
    // What else it has is not shown either: it may be { [key]: name }, which is a key too.
    if (Object.keys(entry).some((option) => !["name", "keys", "scopes"].includes(option))) {
      throw new ArgumentError(field, "a key, or an object of name, keys and scopes", "[an object]");
    }
    const { name, keys, scopes = SCOPES } = entry as Partial<ServiceApiKey>;
    const client = assertName(`${field}.name`, name);
    if (known.some((other) => other.name === client)) {
      throw new ArgumentError(`${field}.name`, "another one than before it", client);
    }
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new ArgumentError(`${field}.keys`, "an array of at least one key", describeWithoutValue(keys));
    }
    if (!Array.isArray(scopes) || scopes.length === 0) {
      throw new ArgumentError(`${field}.scopes`, "an array of at least one scope", scopes);
    }
    for (const scope of scopes) assertOneOf(`${field}.scopes`, scope, SCOPES);
    for (const [i, key] of keys.entries()) add(`${field}.keys[${i}]`, key, client, scopes);
  }
  return known;
}

function createLimiter({ backend, name = "service", rateLimit }: ServiceOptions): RateLimit | undefined {
  if (rateLimit === undefined) return undefined;
  for (const option of Object.keys(assertObject("rateLimit", rateLimit))) {
    assertOneOf("a name in rateLimit", option, ["limit", "windowMs", "onFailure"]);
  }
  const { limit, windowMs = MINUTE, onFailure = "closed" } = rateLimit;
  return new RateLimit({ backend, name, limit, windowMs, onFailure });
}

/** Validates the options. */
export function resolveServiceSettings(options: ServiceOptions): ServiceSettings {
  assertKnownOptions(options, NAMES);
  const { backend, name = "service", preset = "twitter", types = {} } = options;
  const {
    poolBackend = backend,
    leaseBackend = backend,
    fence = true,
    datacenterId,
    machineId = Object(preset).machineId as number | undefined,
    apiKeys,
    proxies = 0,
    maxBodyBytes = 65_536,
    setup = true,
    log,
    onEvent,
  } = options;
  const node = {
    ...(datacenterId !== undefined && { datacenterId }),
    ...(machineId !== undefined && { machineId }),
  };
  compileSettings(mergeOptions(node, mergeOptions(preset)));
  if (log !== undefined) assertFunction("log", log);
  if (onEvent !== undefined) assertFunction("onEvent", onEvent);
  return {
    backend: assertBackend(backend),
    poolBackend: assertBackend(poolBackend),
    leaseBackend: assertBackend(leaseBackend),
    name: assertName("name", name),
    preset,
    fencesLeases: assertOneOf("fence", fence, [true, false]),
    node,
    types: typeof types === "string" ? defineIdTypes(types) : defineIdTypes(types),
    apiKeys: resolveApiKeys(apiKeys),
    limiter: createLimiter(options),
    allowsOnStoreError: options.rateLimit?.onFailure === "open",
    proxies: assertWhole("proxies", proxies, 0, MAX_PROXIES),
    maxBodyBytes: assertWhole("maxBodyBytes", maxBodyBytes, 0, MAX_BODY),
    createsTables: assertOneOf("setup", setup, [true, false]),
    log,
    onEvent,
  };
}
