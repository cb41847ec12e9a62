// What a generator stamps under grants: nothing outside of them, whatever its clock does. Both kinds of sources, the
// one of a thread and the one that threads share, are held to the rule of src/lease/rule.ts.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BitflakeError, ClockBackwardsError, type GeneratorOptions, makeGenerator } from "../../src/index.ts";
import {
  GeneratorParts,
  type Grant,
  type GrantedSource,
  LeaseExpiredError,
  mergeOptions,
  resolveGeneratorSettings,
  SnowflakeGenerator,
} from "../../src/internal.ts";
import { LeasedSource } from "../../src/lease/leasedSource.ts";
import { SharedGenerator } from "../../src/threads/index.ts";
import { settable } from "../support/clocks.ts";

const EPOCH = Date.UTC(2026, 0, 1);
/** 4 nodes, 256 IDs a tick, and an epoch that makes ticks small numbers. */
const LAYOUT = { timestampBits: 53, datacenterBits: 1, machineBits: 1, sequenceBits: 8, epochMs: EPOCH };

interface Leased {
  readonly generator: SnowflakeGenerator;
  readonly source: GrantedSource;
}

function plain(options: GeneratorOptions): Leased {
  const settings = resolveGeneratorSettings(mergeOptions(LAYOUT, options));
  const source = new LeasedSource(settings);
  return { generator: new SnowflakeGenerator(new GeneratorParts(settings, source)), source };
}

function shared(options: GeneratorOptions): Leased & { readonly generator: SharedGenerator } {
  const { generator, source } = SharedGenerator.underGrants(
    resolveGeneratorSettings(mergeOptions(LAYOUT, options)),
  );
  return { generator, source };
}

const kinds = [
  ["a thread's own", plain],
  ["that threads share", shared],
] as const;

const tickOf = (id: bigint) => Number(id >> 10n);
const nodeOf = (id: bigint) => Number((id >> 8n) & 3n);

type Event =
  | { readonly do: "open"; readonly node: number; readonly wait: number; readonly ttl: number }
  | { readonly do: "extend"; readonly by: number }
  | { readonly do: "close" }
  | { readonly do: "move"; readonly by: number }
  | { readonly do: "next" | "many" | "fill"; readonly count: number };

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    do: fc.constant("open" as const),
    node: fc.nat(3),
    wait: fc.nat(3),
    ttl: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ do: fc.constant("extend" as const), by: fc.nat(4) }),
  fc.record({ do: fc.constant("close" as const) }),
  fc.record({ do: fc.constant("move" as const), by: fc.integer({ min: -6, max: 6 }) }),
  fc.record({
    do: fc.constantFrom("next" as const, "many" as const, "fill" as const),
    count: fc.integer({ min: 1, max: 700 }),
  }),
);

