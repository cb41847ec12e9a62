// Audit: finds faults of generators in the IDs of a table, in one pass and in memory that does not grow.

import {
  ArgumentError,
  type FieldPlace,
  type Format,
  type GeneratorOptions,
  type Halves,
  InvalidIdError,
  joinHalves,
  mergeOptions,
  type PresetName,
  parseId,
  placeOf,
  resolveFormat,
  splitHalves,
} from "../internal.ts";
import { type AuditOptions, type AuditSettings, resolveAudit } from "./auditOptions.ts";
import { type Finding, findClocks, findFuture } from "./findings.ts";
import { LineReader } from "./lineReader.ts";
import { NodeTrace } from "./nodeTrace.ts";
import { RecentIds } from "./recentIds.ts";
import { StrayEpochs } from "./strayEpochs.ts";
import { TimeHistogram } from "./timeHistogram.ts";

/** How many nodes are traced. IDs of further nodes are counted, and the report says so. */
const MAX_NODES = 65_536;

/** How many nodes a report lists, those with the most IDs first. */
const LISTED_NODES = 1024;

/** How far ahead the clock of a generator may be, in milliseconds. */
const MAX_AHEAD_MS = 60_000;

const DAY_MS = 86_400_000;

/** From how few days until the last tick on it is a finding. */
const WRAP_DAYS = 365;

/** From which multiple of its fair part on a shard is a finding. */
const SKEWED = 1.25;

/** From how many IDs per shard on their parts are compared. */
const LEAST_PER_SHARD = 20;

/** One node of a report. */
export interface AuditedNode {
  /** The datacenter field of its IDs. */
  readonly datacenterId: number;
  /** The machine field of its IDs. */
  readonly machineId: number;
  /** How many IDs it has. */
  readonly ids: number;
  /** The time of its earliest ID. */
  readonly first: Date;
  /** The time of its latest ID. */
  readonly last: Date;
}

/** IDs over time, in spans of equal length. */
export interface AuditHistogram {
  /** The beginning of the first span. */
  readonly from: Date;
  /** The length of a span, in milliseconds. */
  readonly widthMs: number;
  /** How many IDs each span has, at most 256 spans. */
  readonly counts: readonly number[];
}

/** The result of an audit. `JSON.stringify` writes its dates in ISO 8601. */
export interface AuditReport {
  /** How many IDs were read. */
  readonly ids: number;
  /** How many lines were no ID of the layout. */
  readonly invalid: number;
  /** The earliest time; missing without IDs. */
  readonly first?: Date;
  /** The latest time; missing without IDs. */
  readonly last?: Date;
  /** How many different nodes there are, up to 65,536. */
  readonly nodeCount: number;
  /** The nodes with the most IDs, at most 1024. Duplicates are not counted here, and IDs of another epoch only in a sorted input. */
  readonly nodes: readonly AuditedNode[];
  /** When the timestamp field is full. */
  readonly wrapsAt: Date;
  /** How many days that is from now; negative if it has passed. */
  readonly daysToWrap: number;
  /** How many IDs each value of `id % shards` has. */
  readonly shards: readonly number[];
  /** How many IDs there are in each span of time. */
  readonly histogram: AuditHistogram;
  /** The findings, the certain ones first. */
  readonly findings: readonly Finding[];
}

/**
 * Reads the IDs of a table one by one and reports the faults of their generators that they show: duplicates, two writers on one
 * node, clocks that step or differ, full sequences, other epochs, the days until the timestamp is full, and uneven shards.
 *
 * It keeps counters, one trace per node (65,536 at most) and the last million IDs or so, about 10 MB, however many IDs there are.
 *
 * A duplicate is found for certain if its copy came just before, about nine times in ten if 100,000 other IDs lie between
 * them, and four times in ten if a million do. Sort the input and pass `order: "sorted"` to find every one.
 *
 * @example
 * ```ts
 * import { Audit } from "bitflake/explain";
 *
 * const audit = new Audit("twitter", { nowMs: Date.UTC(2026, 10, 28) });
 * for (const id of [911780371413233664n, 911780371413233665n, 911780371413233664n]) audit.add(id);
 * const [finding] = audit.report().findings;
 * finding?.kind; // => 'duplicate'
 * finding?.certainty; // => 'certain'
 * ```
 */
