// masked: how its results hide the IDs, by the bits that change with a bit of the ID or of the key, and by their spread.

import { describe, expect, test } from "vitest";
import { type MaskedCodec, masked } from "../../src/mask/index.ts";

/** The key of NIST's examples. */
const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const ID = 911780371413233664n;

/** Numbers from a seed: a linear congruential generator of 64 bits, whose upper bits are used. */
function numbersFrom(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    const upper = state >> 32n;
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return (upper << 31n) | (state >> 33n);
  };
}

/** Returns how many bits of a number are 1. */
function countBits(value: bigint): number {
  return value.toString(2).replaceAll("0", "").length;
}

describe("a masked ID hides the ID", () => {
  /** Returns for each bit of the input the share of the bits of the result that change with it. */
  function avalanche(
    bits: number,
    count: number,
    results: (value: bigint, bit: bigint) => readonly [bigint, bigint],
  ): number[] {
    const next = numbersFrom(2026n);
    const flips = Array.from({ length: bits }, () => 0);
    for (let at = 0; at < count; at++) {
      const value = next();
      for (let bit = 0; bit < bits; bit++) {
        const [one, other] = results(value, BigInt(bit));
        flips[bit] = (flips[bit] as number) + countBits(one ^ other);
      }
    }
    return flips.map((flipped) => flipped / count / 63);
  }

  const mean = (shares: readonly number[]): number =>
    shares.reduce((sum, share) => sum + share) / shares.length;

  test("each bit of the ID changes half of the bits", () => {
    const mask = masked(KEY, { name: "orders" });
    const shares = avalanche(63, 1000, (id, bit) => [mask.encode(id), mask.encode(id ^ (1n << bit))]);
    console.info(
      `avalanche of the ID: mean ${mean(shares)}, from ${Math.min(...shares)} to ${Math.max(...shares)}`,
    );
    expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.01);
    // 1000 × 63 bits: a share has a standard deviation of 0.002.
    for (const share of shares) expect(Math.abs(share - 0.5)).toBeLessThan(0.01);
  });

  test("each bit of the masked ID changes half of the bits of the ID", () => {
    const mask = masked(KEY, { name: "orders" });
    const shares = avalanche(63, 1000, (id, bit) => [mask.decode(id), mask.decode(id ^ (1n << bit))]);
    expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.01);
    for (const share of shares) expect(Math.abs(share - 0.5)).toBeLessThan(0.01);
  });

  test("each bit of the result changes with each bit of the ID half of the time", () => {
    const mask = masked(KEY, { name: "orders" });
    const next = numbersFrom(7n);
    const flips = new Float64Array(63 * 63);
    const COUNT = 300;
    for (let at = 0; at < COUNT; at++) {
      const id = next();
      const whole = mask.encode(id);
      for (let bit = 0; bit < 63; bit++) {
        const changed = whole ^ mask.encode(id ^ (1n << BigInt(bit)));
        const digits = changed.toString(2).padStart(63, "0");
        for (let of = 0; of < 63; of++)
          if (digits[of] === "1") flips[63 * bit + of] = (flips[63 * bit + of] as number) + 1;
      }
    }
    // Six standard deviations of a share: none of 3969 is further off by chance, and a bit that never or always changes is.
    for (const count of flips)
      expect(Math.abs(count / COUNT - 0.5)).toBeLessThan(6 * Math.sqrt(0.25 / COUNT));
  });

  test("each bit of the key changes half of the bits", () => {
    const plain = Uint8Array.from(Buffer.from(KEY, "hex"));
    const masks = Array.from({ length: 128 }, (_, bit) => {
      const key = Uint8Array.from(plain);
      key[bit >> 3] = (key[bit >> 3] as number) ^ (1 << (bit & 7));
      return masked(key, { name: "orders" });
    });
    const mask = masked(KEY, { name: "orders" });
    const shares = avalanche(128, 1000, (id, bit) => [
      mask.encode(id),
      (masks[Number(bit)] as MaskedCodec).encode(id),
    ]);
    console.info(
      `avalanche of the key: mean ${mean(shares)}, from ${Math.min(...shares)} to ${Math.max(...shares)}`,
    );
    expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.01);
    for (const share of shares) expect(Math.abs(share - 0.5)).toBeLessThan(0.01);
  });

  test("consecutive IDs of one node are spread evenly, and so are the steps between them", () => {
    const mask = masked(KEY, { name: "orders" });
    const ids = Array.from({ length: 16_384 }, (_, at) => mask.encode(ID + BigInt(at)));
    const steps = ids.slice(1).map((id, at) => BigInt.asUintN(63, id - (ids[at] as bigint)));
    for (const values of [ids, steps]) {
      const buckets = new Float64Array(64);
      for (const value of values)
        buckets[Number(value >> 57n)] = (buckets[Number(value >> 57n)] as number) + 1;
      const expected = values.length / 64;
      const chiSquare = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 63 degrees of freedom: above 120 in one case of 100,000.
      expect(chiSquare).toBeLessThan(120);
    }
    // Neither the order: half of the steps go up.
    const ascents = ids.slice(1).filter((id, at) => id > (ids[at] as bigint)).length;
    expect(Math.abs(ascents / steps.length - 0.5)).toBeLessThan(0.02);
  });

  test("another key or name makes unrelated numbers", () => {
    const masks = [
      masked(KEY, { name: "orders" }),
      masked("6b".repeat(31) + "6c", { name: "orders" }),
      masked(KEY, { name: "order" }),
      masked(KEY, { name: "orders\u00e9" }),
    ];
    const ids = Array.from({ length: 500 }, (_, at) => ID + BigInt(at));
    const all = masks.flatMap((mask) => ids.map((id) => mask.encode(id)));
    expect(new Set(all).size).toBe(all.length);
    const [one, other] = masks as [MaskedCodec, MaskedCodec];
    const share = mean(ids.map((id) => countBits(one.encode(id) ^ other.encode(id)) / 63));
    expect(Math.abs(share - 0.5)).toBeLessThan(0.02);
  });
});
