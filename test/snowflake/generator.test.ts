import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  ClockBackwardsError,
  ClockStalledError,
  LayoutError,
  makeGenerator,
  nextId,
  nextIds,
  SequenceExhaustedError,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { EndOfScript, scripted, settable } from "../support/clocks.ts";

const NOW = 1_700_000_000_000;
const code = (name: string) => expect.objectContaining({ code: name });
const noBits = { datacenterBits: 0, machineBits: 0 };

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("identity", () => {
  test("generators built per call repeat nothing", () => {
    const ids = new Set<bigint>();
    for (let i = 0; i < 100_000; i++) ids.add(makeGenerator("twitter", { machineId: 30 }).nextId());
    expect(ids.size).toBe(100_000);
  });

  test("generators of one identity take turns in one sequence", () => {
    const clock = settable(NOW);
    const [a, b] = [
      makeGenerator("twitter", { clock }),
      makeGenerator("twitter", { clock, onExhausted: "throw" }),
    ];
    const ids = [a.nextId(), b.nextId(), ...a.nextIds(2), ...b.fill(new BigUint64Array(2)), a.nextId()];
    expect(ids.map((id) => a.decode(id).sequence)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test("nextId(), makeGenerator() and a generator on Date.now share one sequence", () => {
    const ids = [
      nextId(),
      makeGenerator().nextId(),
      new SnowflakeGenerator({ clock: Date.now }).nextId(),
      ...nextIds(2),
      nextId(),
    ];
    expect(ids).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(ids).size).toBe(6);
  });

  test("Date.now passed as a clock shares the default clock's sequence also after another function replaced it", () => {
    // Regression: after a monitoring tool had wrapped Date.now, one clock had two ledger entries.
    const real = Date.now;
    const options = { machineId: 27, clock: real };
    const ids: bigint[] = [];
    try {
      const first = makeGenerator("twitter", options);
      Date.now = () => real();
      const generators = [
        first,
        makeGenerator("twitter", options),
        makeGenerator("twitter", { machineId: 27 }),
      ];
      for (let i = 0; i < 500; i++) for (const generator of generators) ids.push(generator.nextId());
    } finally {
      Date.now = real;
    }
    expect(new Set(ids).size).toBe(1500);
  });

  test("two layouts that have the same node in the same bits are one identity", () => {
    const clock = settable(NOW);
    const a = makeGenerator("twitter", { clock, datacenterId: 1, machineId: 7 });
    const b = makeGenerator("single_dc", { clock, machineId: 39 });
    expect(b.nextId()).not.toBe(a.nextId());
  });

  test.each([
    ["machine", { machineId: 1 }, {}],
    ["datacenter", { datacenterId: 1 }, {}],
    ["epoch", { epochMs: 0 }, {}],
    ["tick length", { tickMs: 2 }, {}],
    ["sequence width", { machineBits: 4, sequenceBits: 13 }, {}],
    ["clock", {}, { clock: () => NOW }],
  ])("another %s is another identity", (_what, other, otherClock) => {
    const clock = settable(NOW);
    makeGenerator("twitter", { clock }).nextId();
    const generator = makeGenerator("twitter", { clock, ...other, ...otherClock });
    expect(generator.decode(generator.nextId()).sequence).toBe(0);
  });

  test("the ledger does not show among the globals", () => {
    nextId();
    const key = Symbol.for("bitflake.ledger.v3");
    expect(key in globalThis).toBe(true);
    expect(Object.getOwnPropertyDescriptor(globalThis, key)?.enumerable).toBe(false);
  });
});

describe("two timestamp widths on one node", () => {
  test("the shorter one ends at its own last tick, also after IDs of the longer one", () => {
    // Regression: both have 22 bits after the timestamp, and shared one ledger entry.
    const long = makeGenerator("twitter", { machineId: 28 });
    const short = makeGenerator("twitter", { machineId: 28, timestampBits: 31 });
    long.nextId();
    expect(() => short.nextNumber()).toThrow(code("ERR_TIMESTAMP_OVERFLOW"));
  });
});

describe("waiting", () => {
  test("a burst on the real clock has no duplicates", () => {
    const generator = makeGenerator("large_cluster", { machineId: 77 });
    const ids = Array.from({ length: 20_000 }, () => generator.nextId());
    expect(new Set(ids).size).toBe(20_000);
  });

  test("reads the clock until the next tick", () => {
    const clock = scripted([NOW, NOW, NOW, NOW, NOW + 1]);
    const generator = new SnowflakeGenerator({ timestampBits: 52, ...noBits, sequenceBits: 1, clock });
    const ids = [generator.nextId(), generator.nextId(), generator.nextId()];
    expect(ids.map((id) => generator.decode(id).timestampMs)).toEqual([NOW, NOW, NOW + 1]);
    expect(clock.reads).toBe(5);
  });

  test("sees a rollback while it waits", () => {
    const clock = scripted([NOW, NOW, NOW, NOW - 11]);
    const generator = new SnowflakeGenerator({ timestampBits: 52, ...noBits, sequenceBits: 1, clock });
    generator.nextIds(2);
    expect(() => generator.nextId()).toThrow(ClockBackwardsError);
  });

  test("a wait too long to spin is refused at once, and can be slept through", async () => {
    vi.useFakeTimers({ now: NOW });
    const epochMs = NOW - 33_055 * 3_600_000;
    const generator = makeGenerator("twitter", { tickMs: 3_600_000, epochMs, clock: () => Date.now() });
    generator.nextIds(4096);
    expect(() => generator.nextId()).toThrow(SequenceExhaustedError);
    expect(() => generator.nextId()).toThrow(
      "tick 33055 is full, and the next one can be used in 3600000 ms",
    );
    const waiting = generator.nextIdAsync();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(generator.decode(await waiting).sequence).toBe(0);
  });

  test("2000 ms are spun through, 2001 are not", () => {
    const tick = (ms: number) => {
      const clock = scripted([NOW, NOW, NOW + 2001]);
      const epochMs = NOW - ms * 10;
      return new SnowflakeGenerator({
        timestampBits: 53,
        ...noBits,
        sequenceBits: 0,
        tickMs: ms,
        epochMs,
        clock,
      });
    };
    expect(tick(2000).nextIds(2)).toHaveLength(2);
    expect(() => tick(2001).nextIds(2)).toThrow(code("ERR_SEQUENCE_EXHAUSTED"));
  });
});

describe("rollback", () => {
  test("IDs go on without a wait up to maxBackwardMs; beyond it each call throws until the clock is back", () => {
    const clock = settable(NOW);
    const generator = makeGenerator("twitter", { clock });
    const before = generator.nextId();
    clock.now = NOW - 10;
    expect(generator.nextId()).toBe(before + 1n);
    clock.now = NOW - 11;
    expect(() => generator.nextId()).toThrow(
      expect.objectContaining({ code: "ERR_CLOCK_BACKWARDS", lastMs: NOW, nowMs: NOW - 11, backwardMs: 11 }),
    );
    clock.now = NOW + 1;
    expect(generator.decode(generator.nextId())).toMatchObject({ timestampMs: NOW + 1, sequence: 0 });
  });
});

test("throws an error with the reading when the clock returns no finite number", () => {
  const generator = makeGenerator("twitter", { clock: () => Number.NaN });
  expect(() => generator.nextId()).toThrow("clock() must be a finite number, got NaN");
});

describe("sequenceStart", () => {
  test('"random" starts anywhere in the lower half, so quiet systems use all shards', () => {
    const clock = settable(NOW);
    const generator = makeGenerator("twitter", { clock, sequenceStart: "random" });
    const starts = Array.from({ length: 4000 }, () => {
      clock.now++;
      return generator.decode(generator.nextId()).sequence;
    });
    expect(Math.max(...starts)).toBeLessThan(2048);
    const shards = [0, 1, 2, 3].map((shard) => starts.filter((start) => start % 4 === shard).length);
    // 1000 each; 7 standard deviations are 192.
    for (const count of shards) expect(Math.abs(count - 1000)).toBeLessThan(192);
  });

  test('"random" still counts up within a tick, and leaves half a tick', () => {
    const generator = makeGenerator("twitter", { clock: settable(NOW), sequenceStart: "random" });
    const ids = generator.nextIds(2049);
    expect(ids.map((id) => id - (ids[0] as bigint))).toEqual(ids.map((_, i) => BigInt(i)));
  });

  test.each([undefined, Number.NaN, Infinity, -Infinity, 1e308, -1, 1, 5])(
    '"random" with a Math.random that returns %s stays in its field',
    (broken) => {
      const clock = settable(NOW);
      const generator = makeGenerator("twitter", { clock, machineId: 9, sequenceStart: "random" });
      const before = generator.nextId();
      clock.now++;
      const random = vi.spyOn(Math, "random").mockReturnValue(broken as number);
      const id = generator.nextId();
      random.mockRestore();
      expect(id > before).toBe(true);
      expect(generator.decode(id)).toMatchObject({ timestampMs: NOW + 1, datacenterId: 0, machineId: 9 });
      expect(generator.nextId() > id).toBe(true);
    },
  );

  test.each([
    [0, 0],
    [0.5, 1024],
    [1 - Number.EPSILON, 2047],
  ])('"random" makes a draw of %d the start %d', (draw, start) => {
    const generator = makeGenerator("twitter", { clock: settable(NOW), sequenceStart: "random" });
    const random = vi.spyOn(Math, "random").mockReturnValue(draw);
    expect(generator.decode(generator.nextId()).sequence).toBe(start);
    random.mockRestore();
  });

  test('"random" with no sequence bits is 0', () => {
    const options = { timestampBits: 53, ...noBits, sequenceBits: 0, sequenceStart: "random" } as const;
    const generator = new SnowflakeGenerator({ ...options, clock: settable(NOW) });
    expect(generator.decode(generator.nextId()).sequence).toBe(0);
  });
});

describe("wide fields", () => {
  test("a sequence crosses from the low half of an ID into the high one", () => {
    // Only every ID up to here would show it for real: put the ledger just before the boundary instead.
    const clock = settable(NOW);
    const options = { timestampBits: 10, ...noBits, sequenceBits: 53, epochMs: NOW - 5, clock } as const;
    const generator = new SnowflakeGenerator(options);
    const first = generator.nextId();
    const [entriesOfNode] = Reflect.get(globalThis, Symbol.for("bitflake.ledger.v3")).get(clock).values();
    const [entry] = entriesOfNode.values();
    entry.word[0] = first + 2n ** 32n - 3n;
    const ids = [generator.nextId(), generator.nextId(), ...generator.nextIds(3)];
    expect(ids.map((id) => id - first - 2n ** 32n)).toEqual([-2n, -1n, 0n, 1n, 2n]);
    entry.word[0] = first + 2n ** 33n - 3n;
    expect(generator.nextIds(4).map((id) => id - first - 2n ** 33n)).toEqual([-2n, -1n, 0n, 1n]);
  });

  test.each([31, 32, 33])("a sequence of %d bits ends where it should", (sequenceBits) => {
    const clock = settable(NOW);
    const rest = 63 - sequenceBits;
    const options = {
      timestampBits: rest - 8,
      datacenterBits: 0,
      machineBits: 8,
      sequenceBits,
      epochMs: NOW - 5,
    };
    const generator = new SnowflakeGenerator({ ...options, machineId: 255, clock, onExhausted: "throw" });
    const first = generator.nextId();
    const [entriesOfNode] = Reflect.get(globalThis, Symbol.for("bitflake.ledger.v3")).get(clock).values();
    const [entry] = entriesOfNode.values();
    entry.word[0] = first + 2n ** BigInt(sequenceBits) - 2n;
    expect(generator.decode(generator.nextId())).toMatchObject({
      sequence: 2 ** sequenceBits - 1,
      machineId: 255,
    });
    expect(() => generator.nextId()).toThrow(SequenceExhaustedError);
  });
});

describe("nextIds and fill", () => {
  test("returns no IDs for a count of 0", () => {
    const clock = scripted([]);
    expect(makeGenerator("twitter", { clock }).nextIds(0)).toEqual([]);
    expect(makeGenerator("twitter", { clock }).fill(new BigUint64Array(0))).toHaveLength(0);
  });

  test("read the clock once per run of a tick", () => {
    const clock = scripted([NOW, NOW, NOW + 1, NOW + 2]);
    const generator = makeGenerator("twitter", { clock });
    generator.nextIds(4096);
    expect(clock.reads).toBe(1);
    generator.fill(new BigInt64Array(8192));
    expect(clock.reads).toBe(4);
  });

  test.each([-1, 1.5, Number.NaN, Infinity, "3", 3n, null, undefined, 16_777_217])(
    "nextIds refuses %s",
    (count) => {
      const generator = makeGenerator("twitter", { clock: scripted([]) });
      expect(() => generator.nextIds(count as number)).toThrow(
        expect.objectContaining({ field: "count", rule: "a whole number from 0 to 16777216" }),
      );
      expect(() => nextIds(count as number)).toThrow(ArgumentError);
    },
  );

  test.each([
    [[]],
    [new Uint32Array(4)],
    [new Float64Array(4)],
    [new DataView(new ArrayBuffer(8))],
    [null],
    [undefined],
    [{ [Symbol.toStringTag]: "BigUint64Array", length: 3 }],
    ["BigUint64Array"],
  ])("fill refuses %s", (target) => {
    const generator = makeGenerator("twitter", { clock: scripted([]) });
    expect(() => generator.fill(target as unknown as BigUint64Array)).toThrow(
      expect.objectContaining({
        field: "target",
        rule: "a BigUint64Array or BigInt64Array",
        code: "ERR_ARGUMENT",
      }),
    );
  });

  test("fill writes into its own part of a shared buffer, and no further", () => {
    const all = new BigUint64Array(new SharedArrayBuffer(48));
    const generator = makeGenerator("twitter", { clock: settable(NOW) });
    const part = all.subarray(2, 4);
    expect(generator.fill(part)).toBe(part);
    expect([...all].map((id) => id === 0n)).toEqual([true, true, false, false, true, true]);
  });

  test("an array with a detached buffer counts as empty", () => {
    const target = new BigUint64Array(4);
    structuredClone(target.buffer, { transfer: [target.buffer] });
    expect(makeGenerator("twitter", { clock: scripted([]) }).fill(target)).toBe(target);
  });

  test("a batch that fails midway has made no IDs", () => {
    const clock = scripted([NOW, NOW, NOW - 500, NOW]);
    const generator = makeGenerator("twitter", { clock });
    const target = new BigUint64Array(5000).fill(1n);
    expect(() => generator.fill(target)).toThrow(ClockBackwardsError);
    expect(target.every((id) => id === 1n)).toBe(true);
    expect(generator.decode(generator.nextId())).toMatchObject({ timestampMs: NOW, sequence: 0 });
  });

  test("a clock that makes IDs itself repeats none", () => {
    let depth = 0;
    const inner: bigint[] = [];
    const clock = (): number => {
      if (depth++ === 2) inner.push(generator.nextId());
      return NOW + depth;
    };
    const generator: SnowflakeGenerator = makeGenerator("twitter", { clock });
    const ids = [generator.nextId()];
    expect(() => generator.fill(new BigUint64Array(9000))).toThrow(
      "clock must be a function that makes no IDs",
    );
    ids.push(...inner, ...generator.nextIds(9000));
    expect(new Set(ids).size).toBe(9002);
    // The same within one tick, and where the very first ID is 0.
    for (const options of [{}, { epochMs: NOW }]) {
      let calls = 0;
      const frozen = (): number => {
        if (calls++ === 1) nested.nextId();
        return NOW;
      };
      const nested: SnowflakeGenerator = makeGenerator("twitter", { ...options, clock: frozen });
      if ("epochMs" in options) calls = 1;
      else nested.nextId();
      expect(() => nested.fill(new BigUint64Array(2))).toThrow("makes no IDs");
    }
    depth = 2;
    inner.length = 0;
    const outer = generator.nextId();
    expect(inner).toHaveLength(1);
    expect(outer).not.toBe(inner[0]);
  });
});

describe("nextIdAsync", () => {
  test("sleeps where nextId would spin, and repeats nothing", async () => {
    const generator = makeGenerator("large_cluster", { datacenterId: 200, machineId: 1 });
    const ids = await Promise.all(Array.from({ length: 500 }, () => generator.nextIdAsync()));
    ids.push(generator.nextId());
    expect(new Set(ids).size).toBe(501);
  });

  test("rejects where nextId throws", async () => {
    const clock = settable(NOW);
    const generator = makeGenerator("twitter", { clock, onExhausted: "throw" });
    generator.nextIds(4096);
    await expect(generator.nextIdAsync()).rejects.toThrow(SequenceExhaustedError);
    clock.now -= 11;
    await expect(generator.nextIdAsync()).rejects.toThrow(ClockBackwardsError);
  });

  test("rejects with ClockStalledError on a frozen clock", async () => {
    const generator = makeGenerator("twitter", { clock: () => NOW });
    generator.nextIds(4096);
    await expect(generator.nextIdAsync()).rejects.toThrow(ClockStalledError);
  });

  test("rejects with UnsupportedError and changes nothing when there are no timers", async () => {
    const clock = settable(NOW);
    const generator = makeGenerator("twitter", { clock });
    const last = generator.nextIds(4096)[4095] as bigint;
    const cause = new Error("Disallowed operation called within global scope");
    vi.spyOn(globalThis, "setTimeout").mockImplementation(() => {
      throw cause;
    });
    await expect(generator.nextIdAsync()).rejects.toThrow(
      expect.objectContaining({ code: "ERR_UNSUPPORTED", feature: "timers here", cause }),
    );
    vi.restoreAllMocks();
    clock.now++;
    expect(generator.decode(generator.nextId())).toMatchObject({ timestampMs: NOW + 1, sequence: 0 });
    expect(last < generator.nextId()).toBe(true);
  });

  test("sleeps for as long as it takes, a tenth of a second at a time", async () => {
    vi.useFakeTimers({ now: NOW });
    const hour = 3_600_000;
    const generator = makeGenerator("twitter", { tickMs: hour, clock: () => Date.now(), epochMs: NOW });
    generator.nextIds(4096);
    let settled = false;
    const waiting = generator.nextIdAsync().finally(() => {
      settled = true;
    });
    await vi.advanceTimersByTimeAsync(hour - 1);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(generator.decode(await waiting).timestampMs).toBe(NOW + hour);
  });

  test("a clock that stops during a long tick is noticed within half a minute", async () => {
    vi.useFakeTimers();
    const generator = makeGenerator("twitter", { tickMs: 86_400_000, clock: () => NOW });
    generator.nextIds(4096);
    const waiting = expect(generator.nextIdAsync()).rejects.toThrow(ClockStalledError);
    await vi.advanceTimersByTimeAsync(25_000);
    await waiting;
  });
});

describe("nextNumber", () => {
  test("is the ID as an exact number", () => {
    const clock = settable(NOW);
    const generator = makeGenerator("safe_integer", { clock, machineId: 31 });
    const id = generator.nextNumber();
    expect(id).toBe((NOW - Date.UTC(2020, 0, 1)) * 2 ** 12 + 31 * 2 ** 7);
    expect(generator.nextNumber()).toBe(id + 1);
    expect(generator.nextId()).toBe(BigInt(id + 2));
  });

  test("is refused by a layout of 63 bits, without using up an ID", () => {
    const generator = makeGenerator("twitter", { clock: settable(NOW) });
    expect(() => generator.nextNumber()).toThrow(LayoutError);
    expect(() => generator.nextNumber()).toThrow("layout must be 53 bits, got 63");
    expect(generator.decode(generator.nextId()).sequence).toBe(0);
  });
});

describe("stream", () => {
  test("continues in each loop and iterator", () => {
    const generator = makeGenerator("twitter", { clock: settable(NOW) });
    const taken: number[] = [];
    for (const id of generator.stream()) {
      taken.push(generator.decode(id).sequence);
      if (taken.length === 3) break;
    }
    const stream = generator.stream();
    expect(generator.decode(stream.next().value).sequence).toBe(3);
    expect(stream[Symbol.iterator]()).toBe(stream);
    expect(taken).toEqual([0, 1, 2]);
  });

  test("survives an error", () => {
    const clock = settable(NOW);
    const stream = makeGenerator("twitter", { clock }).stream();
    stream.next();
    clock.now = NOW - 100;
    expect(() => stream.next()).toThrow(ClockBackwardsError);
    clock.now = NOW + 1;
    expect(stream.next().done).toBe(false);
  });
});

describe("a clock that throws", () => {
  test("its error is passed on, and nothing changes", () => {
    let broken = false;
    const generator = makeGenerator("twitter", {
      clock: () => {
        if (broken) throw new EndOfScript("no time");
        return NOW;
      },
    });
    generator.nextId();
    broken = true;
    expect(() => generator.nextId()).toThrow(EndOfScript);
    broken = false;
    expect(generator.decode(generator.nextId()).sequence).toBe(1);
  });
});

describe("fake timers", () => {
  test("are followed by the default clock", () => {
    vi.useFakeTimers({ now: new Date("2090-01-01") });
    const generator = makeGenerator("minimal", { epochMs: 86_400_000 });
    expect(generator.decode(generator.nextId()).generatedAt).toBe("2090-01-01T00:00:00.000Z");
    vi.setSystemTime(new Date("2090-01-02"));
    expect(generator.decode(generator.nextId()).generatedAt).toBe("2090-01-02T00:00:00.000Z");
  });

  test("do not hang a generator: it throws ClockStalledError", () => {
    vi.useFakeTimers({ now: new Date("2091-01-01") });
    const generator = makeGenerator("twitter", { epochMs: Date.UTC(2090, 0, 1) });
    generator.nextIds(4096);
    expect(() => generator.nextId()).toThrow("the clock stands still");
  });

  test("a custom clock has ledger entries of its own", () => {
    for (const day of ["2050-01-02", "2050-01-01"]) {
      vi.useFakeTimers({ now: new Date(day) });
      const generator = makeGenerator("twitter", { clock: () => Date.now() });
      expect(generator.decode(generator.nextId()).generatedAt).toContain(day);
    }
  });

  test("a generator can be built on a clock at 0, as in a Cloudflare Worker at module scope", () => {
    vi.useFakeTimers({ now: 0 });
    const generator = makeGenerator("twitter", { machineId: 25 });
    expect(() => generator.nextId()).toThrow("the clock reads 0, before the epoch 1577836800000");
    vi.useRealTimers();
    expect(typeof generator.nextId()).toBe("bigint");
  });
});
