// FF1 on binary digits: published examples by the reference, the reference and @noble/ciphers on every width, and permutations.

import { createHash } from "node:crypto";
import { FF1 as NobleFf1 } from "@noble/ciphers/ff1.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Halves } from "../../src/internal.ts";
import { BinaryFf1 } from "../../src/mask/binaryFf1.ts";
import { parseNumber, Reference, unhex, ZCASH_KEY, ZCASH_SAMPLES } from "../support/ff1Reference.ts";

const WORD = 2n ** 32n;
const SIZES = [16, 24, 32];
/** The widths of IDs with and without key versions, and those around the cut between the words. */
const ALL_WIDTHS = Array.from({ length: 63 }, (_, at) => at + 2);

/** Pseudorandom bytes, the same in every run. */
function noise(length: number, ...from: readonly number[]): Uint8Array {
  return Uint8Array.from(createHash("shake256", { outputLength: length }).update(from.join()).digest());
}

const split = (value: bigint): Halves => ({ high: Number(value / WORD), low: Number(value % WORD) });
const join = ({ high, low }: Halves): bigint => BigInt(high) * WORD + BigInt(low);

const encrypt = (ff1: BinaryFf1, value: bigint): bigint => join(ff1.encrypt(split(value)));
const decrypt = (ff1: BinaryFf1, value: bigint): bigint => join(ff1.decrypt(split(value)));

const anyBytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength, size: "max" });
const anyKey = fc.oneof(...SIZES.map((size) => anyBytes(size)));

/** A width, a key, a tweak and a number, more of them than by chance near powers of two. */
const anyCase = fc.integer({ min: 2, max: 64 }).chain((width) =>
  fc.tuple(
    fc.constant(width),
    anyKey,
    anyBytes(0, 40),
    fc.oneof(
      fc.bigInt(0n, 2n ** BigInt(width) - 1n),
      fc
        .tuple(fc.bigInt(0n, BigInt(width)), fc.bigInt(-2n, 2n))
        .map(([power, by]) => BigInt.asUintN(width, 2n ** power + by)),
    ),
  ),
);

test.each(ZCASH_SAMPLES)(
  "the reference matches Zcash's examples of radix 2, with the tweak %j",
  (tweak, plain, cipher) => {
    const reference = new Reference(unhex(ZCASH_KEY), 2, plain.length, unhex(tweak));
    expect(reference.encrypt(parseNumber(plain, 2))).toBe(parseNumber(cipher, 2));
    expect(reference.decrypt(parseNumber(cipher, 2))).toBe(parseNumber(plain, 2));
  },
);

describe("FF1 on binary digits", () => {
  test("agrees with the reference for every width, size of the key and length of the tweak", () => {
    for (const width of ALL_WIDTHS) {
      for (const size of SIZES) {
        for (const length of [0, 5, 9, 10, 11, 12, 15, 16, 17, 40, 300]) {
          const key = noise(size, width, length);
          const tweak = noise(length, size, width);
          const value = BigInt.asUintN(
            width,
            BigInt(`0x${Buffer.from(noise(8, width, size, length)).toString("hex")}`),
          );
          const ff1 = new BinaryFf1(key, width, tweak);
          const result = encrypt(ff1, value);
          expect(result, `${width} ${size} ${length}`).toBe(
            new Reference(key, 2, width, tweak).encrypt(value),
          );
          expect(decrypt(ff1, result)).toBe(value);
        }
      }
    }
  });

  test("agrees with the reference for any number, in both directions", () => {
    fc.assert(
      fc.property(anyCase, ([width, key, tweak, value]) => {
        const ff1 = new BinaryFf1(key, width, tweak);
        const reference = new Reference(key, 2, width, tweak);
        expect(encrypt(ff1, value)).toBe(reference.encrypt(value));
        expect(decrypt(ff1, value)).toBe(reference.decrypt(value));
      }),
    );
  });

  test("agrees with @noble/ciphers for any number that both accept", () => {
    fc.assert(
      fc.property(anyCase, ([width, key, tweak, value]) => {
        // @noble/ciphers follows the draft of the revised standard, which requires a million numbers.
        fc.pre(width >= 20);
        const digits = Array.from(value.toString(2).padStart(width, "0"), Number);
        const result = encrypt(new BinaryFf1(key, width, tweak), value);
        expect(result.toString(2).padStart(width, "0")).toBe(
          NobleFf1(2, key, tweak).encrypt(digits).join(""),
        );
      }),
    );
  });

  test.each([2, 3, 4, 5, 7, 8, 9, 11, 12, 13])("is a permutation of all numbers of %i bits", (width) => {
    const ff1 = new BinaryFf1(noise(16, width), width, noise(6, width));
    const hits = new Uint8Array(2 ** width);
    for (let value = 0; value < 2 ** width; value++) {
      const { high, low } = ff1.encrypt({ high: 0, low: value });
      expect(high).toBe(0);
      hits[low] = (hits[low] as number) + 1;
      expect(ff1.decrypt({ high, low })).toEqual({ high: 0, low: value });
    }
    expect(hits.every((count) => count === 1)).toBe(true);
  });

  test("does not depend on earlier calls, or on later changes of the key and the tweak", () => {
    const [key, tweak] = [noise(16, 1), noise(20, 2)];
    const ff1 = new BinaryFf1(key, 63, tweak);
    const values = Array.from({ length: 20 }, (_, at) => BigInt(at) ** 13n);
    const results = values.map((value) => encrypt(ff1, value));
    key.fill(0);
    tweak.fill(0);
    expect(results.toReversed().map((result) => decrypt(ff1, result))).toEqual(values.toReversed());
    expect(values.map((value) => encrypt(ff1, value))).toEqual(results);
  });
});
