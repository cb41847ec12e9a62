// An ID as two numbers, of 31 and 32 bits. Converting through memory is several times as fast as shifting a BigInt.

/** The two halves of an ID. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** A 64-bit word and its halves in the same memory. */
interface Scratch {
  readonly word: BigUint64Array<ArrayBuffer>;
  readonly halves: Uint32Array<ArrayBuffer>;
  /** The indexes of the halves: 0 is the low one on a little-endian machine, and the high one on a big-endian one. */
  readonly lowAt: number;
  readonly highAt: number;
}

function createScratch(): Scratch {
  const word = BigUint64Array.of(1n);
  const halves = new Uint32Array(word.buffer);
  return { word, halves, lowAt: halves.indexOf(1), highAt: halves.indexOf(0) };
}

const scratch: Scratch = /* @__PURE__ */ createScratch();

/** Splits a bigint into its halves. Returns `undefined` if it is no ID: outside of 0 to 2^63 - 1. */
export function splitHalves(id: bigint): Halves | undefined {
  const { word, halves, lowAt, highAt } = scratch;
  word[0] = id;
  const high = halves[highAt] as number;
  // A bigint out of range sets the highest bit, or loses its upper bits.
  return high >= 0x8000_0000 || word[0] !== id ? undefined : { high, low: halves[lowAt] as number };
}

/** Joins halves into an ID. Returns `undefined` if the upper half has more than 31 bits. */
export function joinHalves(high: number, low: number): bigint | undefined {
  if (high >= 0x8000_0000) return undefined;
  const { word, halves, lowAt, highAt } = scratch;
  halves[highAt] = high;
  halves[lowAt] = low;
  return word[0];
}
