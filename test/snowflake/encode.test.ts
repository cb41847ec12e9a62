// Putting an ID together from its fields: encode, the inverse of decode.

import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import {
  ArgumentError,
  type DecodedId,
  decode,
  encode,
  type GeneratorOptions,
  type IdFields,
  LayoutError,
  makeGenerator,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { leaseNode } from "../../src/lease/index.ts";
import { SharedGenerator } from "../../src/threads/index.ts";
import { anyWidths } from "../support/arbitraries.ts";
import { settable } from "../support/clocks.ts";

const EPOCH = Date.UTC(2020, 0, 1);
const NOW = 1_800_000_000_000;

describe("encode", () => {
  test("makes Discord's documented example, and the ID of a post on X", () => {
    expect(encode({ timestampMs: 1462015105796, datacenterId: 1, sequence: 7 }, "discord")).toBe(
      175928847299117063n,
    );
    const post = 1541815603606036480n;
    expect(decode(post, "x")).toMatchObject({ generatedAt: "2022-06-28T16:07:40.105Z", sequence: 0 });
    const timestampMs = Date.UTC(2022, 5, 28, 16, 7, 40, 105);
    expect(encode({ timestampMs, datacenterId: 11, machineId: 26 }, "x")).toBe(post);
  });

  test("is undone by decode, and undoes it, whatever the layout, epoch and tick", () => {
    fc.assert(
      fc.property(
        anyWidths,
        fc.constantFrom(1, 10, 1000, 86_400_000),
        fc.constantFrom(0, EPOCH, -62_135_596_800_000),
        fc.bigInt(0n, 2n ** 63n - 1n),
        fc.nat(86_399_999),
        (widths, tickMs, epochMs, any, late) => {
          const options = { ...widths, tickMs, epochMs };
          const bits =
            widths.timestampBits + widths.datacenterBits + widths.machineBits + widths.sequenceBits;
          const id = BigInt.asUintN(bits, any);
          const tick = Number(id >> BigInt(bits - widths.timestampBits));
          fc.pre(epochMs + tick * tickMs <= 8.64e15);
          const fields = decode(id, options);
          expect(encode(fields, options)).toBe(id);
          const generator = new SnowflakeGenerator({ ...options, clock: () => 0 });
          expect(generator.encode(fields)).toBe(id);
          expect(decode(generator.encode(fields), options)).toEqual(fields);
          // Any moment of the tick is the tick.
          const timestampMs = Math.min(fields.timestampMs + (late % tickMs), 8.64e15);
          expect(encode({ ...fields, timestampMs }, options)).toBe(id);
          expect(encode({ ...fields, timestampMs: new Date(timestampMs) }, options)).toBe(id);
        },
      ),
    );
  });

  test("uses the node of the generator or the options, and sequence 0, for missing fields", () => {
    const node = { datacenterId: 3, machineId: 9 };
    const wanted = { ...node, sequence: 0, timestampMs: NOW };
    const fields: IdFields = { timestampMs: NOW };
    const generator = makeGenerator("twitter", node);
    expect(generator.decode(generator.encode(fields))).toMatchObject(wanted);
    expect(decode(encode(fields, { ...generator.layout, ...node }), "twitter")).toMatchObject(wanted);
    expect(decode(encode(fields, "twitter"), "twitter")).toMatchObject({ datacenterId: 0, machineId: 0 });
    const other = { timestampMs: NOW, datacenterId: 0, machineId: 1, sequence: 4095 };
    expect(generator.decode(generator.encode(other))).toMatchObject(other);
    const undefineds = {
      timestampMs: NOW,
      datacenterId: undefined,
      machineId: undefined,
      sequence: undefined,
    };
    expect(generator.encode(undefineds)).toBe(generator.encode(fields));
  });

  test("follows the node of a lease, and of a generator that threads share", async () => {
    const backend = memory();
    const leases = [await leaseNode({ backend }), await leaseNode({ backend, threads: true })];
    for (const { generator, node } of leases) {
      const { datacenterId, machineId } = generator.decode(generator.encode({ timestampMs: NOW }));
      expect(datacenterId * 32 + machineId).toBe(node);
    }
    await Promise.all(leases.map((lease) => lease.release()));
    const shared = new SharedGenerator("twitter", { machineId: 17 });
    expect(shared.decode(shared.encode({ timestampMs: NOW })).machineId).toBe(17);
  });

  test("records nothing: the generator goes on as if nothing had been", () => {
    const clock = settable(NOW);
    const generator = makeGenerator("twitter", { clock });
    const id = generator.encode({ timestampMs: NOW });
    expect(generator.encode({ timestampMs: NOW + 86_400_000 })).toBeGreaterThan(id);
    expect(generator.nextId()).toBe(id);
  });

  const big = { timestampBits: 10, datacenterBits: 0, machineBits: 0, sequenceBits: 53 };
  test("fields of up to 53 bits are exact", () => {
    const id = encode({ timestampMs: 1023, sequence: 2 ** 53 - 1 }, { ...big, epochMs: 0 });
    expect(id).toBe(2n ** 63n - 1n);
  });

  const at = { timestampMs: NOW };
  test.each<[string, unknown, string]>([
    [
      "no time",
      {},
      `timestampMs must be a whole number from ${EPOCH} to ${EPOCH + 2 ** 41 - 1}, got undefined`,
    ],
    ["no fields", undefined, "fields must be an object, got undefined"],
    ["a time before the epoch", { timestampMs: EPOCH - 1 }, `got ${EPOCH - 1}`],
    [
      "a time past the last tick",
      { timestampMs: EPOCH + 2 ** 41 },
      `to ${EPOCH + 2 ** 41 - 1}, got ${EPOCH + 2 ** 41}`,
    ],
    ["a fraction", { timestampMs: NOW + 0.5 }, "timestampMs must be a whole number"],
    ["text", { timestampMs: String(NOW) }, `got "${NOW}"`],
    ["a bigint", { timestampMs: BigInt(NOW) }, `got ${NOW}n`],
    ["no valid Date", { timestampMs: new Date("x") }, "got NaN"],
    [
      "a machine that does not fit",
      { ...at, machineId: 32 },
      "machineId must be a whole number from 0 to 31 (5 bits), got 32",
    ],
    [
      "a datacenter that does not fit",
      { ...at, datacenterId: -1 },
      "datacenterId must be a whole number from 0 to 31 (5 bits), got -1",
    ],
    [
      "a sequence that does not fit",
      { ...at, sequence: 4096 },
      "sequence must be a whole number from 0 to 4095 (12 bits), got 4096",
    ],
    ["null", { ...at, sequence: null }, "sequence must be a whole number from 0 to 4095 (12 bits), got null"],
    [
      "a misspelt field",
      { ...at, machineid: 1 },
      'field must be one of timestampMs, datacenterId, machineId, sequence, id, generatedAt, got "machineid"',
    ],
  ])("refuses %s", (_what, fields, message) => {
    for (const call of [
      () => encode(fields as IdFields, "twitter"),
      () => makeGenerator("twitter").encode(fields as IdFields),
    ]) {
      expect(call).toThrow(ArgumentError);
      expect(call).toThrow(message);
    }
  });

  test("refuses options as decode does", () => {
    expect(() => encode(at, { machineBits: 10 })).toThrow(LayoutError);
    expect(() => encode(at, { machineid: 1 } as GeneratorOptions)).toThrow("option must be one of");
    expect(() => encode(at, { ...makeGenerator("twitter").layout, machineId: 32 })).toThrow(
      "machineId must be a whole number from 0 to 31 (5 bits), got 32",
    );
  });

  test("takes what decode returns, by its type as well", () => {
    expectTypeOf<DecodedId>().toExtend<IdFields>();
    expectTypeOf(encode).returns.toEqualTypeOf<bigint>();
    // @ts-expect-error: a misspelt field
    expect(() => encode({ timestampMs: NOW, machineid: 1 }, "twitter")).toThrow();
  });
});
