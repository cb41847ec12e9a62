// The memory that threads share: the last ID, the highest reading, the grant and the settings, in one SharedArrayBuffer.

import {
  ArgumentError,
  randomUint16,
  type Settings,
  type SharedLast,
  UnsupportedError,
} from "../internal.ts";

/** Offsets in words of 64 bits. */
const LAST = 0;
const READING = 1;
const TAG = 2;
/** The node that is leased, or was last, and the first tick that its lease does not cover; -1 without leases. */
const NODE = 3;
const UNTIL = 4;
const SETTINGS = 5;

/**
 * The last ID of a memory that was ended. Its low half is all ones, so that no thread counts up from it. It is not the -1 of
 * a memory before its first ID, so that no thread replaces what it read before the end.
 */
const ENDED = -0x1_0000_0001n;

/** The version of these offsets: a change needs a new one. Handles of another version are refused. */
export const VERSION = 2;

/** Returns all settings that decide which IDs are made. Threads that disagree on them must not share a memory. */
function numbersOf(settings: Settings): number[] {
  const { maxTick, timestampShift, sequenceBits, shiftedNode, epochMs, tickMs } = settings;
  const halves = [Number(shiftedNode >> 32n), Number(BigInt.asUintN(32, shiftedNode))];
  return [VERSION, maxTick, timestampShift, sequenceBits, ...halves, epochMs, tickMs];
}

