import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { ArgumentError } from "../../src/index.ts";
import {
  type ClockSettings,
  type ClockState,
  isSystemClock,
  step,
  systemClock,
  waitForRoomMs,
} from "../../src/snowflake/clock.ts";

const EPOCH = 1_000_000;

const settings: ClockSettings = {
  epochMs: EPOCH,
  tickMs: 1,
  maxTick: 1000,
  maxSequence: 3,
  maxBackwardMs: 10,
  onExhausted: "wait",
  maxBorrowMs: 5,
};

const fresh: ClockState = { highestReadingMs: Number.NaN, tick: -1, sequence: 0 };
const at = (tick: number, sequence: number, highestReadingMs = EPOCH + tick): ClockState => ({
  highestReadingMs,
  tick,
  sequence,
});

type Row = {
  title: string;
  settings?: Partial<ClockSettings>;
  state: ClockState;
  now: number;
  /** The state it leads to, the milliseconds to wait, or the code of the error. */
  to: ClockState | number | string;
};

const table: Row[] = [
  // Order
  { title: "first ID ever, at the epoch itself", state: fresh, now: EPOCH, to: at(0, 0) },
  { title: "first ID ever, at the last tick", state: fresh, now: EPOCH + 1000, to: at(1000, 0) },
  { title: "same tick: one more", state: at(7, 0), now: EPOCH + 7, to: at(7, 1) },
  { title: "same tick, last number but one", state: at(7, 2), now: EPOCH + 7, to: at(7, 3) },
  { title: "next tick: starts over", state: at(7, 3), now: EPOCH + 8, to: at(8, 0) },
  { title: "jump ahead: starts over", state: at(7, 2), now: EPOCH + 900, to: at(900, 0) },
  {
    title: "a fraction of a millisecond is the same tick",
    state: at(7, 0),
    now: EPOCH + 7.9,
    to: at(7, 1, EPOCH + 7.9),
  },

  // Rollback
  {
    title: "1 ms back: goes on in the last tick, and keeps the highest reading",
    state: at(7, 0),
    now: EPOCH + 6,
    to: at(7, 1),
  },
  { title: "maxBackwardMs - 1 back", state: at(70, 0), now: EPOCH + 61, to: at(70, 1) },
  { title: "exactly maxBackwardMs back", state: at(70, 0), now: EPOCH + 60, to: at(70, 1) },
  { title: "maxBackwardMs + 1 back", state: at(70, 0), now: EPOCH + 59, to: "ERR_CLOCK_BACKWARDS" },
  {
    title: "a fraction beyond maxBackwardMs",
    state: at(70, 0),
    now: EPOCH + 59.9,
    to: "ERR_CLOCK_BACKWARDS",
  },
  {
    title: "no tolerance at all",
    settings: { maxBackwardMs: 0 },
    state: at(70, 0),
    now: EPOCH + 69,
    to: "ERR_CLOCK_BACKWARDS",
  },
  { title: "back within tolerance with the tick full", state: at(70, 3), now: EPOCH + 65, to: 6 },
  {
    title: "small steps add up: measured from the highest reading, not from the last tick",
    state: at(70, 1),
    now: EPOCH + 58,
    to: "ERR_CLOCK_BACKWARDS",
  },
  { title: "caught up again", state: at(70, 1), now: EPOCH + 71, to: at(71, 0) },
  {
    title: "rollback within maxBackwardMs of the highest reading, while the tick is borrowed",
    state: at(100, 0, EPOCH + 50),
    now: EPOCH + 45,
    to: at(100, 1, EPOCH + 50),
  },
  {
    title: "rollback by more than maxBackwardMs from the highest reading, while the tick is borrowed",
    state: at(100, 0, EPOCH + 50),
    now: EPOCH + 39,
    to: "ERR_CLOCK_BACKWARDS",
  },

  // Exhaustion
  { title: "wait: until the next tick", state: at(7, 3), now: EPOCH + 7, to: 1 },
  { title: "wait: what is left of a fractional millisecond", state: at(7, 3), now: EPOCH + 7.25, to: 0.75 },
  {
    title: "wait: with a long tick",
    settings: { tickMs: 1000 },
    state: at(7, 3, EPOCH + 7400),
    now: EPOCH + 7400,
    to: 600,
  },
  {
    title: "throw",
    settings: { onExhausted: "throw" },
    state: at(7, 3),
    now: EPOCH + 7,
    to: "ERR_SEQUENCE_EXHAUSTED",
  },
  {
    title: "throw: not before the tick is full",
    settings: { onExhausted: "throw" },
    state: at(7, 2),
    now: EPOCH + 7,
    to: at(7, 3),
  },
  {
    title: "borrow: the next tick, early",
    settings: { onExhausted: "borrow" },
    state: at(7, 3),
    now: EPOCH + 7,
    to: at(8, 0, EPOCH + 7),
  },
  {
    title: "borrow: as far as maxBorrowMs",
    settings: { onExhausted: "borrow" },
    state: at(11, 3, EPOCH + 7),
    now: EPOCH + 7,
    to: at(12, 0, EPOCH + 7),
  },
  {
    title: "borrow: beyond maxBorrowMs it waits for the rest",
    settings: { onExhausted: "borrow" },
    state: at(12, 3, EPOCH + 7),
    now: EPOCH + 7,
    to: 1,
  },
  {
    title: "borrow: waits if maxBorrowMs is 0",
    settings: { onExhausted: "borrow", maxBorrowMs: 0 },
    state: at(7, 3),
    now: EPOCH + 7,
    to: 1,
  },
  {
    title: "borrow: after a step back within maxBackwardMs",
    settings: { onExhausted: "borrow" },
    state: at(7, 3),
    now: EPOCH + 4,
    to: at(8, 0, EPOCH + 7),
  },
  {
    title: "the clock reaches the borrowed tick: goes on in it",
    settings: { onExhausted: "borrow" },
    state: at(9, 1, EPOCH + 7),
    now: EPOCH + 9,
    to: at(9, 2),
  },
  {
    title: "no sequence bits: one ID a tick",
    settings: { maxSequence: 0 },
    state: at(7, 0),
    now: EPOCH + 7,
    to: 1,
  },

  // Long ticks
  {
    title: "the same long tick",
    settings: { tickMs: 10 },
    state: at(7, 0, EPOCH + 70),
    now: EPOCH + 79,
    to: at(7, 1, EPOCH + 79),
  },
  {
    title: "the next one of long ticks",
    settings: { tickMs: 10 },
    state: at(7, 0, EPOCH + 79),
    now: EPOCH + 80,
    to: at(8, 0, EPOCH + 80),
  },

  // Overflow, epoch, nonsense
  { title: "one past the last tick", state: at(1000, 0), now: EPOCH + 1001, to: "ERR_TIMESTAMP_OVERFLOW" },
  { title: "far past the last tick", state: fresh, now: 1e300, to: "ERR_TIMESTAMP_OVERFLOW" },
  {
    title: "the last tick is full: waits, and the next step overflows",
    state: at(1000, 3),
    now: EPOCH + 1000,
    to: 1,
  },
  {
    title: "borrow: nothing past the last tick",
    settings: { onExhausted: "borrow" },
    state: at(1000, 3),
    now: EPOCH + 1000,
    to: "ERR_TIMESTAMP_OVERFLOW",
  },
  { title: "1 ms before the epoch", state: fresh, now: EPOCH - 1, to: "ERR_EPOCH" },
  { title: "a fraction before the epoch", state: fresh, now: EPOCH - 0.1, to: "ERR_EPOCH" },
  {
    title: "back before the epoch, though within tolerance",
    state: at(2, 0),
    now: EPOCH - 1,
    to: "ERR_EPOCH",
  },
  { title: "NaN", state: at(7, 0), now: Number.NaN, to: "ERR_ARGUMENT" },
  { title: "Infinity", state: at(7, 0), now: Infinity, to: "ERR_ARGUMENT" },
  { title: "-Infinity", state: at(7, 0), now: -Infinity, to: "ERR_ARGUMENT" },
  { title: "a string", state: at(7, 0), now: "1000007" as unknown as number, to: "ERR_ARGUMENT" },
  { title: "a bigint", state: at(7, 0), now: 1000007n as unknown as number, to: "ERR_ARGUMENT" },
  { title: "undefined", state: at(7, 0), now: undefined as unknown as number, to: "ERR_ARGUMENT" },
];

