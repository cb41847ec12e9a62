// The events of generators: one for each step back of the clock and each full tick, on every kind of source.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { publishGeneratorEvents } from "../../src/events/index.ts";
import { ClockBackwardsError, type GeneratorOptions, makeGenerator } from "../../src/index.ts";
import {
  mergeOptions,
  observedStep,
  observedWaitForRoomMs,
  resolveGeneratorSettings,
  SequenceExhaustedError,
} from "../../src/internal.ts";
import { leaseNode } from "../../src/lease/index.ts";
import { step, waitForRoomMs } from "../../src/snowflake/clock.ts";
import { SharedGenerator } from "../../src/threads/index.ts";
import { creeping, settable } from "../support/clocks.ts";
import { countsOf, delivered, listen, recordEvents } from "./recordEvents.ts";

const EPOCH = Date.UTC(2026, 0, 1);
/** Four IDs a tick, and an epoch that makes ticks small numbers. */
const LAYOUT = { timestampBits: 53, datacenterBits: 4, machineBits: 4, sequenceBits: 2 };
const OPTIONS: GeneratorOptions = { ...LAYOUT, epochMs: EPOCH, datacenterId: 2, machineId: 3 };
const FACTS = { layout: LAYOUT, datacenterId: 2, machineId: 3 };

// First, because no test after it is without the observer.
test("without publishGeneratorEvents() nothing is published", async () => {
  const events = recordEvents();
  const clock = settable(EPOCH + 100);
  const generator = makeGenerator(OPTIONS, { clock, onExhausted: "throw" });
  for (let i = 0; i < 4; i++) generator.nextId();
  expect(() => generator.nextId()).toThrow(SequenceExhaustedError);
  clock.now -= 50;
  expect(() => generator.nextId()).toThrow(ClockBackwardsError);
  expect(await countsOf(events)).toEqual({});
  publishGeneratorEvents();
  publishGeneratorEvents();
  expect([observedStep === step, observedWaitForRoomMs === waitForRoomMs]).toEqual([false, false]);
  expect(() => generator.nextId()).toThrow(ClockBackwardsError);
  expect(await countsOf(events)).toEqual({ "clock:backwards": 1 });
});

describe("bitflake:clock:backwards", () => {
  test("is published once for each step back", async () => {
    const events = recordEvents();
    const clock = settable(EPOCH + 100);
    const generator = makeGenerator(OPTIONS, { clock });
    generator.nextId();
    clock.now -= 11;
    for (let i = 0; i < 3; i++) expect(() => generator.nextId()).toThrow(ClockBackwardsError);
    clock.now -= 11;
    expect(() => generator.nextIds(2)).toThrow(ClockBackwardsError);
    await expect(generator.nextIdAsync()).rejects.toThrow(ClockBackwardsError);
    await delivered();
    const first = { ...FACTS, nowMs: EPOCH + 89, lastMs: EPOCH + 100, backwardMs: 11 };
    expect(events).toEqual([["clock:backwards", first]]);

    clock.now = EPOCH + 200;
    generator.nextId();
    clock.now -= 100;
    expect(() => generator.fill(new BigUint64Array(1))).toThrow(ClockBackwardsError);
    await delivered();
    const second = { ...FACTS, nowMs: EPOCH + 100, lastMs: EPOCH + 200, backwardMs: 100 };
    expect(events.slice(1)).toEqual([["clock:backwards", second]]);
  });

  test("is published for each generator, and not for a step within maxBackwardMs", async () => {
    const events = recordEvents();
    const clock = settable(EPOCH + 100);
    const generators = [4, 5].map((machineId) => makeGenerator(OPTIONS, { clock, machineId }));
    for (const generator of generators) generator.nextId();
    clock.now -= 10;
    for (const generator of generators) generator.nextId();
    expect(await countsOf(events)).toEqual({});
    clock.now -= 1;
    for (const generator of generators) expect(() => generator.nextId()).toThrow(ClockBackwardsError);
    await delivered();
    expect(events.map(([, message]) => (message as { machineId: number }).machineId)).toEqual([4, 5]);
  });
});