export class Audit {
  readonly #format: Format;
  readonly #settings: AuditSettings;
  readonly #tickPlace: FieldPlace;
  readonly #nodePlace: FieldPlace;
  readonly #sequencePlace: FieldPlace;
  readonly #toleranceTicks: number;
  readonly #lastSequence: number;
  readonly #reader: LineReader;

  readonly #recent = new RecentIds();
  readonly #histogram: TimeHistogram;
  readonly #strays: StrayEpochs;
  readonly #traces = new Map<number, NodeTrace>();
  readonly #shards: Float64Array;
  readonly #remainderOf2To32: number;

  #ids = 0;
  #invalid = 0;
  #invalidExample = "";
  #duplicates = 0;
  #duplicateExample = "";
  #sequenceEnds = 0;
  #sequenceEndExample = "";
  #future = 0;
  #futureExample = "";
  #farthestFutureMs = 0;
  /** Now, and the last tick that is not in the future, as of the last call. */
  #nowMs = 0;
  #futureTick = 0;
  #untracked = 0;
  #unsorted = 0;
  #lastHigh = -1;
  #lastLow = 0;
  #firstTick = Number.POSITIVE_INFINITY;
  #lastTick = Number.NEGATIVE_INFINITY;
  /** The traces and ticks of the last two IDs, apart from strays. */
  #beforeTrace: NodeTrace | undefined;
  #beforeTick = 0;
  #lastTrace: NodeTrace | undefined;
  #lastTraceTick = 0;