describe("the clock step", () => {
  test.each(table)("$title", ({ settings: own, state, now, to }) => {
    const before = { ...state };
    const take = () => step({ ...settings, ...own }, state, now, () => 0);
    if (typeof to === "string") expect(take).toThrow(expect.objectContaining({ code: to }));
    else expect(take()).toEqual(typeof to === "number" ? { waitMs: to } : to);
    expect(state).toEqual(before);
  });

  test("starts a new tick at the given sequence, and counts on within a tick", () => {
    const draws: number[] = [];
    const start = () => draws.push(1) && 2;
    expect(step(settings, at(7, 0), EPOCH + 8, start)).toEqual(at(8, 2));
    expect(step(settings, at(8, 2), EPOCH + 8, start)).toEqual(at(8, 3));
    expect(step({ ...settings, onExhausted: "borrow" }, at(8, 3), EPOCH + 8, start)).toEqual(
      at(9, 2, EPOCH + 8),
    );
    expect(draws).toHaveLength(2);
  });

  test("an epoch long before 1970 loses no millisecond to rounding", () => {
    const old = { ...settings, epochMs: -1e14, maxTick: 2 ** 53 - 1 };
    // The difference to the epoch, 4550000000000001.5, needs more than the 53 bits of a double and would round up.
    const now = 4_450_000_000_000_001.5;
    expect(step(old, fresh, now, () => 0)).toEqual({
      highestReadingMs: now,
      tick: 4_550_000_000_000_001,
      sequence: 0,
    });
  });

  test("errors carry the facts", () => {
    const facts = (own: Partial<ClockSettings>, state: ClockState, now: number) => {
      try {
        step({ ...settings, ...own }, state, now, () => 0);
      } catch (error) {
        return { ...(error as object), message: (error as Error).message };
      }
      throw new Error("no error");
    };
    expect(facts({}, at(70, 0), EPOCH + 50)).toEqual({
      code: "ERR_CLOCK_BACKWARDS",
      lastMs: EPOCH + 70,
      nowMs: EPOCH + 50,
      backwardMs: 20,
      message:
        "the clock stepped back 20 ms, from 1000070 to 1000050; maxBackwardMs is 10 (fake timers: https://github.com/bitflake/bitflake/blob/main/docs/testing.md)",
    });
    expect(facts({ onExhausted: "throw" }, at(7, 3), EPOCH + 7)).toEqual({
      code: "ERR_SEQUENCE_EXHAUSTED",
      tick: 7,
      waitMs: 1,
      count: 1,
      message: "tick 7 is full, and the next one can be used in 1 ms",
    });
    // Nine IDs take three ticks of four.
    expect(() => step({ ...settings, onExhausted: "throw" }, at(7, 3), EPOCH + 7, () => 0, 9)).toThrow(
      expect.objectContaining({ waitMs: 3, count: 9 }),
    );
    expect(facts({}, at(7, 3), EPOCH + 1001)).toEqual({
      code: "ERR_TIMESTAMP_OVERFLOW",
      nowMs: EPOCH + 1001,
      tick: 1001,
      maxTick: 1000,
      message: "at 1001001 the next ID needs tick 1001, but the last tick is 1000",
    });
    expect(facts({}, fresh, EPOCH - 1)).toEqual({
      code: "ERR_EPOCH",
      nowMs: EPOCH - 1,
      epochMs: EPOCH,
      message: "the clock reads 999999, before the epoch 1000000",
    });
  });
});

