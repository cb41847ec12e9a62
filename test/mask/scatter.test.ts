// scatter: a permutation, exact ranges, and the spread over a database that splits its table by ranges of the key.

import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ArgumentError, type IdRange, makeGenerator, type PresetName } from "../../src/index.ts";
import { type ScatterCodec, type ScatterOptions, scatter } from "../../src/mask/index.ts";
import { anyId, MAX, refused } from "../text/ids.ts";

const ID = 911780371413233664n;
const START = Date.UTC(2026, 10, 28);

const anyShards = fc.integer({ min: 1, max: 10 }).map((bits) => 2 ** bits);

/** Returns the number of the shard that a scattered ID of 63 bits is in. */
function shardOf(shards: number, id: bigint): number {
  return Number(id >> BigInt(63 - Math.log2(shards)));
}

/** Returns the error of a call. */
function thrownBy(act: () => unknown): ArgumentError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return error as ArgumentError;
  }
  throw new Error("the call did not throw");
}

/** The definition in BigInt, bit by bit: the shard, then the rest. */
function model(shards: number, bits: number, id: bigint): bigint {
  const count = Math.log2(shards);
  const rest = id >> BigInt(count);
  const word = (value: bigint) => BigInt.asUintN(32, value);
  let hash = word(rest) ^ word((rest >> 32n) * 0x9e3779b1n);
  hash = word((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = word((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  hash ^= hash >> 16n;
  const lowest = (id ^ hash) % BigInt(shards);
  const reversed = BigInt(`0b${lowest.toString(2).padStart(count, "0").split("").reverse().join("")}`);
  return (reversed << BigInt(bits - count)) | rest;
}

describe("a scattered ID", () => {
  // Another value would move every stored row.
  test.each([
    [2, 63, ID, 455890185706616832n],
    [16, 63, ID, 4092211539337291520n],
    [16, 63, ID + 1n, 8703897557764679424n],
    [16, 63, 0n, 0n],
    [16, 63, MAX, 8646911284551352319n],
    [1024, 63, ID, 604372760586604700n],
    [16, 53, 8707044720639n, 2815293957401599n],
  ] as const)("with %i shards of %i bits: that of %d is %d", (shards, bits, id, scattered) => {
    const keys = scatter({ shards, bits });
    expect(keys.encode(id)).toBe(scattered);
    expect(keys.decode(scattered)).toBe(id);
  });

  test("is the one of the definition, and has the one ID", () => {
    fc.assert(
      fc.property(anyShards, anyId, (shards, id) => {
        const keys = scatter({ shards });
        expect(keys.encode(id)).toBe(model(shards, 63, id));
        expect(keys.decode(keys.encode(id))).toBe(id);
        expect(keys.encode(keys.decode(id))).toBe(id);
        expect(BigInt.asUintN(63, keys.encode(id))).toBe(keys.encode(id));
      }),
    );
  });

  test("of 53 bits is a safe integer", () => {
    fc.assert(
      fc.property(anyShards, fc.maxSafeNat(), (shards, id) => {
        const keys = scatter({ shards, bits: 53 });
        const scattered = keys.encode(id);
        expect(scattered).toBe(model(shards, 53, BigInt(id)));
        expect(Number.isSafeInteger(Number(scattered))).toBe(true);
        expect(keys.decode(Number(scattered))).toBe(BigInt(id));
        expect(keys.encode(keys.decode(id))).toBe(BigInt(id));
      }),
    );
  });

  test.each([2, 8, 1024])(
    "of all IDs from 0 to 65535 over %i shards is another one, each in range",
    (shards) => {
      const keys = scatter({ shards });
      const all = Array.from({ length: 65_536 }, (_, id) => keys.encode(id));
      expect(new Set(all).size).toBe(all.length);
      const counts = new Float64Array(shards);
      for (const id of all) counts[shardOf(shards, id)] = (counts[shardOf(shards, id)] as number) + 1;
      // The IDs that differ in the lower bits alone are one in each shard.
      expect(counts.every((count) => count === 65_536 / shards)).toBe(true);
    },
  );

  test("sorts within its shard as the IDs do", () => {
    fc.assert(
      fc.property(anyShards, anyId, anyId, (shards, one, other) => {
        const keys = scatter({ shards });
        const [a, b] = [keys.encode(one), keys.encode(other)];
        if (shardOf(shards, a) === shardOf(shards, b)) expect(a < b).toBe(one < other);
      }),
    );
  });

  test("takes an ID in every form that parseId takes", () => {
    const keys = scatter({ shards: 16 });
    expect(keys.encode(String(ID))).toBe(keys.encode(ID));
    expect(keys.decode(42)).toBe(keys.decode("42"));
    expect(keys.shards).toBe(16);
    expect(JSON.stringify(keys)).toBe('{"shards":16}');
  });
});

describe("the ranges", () => {
  /** Returns whether one of the ranges has a scattered ID. */
  const contains = (ranges: readonly IdRange[], id: bigint) =>
    ranges.some(({ min, max }) => min <= id && id <= max);

  test("have exactly the scattered IDs of a small range", () => {
    const anyStart = fc.oneof(fc.bigInt(0n, 5000n), fc.bigInt(0n, MAX - 3000n), fc.constant(MAX - 3000n));
    fc.assert(
      fc.property(anyShards, anyStart, fc.bigInt(0n, 3000n), (shards, min, length) => {
        const keys = scatter({ shards });
        const max = min + length;
        const ranges = keys.ranges({ min, max });
        let size = 0n;
        let before = -1n;
        for (const range of ranges) {
          expect(range.min).toBeGreaterThan(before);
          expect(range.max).toBeGreaterThanOrEqual(range.min);
          before = range.max;
          size += range.max - range.min + 1n;
        }
        // As many numbers as IDs, and each ID among them: so no other.
        expect(size).toBe(length + 1n);
        for (let id = min; id <= max; id += 7n) expect(contains(ranges, keys.encode(id))).toBe(true);
        for (const id of [min, max]) expect(contains(ranges, keys.encode(id))).toBe(true);
        for (const id of [min - 1n, max + 1n]) {
          if (id >= 0n && id <= MAX) expect(contains(ranges, keys.encode(id))).toBe(false);
        }
      }),
    );
  });

  test("have an ID if and only if the range has it", () => {
    fc.assert(
      fc.property(anyShards, anyId, anyId, anyId, (shards, one, other, id) => {
        const keys = scatter({ shards });
        const [min, max] = one < other ? [one, other] : [other, one];
        const ranges = keys.ranges({ min, max });
        expect(ranges.length).toBeLessThanOrEqual(shards);
        expect(contains(ranges, keys.encode(id))).toBe(min <= id && id <= max);
        expect(ranges.reduce((sum, range) => sum + range.max - range.min + 1n, 0n)).toBe(max - min + 1n);
      }),
    );
  });

  test("are one for each shard, for a span of time", () => {
    const ids = makeGenerator("twitter");
    const keys = scatter({ shards: 16 });
    const ranges = keys.ranges(ids.range(START, START + 1));
    expect(ranges.length).toBe(16);
    expect(ranges.map(({ min }) => shardOf(16, min))).toEqual(Array.from({ length: 16 }, (_, at) => at));
    expect(JSON.parse(JSON.stringify(ranges))[0]).toEqual({
      min: `${ranges[0]?.min}`,
      max: `${ranges[0]?.max}`,
    });
  });

  test("of all IDs are all numbers, of one ID one number, of an empty range none", () => {
    const keys = scatter({ shards: 4 });
    const all = keys.ranges({ min: 0n, max: MAX });
    expect(all.map(({ min, max }) => [min >> 61n, max - min])).toEqual(
      [0n, 1n, 2n, 3n].map((at) => [at, 2n ** 61n - 1n]),
    );
    expect(keys.ranges({ min: ID, max: ID })).toEqual([{ min: keys.encode(ID), max: keys.encode(ID) }]);
    expect(keys.ranges({ min: ID, max: ID - 1n })).toEqual([]);
    // As `range()` returns it for an empty span at the epoch.
    expect(keys.ranges({ min: 0n, max: -1n })).toEqual([]);
    expect(keys.ranges({ min: 0n, max: -1 as unknown as bigint })).toEqual([]);
    expect(keys.ranges({ min: "0", max: "-1" } as unknown as IdRange)).toEqual([]);
    // JSON makes texts of a range.
    const asText = { min: `${ID}`, max: `${ID - 1n}` } as unknown as IdRange;
    expect(keys.ranges(asText)).toEqual([]);
    expect(keys.ranges({ min: "0", max: "-1" } as unknown as IdRange)).toEqual([]);
    expect(keys.ranges({ min: 5, max: 4 } as unknown as IdRange)).toEqual([]);
  });

  test("of 53 bits stay within them", () => {
    const keys = scatter({ shards: 8, bits: 53 });
    const ranges = keys.ranges({ min: 0n, max: 2n ** 53n - 1n });
    expect(ranges.length).toBe(8);
    expect(ranges.at(-1)?.max).toBe(2n ** 53n - 1n);
  });

  test("are refused of values that are no IDs, or are in the wrong order", () => {
    const keys = scatter({ shards: 16 });
    expect(thrownBy(() => keys.ranges({ min: 5n, max: 3n })).message).toBe("max must be at least 4, got 3n");
    expect(refused(() => keys.ranges({ min: -1n, max: 3n }))?.field).toBe("id");
    expect(refused(() => keys.ranges({ min: 1n, max: 2n ** 63n }))?.field).toBe("id");
    for (const range of [undefined, null, 5, []]) {
      expect(thrownBy(() => keys.ranges(range as unknown as IdRange)).field).toBe("range");
    }
    const narrow = scatter({ shards: 16, bits: 53 });
    expect(refused(() => narrow.ranges({ min: 2n ** 53n, max: 2n ** 53n - 1n }))?.field).toBe("id");
    expect(refused(() => narrow.ranges({ min: 0n, max: 2n ** 53n }))?.message).toBe(
      "id must be an ID of at most 53 bits, got 9007199254740992n",
    );
  });
});

/** A database that splits its table by ranges of the key: the splits of a table that has grown to hold `keys`. */
function splitsOf(keys: readonly bigint[], ranges: number): bigint[] {
  const sorted = keys.toSorted((a, b) => (a < b ? -1 : 1));
  return Array.from(
    { length: ranges - 1 },
    (_, at) => sorted[Math.floor(((at + 1) * sorted.length) / ranges)] as bigint,
  );
}

/** Returns the share of the inserts that the busiest range of the table gets. */
function busiest(splits: readonly bigint[], keys: readonly bigint[]): number {
  const counts = new Float64Array(splits.length + 1);
  for (const key of keys) {
    const at = splits.findLastIndex((split) => key >= split) + 1;
    counts[at] = (counts[at] as number) + 1;
  }
  return Math.max(...counts) / keys.length;
}

/** Makes IDs of one node, `gapMs` apart, or as many in each millisecond as `perMs`. */
function makeIds(preset: PresetName, count: number, { gapMs = 1, perMs = 1 }): bigint[] {
  let nowMs = START;
  const ids = makeGenerator(preset, { clock: () => nowMs });
  return Array.from({ length: count }, (_, at) => {
    if (at > 0 && at % perMs === 0) nowMs += gapMs;
    return ids.nextId();
  });
}

describe("a table that is split into 16 ranges", () => {
  const cases: [string, PresetName, { gapMs?: number; perMs?: number }][] = [
    ["an ID a millisecond", "twitter", {}],
    ["an ID a second", "twitter", { gapMs: 1000 }],
    ["an ID a minute", "twitter", { gapMs: 60_000 }],
    ["an ID each 4096 ms", "twitter", { gapMs: 4096 }],
    ["three IDs in each millisecond", "twitter", { perMs: 3 }],
    ["bursts of 100 IDs", "twitter", { gapMs: 250, perMs: 100 }],
    ["an ID a second with 10 bits of sequence", "minimal", { gapMs: 1000 }],
    ["an ID a second with 6 bits of sequence", "large_cluster", { gapMs: 1000 }],
  ];
  const COUNT = 8000;
  const RANGES = 16;

  test.each(cases)("gets its inserts in all ranges, at %s of one node", (title, preset, pace) => {
    const ids = makeIds(preset, 2 * COUNT, pace);
    // The first half fills the table, the second half is inserted.
    const share = (keys: readonly bigint[], splits = splitsOf(keys.slice(0, COUNT), RANGES)) =>
      busiest(splits, keys.slice(COUNT));
    const scattered = (shards: number) => ids.map((id) => scatter({ shards }).encode(id));
    const atShards = Array.from({ length: RANGES - 1 }, (_, at) => BigInt(at + 1) << 59n);
    const shares = {
      unscattered: share(ids),
      "16 shards, split at them": share(scattered(16), atShards),
      "16 shards, split by size": share(scattered(16)),
      "64 shards, split by size": share(scattered(64)),
    };
    console.info(
      `${title}, the busiest range gets: ${Object.entries(shares)
        .map(([name, value]) => `${(100 * value).toFixed(1)} % (${name})`)
        .join(", ")}`,
    );
    expect(shares.unscattered).toBe(1);
    // One in 16 is 6.25 %.
    expect(shares["16 shards, split at them"]).toBeLessThan(0.075);
    // A split by size is somewhere in a shard, so a range can have the ends of two shards, and another one none.
    expect(shares["16 shards, split by size"]).toBeLessThan(0.14);
    expect(shares["64 shards, split by size"]).toBeLessThan(0.1);
  });

  test.each([2, 4, 8])("%i consecutive IDs are in as many different sections", (sections) => {
    const keys = scatter({ shards: 16 });
    for (let block = 0n; block < 1000n; block++) {
      const first = ID + block * 16n;
      const found = Array.from({ length: sections }, (_, at) =>
        shardOf(sections, keys.encode(first + BigInt(at))),
      );
      expect(new Set(found).size).toBe(sections);
    }
  });
});

describe("scatter refuses", () => {
  test.each<[string, unknown, string]>([
    ["no options", undefined, "options"],
    ["no number of shards", {}, "shards"],
    ["one shard", { shards: 1 }, "shards"],
    ["a number that is no power of two", { shards: 12 }, "shards"],
    ["too many shards", { shards: 2048 }, "shards"],
    ["a text", { shards: "16" }, "shards"],
    ["a fraction", { shards: 2.5 }, "shards"],
    ["another width", { shards: 16, bits: 64 }, "bits"],
    ["an unknown option", { shards: 16, key: 1 }, "option"],
  ])("%s", (_title, options, field) => {
    expect(thrownBy(() => scatter(options as ScatterOptions))).toMatchObject({ code: "ERR_ARGUMENT", field });
  });

  test.each([-1n, 2n ** 63n, "042", "", 2 ** 53, 1.5, null, undefined, {}])("%s, which is no ID", (value) => {
    const keys = scatter({ shards: 16 });
    for (const call of [keys.encode.bind(keys), keys.decode.bind(keys)]) {
      expect(refused(() => call(value as bigint))?.field).toBe("id");
    }
  });

  test("an ID past 53 bits, if it has 53", () => {
    const keys = scatter({ shards: 16, bits: 53 });
    for (const call of [keys.encode.bind(keys), keys.decode.bind(keys)]) {
      expect(refused(() => call(2n ** 53n))?.message).toBe(
        "id must be an ID of at most 53 bits, got 9007199254740992n",
      );
      expect(call(2n ** 53n - 1n)).toBeLessThan(2n ** 53n);
    }
  });
});

test("a scatter codec has types", () => {
  expectTypeOf(scatter).returns.toEqualTypeOf<ScatterCodec>();
  expectTypeOf<ScatterCodec["ranges"]>().toEqualTypeOf<(range: IdRange) => IdRange[]>();
  expectTypeOf<ScatterCodec["encode"]>().toEqualTypeOf<(id: bigint | string | number) => bigint>();
  // @ts-expect-error there is no default number of shards
  expect(() => scatter({})).toThrow(ArgumentError);
});

test("the methods of a scatter codec work without it", () => {
  const { encode, decode, ranges } = scatter({ shards: 16 });
  expect([ID, ID + 1n].map(encode).map(decode)).toEqual([ID, ID + 1n]);
  expect(ranges({ min: ID, max: ID }).length).toBe(1);
});
