// SharedGenerator within one thread: the contract of a SnowflakeGenerator, the handle, and who shares what with whom.

import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  BitflakeError,
  ClockBackwardsError,
  ClockStalledError,
  decode,
  type GeneratorOptions,
  makeGenerator,
  SequenceExhaustedError,
  SnowflakeGenerator,
  UnsupportedError,
} from "../../src/index.ts";
import { SharedGenerator, type SharedHandle } from "../../src/threads/index.ts";
import { anyCase } from "../support/arbitraries.ts";
import { creeping, drive, scripted, settable } from "../support/clocks.ts";

const NOW = Date.UTC(2026, 10, 21);
const refusal = (options: object) => expect.objectContaining(options);

/** The handle as it arrives in another thread, on whose clock there is nothing to send. */
const sent = (generator: SharedGenerator): SharedHandle => structuredClone(generator.handle);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("a SharedGenerator", () => {
  test("makes the IDs of a SnowflakeGenerator, whatever the layout and the readings", () => {
    fc.assert(
      fc.property(anyCase, fc.boolean(), ({ options, readings }, borrow) => {
        // Each call has one reading to go by, however often it looks; waiting for another would be waiting for ever.
        const fixed: GeneratorOptions = {
          ...options,
          onExhausted: borrow ? "borrow" : "throw",
          sequenceStart: 0,
        };
        const clocks = [settable(0), settable(0)] as const;
        const plain = new SnowflakeGenerator({ ...fixed, clock: clocks[0], maxBorrowMs: 2 ** 50 });
        const shared = new SharedGenerator({ ...fixed, clock: clocks[1], maxBorrowMs: 2 ** 50 });
        const outcome = (generator: SnowflakeGenerator) => {
          try {
            return generator.nextId();
          } catch (error) {
            return (error as BitflakeError).message;
          }
        };
        for (const reading of readings) {
          clocks[0].now = clocks[1].now = reading;
          for (let call = 0; call < 3; call++) expect(outcome(shared)).toBe(outcome(plain));
        }
      }),
    );
  });

  test("strictly increases between its attachments, or it is a typed error", () => {
    fc.assert(
      fc.property(anyCase, fc.array(fc.nat(2), { minLength: 1 }), ({ options, readings }, turns) => {
        const clock = scripted(readings);
        const first = new SharedGenerator({ ...options, clock });
        const all = [
          first,
          SharedGenerator.attach(sent(first), clock),
          SharedGenerator.attach(sent(first), clock),
        ];
        let turn = 0;
        let last = -1n;
        const next = () => {
          const generator = all[turns[turn++ % turns.length] as number] as SharedGenerator;
          if (turn % 4) return generator.nextId();
          const ids = generator.nextIds(3);
          expect(
            (ids[0] as bigint) > last && ids.every((id, at) => !at || id > (ids[at - 1] as bigint)),
          ).toBe(true);
          return ids[2] as bigint;
        };
        drive(next, (outcome) => {
          if (outcome instanceof BitflakeError) return;
          expect(outcome > last).toBe(true);
          expect(first.decode(outcome)).toMatchObject({
            datacenterId: options.datacenterId,
            machineId: options.machineId,
          });
          last = outcome;
        });
      }),
    );
  });

  test("is a SnowflakeGenerator in all that it does", async () => {
    const shared = new SharedGenerator("safe_integer", { machineId: 31 });
    expect(shared).toBeInstanceOf(SnowflakeGenerator);
    const ids: (bigint | number)[] = [shared.nextId(), ...shared.nextIds(300), await shared.nextIdAsync()];
    ids.push(
      shared.nextNumber(),
      ...shared.fill(new BigInt64Array(300)),
      ...shared.fill(new BigUint64Array(3)),
    );
    for (const id of shared.stream()) {
      ids.push(id);
      if (ids.length > 1000) break;
    }
    expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint))).toBe(true);
    expect(decode(ids[500] as bigint, "safe_integer").machineId).toBe(31);
    expect(shared.capacity().nodes).toBe(32);
    expect(shared.layout.machineBits).toBe(5);
  });

  test("has its class name, also in stack traces", () => {
    expect(SharedGenerator.name).toBe("SharedGenerator");
  });

  test("takes a preset and options as makeGenerator does, and refuses what that refuses", () => {
    expect(new SharedGenerator().layout.sequenceBits).toBe(10);
    for (const args of [
      ["twiter"],
      ["twitter", { machineId: 32 }],
      ["twitter", { machine: 1 }],
      ["minimal", 5],
    ]) {
      const message = (Generator: (...args: never[]) => unknown) => {
        try {
          return Generator(...(args as never[]));
        } catch (error) {
          return (error as Error).message;
        }
      };
      expect(message((...given) => new SharedGenerator(...given))).toBe(message(makeGenerator as never));
    }
  });

  test("a sequence wider than 32 bits goes on past them", () => {
    const clock = settable(NOW);
    const widths = { timestampBits: 10, datacenterBits: 0, machineBits: 0, sequenceBits: 53 };
    const shared = new SharedGenerator({ ...widths, epochMs: NOW - 5, clock });
    const first = shared.nextId();
    // Only every ID up to here would show it for real: put the last one just before the boundary instead.
    new BigInt64Array(shared.handle.memory)[0] = first + 2n ** 32n - 3n;
    const ids = [shared.nextId(), shared.nextId(), ...shared.nextIds(3)];
    expect(ids.map((id) => id - first - 2n ** 32n)).toEqual([-2n, -1n, 0n, 1n, 2n]);
  });

  test("a run that throws midway leaves the array as it was, and repeats nothing", () => {
    const clock = settable(NOW);
    const shared = new SharedGenerator("large_cluster", { machineId: 1, clock, onExhausted: "throw" });
    const target = new BigUint64Array(100).fill(7n);
    expect(() => shared.fill(target)).toThrow(SequenceExhaustedError);
    expect(target.every((word) => word === 7n)).toBe(true);
    clock.now++;
    expect(shared.decode(shared.nextId())).toMatchObject({ timestampMs: NOW + 1, sequence: 0 });
  });

  test("one run of a tick is one reading and one claim", () => {
    const clock = vi.fn(creeping(NOW, 1_000_000));
    const shared = new SharedGenerator("twitter", { machineId: 2, clock });
    shared.nextId();
    clock.mockClear();
    shared.nextIds(4000);
    expect(clock).toHaveBeenCalledTimes(1);
  });

  test.each<[string, (calls: number) => number]>([
    ["never shows a reading twice", (calls) => NOW + calls / 1024],
    ["has stepped back, within what is allowed", (calls) => (calls ? NOW : NOW + 5)],
  ])("fills by runs also on a clock that %s", (_title, readingOf) => {
    const clock = vi.fn(() => readingOf(clock.mock.calls.length - 1));
    const shared = new SharedGenerator("high_throughput", { machineId: 1, clock });
    shared.nextId();
    expect(new Set(shared.nextIds(60_000)).size).toBe(60_000);
    expect(clock.mock.calls.length).toBeLessThan(5);
  });

  test.each([Symbol("time"), Object.create(null), "5", undefined, Number.NaN])(
    "a clock that returns %o is an error, and nothing has changed",
    (reading) => {
      let now: unknown = NOW;
      const shared = new SharedGenerator("twitter", { machineId: 2, clock: () => now as number });
      const last = shared.nextId();
      now = reading;
      expect(() => shared.nextId()).toThrow(refusal({ code: "ERR_ARGUMENT", field: "clock()" }));
      now = NOW;
      expect(shared.nextId()).toBe(last + 1n);
    },
  );

  test("what works on a SnowflakeGenerator's own state repeats nothing either", () => {
    const shared = new SharedGenerator("twitter", { machineId: 3, clock: settable(NOW) });
    const { nextIds, fill } = SnowflakeGenerator.prototype;
    const ids = [shared.nextId(), ...nextIds.call(shared, 5), ...shared.nextIds(5)];
    ids.push(...fill.call(shared, new BigUint64Array(5)), shared.nextId());
    expect(ids.map((id) => id - (ids[0] as bigint))).toEqual(ids.map((_, at) => BigInt(at)));
  });

  test("a wait whose tick others use up ends after two seconds, and not with a stalled clock", () => {
    const widths = { timestampBits: 53, datacenterBits: 0, machineBits: 10, sequenceBits: 0, tickMs: 500 };
    const clock = settable(NOW);
    // A busy machine may take more than 2 s for so many readings.
    vi.stubGlobal("performance", { now: () => clock.now });
    const taker = new SharedGenerator({ ...widths, epochMs: NOW, machineId: 4, clock, onExhausted: "throw" });
    const { options, ...handle } = sent(taker);
    // Time passes as it is read, and the other thread has each tick first.
    const waiter = SharedGenerator.attach({ ...handle, options: { ...options, onExhausted: "wait" } }, () => {
      if (clock.now > NOW + 3000) throw new Error("still waiting");
      try {
        taker.nextId();
      } catch {}
      return clock.now++;
    });
    expect(() => waiter.nextId()).toThrow(SequenceExhaustedError);
    expect(clock.now - NOW).toBeLessThan(2600);
  });

  test("throws ClockStalledError on a frozen clock, and borrows if it may", async () => {
    const clock = settable(NOW);
    const wait = new SharedGenerator("large_cluster", { machineId: 3, clock });
    wait.nextIds(64);
    expect(() => wait.nextId()).toThrow(ClockStalledError);
    await expect(wait.nextIdAsync()).rejects.toThrow(ClockStalledError);
    const borrow = new SharedGenerator("large_cluster", { machineId: 4, clock, onExhausted: "borrow" });
    expect(new Set(borrow.nextIds(500)).size).toBe(500);
  });

  test("names SharedArrayBuffer in the error when it is missing", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(() => new SharedGenerator("twitter", { machineId: 5 })).toThrow(UnsupportedError);
    expect(() => new SharedGenerator("twitter", { machineId: 5 })).toThrow(/cross-origin isolated/);
  });
});

