// What can be read off an ID or a layout: decode, capacity, range.

import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Capacity,
  capacity,
  type DecodedId,
  decode,
  InvalidIdError,
  makeGenerator,
  PRESET_TWITTER,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { joinHalves, largestId, splitHalves } from "../../src/internal.ts";
import { anyWidths } from "../support/arbitraries.ts";

const DISCORD = { ...PRESET_TWITTER, epochMs: 1420070400000 };

describe("decode", () => {
  test("Discord's documented example", () => {
    expect(decode(175928847299117063n, DISCORD)).toEqual({
      id: 175928847299117063n,
      timestampMs: 1462015105796,
      generatedAt: "2016-04-30T11:18:25.796Z",
      datacenterId: 1,
      machineId: 0,
      sequence: 7,
    });
  });

  test("a bigint, a string or a number are the same ID", () => {
    const wanted = decode(123456789n, "safe_integer");
    expect(decode("123456789", "safe_integer")).toEqual(wanted);
    expect(decode(123456789, "safe_integer")).toEqual(wanted);
    expectTypeOf(wanted).toEqualTypeOf<DecodedId>();
    expectTypeOf<DecodedId["id"]>().toEqualTypeOf<bigint>();
  });

  test("its result is written by JSON.stringify, with the ID as text", () => {
    const decoded = decode(175928847299117063n, DISCORD);
    const text =
      '{"id":"175928847299117063","timestampMs":1462015105796,"generatedAt":"2016-04-30T11:18:25.796Z","datacenterId":1,"machineId":0,"sequence":7}';
    expect(JSON.stringify(decoded)).toBe(text);
    expect(JSON.stringify({ deep: [decoded] })).toBe(`{"deep":[${text}]}`);
    expect(decode(JSON.parse(text).id, DISCORD)).toEqual(decoded);
    expect(JSON.stringify(new SnowflakeGenerator(DISCORD).decode(175928847299117063n))).toBe(text);
  });

  test("its result is in all other respects an object literal", () => {
    const decoded = decode(175928847299117063n, DISCORD);
    const literal = {
      id: 175928847299117063n,
      timestampMs: 1462015105796,
      generatedAt: "2016-04-30T11:18:25.796Z",
      datacenterId: 1,
      machineId: 0,
      sequence: 7,
    };
    expect(inspect(decoded)).toBe(inspect(literal));
    expect(decoded).toStrictEqual(literal);
    expect(Object.keys(decoded)).toEqual(Object.keys(literal));
    expect(decoded.constructor).toBe(Object);
    expect(isDeepStrictEqual({ ...decoded }, literal)).toBe(true);
    expect(isDeepStrictEqual(structuredClone(decoded), literal)).toBe(true);
    const seen: string[] = [];
    for (const name in decoded) seen.push(name);
    expect(seen).toEqual(Object.keys(literal));
  });

  test("its toJSON can be replaced, as that of any object", () => {
    const prototype = Object.getPrototypeOf(decode(1n, "twitter"));
    expect(Object.getOwnPropertyDescriptor(prototype, "toJSON")).toMatchObject({
      writable: true,
      configurable: true,
      enumerable: false,
    });
  });

  test("takes the very options a generator is built with", () => {
    const options = {
      ...PRESET_TWITTER,
      tickMs: 10,
      datacenterId: 3,
      machineId: 4,
      onExhausted: "throw",
    } as const;
    const generator = new SnowflakeGenerator(options);
    const id = generator.nextId();
    expect(decode(id, options)).toEqual(generator.decode(id));
  });

  test("all fields at their largest, each in its own place", () => {
    const id = 2n ** 63n - 1n;
    expect(decode(id, "twitter")).toMatchObject({ datacenterId: 31, machineId: 31, sequence: 4095 });
    expect(decode(2n ** 53n - 1n, "safe_integer")).toMatchObject({
      datacenterId: 0,
      machineId: 31,
      sequence: 127,
    });
    expect(decode(31n << 17n, "twitter")).toMatchObject({ datacenterId: 31, machineId: 0, sequence: 0 });
    expect(decode(31n << 12n, "twitter")).toMatchObject({ datacenterId: 0, machineId: 31, sequence: 0 });
  });

  test("fields of up to 53 bits are exact", () => {
    const widths = { timestampBits: 1, datacenterBits: 9, machineBits: 0, sequenceBits: 53 };
    expect(decode(2n ** 63n - 1n, widths)).toMatchObject({ sequence: 2 ** 53 - 1, datacenterId: 511 });
  });

  test("returns the fields that BigInt arithmetic gives, for any layout and ID", () => {
    const id = fc.oneof(fc.bigInt(0n, 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 53n - 1n));
    fc.assert(
      fc.property(anyWidths, id, (widths, id) => {
        const field = (shift: number, bits: number) => Number(BigInt.asUintN(bits, id >> BigInt(shift)));
        const { timestampBits, datacenterBits, machineBits, sequenceBits } = widths;
        const tick = id >> BigInt(datacenterBits + machineBits + sequenceBits);
        const epochMs = 1000;
        if (tick > Math.min(2 ** timestampBits - 1, 8.64e15 - epochMs)) {
          expect(() => decode(id, { ...widths, epochMs })).toThrow(InvalidIdError);
        } else {
          const timestampMs = epochMs + Number(tick);
          expect(decode(id, { ...widths, epochMs })).toEqual({
            id,
            timestampMs,
            generatedAt: new Date(timestampMs).toISOString(),
            datacenterId: field(machineBits + sequenceBits, datacenterBits),
            machineId: field(sequenceBits, machineBits),
            sequence: field(0, sequenceBits),
          });
        }
      }),
    );
  });

  test("options that changed since the last call are read anew, and a preset's are the same each time", () => {
    const options = { ...PRESET_TWITTER, epochMs: 0 };
    expect(decode(0n, options).timestampMs).toBe(0);
    options.epochMs = 5;
    expect(decode(0n, options).timestampMs).toBe(5);
    const id = 175928847299117063n;
    for (let round = 0; round < 2; round++) {
      expect(decode(id, "discord")).toEqual(decode(id, DISCORD));
      expect(decode(id, PRESET_TWITTER)).toEqual(decode(id, { ...PRESET_TWITTER }));
      expect(decode(id, "twitter")).toEqual(decode(id, PRESET_TWITTER));
      expect(decode(id, "x").timestampMs).toBe(decode(id, "twitter").timestampMs - 289_001_825_343);
    }
    expect(() => decode(id, "constructor" as "x")).toThrow(expect.objectContaining({ field: "preset" }));
  });

  test("an ID that the layout cannot have made is refused", () => {
    expect(() => decode(2n ** 53n, "safe_integer")).toThrow(
      "id must be of this layout, got 9007199254740992n",
    );
    // The minimal layout's field outlasts what a Date can hold; up to there, every tick decodes.
    const last = BigInt(8.64e15 - Date.UTC(2020, 0, 1));
    expect(decode(last << 10n, "minimal").generatedAt).toBe("+275760-09-13T00:00:00.000Z");
    expect(() => decode((last + 1n) << 10n, "minimal")).toThrow(InvalidIdError);
  });

  test("counts in ticks up to the last that begins while a Date lasts", () => {
    const widths = { timestampBits: 53, datacenterBits: 0, machineBits: 0, sequenceBits: 0 };
    const options = { ...widths, tickMs: 1000, epochMs: 500 };
    expect(decode(8.64e12 - 1, options).generatedAt).toBe("+275760-09-12T23:59:59.500Z");
    expect(() => decode(8.64e12, options)).toThrow(InvalidIdError);
  });

  test.each(["", "0x10", " 1", "-5", -5n, 2n ** 63n, 1.5])("refuses %s like parseId", (id) => {
    expect(() => decode(id, "twitter")).toThrow(InvalidIdError);
    expect(() => makeGenerator("twitter").decode(id)).toThrow(InvalidIdError);
  });
});

