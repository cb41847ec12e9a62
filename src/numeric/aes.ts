// The AES block cipher of FIPS 197, for where the platform has none. Forward only: FF1 needs no more of it, in either
// direction.

/** Multiplies by x in the field of AES, where x^8 + x^4 + x^3 + x + 1 is nothing. */
function double(byte: number): number {
  return byte < 128 ? byte << 1 : (byte << 1) ^ 0x11b;
}

/**
 * What a byte of the first row gives to its column by SubBytes and MixColumns, from the inverse of the byte: 2s, s, s
 * and 3s. Bytes of the other rows give the same, turned round by as many bytes. The two in the middle are the S-box.
 */
function entry(inverse: number): number {
  const spread = inverse ^ (inverse << 1) ^ (inverse << 2) ^ (inverse << 3) ^ (inverse << 4);
  const s = (spread & 255) ^ (spread >> 8) ^ 0x63;
  return (double(s) << 24) | (s << 16) | (s << 8) | (double(s) ^ s);
}

/** The entries of all bytes. */
function createTable(): Int32Array {
  // The powers of 3 are all bytes but 0, and the 255th is 1 again.
  const powers = new Uint8Array(256);
  let power = 1;
  for (let at = 0; at < 256; at++) {
    powers[at] = power;
    power ^= double(power);
  }
  // 0 has no inverse, and stands for its own.
  const table = new Int32Array(256).fill(entry(0));
  for (let at = 0; at < 255; at++) table[powers[at] as number] = entry(powers[255 - at] as number);
  return table;
}

let sharedTable: Int32Array | undefined;

/** A column after SubBytes, ShiftRows and MixColumns, from the four columns that its bytes come from. */
function mixed(table: Int32Array, w0: number, w1: number, w2: number, w3: number): number {
  const a = table[w0 >>> 24] as number;
  const b = table[(w1 >>> 16) & 255] as number;
  const c = table[(w2 >>> 8) & 255] as number;
  const d = table[w3 & 255] as number;
  return a ^ ((b >>> 8) | (b << 24)) ^ ((c >>> 16) | (c << 16)) ^ ((d >>> 24) | (d << 8));
}

/** The same without MixColumns, as in the last round. */
function substituted(table: Int32Array, w0: number, w1: number, w2: number, w3: number): number {
  const a = table[w0 >>> 24] as number;
  const b = table[(w1 >>> 16) & 255] as number;
  const c = table[(w2 >>> 8) & 255] as number;
  const d = table[w3 & 255] as number;
  return ((a << 8) & 0xff00_0000) | (b & 0xff_0000) | (c & 0xff00) | ((d >>> 8) & 0xff);
}

/** The round keys, a word for each column. */
function expand(key: Uint8Array, table: Int32Array): Int32Array {
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
      word = substituted(table, word, word, word, word) ^ (constant << 24);
      constant = double(constant);
    } else if (length > 6 && at % length === 4) {
      word = substituted(table, word, word, word, word);
    }
    words[at] = (words[at - length] as number) ^ word;
  }
  return words;
}

/**
 * AES under one key.
 *
 * It looks its steps up in a table, so how long it takes depends on the key and the block. Whoever can run code on the
 * same processor and time it closely may learn of the key from that.
 */
export class Aes {
  readonly #table: Int32Array;
  readonly #keys: Int32Array;

  /** @param key 16, 24 or 32 bytes; not checked */
  constructor(key: Uint8Array) {
    sharedTable ??= createTable();
    this.#table = sharedTable;
    this.#keys = expand(key, sharedTable);
  }

  /**
   * Encrypts a block in place. It is four words, each of four bytes, the first of them highest.
   *
   * @param at where in the array the block begins
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
      const e = mixed(table, a, b, c, d) ^ (keys[round] as number);
      const f = mixed(table, b, c, d, a) ^ (keys[round + 1] as number);
      const g = mixed(table, c, d, a, b) ^ (keys[round + 2] as number);
      d = mixed(table, d, a, b, c) ^ (keys[round + 3] as number);
      a = e;
      b = f;
      c = g;
    }
    blocks[at] = substituted(table, a, b, c, d) ^ (keys[last] as number);
    blocks[at + 1] = substituted(table, b, c, d, a) ^ (keys[last + 1] as number);
    blocks[at + 2] = substituted(table, c, d, a, b) ^ (keys[last + 2] as number);
    blocks[at + 3] = substituted(table, d, a, b, c) ^ (keys[last + 3] as number);
  }
}
