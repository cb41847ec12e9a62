// Backfill: IDs for rows that exist already, from the time of their creation, on nodes that no generator has.

import {
  ArgumentError,
  assertWhole,
  type GeneratorOptions,
  mergeOptions,
  type PresetName,
  parseId,
  readFields,
  resolveFormat,
  TickFullError,
} from "../internal.ts";
import type { IdRange } from "./idSet.ts";
import { readMoment } from "./moment.ts";
import { type NodeEntry, resolveNodeSet } from "./nodes.ts";
import { TickCounts } from "./tickCounts.ts";

/** Options of a {@link Backfill}. An unknown option is refused. */
export interface BackfillOptions {
  /** The layout of the new IDs: that of the generators which make the IDs of new rows, with the same epoch and tick. */
  readonly preset: PresetName | GeneratorOptions;
  /**
   * The reserved nodes, which no generator uses, as a list like that of {@link SchemeSide.nodes}: `[5]`, `[[0, 31]]` or
   * `[{ datacenterId: 31 }]`. They have to follow each other. More nodes hold more rows in a tick.
   */
  readonly nodes: readonly NodeEntry[];
  /**
   * The moment of the cut-over, in milliseconds since 1970 or as a Date. A row is refused unless its tick, with `precisionMs` its
   * whole span, ends by then.
   */
  readonly before: number | Date;
  /**
   * The unit that the times of the rows are rounded to, in milliseconds: 1000 for a column of whole seconds, 86400000 for one of days.
   * The IDs of such a span then use all of its ticks. A multiple of the tick. Default: not set, which means that a row's ID has
   * the tick of its time.
   */
  readonly precisionMs?: number | undefined;
}

/** The names of the options. */
export const OPTIONS: readonly string[] = ["preset", "nodes", "before", "precisionMs"];

/**
 * Makes IDs for old rows. The ID of a row that was created earlier is smaller, in any order of the rows: the
 * IDs of one tick count up, and the tick is that of the row. Rows of the same tick get IDs in the order of the calls.
 *
 * The state is one number per tick that has rows, 21 to 43 bytes each, and more while it grows. It is not stored: a new run takes it from the IDs that
 * the table has, by {@link Backfill.markTaken}.
 *
 * @example
 * ```ts
 * import { decode } from "bitflake";
 * import { Backfill } from "bitflake/migrate";
 *
 * const old = new Backfill({ preset: "twitter", nodes: [{ datacenterId: 31 }], before: new Date("2026-12-01") });
 * const second = old.nextId(new Date("2024-05-01T12:00:00Z"));
 * const first = old.nextId(new Date("2023-02-03T04:05:06Z"));
 * first < second; // => true
 * decode(first, "twitter").generatedAt; // => '2023-02-03T04:05:06.000Z'
 * ```
 */
export class Backfill {
  readonly #counts = new TickCounts();
  readonly #epochMs: number;
  readonly #tickMs: number;
  readonly #precisionMs: number | undefined;
  /** How many ticks the rows of one moment may use. */
  readonly #span: number;
  /** The last moment of a row. */
  readonly #lastMs: number;
  /** The bits below the timestamp. */
  readonly #shift: bigint;
  /** The first ID of tick 0 on the reserved nodes. */
  readonly #base: bigint;
  /** How many IDs the reserved nodes have in a tick. */
  readonly #idsPerTick: number;

