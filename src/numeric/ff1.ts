// FF1 of NIST SP 800-38G, format-preserving encryption: a keyed permutation of the numbers of one length.

import { blockCipher, type EncryptBlocks } from "./blockCipher.ts";

const ROUNDS = 10;
const BLOCK = 16;

/** The size of a limb. A half has up to 16 digits, more than 2^53 holds, so it is two limbs of eight digits. */
const LIMB = 100_000_000;
const LIMB_BIG = 100_000_000n;

/** 24 bits: a limb times this is an exact double, so division by a limb goes in chunks of 24 bits. */
const CHUNK = 16_777_216;

const WORD = 4_294_967_296;

/** How many numbers are encrypted together: a call of the platform's cipher costs as much for one block as for 32. */
export const LANES = 32;

/** One half, of 1 to 16 digits, of each number: the A or B of the standard. */
interface Halves {
  readonly high: Int32Array;
  readonly low: Int32Array;
  /** The modulus of each limb: a power of ten. */
  readonly highs: number;
  readonly lows: number;
}

function createHalves(digits: number): Halves {
  return {
    high: new Int32Array(LANES),
    low: new Int32Array(LANES),
    highs: 10 ** Math.max(0, digits - 8),
    lows: 10 ** Math.min(8, digits),
  };
}

function write({ high, low }: Halves, lane: number, value: bigint): void {
  high[lane] = Number(value / LIMB_BIG);
  low[lane] = Number(value % LIMB_BIG);
}

function read({ high, low }: Halves, lane: number): bigint {
  // Exact, because the product is below 2^54 and a multiple of 2^8.
  return BigInt((high[lane] as number) * LIMB) + BigInt(low[lane] as number);
}

/** Returns the standard's P and the part of Q that is the same for every number and round, as whole blocks. */
function preamble(digits: number, upper: number, width: number, tweak: Uint8Array): DataView {
  const length = BLOCK + Math.ceil((tweak.length + 1 + width) / BLOCK) * BLOCK;
  const bytes = new Uint8Array(length);
  bytes.set([1, 2, 1, 0, 0, 10, ROUNDS, upper]);
  bytes.set(tweak, BLOCK);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, digits);
  view.setUint32(12, tweak.length);
  return view;
}

/**
 * FF1 with one key and tweak, on the numbers from 0 to 10^digits - 1. A number stands for its text of exactly `digits`
 * digits, with leading zeros.
 *
 * FF1 needs at least two digits. A single digit is encrypted as two digits again and again until the result has one
 * (cycle walking), which is a permutation of the ten digits. That takes ten times as long on average, and 91 times in the
 * worst case.
 *
 * Numbers are not checked. The result for a number out of range is meaningless, and with a single digit the call may
 * overflow the stack.
 *
 * With few numbers an attacker can try them all: the draft of the standard's first revision requires a million, which
 * is six digits.
 */
export class Ff1 {
  readonly #startCipher: () => EncryptBlocks;
  readonly #end: bigint;
  /** The modulus of the lower half. */
  readonly #lowers: bigint;
  readonly #left: Halves;
  readonly #right: Halves;
  /** The CBC-MAC of everything except the round number and the half, which are in the last block. */
  readonly #start = new Int32Array(4);
  readonly #blocks = new Int32Array(4 * LANES);
  /** The factor that moves the round number into the byte before the half: a power of 256. */
  readonly #place: number;
  /** Whether a round uses 12 bytes of the result instead of 8. */
  readonly #isLong: boolean;