describe("the clock of another thread", () => {
  /** Two generators on one memory, each with a clock of its own, as if they were in two threads. */
  function pair(options: GeneratorOptions = {}) {
    const clocks = [settable(NOW), settable(NOW)] as const;
    const one = new SharedGenerator("twitter", { machineId: 6, ...options, clock: clocks[0] });
    const two = SharedGenerator.attach(sent(one), clocks[1]);
    return { clocks, one, two };
  }

  test("may lag by maxBackwardMs: both go on from the last tick", () => {
    const { clocks, one, two } = pair();
    clocks[0].now += 10;
    expect(one.decode(one.nextId())).toMatchObject({ timestampMs: NOW + 10, sequence: 0 });
    expect(one.decode(two.nextId())).toMatchObject({ timestampMs: NOW + 10, sequence: 1 });
  });

  test("may not lag by more: the thread that sees it throws, and the others go on", () => {
    const { clocks, one, two } = pair();
    clocks[0].now += 11;
    one.nextId();
    for (let call = 0; call < 2; call++) {
      expect(() => two.nextId()).toThrow(
        refusal({ code: "ERR_CLOCK_BACKWARDS", lastMs: NOW + 11, nowMs: NOW, backwardMs: 11 }),
      );
      expect(one.decode(one.nextId()).timestampMs).toBe(NOW + 11);
    }
    clocks[1].now += 11;
    expect(one.decode(two.nextId())).toMatchObject({ timestampMs: NOW + 11, sequence: 3 });
  });

  test("a rollback that borrowing hides is one all the same: readings count, not ticks", () => {
    const { clocks, one, two } = pair({ onExhausted: "borrow" });
    one.nextIds(4096 * 50);
    expect(two.decode(two.nextId()).timestampMs).toBe(NOW + 50);
    clocks[1].now -= 11;
    expect(() => two.nextId()).toThrow(ClockBackwardsError);
    clocks[0].now += 1;
    expect(one.decode(one.nextId()).timestampMs).toBe(NOW + 50);
  });

  test("a reading that is old because its thread was off the processor is no rollback", () => {
    const { clocks, one } = pair();
    let reads = 0;
    // Between its reading and what it does with it, the other thread makes an ID half a second later.
    const late = SharedGenerator.attach(sent(one), () => {
      if (reads++ > 0) return clocks[0].now;
      clocks[0].now += 500;
      one.nextId();
      return NOW;
    });
    expect(late.decode(late.nextId())).toMatchObject({ timestampMs: NOW + 500, sequence: 1 });
    expect(reads).toBe(2);
  });

  test("an ID that another thread makes between a look and the claim is not repeated", () => {
    const clock = settable(NOW);
    const one = new SharedGenerator("twitter", { machineId: 7, sequenceStart: "random", clock });
    const two = SharedGenerator.attach(sent(one), clock);
    const made: bigint[] = [];
    // The step asks for a random start after it has looked at the last ID, and before it claims the next.
    vi.spyOn(Math, "random").mockImplementationOnce(() => {
      made.push(two.nextId());
      return 0.5;
    });
    made.push(one.nextId(), two.nextId());
    expect(made).toEqual([...made].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(made).size).toBe(3);
  });

  test("a thread that died before it raised the reading does not block the others", () => {
    const { clocks, one, two } = pair();
    clocks[0].now += 300;
    const last = one.nextId();
    new Float64Array(one.handle.memory)[1] = NOW; // As it was before that ID.
    expect(two.nextId()).toBe(last + 1n);
    clocks[1].now += 300;
    expect(two.nextId()).toBe(last + 2n);
    clocks[1].now -= 11;
    expect(() => two.nextId()).toThrow(ClockBackwardsError);
  });
});

