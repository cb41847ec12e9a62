// FF1 step by step as in the standard, for any radix and length, and the published examples: the reference for both ciphers.

import { type Cipher, createCipheriv } from "node:crypto";
import { expect } from "vitest";

export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** AES by OpenSSL. In ECB mode blocks are independent, so one cipher encrypts all of them. */
export function openssl(key: Uint8Array): Cipher {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
}

/** FF1 step by step as in the standard (SP 800-38G, algorithms 6 and 7), for any radix. */
export class Reference {
  readonly #cipher: Cipher;
  readonly #radix: bigint;
  readonly #n: number;
  readonly #tweak: Uint8Array;

  constructor(key: Uint8Array, radix: number, n: number, tweak: Uint8Array) {
    this.#cipher = openssl(key);
    this.#radix = BigInt(radix);
    this.#n = n;
    this.#tweak = tweak;
  }

  /** Returns how many numbers of so many digits exist. */
  count(digits: number): bigint {
    return this.#radix ** BigInt(digits);
  }

  #prf(bytes: Buffer): Buffer {
    let state = Buffer.alloc(16);
    for (let at = 0; at < bytes.length; at += 16) {
      state = this.#cipher.update(state.map((byte, i) => byte ^ (bytes[at + i] as number)));
    }
    return state;
  }

  /** Returns the number y of a round: steps 6.i to 6.iv. */
  y(round: number, half: bigint): bigint {
    const n = this.#n;
    const t = this.#tweak.length;
    const u = Math.floor(n / 2);
    const v = n - u;
    const b = Math.ceil((this.count(v) - 1n).toString(2).length / 8);
    const d = 4 * Math.ceil(b / 4) + 4;
    const p = Buffer.from([
      1,
      2,
      1,
      0,
      0,
      Number(this.#radix),
      10,
      u % 256,
      0,
      0,
      0,
      n,
      0,
      0,
      t >> 8,
      t % 256,
    ]);
    const padding = Buffer.alloc((((-t - b - 1) % 16) + 16) % 16);
    const number = Buffer.from(half.toString(16).padStart(2 * b, "0"), "hex");
    const r = this.#prf(Buffer.concat([p, this.#tweak, padding, Buffer.of(round), number]));
    expect(d).toBeLessThanOrEqual(r.length);
    return BigInt(`0x${r.subarray(0, d).toString("hex")}`);
  }

  encrypt(value: bigint): bigint {
    const u = Math.floor(this.#n / 2);
    const v = this.#n - u;
    let [a, b] = [value / this.count(v), value % this.count(v)];
    for (let round = 0; round < 10; round++) {
      const c = (a + this.y(round, b)) % this.count(round % 2 === 0 ? u : v);
      [a, b] = [b, c];
    }
    return a * this.count(v) + b;
  }

  decrypt(value: bigint): bigint {
    const u = Math.floor(this.#n / 2);
    const v = this.#n - u;
    let [a, b] = [value / this.count(v), value % this.count(v)];
    for (let round = 9; round >= 0; round--) {
      const m = this.count(round % 2 === 0 ? u : v);
      const c = (((b - this.y(round, a)) % m) + m) % m;
      [a, b] = [c, a];
    }
    return a * this.count(v) + b;
  }
}

const K128 = "2B7E151628AED2A6ABF7158809CF4F3C";
const K192 = `${K128}EF4359D8D580AA4F`;
const K256 = `${K192}7F036D6F04FC6A94`;
const TEN = "39383736353433323130";
const ELEVEN = "3737373770717273373737";
/** NIST's examples of FF1, by number: key, radix, tweak, plain text, cipher text. */
export const NIST_SAMPLES: readonly [number, string, number, string, string, string][] = [
  [1, K128, 10, "", "0123456789", "2433477484"],
  [2, K128, 10, TEN, "0123456789", "6124200773"],
  [3, K128, 36, ELEVEN, "0123456789abcdefghi", "a9tv40mll9kdu509eum"],
  [4, K192, 10, "", "0123456789", "2830668132"],
  [5, K192, 10, TEN, "0123456789", "2496655549"],
  [6, K192, 36, ELEVEN, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"],
  [7, K256, 10, "", "0123456789", "6657667009"],
  [8, K256, 10, TEN, "0123456789", "1001623463"],
  [9, K256, 36, ELEVEN, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"],
];

/**
 * The examples of radix 2 from the test vectors of Zcash (zcash-test-vectors, ff1.py), which derives addresses by FF1 with
 * AES-256: tweak, plain text, cipher text. NIST has none of radix 2.
 */
export const ZCASH_SAMPLES: readonly [string, string, string][] = [
  [
    "",
    "0".repeat(88),
    "0000100100110101011101111111110011000001101100111110011101110101011010100100010011001111",
  ],
  [
    "",
    "0000100100110101011101111111110011000001101100111110011101110101011010100100010011001111",
    "1101101011010001100011110000010011001111110110011101010110100001111001000101011111011000",
  ],
  [
    "",
    "01".repeat(44),
    "0000111101000001111011010111011111110001100101000000001101101110100010010111001100100110",
  ],
  [
    Buffer.from(Array.from({ length: 255 }, (_, at) => at)).toString("hex"),
    "01".repeat(44),
    "0111110110001000000111010110000100010101101000000011100111100100100010101101111010100011",
  ],
];

/** The key of {@link ZCASH_SAMPLES}. */
export const ZCASH_KEY = K256;

/** Returns the number that digits stand for. */
export function parseNumber(text: string, radix: number): bigint {
  return Array.from(text).reduce(
    (sum, digit) => sum * BigInt(radix) + BigInt(Number.parseInt(digit, radix)),
    0n,
  );
}