describe("bitflake:sequence:exhausted", () => {
  test("is published once for each full tick that a call waits for", async () => {
    const events = recordEvents();
    // Ten readings of each millisecond, all of them different.
    const read = creeping(0, 1);
    const clock = () => EPOCH + 100 + read() / 10;
    const generator = makeGenerator(OPTIONS, { clock, tickMs: 1 });
    for (let i = 0; i < 12; i++) generator.nextId();
    expect(await countsOf(events)).toEqual({ "sequence:exhausted": 2 });
    expect(events[0]).toEqual([
      "sequence:exhausted",
      { ...FACTS, nowMs: EPOCH + 100.4, tick: 100, onExhausted: "wait" },
    ]);
    expect(events[1]?.[1]).toMatchObject({ tick: 101 });
  });

  test("is published for each tick that a batch fills", async () => {
    const events = recordEvents();
    const generator = makeGenerator(OPTIONS, { clock: creeping(EPOCH + 100, 3), machineId: 4 });
    generator.nextIds(13);
    expect(await countsOf(events)).toEqual({ "sequence:exhausted": 3 });
  });

  test("is published once, however many calls wait for the same tick", async () => {
    const events = recordEvents();
    const clock = settable(EPOCH + 100);
    const generator = makeGenerator(OPTIONS, { clock, machineId: 5 });
    const ids = Array.from({ length: 8 }, () => generator.nextIdAsync());
    expect(await countsOf(events)).toEqual({ "sequence:exhausted": 1 });
    clock.now++;
    expect(new Set(await Promise.all(ids)).size).toBe(8);
    expect(await countsOf(events)).toEqual({ "sequence:exhausted": 1 });
  });

  test("is published under throw, for calls for one ID and for batches that do not fit", async () => {
    const events = recordEvents();
    const clock = settable(EPOCH + 100);
    const generator = makeGenerator(OPTIONS, { clock, onExhausted: "throw", machineId: 6 });
    expect(() => generator.nextIds(5)).toThrow(SequenceExhaustedError);
    for (let i = 0; i < 4; i++) generator.nextId();
    for (let i = 0; i < 4; i++) expect(() => generator.nextId()).toThrow(SequenceExhaustedError);
    clock.now++;
    generator.nextIds(4);
    for (let i = 0; i < 2; i++) expect(() => generator.nextId()).toThrow(SequenceExhaustedError);
    await delivered();
    const facts = { ...FACTS, machineId: 6, onExhausted: "throw" };
    expect(events).toEqual([
      ["sequence:exhausted", { ...facts, nowMs: EPOCH + 100, tick: 100 }],
      ["sequence:exhausted", { ...facts, nowMs: EPOCH + 101, tick: 101 }],
    ]);
  });

  test("is published for each tick from which borrow goes on to the next one", async () => {
    const events = recordEvents();
    const clock = settable(EPOCH + 100);
    const generator = makeGenerator(OPTIONS, { clock, onExhausted: "borrow", machineId: 7 });
    for (let i = 0; i < 10; i++) generator.nextId();
    await delivered();
    expect(events.map(([, message]) => (message as { tick: number }).tick)).toEqual([100, 101]);
    clock.now += 50;
    generator.nextId();
    expect(await countsOf(events)).toEqual({ "sequence:exhausted": 2 });
  });

  test("a subscriber may make IDs: none repeats, and the events come to an end", async () => {
    let count = 0;
    // One ID a tick, so that each call finds its tick full.
    const widths = { timestampBits: 53, datacenterBits: 5, machineBits: 5, sequenceBits: 0 };
    const options = { ...widths, epochMs: EPOCH, onExhausted: "borrow" } as const;
    const generator = makeGenerator(options, { clock: settable(EPOCH + 100) });
    const ids: bigint[] = [];
    listen("bitflake:sequence:exhausted", () => {
      // Bounded, so that a failure ends.
      if (count++ < 20) ids.push(generator.nextId());
    });
    ids.push(...generator.nextIds(2), generator.nextId(), generator.nextId());
    for (let turn = 0; turn < 5; turn++) await new Promise((wake) => setImmediate(wake));
    expect(count).toBe(3);
    expect(ids).toHaveLength(7);
    expect(new Set(ids).size).toBe(7);
  });
});

test("a shared generator publishes each of them once", async () => {
  const events = recordEvents();
  const clock = settable(EPOCH + 100);
  const generator = new SharedGenerator(OPTIONS, { clock, onExhausted: "throw", machineId: 8 });
  generator.nextIds(4);
  for (let i = 0; i < 2; i++) expect(() => generator.nextId()).toThrow(SequenceExhaustedError);
  clock.now -= 50;
  for (let i = 0; i < 2; i++) expect(() => generator.nextId()).toThrow(ClockBackwardsError);
  expect(await countsOf(events)).toEqual({ "sequence:exhausted": 1, "clock:backwards": 1 });
});

test.each([false, true])("the generator of a lease publishes its node, with threads: %s", async (threads) => {
  const events = recordEvents();
  const clock = settable(Date.UTC(2026, 10, threads ? 1 : 2));
  const [lease, other] = await Promise.all(
    [memory({ clock })].flatMap((backend) =>
      [0, 1].map(() => leaseNode({ backend, clock, preset: "twitter", datacenterId: 3, threads })),
    ),
  );
  lease?.generator.nextId();
  other?.generator.nextId();
  clock.now -= 50;
  expect(() => other?.generator.nextId()).toThrow(ClockBackwardsError);
  await delivered();
  expect(events.filter(([name]) => name === "clock:backwards")).toEqual([
    ["clock:backwards", expect.objectContaining({ datacenterId: 3, machineId: 1, backwardMs: 50 })],
  ]);
});

test("the observer changes no result", () => {
  const outcomeOf = (call: () => unknown) => {
    try {
      return call();
    } catch (error) {
      return { error };
    }
  };
  const anyState = fc.record({
    highestReadingMs: fc.integer({ min: EPOCH, max: EPOCH + 40 }),
    tick: fc.integer({ min: 0, max: 40 }),
    sequence: fc.integer({ min: 0, max: 3 }),
  });
  const anyReading = fc.oneof(fc.integer({ min: EPOCH - 2, max: EPOCH + 60 }), fc.constant(Number.NaN));
  const anyOption = fc.constantFrom("wait" as const, "throw" as const, "borrow" as const);
  recordEvents();
  fc.assert(
    fc.property(
      anyState,
      anyReading,
      anyOption,
      fc.integer({ min: 1, max: 9 }),
      (state, nowMs, on, count) => {
        const settings = resolveGeneratorSettings(
          mergeOptions({ ...OPTIONS, onExhausted: on, maxBorrowMs: 3, clock: () => 0 }),
        );
        const args = [settings, state, nowMs, () => 0, count] as const;
        expect(outcomeOf(() => observedStep(...args))).toEqual(outcomeOf(() => step(...args)));
        expect(observedWaitForRoomMs(settings, state, nowMs, count)).toEqual(
          waitForRoomMs(settings, state, nowMs, count),
        );
      },
    ),
  );
});
