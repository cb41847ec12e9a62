// A realm that other code has changed: Object.prototype polluted, Date.now replaced. And generators of one node that count
// its ticks in two ways.

import { afterEach, describe, expect, test, vi } from "vitest";
import { globalState } from "../../src/globalState.ts";
import {
  capacity,
  decode,
  encode,
  makeGenerator,
  makeGeneratorFromEnv,
  nextId,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { SharedGenerator } from "../../src/threads/index.ts";
import { settable } from "../support/clocks.ts";

const NOW = 1_800_000_000_000;

describe("a polluted Object.prototype", () => {
  const names: string[] = [];
  const pollute = (values: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(values)) {
      names.push(name);
      const descriptor = { __proto__: null, value, configurable: true, writable: true };
      Object.defineProperty(Object.prototype, name, descriptor as PropertyDescriptor);
    }
  };
  const clean = () => {
    for (const name of names.splice(0)) Reflect.deleteProperty(Object.prototype, name);
  };
  afterEach(clean);

  test("configures no generator: only what the options have counts", () => {
    pollute({ machineId: 7, datacenterId: 3, epochMs: 5, tickMs: 10, onExhausted: "borrow", clock: () => 0 });
    const generator = makeGenerator("twitter", { clock: () => NOW });
    expect(generator).toMatchObject({ datacenterId: 0, machineId: 0, tickMs: 1 });
    expect(generator.epochMs).toBe(Date.UTC(2020, 0, 1));
    expect(makeGenerator("twitter", { machineId: 4 }).machineId).toBe(4);
    class Config {
      get machineId() {
        return 5;
      }
    }
    expect(makeGenerator("twitter", new Config()).machineId).toBe(5);
    expect(makeGenerator("twitter", Object.create({ machineId: 7 })).machineId).toBe(7);
    expect(decode(1n << 22n, "twitter").timestampMs).toBe(Date.UTC(2020, 0, 1) + 1);
    expect(capacity("twitter").idsPerSecond).toBe(4_096_000);
  });

  test("is no node ID of the environment either, nor an option of makeGeneratorFromEnv or encode", () => {
    pollute({
      env: { FLAKEID_MACHINE_ID: "9" },
      required: true,
      machineEnv: "OTHER",
      machineId: 7,
      sequence: 3,
    });
    pollute({ FLAKEID_MACHINE_ID: "8" });
    expect(makeGeneratorFromEnv("twitter", { env: { FLAKEID_DATACENTER_ID: "1" } })).toMatchObject({
      datacenterId: 1,
      machineId: 0,
    });
    expect(encode({ timestampMs: Date.UTC(2020, 0, 1) + 1 }, "twitter")).toBe(1n << 22n);
  });

  test("does not make a generator wait for ever", () => {
    pollute({ waitMs: 5, tick: -5, highestReadingMs: 0, sequence: 1 });
    const generator = makeGenerator("twitter", { machineId: 21, clock: settable(NOW) });
    expect(generator.nextIds(3).map((id) => generator.decode(id).sequence)).toEqual([0, 1, 2]);
  });

  test("does not spoil the state that copies of the package share, nor a SharedGenerator", () => {
    const clock = settable(NOW);
    const local = makeGenerator("twitter", { machineId: 22, clock });
    const first = local.nextId();
    // Nothing is asserted while it lasts, because what asserts would not work either.
    pollute({ get: () => 5, value: 5, set: 5, writable: true, enumerable: true });
    const made: unknown[] = [];
    for (const make of [
      () => globalState("bitflake.test.polluted", () => ({})),
      nextId,
      () => new SharedGenerator("twitter", { machineId: 22, clock }).nextId(),
    ]) {
      try {
        made.push(make());
      } catch (error) {
        made.push(error);
      }
    }
    clean();
    expect(made.map((id) => typeof id)).toEqual(["object", "bigint", "bigint"]);
    expect(made[2]).toBe(first + 1n);
    expect(() => makeGenerator("twitter", { machineId: 22, clock }).nextId()).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
  });
});

