// uuid and uuidv7: formats, order, clocks that stand still or step back, and copies of a process.

import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { uuid, uuidv7 } from "../../src/index.ts";
import { nextV7, type V7State } from "../../src/wrappers/uuid.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** The largest value of the lower counter. */
const full = 2 ** 30 - 1;
const V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const fresh = (): V7State => ({ ms: -1, high: 0, low: 0, head: "" });
/** Returns the state that all copies of the package share in this process. */
function stateOfProcess(): V7State {
  uuidv7(); // The first call creates it.
  return Reflect.get(globalThis, Symbol.for("bitflake.uuidv7.v1"));
}
/** Returns a source of "random" numbers: the given ones, and then 0. */
const drawing =
  (...draws: number[]) =>
  () =>
    draws.shift() ?? 0;

describe("uuid", () => {
  test("returns a new UUID v4 each time", () => {
    const many = Array.from({ length: 1000 }, uuid);
    for (const each of many) expect(each).toMatch(V4);
    expect(new Set(many).size).toBe(1000);
  });

  test("returns a UUID v4 on insecure origins, where randomUUID is missing", () => {
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const many = Array.from({ length: 5000 }, uuid);
    for (const each of many) expect(each).toMatch(V4);
    expect(new Set(many).size).toBe(5000);
    // Each of the 122 free bits is 0 in some and 1 in others.
    const bits = many.map((each) => BigInt(`0x${each.replaceAll("-", "")}`));
    const or = bits.reduce((a, b) => a | b);
    const and = bits.reduce((a, b) => a & b);
    const fixed = (0xfn << 76n) | (3n << 62n);
    expect(or | fixed).toBe(2n ** 128n - 1n);
    expect(and & ~fixed).toBe(0n);
  });
});

describe("uuidv7", () => {
  test("matches example A.6 of RFC 9562", () => {
    // The state before the example, in the same millisecond.
    const state = { ms: 0x017f22e279b0, high: 0xcc3, low: 0x18c4dc0c - 1, head: "017f22e2-79b0-7cc3-" };
    expect(nextV7(state, 0x017f22e279b0, drawing(0x0c07, 0x398f))).toBe(
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    );
  });

  test("starts the counter of a new millisecond at random, with its top bit 0", () => {
    const ones = () => 0xffff;
    expect(nextV7(fresh(), 5, ones)).toBe("00000000-0005-77ff-bfff-ffffffffffff");
    expect(nextV7(fresh(), 0, drawing())).toBe("00000000-0000-7000-8000-000000000000");
    expect(nextV7(fresh(), 5, drawing(1, 2, 3, 4, 5))).toBe("00000000-0005-7003-8004-000500010002");
  });

  test.each<[string, V7State, number, string]>([
    [
      "same millisecond",
      { ms: 5, high: 1, low: 1, head: "00000000-0005-7001-" },
      5,
      "00000000-0005-7001-8000-000200000000",
    ],
    [
      "1 ms back",
      { ms: 5, high: 1, low: 1, head: "00000000-0005-7001-" },
      4,
      "00000000-0005-7001-8000-000200000000",
    ],
    [
      "far back",
      { ms: 5, high: 1, low: 1, head: "00000000-0005-7001-" },
      0,
      "00000000-0005-7001-8000-000200000000",
    ],
    ["1 ms on", { ms: 5, high: 1, low: 1, head: "x" }, 6, "00000000-0006-7000-8000-000000000000"],
    [
      "a fraction on",
      { ms: 5, high: 1, low: 1, head: "00000000-0005-7001-" },
      5.9,
      "00000000-0005-7001-8000-000200000000",
    ],
    [
      "the low counter is full",
      { ms: 5, high: 1, low: full, head: "x" },
      5,
      "00000000-0005-7002-8000-000000000000",
    ],
    [
      "the low counter, one before",
      { ms: 5, high: 1, low: full - 1, head: "00000000-0005-7001-" },
      5,
      "00000000-0005-7001-bfff-ffff00000000",
    ],
    [
      "the whole counter is full: the next millisecond",
      { ms: 5, high: 0xfff, low: full, head: "x" },
      5,
      "00000000-0006-7000-8000-000000000000",
    ],
    [
      "a full counter in a new millisecond",
      { ms: 5, high: 0xfff, low: full, head: "x" },
      7,
      "00000000-0007-7000-8000-000000000000",
    ],
    ["the last millisecond of 48 bits", fresh(), 2 ** 48 - 1, "ffffffff-ffff-7000-8000-000000000000"],
  ])("%s", (_title, state, now, wanted) => {
    expect(nextV7(state, now, drawing())).toBe(wanted);
  });

  test.each([
    ["past 48 bits", 2 ** 48],
    ["before 1970", -0.5],
    ["at NaN", Number.NaN],
    ["at Infinity", Infinity],
    ["at a string", "5" as unknown as number],
  ])("a clock %s is an error, and the state does not change", (_title, now) => {
    const state = { ms: 5, high: 1, low: 1, head: "h" };
    expect(() => nextV7(state, now, drawing())).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", field: "Date.now()" }),
    );
    expect(state).toEqual({ ms: 5, high: 1, low: 1, head: "h" });
  });

  test("an overflow of the counter in the last millisecond is an error, and the state does not change", () => {
    const state = { ms: 2 ** 48 - 1, high: 0xfff, low: full, head: "h" };
    expect(() => nextV7(state, 0, drawing())).toThrow(
      "Date.now() must be a whole number from 0 to 281474976710655, got 281474976710656",
    );
    expect(state).toEqual({ ms: 2 ** 48 - 1, high: 0xfff, low: full, head: "h" });
  });

  test("returns a larger UUID v7 each time, for any clock and any random numbers", () => {
    const times = fc.array(
      fc.integer({ min: 0, max: 2 ** 48 - 2 }).map((n) => (n % 3 ? n % 50 : n)),
      { minLength: 2, maxLength: 30 },
    );
    fc.assert(
      fc.property(
        times,
        fc.infiniteStream(fc.integer({ min: 0, max: 65535 })),
        fc.boolean(),
        (nows, draws, nearFull) => {
          const state = nearFull
            ? { ms: 7, high: 0xfff, low: full - 5, head: "00000000-0007-7fff-" }
            : fresh();
          const random = () => draws.next().value as number;
          let last = "";
          for (const now of nows) {
            const next = nextV7(state, now, random, now % 2 === 0);
            expect(next).toMatch(V7);
            expect(next > last).toBe(true);
            last = next;
          }
        },
      ),
    );
  });

  test("two copies of the package share one order", () => {
    const state = stateOfProcess();
    vi.useFakeTimers({ now: state.ms });
    uuidv7();
    const { ms, high, low } = state;
    uuidv7();
    expect(state).toMatchObject({ ms, high, low: low + 1 });
  });
});