describe("the handle", () => {
  test("carries what another thread needs, and nothing that cannot be sent", () => {
    const date = new Date("2024-01-01");
    const epochMs = +date;
    const shared = new SharedGenerator("twitter", { machineId: 8, epochMs: date, onExhausted: "borrow" });
    date.setFullYear(2023);
    const { version, memory, options, ownClock } = sent(shared);
    expect(version).toBe(2);
    expect(memory.byteLength).toBe(104);
    expect(options).toMatchObject({ timestampBits: 41, machineId: 8, epochMs, onExhausted: "borrow" });
    expect(ownClock).toBe(false);
    expect(Object.isFrozen(shared.handle)).toBe(true);
  });

  test("continues the generator: its node, its settings, its last ID", () => {
    const shared = new SharedGenerator("single_dc", { machineId: 1000, maxBackwardMs: 77 });
    const attached = SharedGenerator.attach(sent(shared));
    expect(attached).toBeInstanceOf(SharedGenerator);
    expect(attached.machineId).toBe(1000);
    expect(attached.handle).toEqual(shared.handle);
    const ids = [
      shared.nextId(),
      attached.nextId(),
      shared.nextId(),
      SharedGenerator.attach(sent(attached)).nextId(),
    ];
    expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint))).toBe(true);
  });

  test("needs no clock if the generator was given Date.now, which is the default", () => {
    const shared = new SharedGenerator("twitter", { machineId: 23, clock: Date.now });
    const first = shared.nextId();
    expect(SharedGenerator.attach(sent(shared)).nextId()).toBeGreaterThan(first);
  });

  test("requires the clock that could not be sent", () => {
    const clock = settable(NOW);
    const shared = new SharedGenerator("twitter", { machineId: 9, clock });
    expect(shared.handle.ownClock).toBe(true);
    expect(() => SharedGenerator.attach(sent(shared))).toThrow(
      "clock must be given, because the generator has one of its own, got undefined",
    );
    expect(SharedGenerator.attach(sent(shared), clock).decode(shared.nextId()).timestampMs).toBe(NOW);
    expect(() => SharedGenerator.attach(sent(shared), 5 as never)).toThrow("clock must be a function, got 5");
  });

  const { handle } = new SharedGenerator("twitter", { machineId: 10 });
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "handle"],
    ["null", null, "handle"],
    ["a generator's memory alone", handle.memory, "handle"],
    ["another version", { ...handle, version: 1 }, "handle.version"],
    ["no version", { ...handle, version: undefined }, "handle.version"],
    ["one that went through JSON", JSON.parse(JSON.stringify(handle)), "handle.memory"],
    ["no memory", { ...handle, memory: undefined }, "handle.memory"],
    ["memory that is not shared", { ...handle, memory: new ArrayBuffer(88) }, "handle.memory"],
    ["memory of something else", { ...handle, memory: new SharedArrayBuffer(88) }, "handle.memory"],
    ["memory that is too small", { ...handle, memory: new SharedArrayBuffer(8) }, "handle.memory"],
    ["memory of no whole words", { ...handle, memory: new SharedArrayBuffer(87) }, "handle.memory"],
    ["no options", { ...handle, options: undefined }, "handle.options"],
    [
      "another layout",
      { ...handle, options: { ...handle.options, machineBits: 4, sequenceBits: 13 } },
      "handle.memory",
    ],
    ["another node", { ...handle, options: { ...handle.options, machineId: 11 } }, "handle.memory"],
    ["another epoch", { ...handle, options: { ...handle.options, epochMs: 0 } }, "handle.memory"],
    ["another tick", { ...handle, options: { ...handle.options, tickMs: 2 } }, "handle.memory"],
    ["wrong options", { ...handle, options: { ...handle.options, machineId: 32 } }, "machineId"],
  ])("is refused if it is %s", (_title, wrong, field) => {
    expect(() => SharedGenerator.attach(wrong as SharedHandle)).toThrow(ArgumentError);
    expect(() => SharedGenerator.attach(wrong as SharedHandle)).toThrow(refusal({ field }));
  });
});

