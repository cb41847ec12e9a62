// Many IDs at once: whole runs of a tick are claimed at one clock reading each, then written out.

import { ArgumentError } from "../errors.ts";
import { whole } from "./check.ts";
import type { Issuer } from "./issuer.ts";
import { copyEntry, createEntry } from "./ledger.ts";

/** The largest array `nextIds` makes. V8 turns a larger one into a hash table, ten times slower and bigger. */
const MAX_COUNT = 16_777_216;

/** An array to fill. */
export type Words = BigUint64Array | BigInt64Array;

/** IDs that count up from a first one. */
export interface Run {
  readonly first: bigint;
  readonly count: number;
}

/** Fills an array with the runs that a claim brings: as many IDs as it was asked for. */
export function fill<T extends Words>(target: T, claim: (length: number) => Run[]): T {
  // By tag and not by instanceof, which fails on arrays from another realm, such as Jest's.
  if (!ArrayBuffer.isView(target) || !/^Big/.test((target as T)[Symbol.toStringTag])) {
    throw new ArgumentError("target", "a BigUint64Array or BigInt64Array", target);
  }
  const { length } = target;
  if (length === 0) return target;
  const halves = new Uint32Array(target.buffer, target.byteOffset, length * 2);
  const runs = claim(length);
  target[0] = 1n;
  const lowAt = halves.indexOf(1); // 0 on a little-endian machine, 1 on a big-endian one
  let at = 0;
  for (const { first, count } of runs) {
    target[at] = first;
    // The first ID of a run shows both halves; the others have the same high one, and low ones that count up.
    const low = halves[2 * at + lowAt] as number;
    const high = halves[2 * at + 1 - lowAt] as number;
    for (let i = 1; i < count; i++) {
      halves[2 * (at + i) + lowAt] = low + i;
      halves[2 * (at + i) + 1 - lowAt] = high;
    }
    at += count;
  }
  return target;
}

/** Makes an array of IDs. */
export function many(count: number, claim: (length: number) => Run[]): bigint[] {
  const words = fill(new BigUint64Array(whole("count", count, 0, MAX_COUNT)), claim);
  const ids = new Array<bigint>(count);
  for (let i = 0; i < count; i++) ids[i] = words[i] as bigint;
  return ids;
}

/** Claims runs of IDs from an issuer's entry; if that throws, the entry has not changed. */
export function claim(issuer: Issuer, length: number): Run[] {
  const { entry, lowMask } = issuer;
  const last = entry.word[0];
  // On a draft, which is made good at the end: a clock that fails midway changes nothing.
  const draft = createEntry();
  copyEntry(entry, draft);
  const runs: Run[] = [];
  for (let left = length; left > 0; ) {
    issuer.advance(draft);
    const first = draft.word[0] as bigint;
    const low = draft.low[0] as number;
    const count = Math.min(((~low & lowMask) >>> 0) + 1, left);
    draft.low[0] = low + count - 1;
    runs.push({ first, count });
    left -= count;
  }
  if (entry.word[0] !== last) throw new ArgumentError("clock", "a function that makes no IDs", issuer.clock);
  copyEntry(draft, entry);
  return runs;
}
