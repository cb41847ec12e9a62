// AES and FF1: published examples, and comparison with a slow reference implementation.

import { createHash } from "node:crypto";
import { ecb } from "@noble/ciphers/aes.js";
import { FF1 as NobleFf1 } from "@noble/ciphers/ff1.js";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Aes } from "../../src/cipher/aes.ts";
import { blockCipher } from "../../src/numeric/blockCipher.ts";
import { Ff1 as Ff1OfMany, LANES } from "../../src/numeric/ff1.ts";
import { NIST_SAMPLES, openssl, parseNumber, Reference, unhex } from "../support/ff1Reference.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** FF1 on one number at a time. */
class Ff1 {
  readonly ofMany: Ff1OfMany;

  constructor(key: Uint8Array, digits: number, tweak: Uint8Array) {
    this.ofMany = new Ff1OfMany(key, digits, tweak);
  }

  encrypt(value: bigint): bigint {
    return this.ofMany.encrypt([value])[0] as bigint;
  }

  decrypt(value: bigint): bigint {
    return this.ofMany.decrypt([value])[0] as bigint;
  }
}

/** Runs a function without `node:crypto`, or with a replacement of it. */
function withBuiltin<T>(module: object | undefined, act: () => T): T {
  const lookUp = vi.spyOn(process, "getBuiltinModule").mockReturnValue(module as never);
  try {
    return act();
  } finally {
    expect(lookUp).toHaveBeenCalledWith("node:crypto");
    lookUp.mockRestore();
  }
}

/** The platform's AES and the AES of this package. */
const PATHS: readonly (readonly [string, <T>(act: () => T) => T])[] = [
  ["the platform's AES", (act) => act()],
  ["the own AES", (act) => withBuiltin(undefined, act)],
];