describe("the largest ID", () => {
  test.each([
    ["twitter", 2n ** 63n - 1n],
    ["safe_integer", 2n ** 53n - 1n],
    // Its last tick is the last that begins while a Date lasts.
    ["minimal", (BigInt(8_640_000_000_000_000 - 1_577_836_800_000) + 1n) * 1024n - 1n],
  ] as const)("of %s is read, and no later one", (preset, largest) => {
    expect(largestId(preset)).toBe(largest);
    expect(decode(largest, preset).id).toBe(largest);
    expect(() => decode(largest + 1n, preset)).toThrow(InvalidIdError);
  });
});

describe("halves", () => {
  test.each([
    [0n, { high: 0, low: 0 }],
    [1n, { high: 0, low: 1 }],
    [2n ** 32n, { high: 1, low: 0 }],
    [2n ** 63n - 1n, { high: 2 ** 31 - 1, low: 2 ** 32 - 1 }],
  ])("of %s", (id, halves) => {
    expect(splitHalves(id)).toEqual(halves);
    expect(joinHalves(halves.high, halves.low)).toBe(id);
  });

  // The last two lose their upper bits, so that the rest looks like an ID.
  test.each([-1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 64n + 5n])(
    "of %s are none, because it is no ID",
    (id) => {
      expect(splitHalves(id)).toBeUndefined();
    },
  );

  test("with an upper half of 32 bits make no ID", () => {
    expect(joinHalves(2 ** 31, 0)).toBeUndefined();
  });
});

