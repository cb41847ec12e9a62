// What went wrong elsewhere, pinned: each test is named after the fault it would show.

import { describe, expect, test } from "vitest";
import {
  decode,
  makeGenerator,
  PRESET_TWITTER,
  parseId,
  randomString,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { scripted, settable } from "../support/clocks.ts";

const NOW = 1_700_000_000_000;
const twitter = (clock: () => number, options = {}) => makeGenerator("twitter", { clock, ...options });

describe("faults of other packages", () => {
  test("@sapphire/snowflake, snowyflake: the sequence wraps within a millisecond, half of a burst repeats", () => {
    const generator = makeGenerator("twitter", { machineId: 29 });
    const seen = new BigUint64Array(200_000);
    for (let i = 0; i < seen.length; i++) seen[i] = generator.nextId();
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("nodejs-snowflake: IDs repeat after the clock stepped back", () => {
    const generator = twitter(scripted([NOW, NOW + 1, NOW, NOW, NOW + 1]));
    const ids = Array.from({ length: 5 }, () => generator.nextId());
    expect(new Set(ids).size).toBe(5);
  });

  test("nodejs-snowflake: a frozen clock hangs it", () => {
    const generator = twitter(() => NOW);
    generator.nextIds(4096);
    expect(() => generator.nextId()).toThrow(expect.objectContaining({ code: "ERR_CLOCK_STALLED" }));
  });

  test("nodejs-snowflake: the default epoch is the moment of construction, so restarts repeat", () => {
    expect(twitter(() => NOW).epochMs).toBe(Date.UTC(2020, 0, 1));
  });

  test("snowflake-id: after an overflow it emits the old millisecond, so ID 4096 equals ID 0", () => {
    const generator = twitter(scripted([...Array(4098).fill(NOW), NOW + 1]));
    const ids = Array.from({ length: 4097 }, () => generator.nextId());
    expect(new Set(ids).size).toBe(4097);
    expect(generator.decode(ids[4096] as bigint)).toMatchObject({ timestampMs: NOW + 1, sequence: 0 });
  });

  test("snowflake-id: machine 1023 becomes machine 0 by a modulo", () => {
    const machines = [0, 1022, 1023].map((machineId) => {
      const generator = makeGenerator("single_dc", { machineId });
      return generator.decode(generator.nextId()).machineId;
    });
    expect(machines).toEqual([0, 1022, 1023]);
    expect(() => makeGenerator("single_dc", { machineId: 2046 })).toThrow(
      "from 0 to 1023 (10 bits), got 2046",
    );
  });

  test("flake-idgen: a rollback is a ReferenceError", () => {
    const generator = twitter(scripted([NOW, NOW - 1000]));
    generator.nextId();
    expect(() => generator.nextId()).toThrow(expect.objectContaining({ code: "ERR_CLOCK_BACKWARDS" }));
  });

  test("flake-idgen: the timestamp wraps silently", () => {
    const clock = settable(Date.UTC(2020, 0, 1) + 2 ** 41 - 1);
    const generator = twitter(clock);
    generator.nextId();
    clock.now++;
    expect(() => generator.nextId()).toThrow(expect.objectContaining({ code: "ERR_TIMESTAMP_OVERFLOW" }));
  });

  test("yitter: after the fifth rollback the reserved sequences repeat", () => {
    const generator = twitter(
      scripted(Array.from({ length: 60 }, (_, i) => NOW + i - (i % 5 === 4 ? 8 : 0))),
    );
    const ids = Array.from({ length: 60 }, () => generator.nextId());
    expect(new Set(ids).size).toBe(60);
  });

  test("yitter: the return type flips at 2^53", () => {
    const generator = new SnowflakeGenerator({
      ...PRESET_TWITTER,
      epochMs: NOW,
      clock: scripted([NOW, NOW + 2 ** 40]),
    });
    expect([typeof generator.nextId(), typeof generator.nextId()]).toEqual(["bigint", "bigint"]);
  });

  test("twitter's original: a failed call resets the sequence, so the next good one repeats", () => {
    const generator = twitter(scripted([NOW, NOW, NOW - 50, NOW]));
    const ids = [generator.nextId(), generator.nextId()];
    expect(() => generator.nextId()).toThrow();
    ids.push(generator.nextId());
    expect(new Set(ids).size).toBe(3);
  });

  test("Number(id) / 2 ** 22 is 1 ms late when the low bits are nearly all ones", () => {
    const id = ((BigInt(NOW) - 1577836800000n) << 22n) | (2n ** 22n - 1n);
    expect(Math.floor(Number(id) / 2 ** 22) + 1577836800000).toBe(NOW + 1);
    expect(decode(id, "twitter").timestampMs).toBe(NOW);
  });

  test.each(["", "0x10", "-5", "18446744073709551616"])("loose parsing: %j passes for a number", (text) => {
    expect(() => parseId(text)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ID" }));
  });

  test("worker 32 silently becomes 0", () => {
    expect(() => makeGenerator("twitter", { machineId: 32 })).toThrow(
      "machineId must be a whole number from 0 to 31 (5 bits), got 32",
    );
  });

  test('ulid: 0 means "now"', () => {
    const generator = makeGenerator("twitter", { epochMs: 0, clock: () => 0 });
    expect(generator.nextId()).toBe(0n);
    expect(generator.epochMs).toBe(0);
    expect(decode(0, { ...PRESET_TWITTER, epochMs: 0 }).timestampMs).toBe(0);
  });

  test("nanoid: a length of NaN is an empty string", () => {
    expect(() => randomString(Number.NaN)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});

describe("regressions that the property tests found", () => {
  test("a first reading of -Infinity equalled the reading that was not there, and gave an ID", () => {
    expect(() => twitter(() => Number.NEGATIVE_INFINITY).nextId()).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
  });

  test("and NaN does not equal it either", () => {
    expect(() => twitter(() => Number.NaN).nextId()).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
  });
});
