// Many IDs at once: whole runs of a tick are claimed at one clock reading each, then written out.

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
  const write = writer(target);
  for (const run of source.claimRuns(length)) write(run);
  return target;
}

/** Returns a function that writes runs into an array, one behind the other. */
export function writer(target: Words): (run: IdRun) => void {
  const halves = new Uint32Array(target.buffer, target.byteOffset, target.length * 2);
  let lowAt = 0;
  let at = 0;
  return ({ first, count }) => {
    if (at === 0) {
      target[0] = 1n;
      lowAt = halves.indexOf(1); // 0 on a little-endian machine, 1 on a big-endian one
    }
    target[at] = first;
    writeRest(halves, at, count, lowAt);
    at += count;
  };
}

/** Writes the IDs behind the first: it shows both halves, and they have the same high one, and low ones that count up. */
function writeRest(halves: Uint32Array, at: number, count: number, lowAt: number): void {
  const low = halves[2 * at + lowAt] as number;
  const high = halves[2 * at + 1 - lowAt] as number;
  for (let i = 1; i < count; i++) {
    halves[2 * (at + i) + lowAt] = low + i;
    halves[2 * (at + i) + 1 - lowAt] = high;
  }
}

/** An array for so many IDs. */
export function wordsFor(count: number): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(assertWhole("count", count, 0, MAX_COUNT));
}

/** The IDs of an array of words. */
export function idsOf(words: Words): bigint[] {
  const { length } = words;
  const ids = new Array<bigint>(length);
  for (let i = 0; i < length; i++) ids[i] = words[i] as bigint;
  return ids;
}

/** Makes an array of IDs. */
export function many(count: number, source: IdSource): bigint[] {
  return idsOf(fill(wordsFor(count), source));
}
