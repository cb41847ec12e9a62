// How long a call may wait: 2 s in all, for one ID or for many, whatever its clock does. And the call that sleeps instead.

import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ClockBackwardsError,
  ClockStalledError,
  type GeneratorOptions,
  makeGenerator,
  SequenceExhaustedError,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { GeneratorParts, mergeOptions, resolveGeneratorSettings, WaitBudget } from "../../src/internal.ts";
import { LeasedSource } from "../../src/lease/leasedSource.ts";
import { SharedGenerator } from "../../src/threads/index.ts";
import { creeping, scripted, settable } from "../support/clocks.ts";

const NOW = 1_700_000_000_000;
const onePerTick = { timestampBits: 53, datacenterBits: 0, machineBits: 10, sequenceBits: 0 };

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A monotonic clock that is set by hand. */
function monotonic() {
  const performance = { ms: 0, now: () => performance.ms };
  vi.stubGlobal("performance", performance);
  return performance;
}

/** Both kinds of generators that work on a state of this process. */
const kinds = [
  ["SnowflakeGenerator", (options: GeneratorOptions) => new SnowflakeGenerator(options)],
  ["SharedGenerator", (options: GeneratorOptions) => new SharedGenerator(options)],
] as const;

describe.each(kinds)("a call of a %s for many IDs", (_kind, make) => {
  test("that takes longer than 2 s is refused at the first reading, and has made none", () => {
    const clock = scripted([NOW, NOW, NOW]);
    const generator = make({ ...onePerTick, tickMs: 1000, epochMs: NOW, machineId: 1, clock });
    expect(() => generator.nextIds(9)).toThrow(SequenceExhaustedError);
    expect(clock.reads).toBe(1);
    const target = new BigUint64Array(9).fill(7n);
    expect(() => generator.fill(target)).toThrow(
      expect.objectContaining({ code: "ERR_SEQUENCE_EXHAUSTED", tick: 0 }),
    );
    expect(target.every((word) => word === 7n)).toBe(true);
  });

  test("that takes longer than 2 s is refused at the first reading also in the tick of the last ID", () => {
    const clock = scripted([NOW, NOW, NOW]);
    const generator = make({ ...onePerTick, tickMs: 1000, epochMs: NOW, machineId: 5, clock });
    generator.nextId();
    expect(() => generator.nextIds(9)).toThrow(SequenceExhaustedError);
    expect(clock.reads).toBe(2);
  });

  test("throws an error with the time and the number of IDs that were missing", () => {
    const clock = settable(NOW);
    const generator = make({ ...onePerTick, tickMs: 1000, epochMs: NOW, machineId: 2, clock });
    generator.nextId();
    clock.now += 400;
    expect(() => generator.nextIds(9)).toThrow(expect.objectContaining({ tick: 0, waitMs: 8600, count: 9 }));
    expect(() => generator.nextIds(9)).toThrow(
      "tick 0 has no room for 9 more IDs: they take another 8600 ms",
    );
    clock.now += 600;
    expect(generator.decode(generator.nextId())).toMatchObject({ timestampMs: NOW + 1000, sequence: 0 });
  });

  test("waits for 2 s in all, and not for each of its ticks", () => {
    // 501 ms a tick: four ticks are 1.503 s of waiting, six are 2.505 s.
    const clock = creeping(NOW, 10);
    const options = { ...onePerTick, tickMs: 501, epochMs: NOW, machineId: 3, clock };
    expect(make(options).nextIds(4)).toHaveLength(4);
    expect(() => make(options).nextIds(6)).toThrow(SequenceExhaustedError);
  });

  test("ends after 2 s when other calls use up the ticks meanwhile", () => {
    // Each wait is for half a second, and the clock falls back behind each tick that it has reached.
    let reads = 0;
    const clock = () => NOW + Math.floor(reads++ / 4) * 250;
    const options = { ...onePerTick, tickMs: 500, epochMs: NOW, machineId: 4, clock };
    const generator = make(options);
    expect(generator.nextIds(4)).toHaveLength(4);
    const before = reads;
    expect(() => generator.nextIds(8)).toThrow(SequenceExhaustedError);
    expect(reads - before).toBeLessThan(40);
  });

  test('"throw": refuses what the tick has no room for, and leaves the tick as it was', () => {
    const clock = settable(NOW);
    const generator = make({ ...onePerTick, machineBits: 8, sequenceBits: 2, clock, onExhausted: "throw" });
    const first = generator.nextId();
    expect(() => generator.nextIds(5)).toThrow(expect.objectContaining({ code: "ERR_SEQUENCE_EXHAUSTED" }));
    expect(generator.nextIds(3)).toEqual([first + 1n, first + 2n, first + 3n]);
    expect(() => generator.nextIds(5)).toThrow(
      expect.objectContaining({ waitMs: 2, count: 5, code: "ERR_SEQUENCE_EXHAUSTED" }),
    );
  });

  test('"throw": a reading that is wrong itself is the error, and not the room that the tick would have', () => {
    const clock = settable(NOW);
    const options = { ...onePerTick, machineBits: 8, sequenceBits: 2, clock, onExhausted: "throw" } as const;
    const generator = make({ ...options, epochMs: NOW - 10, maxBackwardMs: 1000, machineId: 9 });
    const first = generator.nextId();
    for (const [reading, code] of [
      [Number.NaN, "ERR_ARGUMENT"],
      [Number.POSITIVE_INFINITY, "ERR_ARGUMENT"],
      [NOW - 11, "ERR_EPOCH"],
    ] as const) {
      clock.now = reading;
      expect(() => generator.nextIds(5)).toThrow(expect.objectContaining({ code }));
    }
    // A step back that is accepted does not hide that the tick is full.
    clock.now = NOW - 10;
    const accepted = make({ ...options, epochMs: 0, maxBackwardMs: 10, machineId: 10 });
    clock.now = NOW;
    const before = accepted.nextId();
    clock.now = NOW - 10;
    expect(() => accepted.nextIds(5)).toThrow(expect.objectContaining({ code: "ERR_SEQUENCE_EXHAUSTED" }));
    expect(accepted.nextId()).toBe(before + 1n);
    clock.now = NOW;
    expect(generator.nextId()).toBe(first + 1n);
  });

  test('"borrow": takes what may be borrowed, and refuses what would take over 2 s beyond it', () => {
    const clock = settable(NOW);
    const options = { ...onePerTick, epochMs: NOW, clock, onExhausted: "borrow", maxBorrowMs: 100 } as const;
    expect(make({ ...options, machineId: 5 }).nextIds(101)).toHaveLength(101);
    expect(() => make({ ...options, machineId: 6 }).nextIds(2102)).toThrow(
      expect.objectContaining({ code: "ERR_SEQUENCE_EXHAUSTED" }),
    );
    const generator = make({ ...options, machineId: 7 });
    expect(() => generator.nextIds(5000)).toThrow(SequenceExhaustedError);
    expect(generator.decode(generator.nextId()).timestampMs).toBe(NOW);
  });

  test("throws ClockBackwardsError, not SequenceExhaustedError, if the clock has stepped back too", () => {
    const clock = settable(NOW);
    const generator = make({ ...onePerTick, tickMs: 1000, epochMs: 0, machineId: 8, clock });
    generator.nextId();
    clock.now -= 3_600_000;
    expect(() => generator.nextIds(9)).toThrow(ClockBackwardsError);
  });

  test("on a clock that takes 10 ms to read waits for 2 s, not for two million readings", () => {
    const performance = monotonic();
    let reads = 0;
    const clock = () => {
      reads++;
      performance.ms += 10;
      return NOW;
    };
    const generator = make({ ...onePerTick, machineId: 9, clock });
    generator.nextId();
    expect(() => generator.nextId()).toThrow(ClockStalledError);
    expect(reads).toBeLessThan(210);
    reads = 0;
    expect(() => generator.nextIds(5)).toThrow(ClockStalledError);
    expect(reads).toBeLessThan(210);
  });

  test("ends after 2 s of the monotonic clock when its own clock creeps", () => {
    const performance = monotonic();
    let now = NOW;
    const clock = () => {
      performance.ms += 10;
      now += 0.25;
      return now;
    };
    const generator = make({ ...onePerTick, tickMs: 100, epochMs: NOW, machineId: 10, clock });
    generator.nextId();
    expect(() => generator.nextId()).toThrow(ClockStalledError);
    expect(performance.ms).toBeLessThan(2100);
  });

  test("a process that is suspended for over 2 s during a wait, at any step of it, gets its ID", () => {
    // The suspension comes after the given number of readings of either clock.
    for (let at = 1; at < 12; at++) {
      let ms = 0;
      let reads = 0;
      const read = (startMs: number) => {
        const reading = startMs + ms;
        if (++reads === at) ms += 3000;
        else ms += 0.125;
        return reading;
      };
      vi.stubGlobal("performance", { now: () => read(0) });
      const generator = make({
        ...onePerTick,
        machineId: 17,
        clock: () => Math.floor(read(NOW + 5000 * at)),
      });
      const first = generator.nextId();
      expect(generator.nextId()).toBeGreaterThan(first);
    }
  });

  test("on a slow clock that has a new tick at each reading ends after 2 s too", () => {
    const performance = monotonic();
    let now = NOW;
    const clock = () => {
      performance.ms += 10;
      now += 10;
      return now;
    };
    const generator = make({ ...onePerTick, machineId: 11, clock });
    let error: unknown;
    try {
      generator.nextIds(1000);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SequenceExhaustedError);
    // One ID a tick of 1 ms.
    const { waitMs, count } = error as SequenceExhaustedError;
    expect(waitMs).toBe(count);
    expect(performance.ms).toBeLessThan(2100);
  });

  test("a runtime without a monotonic clock counts by its own", () => {
    vi.stubGlobal("performance", undefined);
    const generator = make({ ...onePerTick, machineId: 12, clock: creeping(NOW, 3) });
    expect(generator.nextIds(100)).toHaveLength(100);
  });
});