describe("the end of a grant", () => {
  const ended = new ArgumentError("grant", "open", "ended");
  const readings: number[] = [];
  const take = (until: number, state: ClockState, tick: number) =>
    step(settings, state, EPOCH + tick, () => 0, 1, {
      node: 7,
      until,
      error: (nowMs) => {
        readings.push(nowMs);
        return ended;
      },
    });

  test("is the first tick that IDs cannot have, and the last tick that they have goes on", () => {
    expect(take(9, at(7, 3), 8)).toEqual(at(8, 0));
    expect(take(9, at(8, 0), 8)).toEqual(at(8, 1));
    expect(() => take(9, at(8, 0), 9)).toThrow(ended);
    expect(() => take(9, at(8, 0), 900)).toThrow(ended);
    expect(readings).toEqual([EPOCH + 9, EPOCH + 900]);
  });

  test("comes before the overflow if it lies within the format, and has no effect if it lies after", () => {
    expect(() => take(1000, at(8, 0), 1000)).toThrow(ended);
    expect(() => take(1000, at(8, 0), 1001)).toThrow(ended);
    expect(take(1001, at(8, 0), 1000)).toEqual(at(1000, 0));
    const overflow = expect.objectContaining({ code: "ERR_TIMESTAMP_OVERFLOW" });
    expect(() => take(1001, at(8, 0), 1001)).toThrow(overflow);
    expect(() => take(2000, at(8, 0), 3000)).toThrow(overflow);
  });
});