  /**
   * @param key 16, 24 or 32 bytes; not checked
   * @param digits from 1 to 31; not checked
   * @param tweak any number of bytes
   */
  constructor(key: Uint8Array, digits: number, tweak: Uint8Array) {
    const length = Math.max(2, digits);
    const upper = length >> 1;
    const lower = length - upper;
    const width = Math.ceil(Math.ceil(lower * Math.log2(10)) / 8);
    this.#startCipher = blockCipher(key);
    this.#end = 10n ** BigInt(digits);
    this.#lowers = 10n ** BigInt(lower);
    this.#left = createHalves(upper);
    this.#right = createHalves(lower);
    this.#place = 256 ** width;
    this.#isLong = width > 4;
    const bytes = preamble(length, upper, width, tweak);
    const encrypt = this.#startCipher();
    for (let at = 0; at < bytes.byteLength; at += BLOCK) {
      if (at > 0) encrypt(this.#start);
      for (let word = 0; word < 4; word++) {
        this.#start[word] = (this.#start[word] as number) ^ bytes.getInt32(at + 4 * word);
      }
    }
  }

  /**
   * Encrypts numbers.
   *
   * @param values numbers in range, at most {@link LANES}
   */
  encrypt(values: readonly bigint[]): bigint[] {
    return this.#permute(values, false);
  }

  /**
   * Decrypts numbers.
   *
   * @param values numbers in range, at most {@link LANES}
   */
  decrypt(values: readonly bigint[]): bigint[] {
    return this.#permute(values, true);
  }

  #permute(values: readonly bigint[], isDecryption: boolean): bigint[] {
    const [left, right, lowers] = [this.#left, this.#right, this.#lowers];
    values.forEach((value, lane) => {
      write(left, lane, value / lowers);
      write(right, lane, value % lowers);
    });
    const encrypt = this.#startCipher();
    const blocks = this.#blocks.subarray(0, 4 * values.length);
    for (let done = 0; done < ROUNDS; done++) {
      const round = isDecryption ? ROUNDS - 1 - done : done;
      const isEven = round % 2 === 0;
      const [from, to] = isEven ? [right, left] : [left, right];
      for (let lane = 0; lane < values.length; lane++) this.#writeBlock(round, from, lane);
      encrypt(blocks);
      for (let lane = 0; lane < values.length; lane++) this.#addResult(to, lane, isDecryption);
    }
    return values
      .map((_, lane) => read(left, lane) * lowers + read(right, lane))
      .map((result) => (result < this.#end ? result : (this.#permute([result], isDecryption)[0] as bigint)));
  }

  /** Writes a round's last block, which ends with the round number and one half, for the cipher. */
  #writeBlock(round: number, half: Halves, lane: number): void {
    const high = half.high[lane] as number;
    const low = half.low[lane] as number;
    const start = this.#start;
    const blocks = this.#blocks;
    const place = round * this.#place;
    const word = (Math.imul(high, LIMB) + low) >>> 0;
    blocks[4 * lane] = start[0] as number;
    blocks[4 * lane + 1] = start[1] as number;
    // The sum is a multiple of 2^32 below 2^54, so it and its terms are exact. `^` uses 32 bits of the place and drops
    // the bits above and below.
    blocks[4 * lane + 2] = (start[2] as number) ^ ((high * LIMB + (low - word)) / WORD) ^ (place / WORD);
    blocks[4 * lane + 3] = (start[3] as number) ^ word ^ place;
  }

  /** Adds the encrypted block to the other half, or subtracts it (`isDecryption`). */
  #addResult(to: Halves, lane: number, isDecryption: boolean): void {
    const blocks = this.#blocks;
    // Long division of the first 8 or 12 bytes in chunks of 24 bits: the remainders are the lower and the upper limb.
    const at = 4 * lane;
    const w0 = this.#isLong ? (blocks[at] as number) : 0;
    const w1 = blocks[this.#isLong ? at + 1 : at] as number;
    const w2 = blocks[this.#isLong ? at + 2 : at + 1] as number;
    const n2 = (w0 >>> 8) * CHUNK + (((w0 & 0xff) << 16) | (w1 >>> 16));
    const q2 = Math.floor(n2 / LIMB);
    const n1 = (n2 - q2 * LIMB) * CHUNK + (((w1 & 0xffff) << 8) | (w2 >>> 24));
    const q1 = Math.floor(n1 / LIMB);
    const n0 = (n1 - q1 * LIMB) * CHUNK + (w2 & 0xff_ffff);
    const q0 = Math.floor(n0 / LIMB);
    const lower = n0 - q0 * LIMB;
    const m1 = q2 * CHUNK + q1;
    const m0 = (m1 - Math.floor(m1 / LIMB) * LIMB) * CHUNK + q0;
    const upper = m0 - Math.floor(m0 / LIMB) * LIMB;

    // To subtract, add the complement to 10^16, which is a multiple of both moduli.
    const low = to.low[lane] as number;
    const high = to.high[lane] as number;
    const lowSum = low + (isDecryption ? LIMB - lower : lower);
    const highSum = high + (isDecryption ? LIMB - 1 - upper : upper) + (lowSum < LIMB ? 0 : 1);
    to.low[lane] = lowSum % to.lows;
    to.high[lane] = highSum % to.highs;
  }
}