test("the 2 s of a call begin with its first wait, and a clock that has gone back since does not lengthen them", () => {
  const budget = new WaitBudget(3);
  budget.assertWait(7, 2000, NOW);
  budget.assertWait(7, 1500, NOW + 500);
  budget.assertWait(7, 2000, NOW - 10);
  for (const [waitMs, nowMs] of [
    [2001, NOW],
    [2001, NOW - 10],
    [1501, NOW + 500],
  ] as const) {
    expect(() => budget.assertWait(7, waitMs, nowMs)).toThrow(
      expect.objectContaining({ code: "ERR_SEQUENCE_EXHAUSTED", tick: 7, waitMs, count: 3 }),
    );
  }
});

test("a batch on a lease has the same budget", () => {
  const clock = settable(NOW);
  const settings = resolveGeneratorSettings(mergeOptions({ ...onePerTick, tickMs: 1000, epochMs: 0, clock }));
  const source = new LeasedSource(settings);
  const generator = new SnowflakeGenerator(new GeneratorParts(settings, source));
  source.open({ node: 3, from: NOW / 1000, until: NOW / 1000 + 60 }, NOW);
  expect(() => generator.nextIds(9)).toThrow(SequenceExhaustedError);
  expect(generator.decode(generator.nextId())).toMatchObject({ timestampMs: NOW, machineId: 3 });
});