describe("capacity", () => {
  test("of the presets", () => {
    expect(capacity("twitter")).toEqual({
      years: 2 ** 41 / 31_557_600_000,
      expiresAt: "2089-09-06T15:47:35.552Z",
      datacenters: 32,
      machinesPerDatacenter: 32,
      nodes: 1024,
      idsPerTick: 4096,
      idsPerSecond: 4_096_000,
    });
    expect(capacity("safe_integer")).toMatchObject({ nodes: 32, idsPerTick: 128, idsPerSecond: 128_000 });
    expect(capacity("large_cluster")).toMatchObject({ datacenters: 256, nodes: 65_536, idsPerTick: 64 });
    expect(capacity("single_dc")).toMatchObject({ datacenters: 1, machinesPerDatacenter: 1024 });
    expectTypeOf(capacity("twitter")).toEqualTypeOf<Capacity>();
  });

  test("ends, for the minimal layout, where a Date does", () => {
    const { years, expiresAt } = capacity("minimal");
    expect(Math.floor(years)).toBe(285_420);
    expect(expiresAt).toBe("+275760-09-13T00:00:00.000Z");
  });

  test("counts in the layout's ticks", () => {
    const { years, idsPerSecond, expiresAt } = capacity({ ...PRESET_TWITTER, tickMs: 10, epochMs: 0 });
    expect(years).toBeCloseTo(696.8, 1);
    expect(idsPerSecond).toBe(409_600);
    expect(expiresAt).toBe(new Date(2 ** 41 * 10).toISOString());
  });

  test("expiresAt is the first moment without an ID", () => {
    let now = Date.parse(capacity("twitter").expiresAt) - 1;
    const generator = makeGenerator("twitter", { clock: () => now });
    expect(generator.decode(generator.nextId()).timestampMs).toBe(now);
    now++;
    expect(() => generator.nextId()).toThrow(expect.objectContaining({ code: "ERR_TIMESTAMP_OVERFLOW" }));
  });

  test("of the most nodes there can be", () => {
    expect(capacity({ timestampBits: 1, datacenterBits: 31, machineBits: 31, sequenceBits: 0 }).nodes).toBe(
      2 ** 62,
    );
  });

  test("is the generator's own", () => {
    expect(makeGenerator("twitter").capacity()).toEqual(capacity("twitter"));
  });
});