describe("Date.now passed as a clock", () => {
  const real = Date.now;
  afterEach(() => {
    Date.now = real;
    vi.useRealTimers();
  });

  test("shares the default clock's sequence also if it was replaced before its first generator was built", () => {
    Date.now = () => real();
    const generators = [
      makeGenerator("twitter", { machineId: 23, clock: real }),
      makeGenerator("twitter", { machineId: 23 }),
      makeGenerator("twitter", { machineId: 23, clock: Date.now }),
    ];
    const ids: bigint[] = [];
    for (let i = 0; i < 500; i++) for (const generator of generators) ids.push(generator.nextId());
    expect(new Set(ids).size).toBe(1500);
    expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint))).toBe(true);
  });

  test("shares its sequence with fake timers: after them, the time has gone back, which is an error and no repeated ID", () => {
    vi.useFakeTimers({ now: real() + 60_000 });
    const fake = makeGenerator("twitter", { machineId: 24, clock: Date.now });
    const id = fake.nextId();
    vi.useRealTimers();
    expect(() => makeGenerator("twitter", { machineId: 24, clock: Date.now }).nextId()).toThrow(
      expect.objectContaining({ code: "ERR_CLOCK_BACKWARDS" }),
    );
    expect(typeof id).toBe("bigint");
  });

  test("refuses an epoch in the future also while it is replaced, and a custom clock is not checked", () => {
    const epochMs = real() + 60_000;
    Date.now = vi.fn(() => real());
    const code = expect.objectContaining({ code: "ERR_EPOCH" });
    expect(() => makeGenerator("twitter", { epochMs, clock: real })).toThrow(code);
    expect(() => makeGenerator("twitter", { epochMs, clock: () => NOW }).nextId()).not.toThrow();
  });
});

describe("a custom clock that later replaces Date.now", () => {
  const real = Date.now;
  afterEach(() => {
    Date.now = real;
  });
  const closed = expect.objectContaining({ code: "ERR_ARGUMENT", field: "clock" });
  /** Creates a clock that is later than the system's, so that the system's entries can follow it. */
  const laterClock = () => settable(real() + 3_600_000);
  const isRising = (ids: bigint[]) => ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint));

  test.each<[string, number, (clock: () => number) => object]>([
    ["the default clock", 29, () => ({})],
    ["that clock", 30, (clock) => ({ clock })],
  ])("a generator on it and new ones on %s continue one sequence", (_which, machineId, clockOption) => {
    const clock = laterClock();
    const options = { machineId };
    const before = makeGenerator("twitter", { ...options, clock });
    const ids = [before.nextId()];
    Date.now = clock;
    const after = makeGenerator("twitter", { ...options, ...clockOption(clock) });
    for (let i = 0; i < 3; i++) ids.push(after.nextId(), before.nextId(), ...after.nextIds(2));
    expect(isRising(ids)).toBe(true);
  });

  test("the first ID of all, which is 0, is not repeated by the system's generators", () => {
    const clock = settable(real() - 3_600_000);
    const options = { datacenterId: 0, machineId: 0, epochMs: clock.now };
    const system = makeGenerator("twitter", options);
    const custom = makeGenerator("twitter", { ...options, clock });
    expect(custom.nextId()).toBe(0n);
    Date.now = clock;
    const after = makeGenerator("twitter", { ...options, clock });
    expect([system.nextId(), after.nextId()]).toEqual([1n, 2n]);
  });

  test.each([
    ["behind", -5, 28],
    ["ahead of", 5, 31],
  ])(
    "where the system's entry is %s its own, the system's generators continue after both, and its own throw",
    async (_where, ms, machineId) => {
      const clock = laterClock();
      const system = makeGenerator("twitter", { machineId });
      Date.now = () => clock() + ms;
      const ids = system.nextIds(9);
      Date.now = real;
      const custom = makeGenerator("twitter", { machineId, clock });
      ids.push(...custom.nextIds(9));
      ids.sort((a, b) => (a < b ? -1 : 1));
      Date.now = clock;
      const after = makeGenerator("twitter", { machineId, clock });
      expect(() => custom.nextId()).toThrow(closed);
      expect(() => custom.nextIds(2)).toThrow(closed);
      await expect(custom.nextIdAsync()).rejects.toThrow(closed);
      for (let i = 0; i < 3; i++) ids.push(after.nextId(), system.nextId());
      expect(isRising(ids)).toBe(true);
      clock.now -= 20;
      expect(() => after.nextId()).toThrow(expect.objectContaining({ code: "ERR_CLOCK_BACKWARDS" }));
      clock.now += 1000;
      expect(after.decode(system.nextId()).timestampMs).toBe(clock.now);
    },
  );

  test("a generator on it that has made no IDs throws too", () => {
    const clock = laterClock();
    const custom = makeGenerator("twitter", { machineId: 20, clock });
    const system = makeGenerator("twitter", { machineId: 20 });
    Date.now = clock;
    const id = system.nextId();
    makeGenerator("twitter", { machineId: 20 });
    expect(() => custom.nextId()).toThrow("clock must be a function that did not replace Date.now");
    // The highest reading stays the system's, as its last ID does.
    clock.now -= 20;
    expect(() => system.nextId()).toThrow(expect.objectContaining({ code: "ERR_CLOCK_BACKWARDS" }));
    clock.now += 20;
    expect(system.nextId()).toBe(id + 1n);
  });

  test("it stays the system's clock when another function replaces it", () => {
    const clock = laterClock();
    Date.now = clock;
    const system = makeGenerator("twitter", { machineId: 19 });
    const ids = [system.nextId()];
    Date.now = real;
    ids.push(makeGenerator("twitter", { machineId: 19, clock }).nextId());
    expect(isRising(ids)).toBe(true);
  });

  test("a tick that a generator on it with another tick length has used is refused", () => {
    const clock = laterClock();
    const epochMs = real() - 3_600_000;
    const options = { machineId: 18, epochMs };
    const fine = makeGenerator("twitter", { ...options, clock });
    fine.nextId();
    const system = makeGenerator("twitter", { ...options, tickMs: 10 });
    clock.now += 9 * (clock.now - epochMs); // As many ticks of 10 ms as there were of 1 ms.
    Date.now = clock;
    const coarse = makeGenerator("twitter", { ...options, tickMs: 10, clock });
    const refused = expect.objectContaining({ code: "ERR_ARGUMENT", field: "tick" });
    expect(() => coarse.nextId()).toThrow(refused);
    expect(() => system.nextIds(2)).toThrow(refused);
    expect(fine.decode(fine.nextId()).timestampMs).toBe(clock.now);
  });

  test("a batch of a generator on it that is under way at that moment throws", () => {
    let reads = 0;
    const now = laterClock().now;
    makeGenerator("twitter", { machineId: 17 });
    const clock = (): number => {
      if (reads++ === 1) {
        Date.now = clock;
        makeGenerator("twitter", { machineId: 17 });
      }
      return now + reads;
    };
    const custom = makeGenerator("twitter", { machineId: 17, clock });
    expect(() => custom.nextIds(9000)).toThrow(closed);
  });
});