describe("generators of one identity in one thread", () => {
  test("SharedGenerators have one memory", () => {
    const options = { machineId: 12 };
    const ids = Array.from({ length: 1000 }, () => new SharedGenerator("twitter", options).nextId());
    expect(new Set(ids).size).toBe(1000);
  });

  test("two layouts that have the same node in the same bits are one identity", () => {
    const one = new SharedGenerator("twitter", { datacenterId: 1, machineId: 13 });
    const two = new SharedGenerator("single_dc", { machineId: 45 });
    expect(two.nextId() < one.nextId()).toBe(true);
    expect(two.handle.memory).toBe(one.handle.memory);
  });

  test("a SharedGenerator continues after a SnowflakeGenerator, which makes no more IDs", async () => {
    const clock = settable(NOW);
    const local = makeGenerator("twitter", { machineId: 14, clock });
    const last = local.nextIds(10)[9] as bigint;
    const shared = new SharedGenerator("twitter", { machineId: 14, clock });
    expect(shared.nextId()).toBe(last + 1n);
    const wanted = refusal({ field: "machineId", value: "14", code: "ERR_ARGUMENT" });
    expect(() => local.nextId()).toThrow(wanted);
    expect(() => local.nextIds(2)).toThrow(wanted);
    await expect(local.nextIdAsync()).rejects.toThrow(wanted);
    expect(() => makeGenerator("twitter", { machineId: 14, clock }).nextId()).toThrow(wanted);
    expect(shared.nextId()).toBe(last + 2n);
    clock.now -= 11;
    expect(() => shared.nextId()).toThrow(ClockBackwardsError);
  });

  test("a thread that had made IDs before it attached lifts the others over them", () => {
    const clocks = [settable(NOW), settable(NOW + 5)] as const;
    const shared = new SharedGenerator("twitter", { machineId: 15, clock: clocks[0] });
    shared.nextId();
    const last = makeGenerator("twitter", { machineId: 15, clock: clocks[1] }).nextId();
    const attached = SharedGenerator.attach(sent(shared), clocks[1]);
    expect(shared.nextId()).toBe(last + 1n);
    expect(attached.nextId()).toBe(last + 2n);
  });

  test("a thread that had made IDs long before it attached does not take the others back", () => {
    const clocks = [settable(NOW + 100), settable(NOW)] as const;
    const shared = new SharedGenerator("twitter", { machineId: 17, clock: clocks[0] });
    const last = shared.nextId();
    makeGenerator("twitter", { machineId: 17, clock: clocks[1] }).nextId();
    const attached = SharedGenerator.attach(sent(shared), clocks[1]);
    expect(() => attached.nextId()).toThrow(ClockBackwardsError);
    expect(shared.nextId()).toBe(last + 1n);
  });

  test("a local generator that is in the middle of a fill when its node is taken over throws", () => {
    let calls = 0;
    const clock = (): number => {
      if (calls++ === 0) new SharedGenerator("twitter", { machineId: 18, clock });
      return NOW;
    };
    const local = makeGenerator("twitter", { machineId: 18, clock });
    expect(() => local.nextIds(3)).toThrow(refusal({ field: "machineId" }));
  });

  test("refuses a foreign handle even if Math.random always returns the same number", () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const clock = () => NOW;
    const elsewhere = new SharedGenerator("twitter", { machineId: 19, clock: () => NOW });
    new SharedGenerator("twitter", { machineId: 19, clock });
    expect(() => SharedGenerator.attach(sent(elsewhere), clock)).toThrow(refusal({ field: "handle" }));
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["returns its argument", (bytes) => bytes],
    ["writes 7", (bytes) => bytes.fill(7)],
  ])("a getRandomValues that %s is refused: two memories would be one", (_title, getRandomValues) => {
    vi.stubGlobal("crypto", { getRandomValues });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    expect(() => new SharedGenerator("twitter", { machineId: 21 })).toThrow(
      refusal({ code: "ERR_UNSUPPORTED", feature: "fair randomness" }),
    );
  });

  test("without crypto, as in a Worker at module scope, there is a memory all the same", async () => {
    vi.resetModules();
    vi.stubGlobal("crypto", undefined);
    const fresh = await import("../../src/threads/index.ts");
    const shared = new fresh.SharedGenerator("twitter", { machineId: 20 });
    const attached = fresh.SharedGenerator.attach(structuredClone(shared.handle));
    const id = shared.nextId();
    expect(attached.nextId() > id).toBe(true);
    expect(shared.nextId() > id + 1n).toBe(true);
  });

  test("a handle from elsewhere is refused where the identity has a memory already", () => {
    const clock = () => NOW;
    const elsewhere = new SharedGenerator("twitter", { machineId: 16, clock: () => NOW });
    const here = new SharedGenerator("twitter", { machineId: 16, clock });
    expect(() => SharedGenerator.attach(sent(elsewhere), clock)).toThrow(refusal({ field: "handle" }));
    expect(SharedGenerator.attach(sent(here), clock).nextId()).toBe(here.nextId() - 1n);
  });
});