describe("the counter of a UUID v7 in the millisecond of an earlier turn", () => {
  const HEAD = "00000000-0005-7001-";

  test.each<[string, number[], string]>([
    ["advances by at least 1", [0, 0, 0, 0], "00000000-0005-7001-8000-000200000000"],
    ["advances by 31 random bits", [0, 0, 0, 5], "00000000-0005-7001-8000-000700000000"],
    ["advances by at most 31 bits", [0, 0, 0xffff, 0xffff], "00000000-0005-7003-8000-000100000000"],
  ])("%s", (_title, draws, wanted) => {
    const state = { ms: 5, high: 1, low: 1, head: HEAD };
    expect(nextV7(state, 5, drawing(...draws), true)).toBe(wanted);
  });

  test("advances the time when it is full", () => {
    const state = { ms: 5, high: 0xffe, low: full, head: "x" };
    expect(nextV7(state, 5, drawing(0, 0, 0xffff, 0xffff, 1, 2, 3), true)).toBe(
      "00000000-0006-7001-8002-000300000000",
    );
  });

  test("starts at random in a new millisecond", () => {
    const state = { ms: 5, high: 1, low: 1, head: HEAD };
    expect(nextV7(state, 6, drawing(), true)).toBe("00000000-0006-7000-8000-000000000000");
  });

  test("advances by random bits at the first call of a turn, and by 1 at the next calls", async () => {
    const state = stateOfProcess();
    vi.useFakeTimers({ now: state.ms, toFake: ["Date"] });
    const steps: number[] = [];
    const stepOf = () => {
      const before = state.high * 2 ** 30 + state.low;
      const { ms } = state;
      uuidv7();
      expect(state.ms).toBe(ms);
      return state.high * 2 ** 30 + state.low - before;
    };
    for (let i = 0; i < 100; i++) {
      steps.push(stepOf());
      expect(stepOf()).toBe(1);
      await null;
      await null;
    }
    // The sum of 100 uniform numbers from 1 to 2^31 is that far off once in 10^12.
    const sum = steps.reduce((a, b) => a + b);
    expect(Math.abs(sum / 100 - 2 ** 30)).toBeLessThan(2 ** 29);
    expect(new Set(steps).size).toBeGreaterThan(90);
  });

  test("differs between copies of a process, also when the state is ahead of the clock", () => {
    const copies = [0, 1, 2, 3].map(() => ({ ms: 5, high: 1, low: 1, head: HEAD }));
    const counters = copies.flatMap((state) =>
      Array.from({ length: 20 }, (_, i) => {
        nextV7(state, 0, () => crypto.getRandomValues(new Uint16Array(1))[0] as number, i === 0);
        return `${state.ms} ${state.high} ${state.low}`;
      }),
    );
    expect(new Set(counters).size).toBe(80);
  });
});
