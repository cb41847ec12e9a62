// scatter: IDs for databases that split tables by ranges of the key, so that new rows go to all ranges instead of the last one.

import {
  ArgumentError,
  assertKnownOptions,
  assertObject,
  assertOneOf,
  assertWhole,
  type IdRange,
  InvalidIdError,
  joinHalves,
  parseId,
  readField,
  serializable,
  splitId,
} from "../internal.ts";
import { bindMethods } from "./bindMethods.ts";

/** Options of {@link scatter}. An unknown option is refused. */
export interface ScatterOptions {
  /**
   * The number of parts that IDs are scattered over: a power of two from 2 to 1024. It has no default, because it is part of
   * every stored ID: another number of shards makes them other IDs.
   */
  readonly shards: number;
  /** The number of bits of an ID and of a scattered ID: 63, or 53 for the preset `safe_integer`. By default 63. */
  readonly bits?: 63 | 53 | undefined;
}

/** Scatters IDs and reads scattered IDs: see {@link scatter}. */
export interface ScatterCodec {
  /**
   * Scatters an ID.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID, or has more than the option `bits`
   */
  encode(id: bigint | string | number): bigint;
  /**
   * Returns the ID of a scattered ID.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID, or has more than the option `bits`
   */
  decode(id: bigint | string | number): bigint;
  /**
   * Returns the ranges in which the scattered IDs of a range of IDs are: one for each shard that has any, in ascending order.
   * They contain the scattered IDs of the range and no others.
   *
   * @param range the smallest and the largest ID, as `range()` of a generator returns them. Of an empty one, whose `max` is
   *   `min - 1n`, there are no ranges
   * @throws {@link InvalidIdError} if one of them is not an ID, or has more than the option `bits`
   * @throws {@link ArgumentError} if the range is no object, or `max` is less than `min - 1n`
   */
  ranges(range: IdRange): IdRange[];
  /** The option `shards`. */
  readonly shards: number;
}

/** Mixes two words into one, each bit of which depends on all of their bits. It is the finalizer of MurmurHash3. */
function mix(high: number, low: number): number {
  let hash = low ^ Math.imul(high, 0x9e37_79b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

/** Returns the lower `count` bits of a number, from 1 to 10, in reverse order. */
function reverse(bits: number, count: number): number {
  let reversed = 0;
  for (let at = 0; at < count; at++) reversed = (reversed << 1) | ((bits >>> at) & 1);
  return reversed;
}

/**
 * A scattered ID is a shard in its upper bits and, below it, the ID without its lower bits, as many as the shard has. So the IDs
 * of one shard are in the order of the IDs. The shard is those lower bits, XORed with a hash of the rest, and reversed.
 *
 * The hash is for quiet systems, where the lower bits are always 0. It is the same for IDs that differ in the lower bits
 * alone, so IDs that count up go to all shards in turn. The reversal moves each of them far from the one before, so that a few
 * IDs are spread as well: the first two are in different halves of the shards, the first four in different quarters.
 */
class Scatter implements ScatterCodec {
  readonly shards: number;
  readonly #shardBits: number;
  /** How many bits of the upper half come after the shard. */
  readonly #upperBits: number;

  constructor(shards: number, bits: number) {
    this.shards = shards;
    this.#shardBits = Math.log2(shards);
    this.#upperBits = bits - 32 - this.#shardBits;
    bindMethods<ScatterCodec>(this, "encode", "decode", "ranges");
  }

  #assertWidth(high: number, id: unknown): void {
    const upperBits = this.#upperBits + this.#shardBits;
    if (high >>> upperBits !== 0)
      throw new InvalidIdError("id", `an ID of at most ${upperBits + 32} bits`, id);
  }

  /** Returns the shard for the lower bits of an ID, or the lower bits for a shard unreversed. */
  #exchange(bits: number, high: number, low: number): number {
    return (bits ^ mix(high, low)) & (this.shards - 1);
  }

  encode(id: bigint | string | number): bigint {
    const { high, low } = splitId(id);
    this.#assertWidth(high, id);
    const count = this.#shardBits;
    const restHigh = high >>> count;
    const restLow = (high << (32 - count)) | (low >>> count);
    const shard = reverse(this.#exchange(low, restHigh, restLow), count);
    return joinHalves(shard * 2 ** this.#upperBits + restHigh, restLow) as bigint;
  }

  decode(id: bigint | string | number): bigint {
    const { high, low } = splitId(id);
    this.#assertWidth(high, id);
    const count = this.#shardBits;
    const shard = high >>> this.#upperBits;
    const restHigh = high - shard * 2 ** this.#upperBits;
    const lowest = this.#exchange(reverse(shard, count), restHigh, low);
    return joinHalves((restHigh << count) | (low >>> (32 - count)), (low << count) | lowest) as bigint;
  }

  ranges(range: IdRange): IdRange[] {
    assertObject("range", range);
    const min = parseId(readField(range, "min"));
    const given = readField(range, "max");
    this.#assertWidth(splitId(min).high, min);
    // Of an empty range `max` may be -1, which is no ID. JSON makes a text of it.
    if (min === 0n && [-1n, -1, "-1"].includes(given as bigint)) return [];
    const max = parseId(given);
    if (max === min - 1n) return [];
    if (max < min) throw new ArgumentError("max", `at least ${min - 1n}`, max);
    this.#assertWidth(splitId(max).high, max);
    const count = BigInt(this.#shardBits);
    const width = BigInt(this.#upperBits + 32);
    const found: IdRange[] = [];
    for (let shard = 0n; shard < this.shards; shard++) {
      const start = shard << width;
      // Of the IDs that differ from an end of the range in the lower bits alone, the shard has one, which may lie outside.
      let first = start + (min >> count);
      if (this.decode(first) < min) first++;
      let last = start + (max >> count);
      if (this.decode(last) > max) last--;
      if (first <= last) found.push(serializable({ min: first, max: last }));
    }
    return found;
  }
}

/**
 * Creates a codec that scatters IDs, for the primary keys of databases that split tables by ranges of the key: Spanner,
 * CockroachDB, TiDB, YugabyteDB and others. There, IDs that ascend with the time make every insert go to the last range, so to
 * one machine. Scattered IDs go to all shards alike, and within each they ascend with the time. There is no key, and nothing is hidden.
 *
 * A range of IDs, such as those of an hour, is one range in each shard: see {@link ScatterCodec.ranges}.
 *
 * @param options `shards` and, for IDs of 53 bits, `bits`
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { makeGenerator } from "bitflake";
 * import { scatter } from "bitflake/mask";
 *
 * const ids = makeGenerator("twitter", { machineId: 7 });
 * const keys = scatter({ shards: 16 });
 * keys.encode(911780371413233664n); // => 4092211539337291520n
 * keys.decode(keys.encode(911780371413233664n)); // => 911780371413233664n
 *
 * const hour = ids.range(Date.UTC(2026, 10, 1, 9), Date.UTC(2026, 10, 1, 10));
 * keys.ranges(hour).length; // => 16
 * ```
 */
export function scatter(options: ScatterOptions): ScatterCodec {
  assertKnownOptions(options, ["shards", "bits"]);
  const shards = assertWhole("shards", readField(options, "shards"), 2, 1024);
  if (!Number.isInteger(Math.log2(shards)))
    throw new ArgumentError("shards", "a power of two from 2 to 1024", shards);
  return new Scatter(shards, assertOneOf("bits", readField(options, "bits") ?? 63, [63, 53]));
}