describe.each(kinds)("a generator of a lease, %s", (_, make) => {
  test("stamps only ticks of its grants, in ascending order, in any sequence of events", () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 40 }),
        fc.constantFrom("throw" as const, "borrow" as const),
        fc.constantFrom(0, 3, 100),
        (events, onExhausted, maxBackwardMs) => {
          const clock = settable(EPOCH + 1000);
          // Nothing here may wait: the clock stands.
          const options = { clock, onExhausted, maxBackwardMs, maxBorrowMs: 2 ** 40 };
          const { generator, source } = make(options);
          let grant: Grant | undefined;
          let last = -1n;
          /** Where each node may next be granted from, as a store would know it. */
          const free = [0, 0, 0, 0];
          const attempt = (act: () => void) => {
            try {
              act();
            } catch (error) {
              expect(error).toBeInstanceOf(BitflakeError);
            }
          };
          // One expect() per ID would take longer than making the hundreds of thousands of IDs.
          const check = (id: bigint) => {
            const isNext = id > last && typeof generator.machineId === "number";
            const isGranted =
              grant?.node === nodeOf(id) && tickOf(id) >= grant.from && tickOf(id) < grant.until;
            if (!isNext || !isGranted) {
              const granted = JSON.stringify(grant);
              expect.fail(
                `${id}, tick ${tickOf(id)} of node ${nodeOf(id)}, after ${last}; granted ${granted}`,
              );
            }
            last = id;
          };
          for (const event of events) {
            if (event.do === "move") clock.now += event.by;
            else if (event.do === "open") {
              if (grant) free[grant.node] = source.close();
              const from = Math.max(free[event.node] as number, clock.now - EPOCH) + event.wait;
              grant = { node: event.node, from, until: from + event.ttl };
              source.open(grant, clock.now);
            } else if (event.do === "extend" && grant) {
              grant = { ...grant, until: grant.until + event.by };
              source.setEnd(grant.until);
            } else if (event.do === "close" && grant) {
              const nextTick = source.close();
              expect(nextTick).toBeGreaterThan(last < 0n ? -1 : tickOf(last));
              free[grant.node] = nextTick;
              grant = undefined;
            } else if (event.do === "next") attempt(() => check(generator.nextId()));
            else if (event.do === "many") {
              attempt(() => {
                for (const id of generator.nextIds(event.count)) check(id);
              });
            } else if (event.do === "fill") {
              attempt(() => {
                for (const id of generator.fill(new BigUint64Array(event.count))) check(id);
              });
            }
          }
        },
      ),
    );
  });

  test("makes no ID before the first grant, and none after the last", async () => {
    const { generator, source } = make({ clock: settable(EPOCH + 5000) });
    const expectNone = async () => {
      expect(() => generator.nextId()).toThrow(LeaseExpiredError);
      expect(() => generator.nextIds(2)).toThrow(LeaseExpiredError);
      expect(() => generator.fill(new BigInt64Array(2))).toThrow(LeaseExpiredError);
      expect(() => generator.stream().next()).toThrow(LeaseExpiredError);
      await expect(generator.nextIdAsync()).rejects.toThrow(LeaseExpiredError);
    };
    await expectNone();
    source.open({ node: 2, from: 5000, until: 5010 }, EPOCH + 5000);
    const id = generator.nextId();
    expect([tickOf(id), nodeOf(id)]).toEqual([5000, 2]);
    // Within the tick that has room left, and at the reading that the fast path knows.
    expect(source.close()).toBe(5001);
    await expectNone();
    expect(source.close()).toBe(5001);
  });

  test("an ID less than a tick from the end is made, and none at the end", () => {
    const clock = settable(EPOCH + 5009);
    const { generator, source } = make({ clock });
    source.open({ node: 1, from: 5000, until: 5010 }, EPOCH + 5000);
    expect(tickOf(generator.nextId())).toBe(5009);
    clock.now++;
    const error = { code: "ERR_LEASE_EXPIRED", node: 1, untilMs: EPOCH + 5010, nowMs: EPOCH + 5010 };
    expect(() => generator.nextId()).toThrow(expect.objectContaining(error));
    expect(() => generator.nextId()).toThrow(
      `the lease of node 1 ended at ${EPOCH + 5010}, and the clock reads ${EPOCH + 5010}`,
    );
    // A renewal that comes late, and is granted all the same, mends it.
    source.setEnd(5020);
    expect(tickOf(generator.nextId())).toBe(5010);
  });

  test("a call for many IDs whose clock ends the grant meanwhile throws, and later calls make none", () => {
    let reads = 0;
    let nextTick: number | undefined;
    const clock = () => {
      if (++reads === 3) nextTick = leased.source.close();
      return EPOCH + 5000 + reads;
    };
    const leased = make({ clock });
    leased.source.open({ node: 2, from: 5000, until: 6000 }, EPOCH + 5000);
    // Four ticks of 256: the grant ends between the second and the third.
    expect(() => leased.generator.nextIds(1000)).toThrow(BitflakeError);
    expect(reads).toBeGreaterThanOrEqual(3);
    expect(nextTick).toBeTypeOf("number");
    expect(() => leased.generator.nextId()).toThrow(LeaseExpiredError);
  });

  test("a call for many IDs makes none when its only reading ends the grant, within the tick stamped last", () => {
    let isEnding = false;
    const clock = () => {
      if (isEnding) leased.source.close();
      return EPOCH + 5000;
    };
    const leased = make({ clock });
    leased.source.open({ node: 2, from: 5000, until: 6000 }, EPOCH + 5000);
    leased.generator.nextId();
    isEnding = true;
    expect(() => leased.generator.nextIds(2)).toThrow(BitflakeError);
    expect(() => leased.generator.nextId()).toThrow(LeaseExpiredError);
  });

  test("starts at the first tick of the grant, not before, when its clock has stepped back meanwhile", () => {
    const clock = settable(EPOCH + 5000);
    const { generator, source } = make({ clock, onExhausted: "throw" });
    source.open({ node: 0, from: 5000, until: 6000 }, clock.now);
    clock.now -= 5;
    // Within the tolerance it would go on with what is left of the last tick; but the tick before is another's.
    expect(() => generator.nextId()).toThrow("full");
    clock.now -= 6;
    expect(() => generator.nextId()).toThrow(ClockBackwardsError);
    clock.now = EPOCH + 5000;
    expect(tickOf(generator.nextId())).toBe(5000);
  });

  test("increases when it gets another node, also a smaller one, and after it has borrowed", () => {
    const clock = settable(EPOCH + 5000);
    const { generator, source } = make({ clock, onExhausted: "borrow" });
    source.open({ node: 3, from: 5000, until: 5100 }, clock.now);
    const last = generator.nextIds(3 * 256).at(-1) as bigint;
    expect(tickOf(last)).toBe(5002);
    expect(source.close()).toBe(5003);
    source.open({ node: 0, from: 5000, until: 5100 }, clock.now);
    const next = generator.nextId();
    expect([next > last, tickOf(next), nodeOf(next)]).toEqual([true, 5003, 0]);
  });

  test("throws TimestampOverflowError when the layout ends before the lease", () => {
    const clock = settable(2 ** 20 + 5);
    const tiny = { timestampBits: 20, datacenterBits: 1, machineBits: 1, sequenceBits: 41, epochMs: 0 };
    const { generator, source } = make({ ...tiny, clock });
    source.open({ node: 1, from: 2 ** 20 - 5, until: 2 ** 20 + 100 }, clock.now);
    const overflow = expect.objectContaining({ code: "ERR_TIMESTAMP_OVERFLOW" });
    expect(() => generator.nextId()).toThrow(overflow);
    // Also past the end of the lease, which is behind that of the layout.
    clock.now += 200;
    expect(() => generator.nextId()).toThrow(overflow);
  });

  test("goes on with the new node in a call that slept while the old one was lost", async () => {
    const clock = settable(EPOCH + 5000);
    const { generator, source } = make({ clock, tickMs: 1 });
    source.open({ node: 3, from: 5000, until: 5001 }, clock.now);
    generator.nextIds(256);
    const sleeping = generator.nextIdAsync();
    source.close();
    source.open({ node: 1, from: 5050, until: 5100 }, clock.now);
    clock.now = EPOCH + 5050;
    const first = await sleeping;
    expect([tickOf(first), nodeOf(first)]).toEqual([5050, 1]);
    expect(generator.nextId()).toBe(first + 1n);
  });
});

