// The options of an audit.

import { assertFunction, assertMoment, assertOneOf, assertWhole, readFields } from "../internal.ts";

/** Options of {@link Audit}. An unknown option is refused. */
export interface AuditOptions {
  /** The moment that counts as now. Milliseconds since 1970 or a Date; default the reading of `clock` at each call. */
  readonly nowMs?: number | Date | undefined;
  /** The clock that each call reads if `nowMs` is not given. It returns milliseconds since 1970; default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /**
   * The order of the IDs. Default `"issued"`, as they were made or stored: then it shows clocks that step and a second writer. `"sorted"`,
   * by their value: then every duplicate is found, and the order shows nothing else.
   */
  readonly order?: "issued" | "sorted" | undefined;
  /**
   * How far IDs may be out of order, and the clocks of nodes apart, in milliseconds, until it is a finding. Default 1000,
   * because rows are stored in the order in which their transactions end. 0 to 86,400,000.
   */
  readonly toleranceMs?: number | undefined;
  /** For which number of shards `id % shards` is counted. Default 16. 2 to 4096. */
  readonly shards?: number | undefined;
}

/** Valid options. */
export interface AuditSettings {
  /** Returns the moment that counts as now. */
  readonly readNow: () => number;
  readonly isSorted: boolean;
  readonly toleranceMs: number;
  readonly shards: number;
}

/** Validates the options. */
export function resolveAudit(options: AuditOptions): AuditSettings {
  const given = readFields(options, ["nowMs", "clock", "order", "toleranceMs", "shards"]);
  const nowMs = given.nowMs === undefined ? undefined : assertMoment("nowMs", given.nowMs);
  // Date.now is looked up at each call, because fake timers replace it.
  const clock = given.clock === undefined ? () => Date.now() : assertFunction("clock", given.clock);
  /** Reads the clock, which may have fractions, as that of a generator. */
  const readClock = () => {
    const ms: unknown = clock();
    return assertMoment("clock()", typeof ms === "number" ? Math.floor(ms) : ms);
  };
  return {
    readNow: () => nowMs ?? readClock(),
    isSorted: assertOneOf("order", given.order ?? "issued", ["issued", "sorted"]) === "sorted",
    toleranceMs: assertWhole("toleranceMs", given.toleranceMs ?? 1000, 0, 86_400_000),
    shards: assertWhole("shards", given.shards ?? 16, 2, 4096),
  };
}