/** The shared memory, as one thread sees it. */
export class Memory implements SharedLast {
  declare readonly buffer: SharedArrayBuffer;
  /** The same memory in halves of words, to read the last ID without making a BigInt. */
  declare readonly halves: Uint32Array<SharedArrayBuffer>;
  /** Whether IDs are made only under grants, which this memory holds. */
  declare readonly isLeased: boolean;
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #words: BigInt64Array<SharedArrayBuffer>;
  /** A word of this thread's own, as an integer and as a double, to convert one into the other. */
  readonly #asWord: BigInt64Array<ArrayBuffer>;
  readonly #asReading: Float64Array<ArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.halves = new Uint32Array(buffer);
    this.#numbers = new Float64Array(buffer);
    this.#words = new BigInt64Array(buffer);
    this.#asWord = new BigInt64Array(1);
    this.#asReading = new Float64Array(this.#asWord.buffer);
    this.isLeased = this.until >= 0;
  }

  /** The last ID; negative before the first, and while there is no grant. */
  get last(): bigint {
    return Atomics.load(this.#words, LAST);
  }

  /** The highest reading at which an ID was issued, or with which a grant was requested; NaN before the first. */
  get highestReadingMs(): number {
    this.#asWord[0] = Atomics.load(this.#words, READING);
    return this.#asReading[0] as number;
  }

  /** The first tick that the grant does not cover, or the last grant did not. */
  get until(): number {
    return Number(Atomics.load(this.#words, UNTIL));
  }

  /** The node that is leased, or was last. */
  get node(): number {
    return Number(Atomics.load(this.#words, NODE));
  }

  /** Sets the end of the grant, or of the last one. */
  setEnd(until: number): void {
    Atomics.store(this.#words, UNTIL, BigInt(until));
  }

  /**
   * Lets threads continue from an ID that was never issued, of a node that was not theirs before. They read the last ID
   * first, then the node and the end. So a thread that sees this ID sees its node and end, and a thread that saw another
   * ID cannot replace this one.
   */
  open(node: number, before: bigint, readingMs: number, until: number): void {
    Atomics.store(this.#words, NODE, BigInt(node));
    this.#numbers[READING] = readingMs;
    this.setEnd(until);
    Atomics.store(this.#words, LAST, before);
  }

  /** Ends the grant in one step, after which no thread makes an ID. Returns the last ID. */
  close(): bigint {
    return Atomics.exchange(this.#words, LAST, -1n);
  }

  /** The number that identifies the memory: a buffer that was posted is another object in each thread. */
  get tag(): number {
    return this.#numbers[TAG] as number;
  }

  /**
   * Returns whether this is the highest reading. It reads without Atomics, which do not support doubles. A value that lags
   * or is torn equals no current reading, and the caller then takes the long way by {@link Memory.highestReadingMs}.
   */
  isHighest(readingMs: number): boolean {
    return this.#numbers[READING] === readingMs;
  }

  /** Replaces the last ID, unless another thread has been faster. */
  replace(last: bigint, next: bigint): boolean {
    return Atomics.compareExchange(this.#words, LAST, last, next) === last;
  }

  /**
   * Raises the highest reading. It is stored after the ID that was issued at it. A thread that dies in between leaves the
   * reading one step low, which the next ID corrects, while the ticks of the IDs cannot go back.
   */
  raiseReading(readingMs: number): void {
    for (;;) {
      const known = Atomics.load(this.#words, READING);
      this.#asWord[0] = known;
      if ((this.#asReading[0] as number) >= readingMs) return;
      this.#asReading[0] = readingMs;
      if (Atomics.compareExchange(this.#words, READING, known, this.#asWord[0] as bigint) === known) return;
    }
  }

  raise(last: bigint, readingMs: number): void {
    for (let known = this.last; known < last; known = this.last) this.replace(known, last);
    if (Number.isFinite(readingMs)) this.raiseReading(readingMs);
  }

  end(): { last: bigint; highestReadingMs: number } {
    const { highestReadingMs } = this;
    this.raiseReading(Infinity);
    return { last: Atomics.exchange(this.#words, LAST, ENDED), highestReadingMs };
  }

  /** Whether {@link Memory.end} was called in any thread. */
  get isEnded(): boolean {
    return this.highestReadingMs === Infinity;
  }
}

/**
 * Draws a number that no other memory has. Not by Math.random alone, which tests replace and `--random-seed` repeats.
 *
 * @throws {@link UnsupportedError} if there is a `crypto` that does not return random bytes
 */
function freshTag(): number {
  try {
    return (randomUint16() * 65_536 + randomUint16()) * 65_536 + randomUint16();
  } catch (error) {
    // A Worker at module scope has no crypto and no other thread. A crypto that is not random is an error.
    const isMissing = ["crypto", "randomness here"].includes((error as UnsupportedError).feature);
    if (isMissing) return Math.random();
    throw error;
  }
}

/**
 * Creates a memory for generators of these settings, before their first ID.
 *
 * @param isLeased whether they make IDs only under grants
 */
export function createMemory(settings: Settings, isLeased: boolean): Memory {
  if (globalThis.SharedArrayBuffer === undefined) {
    throw new UnsupportedError("SharedArrayBuffer (in a browser, the page must be cross-origin isolated)");
  }
  const expected = numbersOf(settings);
  const buffer = new SharedArrayBuffer((SETTINGS + expected.length) * 8);
  const numbers = new Float64Array(buffer);
  const words = new BigInt64Array(buffer);
  words[LAST] = -1n;
  words[UNTIL] = isLeased ? 0n : -1n;
  numbers[READING] = Number.NaN;
  numbers[TAG] = freshTag();
  numbers.set(expected, SETTINGS);
  return new Memory(buffer);
}

/** Asserts that a value from a handle is a memory for generators of these settings; returns the memory. */
export function openMemory(given: unknown, settings: Settings): Memory {
  if ({}.toString.call(given) !== "[object SharedArrayBuffer]") {
    throw new ArgumentError(
      "handle.memory",
      "a SharedArrayBuffer, which JSON and other processes do not get",
      given,
    );
  }
  const buffer = given as SharedArrayBuffer;
  const expected = numbersOf(settings);
  const size = (SETTINGS + expected.length) * 8;
  const found = buffer.byteLength === size ? new Float64Array(buffer, SETTINGS * 8) : [];
  if (expected.every((number, at) => number === found[at])) return new Memory(buffer);
  throw new ArgumentError("handle.memory", "that of a generator with the handle's options", given);
}
