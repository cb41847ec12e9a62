// proveMigration: whether two sides of a migration can issue the same ID, and whether all new IDs are larger than the old ones.

import { assertWhole, readFields } from "../internal.ts";
import { smallestCommon } from "./idSet.ts";
import { FIRST_MOMENT, readMoment } from "./moment.ts";
import {
  type IssuedId,
  readNewSide,
  readOldSide,
  resolveSerialSide,
  resolveTimedSide,
  type SchemeSide,
  type SerialSide,
  type TimedSide,
  type UuidSide,
} from "./side.ts";

/** A migration: the old IDs, the generators of the new ones, and when one takes over from the other. */
export interface Migration {
  /** The old IDs. */
  readonly from: SchemeSide | SerialSide | UuidSide;
  /** The generators of the new IDs. */
  readonly to: SchemeSide;
  /**
   * When the old generators stop and the new ones start: milliseconds since 1970 or a Date. If both run for a while, set
   * `from.until` and `to.since`.
   */
  readonly cutOver: number | Date;
  /**
   * How far the clock of a generator may be off, in milliseconds. Default 5000. Every moment of a side is widened by it: each
   * side counts as running from so much before its `since` until so much after its `until`. Add the `maxBorrowMs` of generators that borrow.
   */
  readonly maxSkewMs?: number | undefined;
}

/** A change of the new side with which every new ID is larger than every old one. */
export interface Remedy {
  /** With this moment, or a later one, as `to.since`. */
  readonly since: Date;
  /** With this epoch, or an earlier one, as `to.epochMs`. Absent if `to.until` is set, or if there is no such epoch. */
  readonly epochMs?: number;
}

/** No ID is in both sides, and every new ID is larger than every old one. */
export interface OrderedVerdict {
  /** No ID is in both sides. */
  readonly disjoint: true;
  /** Every new ID is larger than every old one. */
  readonly ordered: true;
  /** Why, in a sentence. */
  readonly reason: string;
  /** The largest ID that the old side can have issued. */
  readonly largestOld: IssuedId;
  /** The smallest ID that the new side can issue. */
  readonly smallestNew: IssuedId;
}

/** No ID is in both sides, but new IDs do not all sort after the old ones. */
export interface UnorderedVerdict {
  /** No ID is in both sides. */
  readonly disjoint: true;
  /** Not every new ID is larger than every old one. */
  readonly ordered: false;
  /** Why, in a sentence. */
  readonly reason: string;
  /** The largest ID that the old side can have issued, which is larger than `smallestNew`. Absent for UUIDs. */
  readonly largestOld?: IssuedId;
  /** The smallest ID that the new side can issue. Absent for UUIDs. */
  readonly smallestNew?: IssuedId;
  /** Absent for UUIDs, and if no later start of the new side is ordered. */
  readonly remedy?: Remedy;
}

/** Both sides can issue the same ID. */
export interface CollisionVerdict {
  /** An ID is in both sides. */
  readonly disjoint: false;
  /** Not every new ID is larger than every old one. */
  readonly ordered: false;
  /** Why, in a sentence. */
  readonly reason: string;
  /** The smallest ID that both can issue: with the fields of the old scheme, and with those of the new one. */
  readonly pair: {
    /** As the old side reads it. */
    readonly from: IssuedId;
    /** As the new side reads it. */
    readonly to: IssuedId;
  };
  /** Absent if no later start of the new side is ordered. */
  readonly remedy?: Remedy;
}

/** The result of {@link proveMigration}. */
export type Verdict = OrderedVerdict | UnorderedVerdict | CollisionVerdict;

/** Returns how the new side can be changed so that its first ID is in a tick or after it; nothing if it cannot. */
function remedyOf(
  { settings, startMs, lastTick }: TimedSide,
  tick: number,
  to: SchemeSide,
  maxSkewMs: number,
) {
  const afterMs = tick * settings.tickMs;
  const since = new Date(settings.epochMs + afterMs + maxSkewMs);
  if (tick > lastTick || Number.isNaN(+since) || (to.until !== undefined && +since >= +to.until)) return {};
  const epochMs = startMs - afterMs;
  return { remedy: { since, ...(to.until === undefined && epochMs >= FIRST_MOMENT && { epochMs }) } };
}