  /**
   * Creates a backfill that has issued nothing.
   *
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown
   * @throws {@link LayoutError} if the widths do not make a layout
   */
  constructor(options: BackfillOptions) {
    const { preset, nodes, before, precisionMs } = readFields(options, OPTIONS);
    const { layout, epochMs, tickMs, maxTick } = resolveFormat(mergeOptions(preset));
    const { datacenterBits, machineBits, sequenceBits } = layout;
    // Without a list, it would be all nodes.
    const ranges = resolveNodeSet("nodes", nodes ?? [], layout);
    if (ranges.length > 1)
      throw new ArgumentError("nodes", "a list of nodes that follow each other, such as [[0, 31]]", nodes);
    const [first, last] = ranges[0] as IdRange;
    this.#epochMs = epochMs;
    this.#tickMs = tickMs;
    this.#shift = BigInt(datacenterBits + machineBits + sequenceBits);
    this.#base = first << BigInt(sequenceBits);
    this.#idsPerTick = Number(last - first + 1n) * 2 ** sequenceBits;
    this.#precisionMs = precisionMs;
    this.#span = 1;
    if (precisionMs !== undefined) {
      assertWhole("precisionMs", precisionMs, tickMs, 1e12);
      if (precisionMs % tickMs !== 0) {
        throw new ArgumentError("precisionMs", `a multiple of tickMs, ${tickMs}`, precisionMs);
      }
      this.#span = precisionMs / tickMs;
    }
    const beforeMs = readMoment("before", before);
    // The ticks that end before the cut-over, or with the layout.
    const ticks = Math.min(Math.floor((beforeMs - epochMs) / tickMs), maxTick + 1);
    this.#lastMs = epochMs + (ticks - this.#span + 1) * tickMs - 1;
    if (this.#lastMs < epochMs) {
      throw new ArgumentError("before", `at least ${epochMs + this.#span * tickMs}`, beforeMs);
    }
  }

  /**
   * Makes the ID of the next row with this time. A call that throws has changed nothing.
   *
   * @param createdAt the time of the row, in milliseconds since 1970 or as a Date
   * @throws {@link ArgumentError} if it is no whole number of milliseconds from the epoch to the cut-over, or no multiple of
   *   `precisionMs`
   * @throws {@link TickFullError} if the reserved nodes have no ID left for this time
   */
  nextId(createdAt: number | Date): bigint {
    return this.issue("createdAt", createdAt);
  }

  /** @internal */
  issue(field: string, createdAt: unknown): bigint {
    const ms = readMoment(field, createdAt, this.#epochMs, this.#lastMs);
    const precisionMs = this.#precisionMs;
    if (precisionMs !== undefined && ms % precisionMs !== 0) {
      throw new ArgumentError(field, `a multiple of precisionMs, ${precisionMs}`, ms);
    }
    const firstTick = Math.floor((ms - this.#epochMs) / this.#tickMs);
    const count = this.#counts.get(firstTick);
    const tick = firstTick + Math.floor(count / this.#idsPerTick);
    if (tick >= firstTick + this.#span) throw new TickFullError(ms, firstTick, count);
    this.#counts.set(firstTick, count + 1);
    return (BigInt(tick) << this.#shift) + this.#base + BigInt(count % this.#idsPerTick);
  }

  /**
   * Marks an ID as taken: one that a former run has given to a row. Call it with every ID of the table before the first
   * {@link Backfill.nextId} of a new run; IDs of other nodes are ignored. All IDs that the former run made before it count as
   * taken too, also if their rows have none.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID
   */
  markTaken(id: bigint | string | number): void {
    const taken = parseId(id);
    const tick = Number(taken >> this.#shift);
    const place = Number(BigInt.asUintN(Number(this.#shift), taken) - this.#base);
    if (place < 0 || place >= this.#idsPerTick) return;
    const firstTick = this.#firstTickOf(tick);
    // A tick of the moment before the epoch, which no row can have.
    if (firstTick < 0) return;
    const count = (tick - firstTick) * this.#idsPerTick + place + 1;
    if (count > this.#counts.get(firstTick)) this.#counts.set(firstTick, count);
  }

  /** Returns the first tick of the moment whose rows use a tick. */
  #firstTickOf(tick: number): number {
    if (this.#precisionMs === undefined) return tick;
    // The last millisecond of the tick, because the first tick of a moment contains it and may begin before it.
    const lastMs = this.#epochMs + (tick + 1) * this.#tickMs - 1;
    const momentMs = Math.floor(lastMs / this.#precisionMs) * this.#precisionMs;
    return Math.floor((momentMs - this.#epochMs) / this.#tickMs);
  }
}