describe("a custom clock that later replaces Date.now", () => {
  const real = Date.now;
  afterEach(() => {
    Date.now = real;
  });
  const closed = refusal({ code: "ERR_ARGUMENT", field: "clock" });
  /** Creates a clock that is later than the system's. */
  const laterClock = () => settable(real() + 3_600_000);
  const isRising = (ids: bigint[]) => ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint));

  test("a SharedGenerator on it and new ones on the default clock continue one sequence", () => {
    const clock = laterClock();
    const options = { machineId: 22 };
    const before = new SharedGenerator("twitter", { ...options, clock });
    const ids = [before.nextId()];
    Date.now = clock;
    const after = new SharedGenerator("twitter", options);
    for (let i = 0; i < 3; i++) ids.push(after.nextId(), before.nextId());
    expect(isRising(ids)).toBe(true);
    expect(() => makeGenerator("twitter", options).nextId()).toThrow(refusal({ field: "machineId" }));
  });

  test("a SharedGenerator on the system's clock continues after a SnowflakeGenerator on it", () => {
    const clock = laterClock();
    const options = { machineId: 23 };
    const system = new SharedGenerator("twitter", options);
    const custom = makeGenerator("twitter", { ...options, clock });
    const ids = [system.nextId(), ...custom.nextIds(9)];
    Date.now = clock;
    makeGenerator("twitter", options);
    expect(() => custom.nextId()).toThrow(closed);
    ids.push(system.nextId(), ...system.nextIds(2));
    expect(isRising(ids)).toBe(true);
    clock.now -= 11;
    expect(() => system.nextId()).toThrow(ClockBackwardsError);
  });

  test.each<[string, (machineId: number) => SnowflakeGenerator]>([
    ["SnowflakeGenerator", (machineId) => makeGenerator("twitter", { machineId })],
    ["SharedGenerator", (machineId) => new SharedGenerator("twitter", { machineId })],
  ])("a %s on the system's clock continues after a SharedGenerator on it", async (kind, make) => {
    const clock = laterClock();
    const machineId = kind === "SharedGenerator" ? 24 : 25;
    const system = make(machineId);
    const custom = new SharedGenerator("twitter", { machineId, clock });
    const ids = [system.nextId(), ...custom.nextIds(9)];
    Date.now = clock;
    make(machineId);
    expect(() => custom.nextId()).toThrow(closed);
    expect(() => custom.nextIds(2)).toThrow(closed);
    await expect(custom.nextIdAsync()).rejects.toThrow(closed);
    expect(() => SharedGenerator.attach(sent(custom), () => clock.now)).toThrow(closed);
    ids.push(system.nextId(), ...system.nextIds(2));
    expect(isRising(ids)).toBe(true);
    clock.now -= 11;
    expect(() => system.nextId()).toThrow(ClockBackwardsError);
  });

  test("a SharedGenerator on it that has made no IDs throws too", () => {
    const clock = laterClock();
    const options = { machineId: 26 };
    const custom = new SharedGenerator("twitter", { ...options, clock });
    const system = makeGenerator("twitter", options);
    Date.now = clock;
    const id = system.nextId();
    makeGenerator("twitter", options);
    expect(() => custom.nextId()).toThrow(closed);
    expect(system.nextId()).toBe(id + 1n);
  });

  test("a SharedGenerator on it does not take a tick that the system's generators of another tick length have used", () => {
    const clock = laterClock();
    const options = { machineId: 27, epochMs: real() - 3_600_000 };
    const custom = new SharedGenerator("twitter", { ...options, tickMs: 10, clock });
    custom.nextId();
    const system = makeGenerator("twitter", options);
    const used = system.decode(system.nextId()).timestampMs - options.epochMs;
    Date.now = clock;
    makeGenerator("twitter", options);
    clock.now = options.epochMs + used * 10;
    expect(() => custom.nextId()).toThrow(refusal({ code: "ERR_ARGUMENT", field: "tick" }));
  });
});