test("waitForRoomMs is the sum of the waits of as many steps", () => {
  fc.assert(
    fc.property(
      fc.record({
        tickMs: fc.integer({ min: 1, max: 20 }),
        maxSequence: fc.integer({ min: 0, max: 4 }),
        onExhausted: fc.constantFrom("wait", "borrow"),
        maxBorrowMs: fc.integer({ min: 0, max: 30 }),
        sequence: fc.nat(4),
        tick: fc.integer({ min: 0, max: 5 }),
        nowMs: fc.integer({ min: 0, max: 120 }),
        count: fc.integer({ min: 1, max: 12 }),
      }),
      ({ sequence, tick, nowMs, count, ...own }) => {
        const rules = { ...settings, ...own, maxBackwardMs: 1e6 };
        const before = at(tick, Math.min(sequence, own.maxSequence), EPOCH + 120);
        let state = before;
        let now = EPOCH + nowMs;
        for (let made = 0; made < count; ) {
          const next = step(rules, state, now, () => 0);
          if ("waitMs" in next) now += next.waitMs;
          else {
            state = next;
            made++;
          }
        }
        expect(waitForRoomMs(rules, before, EPOCH + nowMs, count)).toBe(now - EPOCH - nowMs);
      },
    ),
  );
});

test.each<[string, boolean]>([
  ["function now() { [native code] }", true],
  ["function now() {\n    [native code]\n}", true],
  ["function now() {[native code]}", true],
  ["function now()  {  [native code]  }", true],
  ["function now(){[native code]}", true],
  ["function now() { [native code] }.bind(0)", false],
  ["x => function now() { [native code] }", false],
  ["function now() { return 5; }", false],
])("a clock whose text is %j is the system's: %s, as engines write built-in functions", (text, isSystem) => {
  const textOf = vi.spyOn(Function.prototype, "toString").mockReturnValue(text);
  const isSystemHere = isSystemClock(() => 5);
  textOf.mockRestore();
  expect(isSystemHere).toBe(isSystem);
});

test("a clock is the system's if it is Date.now or built-in, and not because its code contains the text of one", () => {
  for (const clock of [systemClock, Date.now]) expect(isSystemClock(clock)).toBe(true);
  // Its text ends as that of the built-in function does. From text, because the compiler removes comments.
  const named = new Function(
    "return () => {\n return 5; // function now() { [native code]\n}",
  )() as () => number;
  for (const clock of [named, () => Date.now(), Math.random]) expect(isSystemClock(clock)).toBe(false);
});