describe.each(kinds)("nextIdsAsync of a %s", (_kind, make) => {
  test("sleeps as long as it takes, and its IDs strictly increase", async () => {
    vi.useFakeTimers({ now: NOW });
    const generator = make({ ...onePerTick, tickMs: 1000, epochMs: NOW, clock: () => Date.now() });
    const waiting = generator.nextIdsAsync(9);
    await vi.advanceTimersByTimeAsync(8000);
    const ids = await waiting;
    expect(ids.map((id) => generator.decode(id).timestampMs)).toEqual(
      Array.from({ length: 9 }, (_, at) => NOW + 1000 * at),
    );
  });

  test("takes whole runs of each tick, and not one ID per sleep", async () => {
    vi.useFakeTimers({ now: NOW });
    const options = { ...onePerTick, machineBits: 4, sequenceBits: 6, clock: () => Date.now() };
    const generator = make(options);
    const waiting = generator.nextIdsAsync(200);
    await vi.advanceTimersByTimeAsync(3);
    expect(new Set(await waiting).size).toBe(200);
  });

  test("other calls get IDs in between, and none is made twice", async () => {
    vi.useFakeTimers({ now: NOW });
    const options = { ...onePerTick, machineBits: 5, sequenceBits: 5, clock: () => Date.now() };
    const generator = make(options);
    const calls = [generator.nextIdsAsync(100), generator.nextIdAsync(), generator.nextIdsAsync(100)];
    await vi.advanceTimersByTimeAsync(1);
    calls.push(generator.nextIdAsync());
    await vi.advanceTimersByTimeAsync(50);
    const all = await Promise.all(calls);
    for (const ids of all) {
      if (typeof ids === "bigint") continue;
      expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint))).toBe(true);
    }
    expect(new Set(all.flat()).size).toBe(202);
  });

  test("rejects where nextIdAsync does, and never makes the IDs again that it had taken", async () => {
    vi.useFakeTimers({ now: NOW });
    const generator = make({ ...onePerTick, epochMs: NOW - 5000, clock: () => Date.now() });
    const waiting = expect(generator.nextIdsAsync(5)).rejects.toThrow(ClockBackwardsError);
    await vi.advanceTimersByTimeAsync(1);
    vi.setSystemTime(NOW - 1000);
    await vi.advanceTimersByTimeAsync(100);
    await waiting;
    vi.setSystemTime(NOW + 2);
    expect(generator.decode(generator.nextId()).timestampMs).toBe(NOW + 2);
  });

  test('rejects on a frozen clock, and at once under "throw"', async () => {
    const frozen = make({ ...onePerTick, machineId: 13, clock: () => NOW });
    const rejected = expect(frozen.nextIdsAsync(2)).rejects.toThrow(ClockStalledError);
    await rejected;
    const strict = make({ ...onePerTick, machineId: 14, clock: () => NOW, onExhausted: "throw" });
    await expect(strict.nextIdsAsync(2)).rejects.toThrow(SequenceExhaustedError);
  });

  test.each([-1, 1.5, Number.NaN, "3", undefined, 16_777_217])("refuses %s", async (count) => {
    const generator = make({ ...onePerTick, machineId: 15 });
    await expect(generator.nextIdsAsync(count as number)).rejects.toThrow(
      expect.objectContaining({ field: "count", rule: "a whole number from 0 to 16777216" }),
    );
  });

  test("returns no IDs for a count of 0", async () => {
    expect(await make({ ...onePerTick, machineId: 16, clock: scripted([]) }).nextIdsAsync(0)).toEqual([]);
  });
});

test("a million IDs of nextIdsAsync on the real clock are a million", async () => {
  const ids = await makeGenerator("high_throughput", { machineId: 5 }).nextIdsAsync(1_000_000);
  expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint))).toBe(true);
});
