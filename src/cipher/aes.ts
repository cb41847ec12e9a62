// The AES block cipher of FIPS 197, where the platform has no synchronous one or its call takes longer than the cipher.
// Encryption only, because FF1 decrypts with the forward cipher as well.

/** Multiplies by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function xtime(byte: number): number {
  return byte < 128 ? byte << 1 : (byte << 1) ^ 0x11b;
}

/**
 * Returns the T-table entry of a byte, from the inverse of the byte: what SubBytes and MixColumns make of a byte in the
 * first row, which is 2s, s, s and 3s. For the other rows it is rotated by as many bytes. The two bytes in the middle are
 * the S-box.
 */
function tableEntry(inverse: number): number {
  const spread = inverse ^ (inverse << 1) ^ (inverse << 2) ^ (inverse << 3) ^ (inverse << 4);
  const s = (spread & 255) ^ (spread >> 8) ^ 0x63;
  return (xtime(s) << 24) | (s << 16) | (s << 8) | (xtime(s) ^ s);
}

/** Returns the T-table: the entries of all bytes. */
function createTable(): Int32Array {
  // 3 is a generator: its powers are all bytes except 0, and the 255th power is 1 again.
  const powers = new Uint8Array(256);
  let power = 1;
  for (let at = 0; at < 256; at++) {
    powers[at] = power;
    power ^= xtime(power);
  }
  // 0 has no inverse; the S-box maps it as if it were its own inverse.
  const table = new Int32Array(256).fill(tableEntry(0));
  for (let at = 0; at < 255; at++) table[powers[at] as number] = tableEntry(powers[255 - at] as number);
  return table;
}

let sharedTable: Int32Array | undefined;

/** Returns a column after SubBytes, ShiftRows and MixColumns, from the four columns that its bytes come from. */
function mixColumn(table: Int32Array, w0: number, w1: number, w2: number, w3: number): number {
  const a = table[w0 >>> 24] as number;
  const b = table[(w1 >>> 16) & 255] as number;
  const c = table[(w2 >>> 8) & 255] as number;
  const d = table[w3 & 255] as number;
  return a ^ ((b >>> 8) | (b << 24)) ^ ((c >>> 16) | (c << 16)) ^ ((d >>> 24) | (d << 8));
}

/** Returns a column after SubBytes and ShiftRows only, as in the last round. */
function substituteColumn(table: Int32Array, w0: number, w1: number, w2: number, w3: number): number {
  const a = table[w0 >>> 24] as number;
  const b = table[(w1 >>> 16) & 255] as number;
  const c = table[(w2 >>> 8) & 255] as number;
  const d = table[w3 & 255] as number;
  return ((a << 8) & 0xff00_0000) | (b & 0xff_0000) | (c & 0xff00) | ((d >>> 8) & 0xff);
}

/** Returns the round keys, one word per column (the key schedule). */
function expandKey(key: Uint8Array, table: Int32Array): Int32Array {
  const length = key.length / 4;
  const words = new Int32Array(4 * (length + 7));
  for (let at = 0; at < key.length; at++) {
    words[at >> 2] = ((words[at >> 2] as number) << 8) | (key[at] as number);
  }
  let constant = 1;
  for (let at = length; at < words.length; at++) {
    let word = words[at - 1] as number;
    if (at % length === 0) {
      word = (word << 8) | (word >>> 24);
      word = substituteColumn(table, word, word, word, word) ^ (constant << 24);
      constant = xtime(constant);
    } else if (length > 6 && at % length === 4) {
      word = substituteColumn(table, word, word, word, word);
    }
    words[at] = (words[at - length] as number) ^ word;
  }
  return words;
}

/**
 * AES with one key.
 *
 * The T-table makes its timing depend on the key and the block: an attacker who runs code on the same processor and
 * times it closely may learn about the key.
 */
export class Aes {
  readonly #table: Int32Array;
  readonly #keys: Int32Array;

  /** @param key 16, 24 or 32 bytes; not checked */
  constructor(key: Uint8Array) {
    sharedTable ??= createTable();
    this.#table = sharedTable;
    this.#keys = expandKey(key, sharedTable);
  }

  /**
   * Encrypts a block in place. A block is four big-endian words.
   *
   * @param at index of the block's first word
   */
  encrypt(blocks: Int32Array, at = 0): void {
    const table = this.#table;
    const keys = this.#keys;
    const last = keys.length - 4;
    let a = (blocks[at] as number) ^ (keys[0] as number);
    let b = (blocks[at + 1] as number) ^ (keys[1] as number);
    let c = (blocks[at + 2] as number) ^ (keys[2] as number);
    let d = (blocks[at + 3] as number) ^ (keys[3] as number);
    for (let round = 4; round < last; round += 4) {
      const e = mixColumn(table, a, b, c, d) ^ (keys[round] as number);
      const f = mixColumn(table, b, c, d, a) ^ (keys[round + 1] as number);
      const g = mixColumn(table, c, d, a, b) ^ (keys[round + 2] as number);
      d = mixColumn(table, d, a, b, c) ^ (keys[round + 3] as number);
      a = e;
      b = f;
      c = g;
    }
    blocks[at] = substituteColumn(table, a, b, c, d) ^ (keys[last] as number);
    blocks[at + 1] = substituteColumn(table, b, c, d, a) ^ (keys[last + 1] as number);
    blocks[at + 2] = substituteColumn(table, c, d, a, b) ^ (keys[last + 2] as number);
    blocks[at + 3] = substituteColumn(table, d, a, b, c) ^ (keys[last + 3] as number);
  }
}