describe("range", () => {
  test("its result is written by JSON.stringify, with IDs as text", () => {
    const range = new SnowflakeGenerator({ ...PRESET_TWITTER, epochMs: 0 }).range(1000, 1001);
    expect(JSON.stringify(range)).toBe('{"min":"4194304000","max":"4198498303"}');
    expect(range).toStrictEqual({ min: 4194304000n, max: 4198498303n });
  });

  const generator = makeGenerator("twitter", { epochMs: 0 });

  test("holds the IDs of [from, to) and no others", () => {
    expect(generator.range(1000, 2000)).toEqual({ min: 1000n << 22n, max: (2000n << 22n) - 1n });
    expect(generator.range(new Date(1000), new Date(1001))).toEqual({
      min: 1000n << 22n,
      max: (1001n << 22n) - 1n,
    });
  });

  test("is empty where no tick begins", () => {
    expect(generator.range(1000, 1000)).toEqual({ min: 1000n << 22n, max: (1000n << 22n) - 1n });
    const slow = makeGenerator("twitter", { epochMs: 0, tickMs: 10 });
    expect(slow.range(11, 20)).toEqual({ min: 2n << 22n, max: (2n << 22n) - 1n });
    expect(slow.range(11, 21)).toEqual({ min: 2n << 22n, max: (3n << 22n) - 1n });
  });

  test("stops at the epoch and at the last ID", () => {
    const later = makeGenerator("twitter", { epochMs: 1_000_000 });
    expect(later.range(0, 1_000_000)).toEqual({ min: 0n, max: -1n });
    expect(later.range(0, 1_000_001)).toEqual({ min: 0n, max: 2n ** 22n - 1n });
    expect(later.range(0, 8.64e15)).toEqual({ min: 0n, max: 2n ** 63n - 1n });
  });

  test("past the last ID is empty, and still made of numbers that a BIGINT holds", () => {
    const end = Date.parse(generator.capacity().expiresAt);
    const last = 2n ** 63n - 1n;
    expect(generator.range(end - 1, end)).toEqual({ min: (2n ** 41n - 1n) << 22n, max: last });
    expect(generator.range(end, end + 1)).toEqual({ min: last, max: last - 1n });
    expect(generator.range(end - 1, end - 1)).toEqual({
      min: (2n ** 41n - 1n) << 22n,
      max: ((2n ** 41n - 1n) << 22n) - 1n,
    });
    const slow = makeGenerator("twitter", { epochMs: 0, tickMs: 10 });
    const lastTick = (2 ** 41 - 1) * 10;
    expect(slow.range(lastTick, lastTick + 1).max).toBe(last);
    expect(slow.range(lastTick + 1, lastTick + 100)).toEqual({ min: last, max: last - 1n });
  });

  test("refuses values that are no moment, and a span that ends before it begins", () => {
    expect(() => generator.range(2, 1)).toThrow("to must be at least 2, got 1");
    expect(() => generator.range(0.5, 1)).toThrow(expect.objectContaining({ field: "from" }));
    expect(() => generator.range(0, new Date(Number.NaN))).toThrow(expect.objectContaining({ field: "to" }));
    expect(() => generator.range("0" as unknown as number, 1)).toThrow(
      expect.objectContaining({ field: "from" }),
    );
  });

  test("an ID lies in it exactly when its moment lies in the span", () => {
    const year = 31_557_600_000;
    fc.assert(
      fc.property(
        anyWidths,
        fc.constantFrom(1, 10, 1000, 86_400_000),
        fc.bigInt(0n, 2n ** 63n - 1n),
        fc.integer({ min: -100, max: 100 * year }),
        fc.integer({ min: 0, max: 10 * year }),
        (widths, tickMs, any, offset, length) => {
          const own = new SnowflakeGenerator({ ...widths, tickMs, epochMs: 0 });
          const shift = widths.datacenterBits + widths.machineBits + widths.sequenceBits;
          const id = any >> BigInt(63 - shift - widths.timestampBits);
          const tick = id >> BigInt(shift);
          const ms = Number(tick) * tickMs;
          fc.pre(ms <= 8.64e15);
          for (const from of [offset, Math.max(-100, ms - (length % 3)), ms + 1]) {
            const to = Math.min(from + length, 8.64e15);
            fc.pre(from <= to);
            const { min, max } = own.range(from, to);
            expect(min <= id && id <= max).toBe(ms >= from && ms < to);
          }
        },
      ),
    );
  });
});
