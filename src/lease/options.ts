// Options of leaseNode, and the settings that they are resolved to once.

import { MAX_TIMER_MS } from "../backend/call.ts";
import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import {
  ArgumentError,
  assertKnownOptions,
  assertObject,
  assertOneOf,
  assertWhole,
  defaults,
  type GeneratorOptions,
  mergeOptions,
  type PresetName,
  resolveGeneratorSettings,
  type Settings,
} from "../internal.ts";
import { makeNodeSpace } from "./nodeSpace.ts";
import type { LeaseTerms } from "./rule.ts";
import { makeLeaseTerms } from "./terms.ts";

/** The shortest lease. A garbage collection would end a shorter one. */
const MIN_TTL_MS = 100;

/** Options of a lease, beside those of its generator. All but `backend` are optional. */
export interface LeaseOptions extends Omit<GeneratorOptions, "machineId"> {
  /** The store of the leases, from `bitflake/backend`. On SQL, run `setup(backend)` once before. */
  readonly backend: Backend;
  /** Widths and options of the generator, as for `makeGenerator`. Default `"twitter"`: 1024 nodes. */
  readonly preset?: PresetName | GeneratorOptions | undefined;
  /** The namespace, 1 to 100 characters: IDs are unique among leases of one name. Default `"default"`. */
  readonly name?: string | undefined;
  /**
   * The namespace: IDs are unique among leases of one name.
   *
   * @deprecated Use {@link LeaseOptions.name}.
   */
  readonly namespace?: string | undefined;
  /** A name for this process in {@link inspect}, such as its host or pod. Default none. */
  readonly holder?: string | undefined;
  /**
   * How long a grant lasts, in milliseconds, at least 100. Default 30000. It is renewed after a second or `ttlMs` / 3,
   * whichever is less, and then every `ttlMs` / 3. IDs stop `ttlMs` after the last renewal, or up to `maxSkewMs`
   * later if the store's clock is ahead. So when the store fails, IDs go on for at least two thirds of `ttlMs`. A process that
   * crashed keeps its node until `ttlMs` after its last renewal.
   */
  readonly ttlMs?: number | undefined;
  /** How long to wait for a node when none can be granted, in milliseconds. Default 0. */
  readonly waitMs?: number | undefined;
  /** The largest difference between the clocks of this process and the store, in milliseconds. Default 5000. */
  readonly maxSkewMs?: number | undefined;
  /**
   * Whether new leases wait after the store may have lost grants. This is a waiting time, not a fencing token. Default
   * `true`: after a restart of Redis, a failover of Redis or PostgreSQL, or a restore that changes the store's history ID (not
   * one that puts rows or keys back in place), the store grants no node until all grants that it may have forgotten have ended,
   * for `ttlMs` + 2 × `maxSkewMs` (the largest of all holders; on a Redis that has lost the namespace, those of the request),
   * and 5 s more on a Redis that had replicas or was promoted. Other stores have no fence. A Redis that is cut off from its
   * replicas grants and renews no lease. Set `false` if the store never forgets what it has acknowledged.
   */
  readonly fence?: boolean | undefined;
  /**
   * What happens when the lease has ended without a release. Default `"throw"`: the generator throws
   * {@link LeaseExpiredError} for good. With `"reacquire"` it throws until a new lease is granted, of any node.
   */
  readonly onExpired?: "throw" | "reacquire" | undefined;
  /** Whether the generator is a `SharedGenerator`, for all threads of this process. Default `false`. */
  readonly threads?: boolean | undefined;
}

/** The names of the options that are not the generator's. */
const LEASE_OPTIONS = [
  "backend",
  "preset",
  "name",
  "namespace",
  "holder",
  "ttlMs",
  "waitMs",
  "maxSkewMs",
  "fence",
  "onExpired",
  "threads",
];

/** Settings of a lease: its options, validated and with defaults. */
export interface LeaseSettings {
  readonly backend: Backend;
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly reacquires: boolean;
  readonly isForThreads: boolean;
  readonly terms: LeaseTerms;
  readonly generatorSettings: Settings;
}

/** Resolves the options of a lease to its settings, and validates them. */
export function resolveLeaseSettings(options: LeaseOptions): LeaseSettings {
  const {
    backend,
    preset = "twitter",
    name,
    namespace,
    holder,
    ttlMs = 30_000,
    waitMs = 0,
    maxSkewMs = 5000,
    fence = true,
    onExpired = "throw",
    threads = false,
    ...overrides
  } = assertObject("options", options);
  for (const given of [
    overrides as GeneratorOptions,
    typeof preset === "object" ? (preset as GeneratorOptions) : {},
  ]) {
    if (given?.machineId === undefined) continue;
    throw new ArgumentError("machineId", "left out, because the lease decides it", given.machineId);
  }
  // `mergeOptions` refuses unknown options too, but its message would list only those of a generator.
  const optionNames = [...LEASE_OPTIONS, ...Object.keys(defaults())].filter((name) => name !== "machineId");
  assertKnownOptions(overrides, optionNames);
  const generatorSettings = resolveGeneratorSettings(mergeOptions(preset, overrides));
  const isDatacenterFixed = overrides.datacenterId !== undefined || Object(preset).datacenterId !== undefined;
  assertWhole("ttlMs", ttlMs, MIN_TTL_MS, MAX_TIMER_MS);
  assertWhole("maxSkewMs", maxSkewMs, 0, MAX_TIMER_MS);
  assertOneOf("onExpired", onExpired, ["throw", "reacquire"]);
  return {
    backend: assertBackend(backend),
    name: resolveName(name, namespace),
    holder: holder === undefined ? "" : assertName("holder", holder),
    ttlMs,
    waitMs: assertWhole("waitMs", waitMs, 0, MAX_TIMER_MS),
    reacquires: onExpired === "reacquire",
    isForThreads: assertOneOf("threads", threads, [true, false]),
    terms: makeLeaseTerms(makeNodeSpace(generatorSettings, isDatacenterFixed), {
      ttlMs,
      maxSkewMs,
      usesFence: assertOneOf("fence", fence, [true, false]),
    }),
    generatorSettings,
  };
}

/** Resolves the name from the option and its deprecated alias. */
function resolveName(name: unknown, namespace: unknown): string {
  if (name === undefined) return namespace === undefined ? "default" : assertName("namespace", namespace);
  if (namespace !== undefined && namespace !== name)
    throw new ArgumentError("namespace", "left out or the same as name", namespace);
  return assertName("name", name);
}