  /**
   * Creates an audit of IDs of one layout.
   *
   * @param preset the name of a preset, a `PRESET_…` constant, or the options of the generator
   * @param options `nowMs`, `clock`, `order`, `toleranceMs` and `shards`
   * @throws {@link LayoutError} if the widths do not make a layout
   * @throws {@link ArgumentError} if an option is wrong or unknown
   */
  constructor(preset: PresetName | GeneratorOptions, options: AuditOptions = {}) {
    const format = resolveFormat(mergeOptions(preset));
    const { datacenterBits, machineBits, sequenceBits } = format.layout;
    this.#format = format;
    this.#settings = resolveAudit(options);
    this.#tickPlace = placeOf(datacenterBits + machineBits + sequenceBits, 63);
    this.#nodePlace = placeOf(sequenceBits, datacenterBits + machineBits);
    this.#sequencePlace = placeOf(0, sequenceBits);
    this.#toleranceTicks = Math.ceil(this.#settings.toleranceMs / format.tickMs);
    this.#lastSequence = sequenceBits > 0 ? 2 ** sequenceBits - 1 : -1;
    this.#histogram = new TimeHistogram(format.tickMs);
    this.#strays = new StrayEpochs(format.epochMs);
    this.#shards = new Float64Array(this.#settings.shards);
    this.#remainderOf2To32 = 2 ** 32 % this.#settings.shards;
    this.#reader = new LineReader({
      onId: (high, low) => this.#addHalves(high, low),
      onInvalid: (line) => this.#addInvalid(line),
    });
  }

  /**
   * Adds an ID.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID, or not one of this layout. The audit stays as it was
   */
  add(id: bigint | string | number): void {
    const { high, low } = splitHalves(parseId(id)) as Halves;
    if (readPlace(high, low, this.#tickPlace) > this.#format.maxTick) {
      throw new InvalidIdError("id", "of this layout", id);
    }
    this.#readNow();
    this.#addHalves(high, low);
  }

  /**
   * Adds the IDs of a text, one decimal ID a line. A line may go on in the next text. Spaces around an ID and empty lines are
   * skipped, as is a byte order mark at the start of the input; any other line is counted as `invalid`.
   *
   * @throws {@link ArgumentError} if it is not a string
   */
  write(text: string): void {
    if (typeof text !== "string") throw new ArgumentError("text", "a string", text);
    this.#readNow();
    this.#reader.write(text);
  }

  /** Reads the clock: IDs that are made while the audit runs are not in the future. */
  #readNow(): void {
    const { epochMs, tickMs } = this.#format;
    this.#nowMs = this.#settings.readNow();
    this.#futureTick = Math.floor((this.#nowMs + MAX_AHEAD_MS - epochMs) / tickMs);
  }

  #addInvalid(line: string): void {
    if (this.#invalid++ === 0) this.#invalidExample = line;
  }

  #addHalves(high: number, low: number): void {
    const tick = readPlace(high, low, this.#tickPlace);
    if (tick > this.#format.maxTick) {
      this.#addInvalid(idText(high, low));
      return;
    }
    this.#ids++;
    const shard = ((high % this.#settings.shards) * this.#remainderOf2To32 + low) % this.#settings.shards;
    this.#shards[shard] = (this.#shards[shard] as number) + 1;
    if (high < this.#lastHigh || (high === this.#lastHigh && low < this.#lastLow)) this.#unsorted++;
    this.#lastHigh = high;
    this.#lastLow = low;
    if (this.#recent.add(high, low)) {
      if (this.#duplicates++ === 0) this.#duplicateExample = idText(high, low);
      return;
    }
    const timeMs = this.#format.epochMs + tick * this.#format.tickMs;
    if (readPlace(high, low, this.#sequencePlace) === this.#lastSequence) {
      if (this.#sequenceEnds++ === 0) this.#sequenceEndExample = idText(high, low);
    }
    if (tick > this.#futureTick) {
      if (this.#future++ === 0) this.#futureExample = idText(high, low);
      this.#farthestFutureMs = Math.max(this.#farthestFutureMs, timeMs - this.#nowMs);
    }
    if (tick < this.#firstTick) this.#firstTick = tick;
    if (tick > this.#lastTick) this.#lastTick = tick;
    this.#histogram.add(tick * this.#format.tickMs);
    // In the trace of its node an ID of another epoch would look like a clock that steps.
    if (this.#strays.add(timeMs) && !this.#settings.isSorted) return;
    this.#trace(readPlace(high, low, this.#nodePlace), tick);
  }

  /** Takes the tick into the trace of its node. */
  #trace(node: number, tick: number): void {
    let trace = this.#traces.get(node);
    if (trace === undefined) {
      if (this.#traces.size >= MAX_NODES) {
        this.#untracked++;
        return;
      }
      const machines = 2 ** this.#format.layout.machineBits;
      trace = new NodeTrace(Math.floor(node / machines), node % machines, tick);
      this.#traces.set(node, trace);
    }
    trace.add(tick, this.#toleranceTicks);
    this.#compareClocks(trace, tick);
  }

  /**
   * Compares the last ID with the one before it and this one. If those two agree and are of two other nodes, the last one is as far off as it
   * differs from them. After a pause they do not agree.
   */
  #compareClocks(trace: NodeTrace, tick: number): void {
    const before = this.#beforeTrace;
    const last = this.#lastTrace;
    if (before && last && before !== last && trace !== last && trace !== before) {
      const low = Math.min(this.#beforeTick, tick);
      const high = Math.max(this.#beforeTick, tick);
      const tolerance = this.#toleranceTicks;
      if (high - low <= tolerance) last.compare(this.#lastTraceTick, low, high, tolerance);
    }
    this.#beforeTrace = last;
    this.#beforeTick = this.#lastTraceTick;
    this.#lastTrace = trace;
    this.#lastTraceTick = tick;
  }

  /**
   * Returns the report on the IDs so far. More IDs may follow. A line without an end counts as a whole one, and the next text
   * then begins a new line: to report while a text is being read, do so at the end of a line.
   */
  report(): AuditReport {
    this.#readNow();
    this.#reader.end();
    const { epochMs, tickMs, maxTick } = this.#format;
    const dateOf = (tick: number) => new Date(epochMs + tick * tickMs);
    const traces = [...this.#traces.values()].sort((a, b) => b.ids - a.ids);
    const wrapsAt = dateOf(maxTick);
    const { from, width, counts } = this.#histogram.read();
    return {
      ids: this.#ids,
      invalid: this.#invalid,
      ...(this.#ids > 0 && { first: dateOf(this.#firstTick), last: dateOf(this.#lastTick) }),
      nodeCount: traces.length,
      nodes: traces.slice(0, LISTED_NODES).map(({ datacenterId, machineId, ids, firstTick, highTick }) => ({
        datacenterId,
        machineId,
        ids,
        first: dateOf(firstTick),
        last: dateOf(highTick),
      })),
      wrapsAt,
      daysToWrap: Math.floor((+wrapsAt - this.#nowMs) / DAY_MS),
      shards: [...this.#shards],
      histogram: { from: new Date(epochMs + from), widthMs: width, counts },
      findings: this.#findings(traces, +wrapsAt).sort((a, b) => rank(a) - rank(b)),
    };
  }

  #findings(traces: readonly NodeTrace[], wrapsAtMs: number): Finding[] {
    const { isSorted } = this.#settings;
    const { epochMs, tickMs } = this.#format;
    const lastMs = epochMs + this.#lastTick * tickMs;
    return [
      ...this.#countFinding(
        "duplicate",
        this.#duplicates,
        this.#duplicateExample,
        "repeated IDs",
        "Two writers used one node, or the input has rows twice: give each process a node of its own",
      ),
      ...this.#countFinding(
        "sequence-end",
        this.#sequenceEnds,
        this.#sequenceEndExample,
        "ticks that used their last sequence number",
        "Generators may have had to wait: use more nodes, or more bits for the sequence. Sequences that run on over ticks, as Discord's, reach it without waiting",
      ),
      ...findFuture(this.#future, lastMs, epochMs, this.#nowMs, this.#farthestFutureMs, this.#futureExample),
      ...this.#countFinding(
        "invalid",
        this.#invalid,
        this.#invalidExample,
        "lines that are no ID of this layout",
        "They were skipped",
      ),
      ...(isSorted
        ? this.#countFinding(
            "not-sorted",
            this.#unsorted,
            "",
            "IDs that are less than the one before",
            "The input is not sorted, so duplicates may be missed: use sort -n",
          )
        : [...findClocks(traces, tickMs), ...this.#strayFindings()]),
      ...this.#countFinding(
        "untracked",
        this.#untracked,
        "",
        `IDs of nodes after the first ${MAX_NODES}`,
        "Their clocks were not compared: the layout is probably another one",
      ),
      ...this.#wrapFinding(wrapsAtMs),
      ...this.#shardFinding(),
    ];
  }

  #countFinding(
    kind: Finding["kind"],
    count: number,
    example: string,
    fault: string,
    why: string,
  ): Finding[] {
    if (count === 0) return [];
    const first = example === "" ? {} : { example };
    return [{ kind, certainty: "certain", count, message: `${fault}: ${count}. ${why}`, ...first }];
  }

  #strayFindings(): Finding[] {
    return this.#strays.read().map(({ name, count }) => ({
      kind: "other-epoch",
      certainty: "likely",
      count,
      message: `IDs that may have the epoch ${name}: ${count}. With it their times are within a day of those around them`,
    }));
  }

  #wrapFinding(wrapsAtMs: number): Finding[] {
    const days = Math.floor((wrapsAtMs - this.#nowMs) / DAY_MS);
    if (days >= WRAP_DAYS) return [];
    const when = days < 0 ? `has been full for ${-days} days, so` : `is full in ${days} days, and then`;
    const message = `the timestamp ${when} no ID can be made. Move to a layout with more bits for it`;
    return [{ kind: "wrap", certainty: "certain", count: 1, message }];
  }

  #shardFinding(): Finding[] {
    const shards = this.#shards.length;
    const fair = this.#ids / shards;
    const largest = Math.max(...this.#shards);
    const chiSquare = this.#shards.reduce((sum, count) => sum + (count - fair) ** 2 / fair, 0);
    // Even shards have a chi-square of about `shards`, with a standard deviation of the square root of twice that.
    const isRandom = fair < LEAST_PER_SHARD || chiSquare < shards + 8 * Math.sqrt(2 * shards);
    if (isRandom || largest < SKEWED * fair) return [];
    const shard = this.#shards.indexOf(largest);
    const part = ((100 * largest) / this.#ids).toFixed(1);
    const message = `shard ${shard} of id % ${shards} has ${part} % of the IDs. The usual cause are sequences that start at 0, which is no fault by itself. To shard by id % ${shards}, hash the ID, or use sequenceStart: "random"`;
    return [{ kind: "shard-skew", certainty: "certain", count: largest, message }];
  }
}

/** Reads a field of the halves of an ID. */
function readPlace(high: number, low: number, place: FieldPlace): number {
  const { lowShift, lowMask, highShift, highMask, highScale } = place;
  return (((low >>> lowShift) & lowMask) >>> 0) + ((high >>> highShift) & highMask) * highScale;
}

/** Returns an ID as text. */
function idText(high: number, low: number): string {
  return String(joinHalves(high, low));
}

/** Returns the place of a finding in the report. */
function rank({ certainty }: Finding): number {
  return certainty === "certain" ? 0 : 1;
}