test("another generator of the same node in the thread moves neither the end nor the beginning of a grant", () => {
  // As of another namespace. They had one ledger entry, and with it stamped past the end of the lease.
  const clock = settable(EPOCH + 5000);
  const one = plain({ clock, onExhausted: "borrow", maxBorrowMs: 100_000 });
  const other = plain({ clock, onExhausted: "borrow", maxBorrowMs: 100_000 });
  const fixed = makeGenerator(LAYOUT, { clock, datacenterId: 1, machineId: 1 });
  one.source.open({ node: 3, from: 5000, until: 5010 }, clock.now);
  other.source.open({ node: 3, from: 5000, until: 6000 }, clock.now);
  one.generator.nextId();
  clock.now += 20;
  other.generator.nextIds(3);
  fixed.nextIds(3);
  for (const make of [() => one.generator.nextId(), () => one.generator.nextIds(2)]) {
    expect(make).toThrow(LeaseExpiredError);
  }
  other.generator.nextIds(256 * 500);
  const late = plain({ clock });
  late.source.open({ node: 0, from: 5020, until: 5100 }, clock.now);
  expect(tickOf(late.generator.nextId())).toBe(5020);
});

test("a lease from the very first tick begins with the next, where threads share it", () => {
  const clock = settable(EPOCH);
  const { generator, source } = shared({ clock, onExhausted: "throw" });
  // The ID before that grant would be -1, which also means that there is no grant.
  source.open({ node: 3, from: 0, until: 10 }, clock.now);
  expect(() => generator.nextId()).toThrow("full");
  clock.now++;
  expect(tickOf(generator.nextId())).toBe(1);
});

test("a thread that sees the end of a grant but no last ID makes no ID", () => {
  const clock = settable(EPOCH + 5000);
  const { generator, source } = shared({ clock });
  source.open({ node: 3, from: 5000, until: 5100 }, clock.now);
  generator.nextId();
  source.close();
  source.setEnd(5100); // As a thread may see it that is between its two looks when a grant is opened and closed.
  expect(() => generator.nextId()).toThrow(LeaseExpiredError);
});

test("a SharedGenerator of a fixed node in the same thread is independent of the lease", () => {
  const clock = settable(EPOCH + 5000);
  const fixed = new SharedGenerator(LAYOUT, { clock });
  const { generator, source } = shared({ clock });
  source.open({ node: 2, from: 5000, until: 5100 }, clock.now);
  expect([nodeOf(fixed.nextId()), nodeOf(generator.nextId())]).toEqual([0, 2]);
});

test("an attached generator follows the end, the next node and the release of the lease", () => {
  const clock = settable(EPOCH + 5000);
  const { generator, source } = shared({ clock });
  const attached = SharedGenerator.attach(structuredClone(generator.handle), clock);
  expect(() => attached.nextId()).toThrow(LeaseExpiredError);
  source.open({ node: 2, from: 5000, until: 5010 }, clock.now);
  const first = attached.nextId();
  expect([nodeOf(first), attached.datacenterId, attached.machineId]).toEqual([2, 1, 0]);
  expect(generator.nextId()).toBe(first + 1n);
  clock.now = EPOCH + 5010;
  expect(() => attached.nextId()).toThrow(LeaseExpiredError);
  source.close();
  source.open({ node: 1, from: 5010, until: 5020 }, clock.now);
  expect(nodeOf(attached.nextId())).toBe(1);
  expect([attached.datacenterId, attached.machineId]).toEqual([0, 1]);
  source.close();
  expect(() => attached.nextId()).toThrow(expect.objectContaining({ untilMs: EPOCH + 5020, node: 1 }));
  // A lease of the same node, later in the same thread, is a memory of its own.
  const { generator: next, source: other } = shared({ clock });
  other.open({ node: 1, from: 5011, until: 5020 }, clock.now);
  clock.now = EPOCH + 5011;
  expect(next.nextId()).toBeTypeOf("bigint");
  expect(() => attached.nextId()).toThrow(LeaseExpiredError);
});
