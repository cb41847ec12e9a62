// Makes IDs in each way there is, and writes them into a file in the order in which they were made.

import { closeSync, openSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** A whole number from `least` to `most`. */
export function between(least, most) {
  return least + Math.floor(Math.random() * (most - least + 1));
}

/** Where the IDs of one generator in one thread go. */
export class Pen {
  #file;

  constructor(path) {
    this.#file = openSync(path, "a");
  }

  /** Synchronous, so that IDs are on record before anything else happens to this process. */
  write(words) {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  close() {
    closeSync(this.#file);
  }
}

/** Makes IDs one by one. Those before a refusal were handed out all the same, so they are written down. */
async function oneByOne(pen, count, make) {
  const made = new BigUint64Array(count);
  let at = 0;
  try {
    for (; at < count; at++) made[at] = await make();
  } finally {
    pen.write(made.subarray(0, at));
  }
}

const doze = new Int32Array(new SharedArrayBuffer(4));

/**
 * The same without letting anything else happen in this thread: no timer and no answer of the store's gets through. A
 * process that is stopped in the midst of this goes on with it, and only its generator can know that the lease is over.
 */
function inOneGo(pen, count, generator, paceMs) {
  const made = new BigUint64Array(count);
  let at = 0;
  try {
    for (; at < count; at++) {
      made[at] = generator.nextId();
      if (at % 200 === 199) Atomics.wait(doze, 0, 0, paceMs);
    }
  } finally {
    pen.write(made.subarray(0, at));
  }
}

/** One piece of work, in one of the ways. Large ones are rare: it is on many ticks that two holders would meet. */
async function piece(generator, pen, paceMs) {
  const way = Math.random();
  if (way < 0.02) inOneGo(pen, Math.floor(between(5000, 40_000) / paceMs), generator, paceMs);
  else if (way < 0.35) inOneGo(pen, between(1, 50), generator, paceMs);
  else if (way < 0.55) await oneByOne(pen, between(1, 3), () => generator.nextIdAsync());
  else if (way < 0.75) pen.write(BigUint64Array.from(generator.nextIds(between(1, 300))));
  else if (way < 0.975) pen.write(generator.fill(new BigUint64Array(between(1, 500))));
  else pen.write(generator.fill(new BigUint64Array(between(5000, 20_000))));
}

/**
 * Makes IDs for a while, most of them a timer's tick apart, which leaves the processor to the others and still meets
 * every second millisecond or so.
 *
 * @param paceMs how long to sleep between two pieces
 */
export async function burst(generator, pen, paceMs) {
  const end = performance.now() + between(10, 80);
  do {
    await piece(generator, pen, paceMs);
    if (Math.random() < 0.9) await setTimeout(paceMs);
  } while (performance.now() < end);
}
