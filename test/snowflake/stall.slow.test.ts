// When a clock is called stalled: the rule with small numbers, and generators on such clocks.

import { afterEach, describe, expect, test, vi } from "vitest";
import { ClockStalledError, makeGenerator, SnowflakeGenerator } from "../../src/index.ts";
import { createStallCheck } from "../../src/snowflake/waitBudget.ts";
import { creeping } from "../support/clocks.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const NOW = 1_700_000_000_000;
const noBits = { datacenterBits: 0, machineBits: 0 };
const stalled = expect.objectContaining({ code: "ERR_CLOCK_STALLED" });

describe("the stall check", () => {
  test.each<[string, number[], number | undefined]>([
    ["new milliseconds all the time", [1, 2, 3, 4, 5, 6, 7, 8], undefined],
    ["one reading under the limit, again and again", [1, 1, 1, 2, 2, 2, 3, 3], undefined],
    ["the limit: three readings that show nothing new", [1, 1, 1, 1], 4],
    ["a fraction is nothing new", [1, 1.5, 1.7, 1.9], 4],
    ["a step back is nothing new, nor is the way up again", [5, 4, 5, 5], 4],
    ["a new high after a step back is", [5, 4, 5, 6, 6, 6], undefined],
    ["too many readings in all, though each shows something new", [1, 2, 3, 4, 5, 6, 7, 8, 9], 9],
  ])("%s", (_title, readings, stallsAt) => {
    const check = createStallCheck(3, 8);
    const last = readings.pop() as number;
    for (const nowMs of readings) check(nowMs);
    if (stallsAt === undefined) check(last);
    else expect(() => check(last)).toThrow(expect.objectContaining({ nowMs: last, reads: stallsAt }));
  });
});

describe("a generator on a stalled clock", () => {
  test('a frozen clock is a ClockStalledError, and "borrow" goes on', () => {
    const clock = () => NOW;
    const generator = makeGenerator("twitter", { clock });
    generator.nextIds(4096);
    expect(() => generator.nextId()).toThrow(ClockStalledError);
    expect(() => generator.nextIds(2)).toThrow(stalled);
    const borrower = makeGenerator("twitter", { clock, onExhausted: "borrow" });
    const ids = borrower.nextIds(1000 * 4096);
    expect(ids.at(-1)).toBe(((BigInt(NOW + 1000) - 1577836800000n) << 22n) + 4095n);
    expect(() => borrower.nextId()).toThrow(stalled);
  });

  test.each([
    ["wavers between two readings", (i: number) => NOW + (i % 2)],
    ["creeps by fractions", (i: number) => NOW + i / 1e9],
    ["steps back bit by bit, within tolerance", (i: number) => NOW + 50 + 1 / (1 + i)],
  ])("a clock that %s stands still too", (_how, at) => {
    let reads = 0;
    const generator = makeGenerator("twitter", { clock: () => at(reads++), tickMs: 100 });
    generator.nextIds(4096);
    expect(() => generator.nextId()).toThrow(expect.objectContaining({ code: "ERR_CLOCK_STALLED" }));
  });

  test("a clock that moves once in a million readings is slow, not stalled", () => {
    vi.stubGlobal("performance", undefined); // A busy machine may take more than 2 s for so many readings.
    const clock = creeping(NOW, 1_000_000);
    const generator = new SnowflakeGenerator({ timestampBits: 53, ...noBits, sequenceBits: 0, clock });
    expect(generator.nextIds(4).length).toBe(4);
  });

  test("a wait may take more readings than the limit if each millisecond takes fewer", () => {
    vi.stubGlobal("performance", undefined); // A busy machine may take more than 2 s for so many readings.
    const clock = creeping(NOW, 1_000_000);
    const options = { timestampBits: 53, ...noBits, sequenceBits: 0, tickMs: 6, epochMs: NOW };
    expect(new SnowflakeGenerator({ ...options, clock }).nextIds(2)).toEqual([0n, 1n]);
  });

  test("throws ClockStalledError after exactly the limit of readings without a new millisecond", () => {
    vi.stubGlobal("performance", undefined); // A busy machine may take more than 2 s for so many readings.
    const standing = (readings: number) => {
      let reads = 0;
      const clock = () => NOW + (reads++ < readings ? 0 : 1);
      const generator = new SnowflakeGenerator({ timestampBits: 53, ...noBits, sequenceBits: 0, clock });
      generator.nextId();
      return () => generator.nextId();
    };
    // The first ID takes one reading, the wait begins with another, and then the counting does.
    expect(standing(1 + 2_097_152)).not.toThrow();
    expect(standing(1 + 2_097_152 + 1)).toThrow(
      expect.objectContaining({ code: "ERR_CLOCK_STALLED", nowMs: NOW, reads: 2_097_153 }),
    );
  });
});
