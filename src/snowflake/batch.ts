// Many IDs at once: whole runs of a tick are claimed at one clock reading each, then written out.

import { ArgumentError, SequenceExhaustedError } from "../errors.ts";
import { assertWhole } from "../validate.ts";
import { spanMs, tickOf, waitForRoomMs } from "./clock.ts";
import { type IdRun, type Issuer, stateOf, type Terms, WaitBudget } from "./issuer.ts";
import { copyEntry, createEntry, type LedgerEntry } from "./ledger.ts";

/** The largest array `nextIds` makes. V8 turns a larger one into a hash table, ten times slower and bigger. */
const MAX_COUNT = 16_777_216;

/** An array to fill. */
export type Words = BigUint64Array | BigInt64Array;

/** Fills an array with the runs that a claim brings: as many IDs as it was asked for. */
export function fill<T extends Words>(target: T, claimRuns: (length: number) => IdRun[]): T {
  // By tag and not by instanceof, which fails on arrays from another realm, such as Jest's.
  if (!ArrayBuffer.isView(target) || !/^Big/.test((target as T)[Symbol.toStringTag])) {
    throw new ArgumentError("target", "a BigUint64Array or BigInt64Array", target);
  }
  const { length } = target;
  if (length === 0) return target;
  const write = writer(target);
  for (const run of claimRuns(length)) write(run);
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
export function many(count: number, claim: (length: number) => IdRun[]): bigint[] {
  return idsOf(fill(wordsFor(count), claim));
}

/**
 * Asserts that a call for many can have all its IDs in time, before it claims the first: as far as that is known from one
 * reading. What is wrong with the reading itself, the claim will say.
 */
export function checkRoom(terms: Terms, entry: LedgerEntry, nowMs: number, budget: WaitBudget): void {
  const state = stateOf(terms, entry);
  if (!Number.isFinite(nowMs) || nowMs < terms.epochMs) return;
  if (state.readingMs - nowMs > terms.maxBackwardMs) return;
  const waitMs = waitForRoomMs(terms, state, nowMs, budget.left);
  if (waitMs === 0) return;
  const tick = Math.max(state.tick, tickOf(terms, nowMs));
  if (terms.onExhausted === "throw") throw new SequenceExhaustedError(tick, waitMs, budget.left);
  budget.allow(tick, waitMs, nowMs);
}

/**
 * Asserts that a call for many may go on after a run that does not cover it: a clock that is slow to read can use up its
 * time without a wait.
 */
export function checkTime(terms: Terms, entry: LedgerEntry, { isLate, left }: WaitBudget): void {
  if (!isLate) return;
  throw new SequenceExhaustedError(stateOf(terms, entry).tick, terms.tickMs + spanMs(terms, left), left);
}

/** Claims runs of IDs from an issuer's entry; if that throws, the entry has not changed. */
export function claim(issuer: Issuer, length: number): IdRun[] {
  const { entry, terms } = issuer;
  const last = entry.word[0];
  // On a draft, which is made good at the end: a clock that fails midway changes nothing.
  const draft = createEntry();
  copyEntry(entry, draft);
  const runs: IdRun[] = [];
  const budget = new WaitBudget(length);
  let now = issuer.clock();
  const isRoom = now === draft.readingMs && (~(draft.low[0] as number) & issuer.lowMask) >>> 0 >= length;
  if (!isRoom) checkRoom(terms, draft, now, budget);
  for (;;) {
    issuer.advance(draft, now, budget);
    const run = issuer.rest(draft, budget.left);
    runs.push(run);
    budget.left -= run.count;
    if (budget.left === 0) break;
    checkTime(terms, draft, budget);
    now = issuer.clock();
  }
  if (entry.word[0] !== last) throw new ArgumentError("clock", "a function that makes no IDs", issuer.clock);
  copyEntry(draft, entry);
  return runs;
}
