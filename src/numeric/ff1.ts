// FF1 of NIST SP 800-38G over decimal digits: a keyed permutation of the numbers of one length.

import { blockCipher, type EncryptBlocks } from "./blockCipher.ts";

const ROUNDS = 10;
const BLOCK = 16;

/** Halves have up to 16 digits, beyond 2^53, and so they are worked on in two limbs of eight digits. */
const LIMB = 100_000_000;
const LIMB_BIG = 100_000_000n;

/** What limbs are divided from: a limb and 24 bits more are an exact double. */
const CHUNK = 16_777_216;

const WORD = 4_294_967_296;

/** How many numbers go through the rounds together: a call of the platform's cipher costs as much for one block. */
export const LANES = 32;

/** One half of the digits of each number, of 1 to 16 digits. */
interface Halves {
  readonly high: Int32Array;
  readonly low: Int32Array;
  /** How many values each limb has: a power of ten. */
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
  // The product is below 2^54 and a multiple of 2^8: exact.
  return BigInt((high[lane] as number) * LIMB) + BigInt(low[lane] as number);
}

/** P and the part of Q that is the same for every number and round, as the standard calls them: whole blocks. */
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
 * FF1 under one key and tweak, on the numbers from 0 to 10^digits - 1: each stands for its text of exactly so many
 * digits, with zeros in front.
 *
 * FF1 needs two digits at least. For a single one, that of two digits is repeated until its result has one, which is a
 * permutation of the ten as well. It takes ten times as long on average, and ninety-one times at worst.
 *
 * Numbers are not checked. For one that is out of the range the result means nothing, and with a single digit the call
 * may fail for its depth.
 *
 * Where there are few numbers, to try them all is easy: the draft of the standard's first revision asks for a million,
 * which are six digits.
 */
export class Ff1 {
  readonly #startCipher: () => EncryptBlocks;
  readonly #end: bigint;
  /** The numbers of the lower half. */
  readonly #lowers: bigint;
  readonly #left: Halves;
  readonly #right: Halves;
  /** The CBC-MAC with all that goes into it but the round and a half, which come into the last block. */
  readonly #start = new Int32Array(4);
  readonly #blocks = new Int32Array(4 * LANES);
  /** What the number of a round is multiplied by to stand in the byte before the half: a power of 256. */
  readonly #place: number;
  /** Whether a round takes 12 bytes of the result, and not 8. */
  readonly #isLong: boolean;

  /**
   * @param key 16, 24 or 32 bytes; not checked
   * @param digits from 1 to 31; not checked
   * @param tweak as many bytes as desired
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

  /** @param values in the range, at most {@link LANES} */
  encrypt(values: readonly bigint[]): bigint[] {
    return this.#permute(values, false);
  }

  /** @param values in the range, at most {@link LANES} */
  decrypt(values: readonly bigint[]): bigint[] {
    return this.#permute(values, true);
  }

  #permute(values: readonly bigint[], isBack: boolean): bigint[] {
    const [left, right, lowers] = [this.#left, this.#right, this.#lowers];
    values.forEach((value, lane) => {
      write(left, lane, value / lowers);
      write(right, lane, value % lowers);
    });
    const encrypt = this.#startCipher();
    const blocks = this.#blocks.subarray(0, 4 * values.length);
    for (let done = 0; done < ROUNDS; done++) {
      const round = isBack ? ROUNDS - 1 - done : done;
      const isEven = round % 2 === 0;
      const [from, to] = isEven ? [right, left] : [left, right];
      for (let lane = 0; lane < values.length; lane++) this.#ask(round, from, lane);
      encrypt(blocks);
      for (let lane = 0; lane < values.length; lane++) this.#add(to, lane, isBack);
    }
    return values
      .map((_, lane) => read(left, lane) * lowers + read(right, lane))
      .map((result) => (result < this.#end ? result : (this.#permute([result], isBack)[0] as bigint)));
  }

  /** Writes the block that the cipher is given in a round, which ends with one half. */
  #ask(round: number, half: Halves, lane: number): void {
    const high = half.high[lane] as number;
    const low = half.low[lane] as number;
    const start = this.#start;
    const blocks = this.#blocks;
    const place = round * this.#place;
    const word = (Math.imul(high, LIMB) + low) >>> 0;
    blocks[4 * lane] = start[0] as number;
    blocks[4 * lane + 1] = start[1] as number;
    // The sum is a multiple of 2^32 below 2^54, so that it is exact, as is all that goes into it. Of the place, ^ takes
    // 32 bits and drops what is above and below.
    blocks[4 * lane + 2] = (start[2] as number) ^ ((high * LIMB + (low - word)) / WORD) ^ (place / WORD);
    blocks[4 * lane + 3] = (start[3] as number) ^ word ^ place;
  }

  /** Adds what the cipher made of the block to the other half, or takes it away again. */
  #add(to: Halves, lane: number, isBack: boolean): void {
    const blocks = this.#blocks;
    // The first 8 or 12 bytes by long division, in chunks of 24 bits: the remainders are the lower and the upper limb.
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

    // To take away is to add what is missing to 10^16, of which the moduli are divisors.
    const low = to.low[lane] as number;
    const high = to.high[lane] as number;
    const lowSum = low + (isBack ? LIMB - lower : lower);
    const highSum = high + (isBack ? LIMB - 1 - upper : upper) + (lowSum < LIMB ? 0 : 1);
    to.low[lane] = lowSum % to.lows;
    to.high[lane] = highSum % to.highs;
  }
}
