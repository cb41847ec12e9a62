// What leaseNode takes, validated once, as the plan that a lease goes by.

import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import {
  ArgumentError,
  assertKnownOptions,
  assertObject,
  assertOneOf,
  assertWhole,
  compileSettings,
  defaults,
  type GeneratorOptions,
  mergeOptions,
  type PresetName,
  type Settings,
} from "../internal.ts";
import { makeNodeSpace } from "./nodeSpace.ts";
import type { NodeSpace } from "./rule.ts";

/** The shortest lease: below it, a pause for garbage would end it. */
const MIN_TTL = 100;

/** The longest timer there is, in every runtime. */
const MAX_TIMER = 2 ** 31 - 1;

/** Options of a lease, beside those of its generator. Each may be left out but `backend`. */
export interface LeaseOptions extends Omit<GeneratorOptions, "machineId"> {
  /** Where leases are kept: a port of `bitflake/backend`. On SQL, run `setup(backend)` once before. */
  readonly backend: Backend;
  /** Widths and options of the generator, as for `makeGenerator`. Default `"twitter"`: 1024 nodes. */
  readonly preset?: PresetName | GeneratorOptions | undefined;
  /** What the IDs must be unique in: 1 to 100 characters. Default `"default"`. */
  readonly namespace?: string | undefined;
  /** A name for this process, for {@link inspect}: of its host or pod, say. Default none. */
  readonly holder?: string | undefined;
  /**
   * How long a grant lasts, in milliseconds, from 100 on. Default 30000. It is renewed each third of that; this is how
   * long the store may be away before IDs stop, and how long the node of a process that crashed stays taken.
   */
  readonly ttlMs?: number | undefined;
  /** How long to wait for a node when all are taken or none is granted yet, in milliseconds. Default 0. */
  readonly waitMs?: number | undefined;
  /** How far the clocks of this process and the store may be apart, in milliseconds. Default 5000. */
  readonly maxSkewMs?: number | undefined;
  /**
   * Whether the store may have forgotten grants when it has restarted or failed over. Default `true`: then no node is
   * granted until all that may be forgotten has ended, `ttlMs` + 2 × `maxSkewMs` later, and a Redis that is cut off from
   * its replicas renews no lease. Set `false` if the store never forgets what it has acknowledged.
   */
  readonly fence?: boolean | undefined;
  /**
   * What happens when the lease has ended although it was not given back. Default `"throw"`: the generator throws
   * {@link LeaseExpiredError} for good. With `"reacquire"` it does until a new lease is had, of any node.
   */
  readonly onExpired?: "throw" | "reacquire" | undefined;
  /** Whether the generator is a `SharedGenerator`, for all threads of this process. Default `false`. */
  readonly threads?: boolean | undefined;
}

/** The options that are not the generator's. */
const OWN = [
  "backend",
  "preset",
  "namespace",
  "holder",
  "ttlMs",
  "waitMs",
  "maxSkewMs",
  "fence",
  "onExpired",
  "threads",
];

/** What a lease goes by. */
export interface LeaseSettings {
  readonly backend: Backend;
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly isReacquired: boolean;
  readonly isShared: boolean;
  readonly space: NodeSpace;
  /** The generator's. */
  readonly generatorSettings: Settings;
}

/** Validates all options. */
export function resolveLeaseSettings(options: LeaseOptions): LeaseSettings {
  const {
    backend,
    preset = "twitter",
    namespace = "default",
    holder,
    ttlMs = 30_000,
    waitMs = 0,
    maxSkewMs = 5000,
    fence = true,
    onExpired = "throw",
    threads = false,
    ...rest
  } = assertObject("options", options);
  for (const given of [
    rest as GeneratorOptions,
    typeof preset === "object" ? (preset as GeneratorOptions) : {},
  ]) {
    if (given?.machineId === undefined) continue;
    throw new ArgumentError("machineId", "left out, for it is what is leased", given.machineId);
  }
  const names = [...OWN, ...Object.keys(defaults())].filter((name) => name !== "machineId");
  assertKnownOptions(rest, names);
  const settings = compileSettings(mergeOptions(preset, rest));
  const isFixed = rest.datacenterId !== undefined || Object(preset).datacenterId !== undefined;
  assertWhole("ttlMs", ttlMs, MIN_TTL, MAX_TIMER);
  assertWhole("maxSkewMs", maxSkewMs, 0, MAX_TIMER);
  assertOneOf("onExpired", onExpired, ["throw", "reacquire"]);
  return {
    backend: assertBackend(backend),
    name: assertName("namespace", namespace),
    holder: holder === undefined ? "" : assertName("holder", holder),
    ttlMs,
    waitMs: assertWhole("waitMs", waitMs, 0, MAX_TIMER),
    isReacquired: onExpired === "reacquire",
    isShared: assertOneOf("threads", threads, [true, false]),
    space: makeNodeSpace(settings, isFixed, {
      ttlMs,
      maxSkewMs,
      isFenced: assertOneOf("fence", fence, [true, false]),
    }),
    generatorSettings: settings,
  };
}
