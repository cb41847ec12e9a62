// Makes IDs by each method of a generator, and writes them to a file in the order in which they were made.

import { closeSync, openSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Returns a random whole number from `least` to `most`. */
export function between(least, most) {
  return least + Math.floor(Math.random() * (most - least + 1));
}

/** Writes the IDs of one generator in one thread. */
export class Pen {
  #file;

  constructor(path) {
    this.#file = openSync(path, "a");
  }

  /** Synchronous, so that IDs are in the file before this process can be killed. */
  write(words) {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  close() {
    closeSync(this.#file);
  }
}

/** Makes IDs one by one. The IDs before an error were issued, so they are written too. */
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
 * Does the same without yielding to the event loop: no timer runs and no answer of the store arrives. A process that is
 * stopped meanwhile continues here, and only its generator can notice that the lease has ended.
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

/** Makes one batch of IDs by one of the methods. Large batches are rare, because two holders collide on many ticks sooner. */
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
 * Makes IDs for a while, most batches one timer tick apart, which leaves the processor to other processes and still
 * stamps about every second millisecond.
 *
 * @param paceMs how long to sleep between two batches
 */
export async function burst(generator, pen, paceMs) {
  const end = performance.now() + between(10, 80);
  do {
    await piece(generator, pen, paceMs);
    if (Math.random() < 0.9) await setTimeout(paceMs);
  } while (performance.now() < end);
}
