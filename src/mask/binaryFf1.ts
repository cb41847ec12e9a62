// FF1 of NIST SP 800-38G on binary digits: a keyed permutation of the numbers of one width.

import { Aes } from "../cipher/aes.ts";
import type { Halves } from "../internal.ts";

const ROUNDS = 10;
const BLOCK = 16;

/** Returns the mask of the lower bits of a word, up to all 32. */
function lowerBits(count: number): number {
  return count === 32 ? -1 : (1 << count) - 1;
}

/** Returns the bytes of the standard's P and Q, as whole blocks, with zeros for the round and the half at their end. */
function createInput(width: number, halfBytes: number, tweak: Uint8Array): DataView {
  const blocks = 1 + Math.ceil((tweak.length + 1 + halfBytes) / BLOCK);
  const bytes = new Uint8Array(blocks * BLOCK);
  bytes.set([1, 2, 1, 0, 0, 2, ROUNDS, width >> 1]);
  bytes.set(tweak, BLOCK);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, width);
  view.setUint32(12, tweak.length);
  return view;
}

/**
 * FF1 with one key and tweak, on the numbers of `width` bits. The standard's A is the upper half of the bits and B the lower
 * one, which has a bit more if the width is odd. With 63 bits they are the two halves that an ID has in memory, so a round is
 * one AES block and one addition of 32-bit integers.
 *
 * Both halves are at most 32 bits, so a round uses the second word of the encrypted block alone: the standard's y is the
 * first two words, reduced modulo a power of two that is at most 2^32.
 */
export class BinaryFf1 {
  readonly #aes: Aes;
  readonly #upper: number;
  readonly #lower: number;
  /** The CBC-MAC of everything except the round and the half, which are in the last block. */
  readonly #start = new Int32Array(4);
  /** The third and the fourth word of the last block in each round, without the half. */
  readonly #ends = new Int32Array(2 * ROUNDS);
  readonly #block = new Int32Array(4);

  /**
   * @param key 16, 24 or 32 bytes; not checked
   * @param width from 2 to 64; not checked. The draft of the standard's revision requires at least a million numbers, 20 bits
   * @param tweak any number of bytes
   */
  constructor(key: Uint8Array, width: number, tweak: Uint8Array) {
    this.#aes = new Aes(key);
    this.#upper = width >> 1;
    this.#lower = width - this.#upper;
    const halfBytes = Math.ceil(this.#lower / 8);
    const input = createInput(width, halfBytes, tweak);
    const last = input.byteLength - BLOCK;
    for (let at = 0; at < last; at += BLOCK) this.#chain(this.#start, input, at);
    const roundAt = input.byteLength - 1 - halfBytes;
    for (let round = 0; round < ROUNDS; round++) {
      input.setUint8(roundAt, round);
      for (const word of [2, 3]) {
        this.#ends[2 * round + word - 2] = (this.#start[word] as number) ^ input.getInt32(last + 4 * word);
      }
    }
    for (const word of [0, 1]) {
      this.#start[word] = (this.#start[word] as number) ^ input.getInt32(last + 4 * word);
    }
  }

  /** Adds a block of the input to the CBC-MAC. */
  #chain(state: Int32Array, input: DataView, at: number): void {
    for (let word = 0; word < 4; word++) {
      state[word] = (state[word] as number) ^ input.getInt32(at + 4 * word);
    }
    this.#aes.encrypt(state);
  }

  /** Encrypts a number of `width` bits; not checked. */
  encrypt(number: Halves): Halves {
    const [upperBits, lowerHalf] = [lowerBits(this.#upper), lowerBits(this.#lower)];
    let a = this.#upperOf(number);
    let b = number.low & lowerHalf;
    for (let round = 0; round < ROUNDS; round += 2) {
      a = (a + this.#y(round, b)) & upperBits;
      b = (b + this.#y(round + 1, a)) & lowerHalf;
    }
    return this.#join(a, b);
  }

  /** Decrypts a number of `width` bits; not checked. */
  decrypt(number: Halves): Halves {
    const [upperBits, lowerHalf] = [lowerBits(this.#upper), lowerBits(this.#lower)];
    let a = this.#upperOf(number);
    let b = number.low & lowerHalf;
    for (let round = ROUNDS - 2; round >= 0; round -= 2) {
      b = (b - this.#y(round + 1, a)) & lowerHalf;
      a = (a - this.#y(round, b)) & upperBits;
    }
    return this.#join(a, b);
  }

  /** Returns the lower 32 bits of the standard's y for a round and a half. */
  #y(round: number, half: number): number {
    const block = this.#block;
    block[0] = this.#start[0] as number;
    block[1] = this.#start[1] as number;
    block[2] = this.#ends[2 * round] as number;
    block[3] = (this.#ends[2 * round + 1] as number) ^ half;
    this.#aes.encrypt(block);
    return block[1];
  }

  // A shift by 32 is none in JavaScript: the halves of 63 and 64 bits are cut where the words are.

  #upperOf({ high, low }: Halves): number {
    return this.#lower === 32 ? high | 0 : (high << (32 - this.#lower)) | (low >>> this.#lower);
  }

  #join(a: number, b: number): Halves {
    if (this.#lower === 32) return { high: a >>> 0, low: b >>> 0 };
    return { high: a >>> (32 - this.#lower), low: ((a << this.#lower) | b) >>> 0 };
  }
}