function aesOf(key: Uint8Array, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const block = Int32Array.of(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
  new Aes(key).encrypt(block);
  return Array.from(block, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The reference for decimal digits, which also takes a single digit. */
function model(key: Uint8Array, digits: number, tweak: Uint8Array): (value: bigint) => bigint {
  const reference = new Reference(key, 10, Math.max(2, digits), tweak);
  return (value) => {
    let result = reference.encrypt(value);
    while (digits === 1 && result > 9n) result = reference.encrypt(result);
    return result;
  };
}

/** Pseudorandom bytes and numbers, the same in every run. */
function noise(length: number, ...from: readonly number[]): Uint8Array {
  return Uint8Array.from(createHash("shake256", { outputLength: length }).update(from.join()).digest());
}
function numberOf(digits: number, ...from: readonly number[]): bigint {
  return BigInt(`0x${Buffer.from(noise(24, ...from)).toString("hex")}`) % 10n ** BigInt(digits);
}

const SIZES = [16, 24, 32];
const ALL_DIGITS = Array.from({ length: 31 }, (_, at) => at + 1);

const anyBytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength, size: "max" });
const anyKey = fc.oneof(...SIZES.map((size) => anyBytes(size)));
const anyTweak = anyBytes(0, 40);
const anyDigits = fc.integer({ min: 1, max: 31 });
/** Numbers of so many digits, with those around powers of ten, where limbs and halves end. */
const anyValue = (digits: number) =>
  fc.oneof(
    fc.bigInt(0n, 10n ** BigInt(digits) - 1n),
    fc
      .tuple(fc.bigInt(0n, BigInt(digits)), fc.bigInt(-2n, 2n))
      .map(([power, by]) => 10n ** power + by)
      .filter((value) => value >= 0n && value < 10n ** BigInt(digits)),
  );
const anyCase = anyDigits.chain((digits) =>
  fc.tuple(fc.constant(digits), anyKey, anyTweak, anyValue(digits)),
);

describe("AES", () => {
  test.each([
    [
      "B",
      "2b7e151628aed2a6abf7158809cf4f3c",
      "3243f6a8885a308d313198a2e0370734",
      "3925841d02dc09fbdc118597196a0b32",
    ],
    [
      "C.1",
      "000102030405060708090a0b0c0d0e0f",
      "00112233445566778899aabbccddeeff",
      "69c4e0d86a7b0430d8cdb78070b4c55a",
    ],
    [
      "C.2",
      "000102030405060708090a0b0c0d0e0f1011121314151617",
      "00112233445566778899aabbccddeeff",
      "dda97ca4864cdfe06eaf70a0ec0d7191",
    ],
    [
      "C.3",
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      "00112233445566778899aabbccddeeff",
      "8ea2b7ca516745bfeafc49904b496089",
    ],
  ])("matches FIPS 197, appendix %s", (_appendix, key, plain, cipher) => {
    expect(aesOf(unhex(key), unhex(plain))).toBe(cipher);
  });

  test("agrees with OpenSSL", () => {
    fc.assert(
      fc.property(anyKey, anyBytes(16), (key, block) => {
        expect(aesOf(key, block)).toBe(openssl(key).update(block).toString("hex"));
      }),
    );
  });

  test("agrees with OpenSSL over a long chain, in which every byte occurs at every place", () => {
    for (const size of SIZES) {
      const key = noise(size, size);
      const aes = new Aes(key);
      const cipher = openssl(key);
      const block = new Int32Array(4);
      let bytes = Buffer.alloc(16);
      for (let count = 0; count < 5000; count++) {
        aes.encrypt(block);
        bytes = cipher.update(bytes);
      }
      expect(Array.from(block)).toEqual([0, 4, 8, 12].map((at) => bytes.readInt32BE(at)));
    }
  });
});

describe("blockCipher", () => {
  const words = (bytes: Uint8Array) => {
    const view = new DataView(Uint8Array.from(bytes).buffer);
    return Int32Array.from({ length: bytes.length / 4 }, (_, at) => view.getInt32(4 * at));
  };

  test.each(PATHS)("by %s agrees with @noble/ciphers, for one block and for many", (_path, on) => {
    fc.assert(
      fc.property(anyKey, fc.integer({ min: 1, max: 40 }), fc.nat(), (key, count, salt) => {
        const bytes = noise(16 * count, salt);
        const blocks = words(bytes);
        on(() => blockCipher(key))()(blocks);
        expect(blocks).toEqual(words(ecb(key, { disablePadding: true }).encrypt(bytes)));
      }),
    );
  });

  test("uses the platform's AES, looked up at creation", () => {
    const encrypt = vi.spyOn(Aes.prototype, "encrypt");
    const lookUp = vi.spyOn(process, "getBuiltinModule");
    const start = blockCipher(noise(16));
    expect(lookUp).toHaveBeenCalledTimes(1);
    start()(new Int32Array(8));
    expect(encrypt).not.toHaveBeenCalled();
  });

  test.each<[string, object | undefined]>([
    ["no node:crypto", undefined],
    ["a node:crypto without ciphers", {}],
    [
      "a node:crypto without the mode",
      {
        createCipheriv() {
          throw new Error("unknown cipher");
        },
      },
    ],
    [
      "a node:crypto that keeps the last block back",
      { createCipheriv: () => ({ setAutoPadding() {}, update: () => new Uint8Array(0) }) },
    ],
  ])("uses its own AES with %s", (_title, module) => {
    const blocks = new Int32Array(8);
    withBuiltin(module, () => blockCipher(noise(16)))()(blocks);
    const expected = new Int32Array(8);
    blockCipher(noise(16))()(expected);
    expect(blocks).toEqual(expected);
  });

  test("uses its own AES in a runtime without `process`", () => {
    const encrypt = vi.spyOn(Aes.prototype, "encrypt");
    const { process } = globalThis;
    Reflect.deleteProperty(globalThis, "process");
    try {
      blockCipher(noise(16))()(new Int32Array(4));
    } finally {
      globalThis.process = process;
    }
    expect(encrypt).toHaveBeenCalledTimes(1);
  });
});

describe("FF1", () => {
  describe.each(PATHS)("by %s", (_path, on) => {
    test.each(NIST_SAMPLES.filter(([, , radix]) => radix === 10))(
      "matches NIST's sample %i",
      (_sample, key, _radix, tweak, plain, cipher) => {
        const ff1 = on(() => new Ff1(unhex(key), plain.length, unhex(tweak)));
        expect(ff1.encrypt(BigInt(plain))).toBe(BigInt(cipher));
        expect(ff1.decrypt(BigInt(cipher))).toBe(BigInt(plain));
        const more = Array.from({ length: LANES }, (_, at) => BigInt(plain) + BigInt(at));
        expect(ff1.ofMany.encrypt(more)).toEqual(more.map((value) => ff1.encrypt(value)));
      },
    );

    test("agrees with @noble/ciphers for any number that both accept", () => {
      fc.assert(
        fc.property(anyCase, ([digits, key, tweak, value]) => {
          // @noble/ciphers follows the draft of the revised standard, which requires a million numbers.
          fc.pre(digits >= 6);
          const noble = NobleFf1(10, key, tweak);
          const result = on(() => new Ff1(key, digits, tweak)).encrypt(value);
          const places = Array.from(value.toString().padStart(digits, "0"), Number);
          expect(result.toString().padStart(digits, "0")).toBe(noble.encrypt(places).join(""));
        }),
      );
    });

    test("encrypts and decrypts many numbers as one by one", () => {
      fc.assert(
        fc.property(
          anyDigits.chain((digits) =>
            fc.tuple(fc.constant(digits), anyKey, fc.array(anyValue(digits), { maxLength: LANES })),
          ),
          ([digits, key, values]) => {
            const ff1 = on(() => new Ff1(key, digits, noise(3, digits)));
            const results = ff1.ofMany.encrypt(values);
            expect(results).toEqual(values.map((value) => ff1.encrypt(value)));
            expect(ff1.ofMany.decrypt(results)).toEqual(values);
          },
        ),
        // Each run has many numbers, half as many as lanes on average.
        { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 5) },
      );
    });
  });

  test("is the same by the platform's AES and its own", () => {
    fc.assert(
      fc.property(anyCase, ([digits, key, tweak, value]) => {
        const [one, other] = PATHS.map(([, on]) => on(() => new Ff1(key, digits, tweak)));
        expect(one?.encrypt(value)).toBe(other?.encrypt(value));
        expect(one?.decrypt(value)).toBe(other?.decrypt(value));
      }),
    );
  });

  test.each(NIST_SAMPLES)(
    "matches NIST's sample %i by the reference",
    (_sample, key, radix, tweak, plain, cipher) => {
      const reference = new Reference(unhex(key), radix, plain.length, unhex(tweak));
      expect(reference.encrypt(parseNumber(plain, radix))).toBe(parseNumber(cipher, radix));
      expect(reference.decrypt(parseNumber(cipher, radix))).toBe(parseNumber(plain, radix));
    },
  );

  test("agrees with the reference for every length of number, tweak and key", () => {
    for (const digits of ALL_DIGITS) {
      for (let length = 0; length <= 40; length++) {
        for (const size of SIZES) {
          const key = noise(size, digits, length, size);
          const tweak = noise(length, size, digits, length);
          const value = numberOf(digits, length, size, digits);
          const result = new Ff1(key, digits, tweak).encrypt(value);
          expect(result, `${digits} ${length} ${size}`).toBe(model(key, digits, tweak)(value));
        }
      }
    }
  });

  test("agrees with the reference for any number", () => {
    fc.assert(
      fc.property(anyCase, ([digits, key, tweak, value]) => {
        expect(new Ff1(key, digits, tweak).encrypt(value)).toBe(model(key, digits, tweak)(value));
      }),
    );
  });

  test("decrypts as the reference does", () => {
    fc.assert(
      fc.property(anyCase, ([digits, key, tweak, value]) => {
        fc.pre(digits > 1);
        const reference = new Reference(key, 10, digits, tweak);
        expect(new Ff1(key, digits, tweak).decrypt(value)).toBe(reference.decrypt(value));
      }),
    );
  });

  test("decrypts encrypted numbers, and encrypts decrypted ones", () => {
    fc.assert(
      fc.property(anyCase, ([digits, key, tweak, value]) => {
        const ff1 = new Ff1(key, digits, tweak);
        expect(ff1.decrypt(ff1.encrypt(value))).toBe(value);
        expect(ff1.encrypt(ff1.decrypt(value))).toBe(value);
      }),
    );
  });

  test("carries between limbs when the sum just reaches the limit", () => {
    const limb = 10n ** 8n;
    for (const digits of ALL_DIGITS.filter((digits) => digits >= 18)) {
      const key = noise(16, digits);
      const tweak = noise(5, digits);
      const reference = new Reference(key, 10, digits, tweak);
      const right = numberOf(Math.ceil(digits / 2), digits);
      // The first round's addition to the left half makes the lower limb 10^8 - 1, 10^8 and more.
      const y = reference.y(0, right) % limb;
      for (const by of [-1n, 0n, 1n]) {
        const value = ((limb - y + by) % limb) * 10n ** BigInt(Math.ceil(digits / 2)) + right;
        const result = new Ff1(key, digits, tweak).encrypt(value);
        expect(result).toBe(reference.encrypt(value));
        expect(new Ff1(key, digits, tweak).decrypt(result)).toBe(value);
      }
    }
  });

  test.each([1, 2, 3, 4])("is a permutation of the numbers of %i digits", (digits) => {
    for (const size of SIZES) {
      const ff1 = new Ff1(noise(size, digits), digits, noise(digits, size));
      const values = Array.from({ length: 10 ** digits }, (_, at) => BigInt(at));
      const results = values.map((value) => ff1.encrypt(value));
      expect(results.toSorted((a, b) => Number(a - b))).toEqual(values);
      expect(results.map((result) => ff1.decrypt(result))).toEqual(values);
      expect(results).not.toEqual(values);
    }
  });

  test("does not depend on earlier calls, or on later changes of key and tweak", () => {
    const [key, tweak] = [noise(16, 1), noise(20, 2)];
    const ff1 = new Ff1(key, 19, tweak);
    const values = Array.from({ length: 20 }, (_, at) => numberOf(19, at));
    const results = values.map((value) => ff1.encrypt(value));
    expect([key, tweak]).toEqual([noise(16, 1), noise(20, 2)]);
    key.fill(0);
    tweak.fill(0);
    new Ff1(noise(32, 3), 7, noise(3, 4)).encrypt(1n);
    expect(results.toReversed().map((result) => ff1.decrypt(result))).toEqual(values.toReversed());
    expect(values.map((value) => ff1.encrypt(value))).toEqual(results);
  });

  test("differs for a tweak with more zeros", () => {
    const results = [0, 1, 2, 15, 16, 17].map((length) =>
      new Ff1(noise(16), 15, new Uint8Array(length)).encrypt(1n),
    );
    expect(new Set(results).size).toBe(results.length);
  });
});
