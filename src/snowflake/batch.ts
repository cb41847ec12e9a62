// Many IDs at once: a source claims whole runs of a tick, and they are written into an array.

import { ArgumentError } from "../errors.ts";
import { assertWhole } from "../validate.ts";
import type { IdRun, IdSource } from "./idSource.ts";

/** The largest array `nextIds` makes. V8 turns a larger one into a hash table, ten times slower and bigger. */
const MAX_COUNT = 16_777_216;

/** An array to fill. */
export type Words = BigUint64Array | BigInt64Array;

/** Fills an array with IDs. */
export function fill<T extends Words>(target: T, source: IdSource): T {
  // By tag and not by instanceof, which fails on arrays from another realm, such as Jest's.
  if (!ArrayBuffer.isView(target) || !/^Big/.test((target as T)[Symbol.toStringTag])) {
    throw new ArgumentError("target", "a BigUint64Array or BigInt64Array", target);
  }
  const { length } = target;
  if (length === 0) return target;
  // Claimed before anything is written, so that a call that throws leaves the array as it was.
  const runs = source.claimRuns(length);
  const write = writer(target);
  for (const run of runs) write(run);
  return target;
}

/** Returns a function that writes runs into a typed array, one after the other. */
function writer(target: Words): (run: IdRun) => void {
  const halves = new Uint32Array(target.buffer, target.byteOffset, target.length * 2);
  target[0] = 1n;
  const lowAt = halves.indexOf(1); // 0 on a little-endian machine, 1 on a big-endian one
  let at = 0;
  return ({ first, count }) => {
    target[at] = first;
    writeRest(halves, at, count, lowAt);
    at += count;
  };
}

/** Writes the IDs after the first of a run. They share the first ID's high half; the low half counts up. */
function writeRest(halves: Uint32Array, at: number, count: number, lowAt: number): void {
  const low = halves[2 * at + lowAt] as number;
  const high = halves[2 * at + 1 - lowAt] as number;
  for (let i = 1; i < count; i++) {
    halves[2 * (at + i) + lowAt] = low + i;
    halves[2 * (at + i) + 1 - lowAt] = high;
  }
}

/**
 * Returns an empty array with room for `count` IDs.
 *
 * @throws {@link ArgumentError} if `count` is not a whole number in range
 */
export function arrayFor(count: number): bigint[] {
  return new Array<bigint>(assertWhole("count", count, 0, MAX_COUNT));
}

/** Writes a run into an array from an index on. Returns the index after it. */
export function writeRun(ids: bigint[], at: number, { first, count }: IdRun): number {
  let id = first;
  for (let i = 0; i < count; i++) {
    ids[at + i] = id;
    // V8 adds 64-bit integers in place, without BigInt arithmetic.
    id = BigInt.asIntN(64, id + 1n);
  }
  return at + count;
}

/** Makes an array of IDs. */
export function makeIds(count: number, source: IdSource): bigint[] {
  const ids = arrayFor(count);
  if (count === 0) return ids;
  let at = 0;
  for (const run of source.claimRuns(count)) at = writeRun(ids, at, run);
  return ids;
}