/** Returns when an ID was made, for a reason. */
function madeAt({ timestampMs }: IssuedId): string {
  return timestampMs === undefined ? "by counting" : `at ${new Date(timestampMs).toISOString()}`;
}

/**
 * Decides whether a migration is safe: whether the old and the new generators can issue the same ID, and whether all new IDs
 * sort after the old ones. The answer is exact and not a sample: it holds for each tick, node and sequence number of both
 * sides, also for those that no generator has used.
 *
 * @param migration `from`, `to`, `cutOver` and `maxSkewMs`
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown, if a side ends before it begins, or if it lasts
 *   longer than its timestamps
 * @throws {@link LayoutError} if the widths of a scheme do not make a layout
 *
 * @example
 * ```ts
 * import { proveMigration } from "bitflake/migrate";
 *
 * const verdict = proveMigration({
 *   from: { scheme: "serial", max: 48_000_000 },
 *   to: { scheme: "twitter" },
 *   cutOver: new Date("2026-12-01"),
 * });
 * verdict.ordered; // => true
 *
 * const collision = proveMigration({
 *   from: { scheme: "sapphire", epochMs: 1420070400000, nodes: [1] },
 *   to: { scheme: "discord", nodes: [[0, 3]] },
 *   cutOver: new Date("2026-12-01"),
 * });
 * collision.disjoint; // => false
 * ```
 */
export function proveMigration(migration: Migration): Verdict {
  const given = readFields(migration, ["from", "to", "cutOver", "maxSkewMs"]);
  const { cutOver, maxSkewMs = 5000 } = given;
  const from = readOldSide(given.from);
  const to = readNewSide(given.to);
  const cutOverMs = readMoment("cutOver", cutOver);
  assertWhole("maxSkewMs", maxSkewMs, 0, 1e12);
  const newSide = resolveTimedSide("to", to, { since: cutOverMs, until: undefined, maxSkewMs });
  if (from.scheme === "uuid") {
    return {
      disjoint: true,
      ordered: false,
      reason: "a UUID is no BIGINT, so it equals no ID and has no order with one",
    };
  }
  const oldSide =
    from.scheme === "serial"
      ? resolveSerialSide(from as SerialSide)
      : resolveTimedSide("from", from as SchemeSide, { since: undefined, until: cutOverMs, maxSkewMs });
  const largestOld = oldSide.describe(oldSide.largest);
  const smallestNew = newSide.describe(newSide.smallest);
  const reason = (relation: string) =>
    `the smallest new ID, ${smallestNew.id}, is ${relation} than the largest old one, ${largestOld.id}`;
  if (smallestNew.id > largestOld.id) {
    return { disjoint: true, ordered: true, reason: reason("larger"), largestOld, smallestNew };
  }
  // If the tick is too large to be an exact number, it is also past the last one.
  const tick = Number((largestOld.id - newSide.smallest + newSide.low) >> newSide.settings.shift) + 1;
  const remedy = remedyOf(newSide, tick, to, maxSkewMs);
  const id = smallestCommon(oldSide, newSide);
  if (id === undefined) {
    return {
      ...{ disjoint: true, ordered: false },
      reason: `no ID is in both sides, but ${reason("not larger")}`,
      ...{ largestOld, smallestNew, ...remedy },
    };
  }
  const pair = { from: oldSide.describe(id), to: newSide.describe(id) };
  return {
    ...{ disjoint: false, ordered: false },
    reason: `both sides can issue ${id}: the old one ${madeAt(pair.from)}, the new one ${madeAt(pair.to)}`,
    ...{ pair, ...remedy },
  };
}