describe("two tick lengths on one node", () => {
  const epochMs = NOW - 3_600_000;
  const make = (clock: () => number, options: object) =>
    new SnowflakeGenerator({
      timestampBits: 41,
      datacenterBits: 0,
      machineBits: 10,
      sequenceBits: 12,
      epochMs,
      clock,
      ...options,
    });
  const refused = expect.objectContaining({ code: "ERR_ARGUMENT", field: "tick" });

  test("make IDs as long as their ticks do not overlap", () => {
    const clock = settable(NOW);
    const [fine, coarse] = [make(clock, { tickMs: 1 }), make(clock, { tickMs: 10 })];
    const ids = [fine.nextId(), coarse.nextId()];
    clock.now += 3_600_000;
    ids.push(fine.nextId(), coarse.nextId());
    expect(new Set(ids).size).toBe(4);
  });

  test("repeat no ID: a tick that the other has used is refused, and nothing has changed", () => {
    const clock = settable(NOW);
    const fine = make(clock, { tickMs: 1 });
    const ids = new Set(fine.nextIds(2));
    clock.now = epochMs + 36_000_000; // 3,600,000 ticks of 10 ms, as many as there were of 1 ms
    const coarse = make(clock, { tickMs: 10 });
    expect(() => coarse.nextId()).toThrow(refused);
    expect(() => coarse.nextIds(2)).toThrow(refused);
    ids.add(fine.nextId());
    clock.now = epochMs + 360_000_010;
    ids.add(coarse.nextId());
    expect(ids.size).toBe(4);
    expect(coarse.decode([...ids][3] as bigint)).toMatchObject({ timestampMs: clock.now, sequence: 0 });
  });

  test("a tick between the first, at the epoch, and the last of the other's is refused", () => {
    const clock = settable(epochMs);
    const early = make(clock, { machineId: 3 });
    const ids = [early.nextId()];
    clock.now += 50;
    ids.push(early.nextId());
    // Its tick 20 is at another time, and within the other's ticks 0 to 50.
    const late = make(clock, { machineId: 3, epochMs: epochMs + 40 });
    clock.now = epochMs + 60;
    expect(() => late.nextId()).toThrow(refused);
    clock.now = epochMs + 91;
    ids.push(late.nextId());
    expect(new Set(ids).size).toBe(3);
  });

  test("a generator goes on in its own tick after the other has passed over that one", () => {
    const clock = settable(epochMs + 1000);
    const coarse = make(clock, { tickMs: 10, machineId: 4 });
    const shifted = make(clock, { tickMs: 10, machineId: 4, epochMs: epochMs + 500 });
    clock.now = epochMs + 500 + 990;
    shifted.nextId(); // Its tick 99.
    clock.now = epochMs + 500 + 1010 - 500;
    const ids = [coarse.nextId()]; // Its tick 101.
    clock.now = epochMs + 500 + 1030;
    ids.push(shifted.nextId()); // Its tick 103.
    clock.now = epochMs + 1013;
    ids.push(coarse.nextId());
    expect(new Set(ids).size).toBe(3);
    expect(coarse.decode(ids[2] as bigint)).toMatchObject({ timestampMs: epochMs + 1010, sequence: 1 });
  });

  test("a tick between two of the other's is refused too, by an error that says how to mend it", () => {
    const clock = settable(epochMs + 1000);
    const fine = make(clock, { tickMs: 1, machineId: 2 });
    for (const tick of [1000, 1500, 2000]) {
      clock.now = epochMs + tick;
      fine.nextId();
    }
    const coarse = make(clock, { tickMs: 10, machineId: 2 });
    for (const tick of [1000, 1001, 1999, 2000]) {
      clock.now = epochMs + tick * 10;
      expect(() => coarse.nextId()).toThrow(
        "tick must be before the first or after the last tick of a generator of this node with another tickMs, epochMs or " +
          `ID size of 53 or 63 bits (give each its own machineId), got ${tick}`,
      );
    }
    clock.now = epochMs + 20_010;
    expect(typeof coarse.nextId()).toBe("bigint");
  });

  test("repeat no ID where one or both are SharedGenerators", () => {
    const clock = settable(NOW);
    const options = {
      timestampBits: 41,
      datacenterBits: 0,
      machineBits: 10,
      sequenceBits: 12,
      epochMs,
      clock,
    };
    new SharedGenerator({ ...options, tickMs: 1 }).nextId();
    make(clock, { machineId: 1 }).nextId();
    clock.now = epochMs + 36_000_000;
    expect(() => make(clock, { tickMs: 10 }).nextId()).toThrow(refused);
    expect(() => new SharedGenerator({ ...options, tickMs: 10 }).nextId()).toThrow(refused);
    expect(() => new SharedGenerator({ ...options, tickMs: 10, machineId: 1 }).nextIds(2)).toThrow(refused);
  });

  test("two epochs or two timestamp widths on one node repeat no ID either", () => {
    const clock = settable(NOW);
    const early = make(clock, {});
    const id = early.nextId();
    clock.now += 1000;
    const late = make(clock, { epochMs: epochMs + 1000 });
    expect(() => late.nextId()).toThrow(refused);
    const short = make(clock, { timestampBits: 31 });
    clock.now -= 1000;
    expect(() => short.nextId()).toThrow(refused);
    expect(early.nextId()).toBe(id + 1n);
  });

  test("do not refuse the tick on another node or another clock", () => {
    const clock = settable(NOW);
    make(clock, { tickMs: 1 }).nextId();
    clock.now = epochMs + 36_000_000;
    expect(typeof make(clock, { tickMs: 10, machineId: 1 }).nextId()).toBe("bigint");
    expect(typeof make(() => clock.now, { tickMs: 10 }).nextId()).toBe("bigint");
  });
});
