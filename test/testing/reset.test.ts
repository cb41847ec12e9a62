// reset: forgets the IDs made so far, in every copy of the package.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as exported from "../../src/index.ts";
import {
  ClockBackwardsError,
  decode,
  makeGenerator,
  nextId,
  nextIds,
  SnowflakeGenerator,
  uuidv7,
} from "../../src/index.ts";
import { leaseNode } from "../../src/lease/index.ts";
import { reset, testClock, testStore } from "../../src/testing/index.ts";
import { SharedGenerator } from "../../src/threads/index.ts";

const LATER = new Date("2030-01-02");
const EARLIER = new Date("2030-01-01");

/** A generator of a module, which is created when the module is loaded. */
const ofModule = makeGenerator("twitter", { machineId: 7 });

beforeEach(() => {
  vi.useFakeTimers({ now: LATER });
  reset();
});
afterEach(() => {
  vi.useRealTimers();
  reset();
});

describe("after reset the clock may have gone back for", () => {
  const timeOf = (id: bigint, preset: "minimal" | "twitter") => decode(id, preset).generatedAt;
  const afterwards = "2030-01-01T00:00:00.000Z";

  test("nextId and nextIds", () => {
    nextId();
    vi.setSystemTime(EARLIER);
    expect(() => nextId()).toThrow(ClockBackwardsError);
    reset();
    expect(timeOf(nextId(), "minimal")).toBe(afterwards);
    vi.setSystemTime(EARLIER.getTime() - 1000);
    reset();
    expect(timeOf(nextIds(2)[1] as bigint, "minimal")).toBe("2029-12-31T23:59:59.000Z");
  });

  test("a generator that was created before, and it shares its IDs with one that is created later", () => {
    ofModule.nextIds(3000);
    vi.setSystemTime(EARLIER);
    expect(() => ofModule.nextId()).toThrow(ClockBackwardsError);
    reset();
    const first = ofModule.nextId();
    expect(timeOf(first, "twitter")).toBe(afterwards);
    expect(decode(first, "twitter").sequence).toBe(0);
    expect(new SnowflakeGenerator({ ...ofModule.layout, machineId: 7 }).nextId()).toBe(first + 1n);
    expect(ofModule.nextId()).toBe(first + 2n);
  });

  test("generators of one node that count ticks in another way", () => {
    const [one, ten] = [1, 10].map((tickMs) => makeGenerator("twitter", { machineId: 8, tickMs }));
    one?.nextId();
    vi.setSystemTime(EARLIER);
    reset();
    expect(() => [one?.nextId(), ten?.nextId()]).not.toThrow();
  });

  test("generators of one node whose ticks were used before", () => {
    const [one, ten] = [1, 10].map((tickMs) => makeGenerator("twitter", { machineId: 10, tickMs }));
    vi.setSystemTime(new Date("2020-02-01"));
    reset();
    one?.nextIds(2);
    vi.setSystemTime(LATER);
    reset();
    one?.nextIds(2);
    // Its tick lies between those that the other one has used before and after.
    expect(() => ten?.nextId()).not.toThrow();
  });

  test("uuidv7", () => {
    const before = uuidv7();
    vi.setSystemTime(EARLIER);
    expect(uuidv7() > before).toBe(true);
    reset();
    const ms = Number.parseInt(uuidv7().replaceAll("-", "").slice(0, 12), 16);
    expect(ms).toBe(EARLIER.getTime());
  });

  test("another copy of the package", async () => {
    vi.resetModules();
    const copy = await import("../../src/index.ts");
    expect(copy.nextId).not.toBe(nextId);
    const id = copy.nextId();
    expect(nextId()).toBe(id + 1n);
    vi.setSystemTime(EARLIER);
    reset();
    expect(timeOf(copy.nextId(), "minimal")).toBe(afterwards);
    expect(timeOf(nextId(), "minimal")).toBe(afterwards);
  });

  test("a clock that is Date.now itself", () => {
    const generator = makeGenerator("twitter", { machineId: 9, clock: Date.now });
    generator.nextId();
    vi.useRealTimers();
    vi.useFakeTimers({ now: EARLIER });
    reset();
    expect(() => makeGenerator("twitter", { machineId: 9 }).nextId()).not.toThrow();
  });
});

describe("reset does not concern", () => {
  test("a generator with a clock of its own", () => {
    const clock = testClock();
    const generator = makeGenerator("twitter", { clock });
    const id = generator.nextId();
    reset();
    expect(generator.nextId()).toBe(id + 1n);
  });

  test("the generator of a lease", async () => {
    const store = testStore();
    const lease = await leaseNode({ backend: store, clock: store.clock });
    const id = lease.generator.nextId();
    reset();
    expect(lease.generator.nextId()).toBe(id + 1n);
    await lease.release();
  });

  test("a generator that threads share, but a new one starts again", () => {
    const options = { machineId: 21 };
    const stopped = makeGenerator("twitter", options);
    const shared = new SharedGenerator("twitter", options);
    const id = shared.nextId();
    reset();
    expect(shared.nextId()).toBe(id + 1n);
    expect(() => stopped.nextId()).toThrow(
      "machineId must be one that no SharedGenerator of this thread has",
    );
    vi.setSystemTime(EARLIER);
    expect(() => new SharedGenerator("twitter", options).nextId()).not.toThrow();
  });
});

test("reset can be passed to a hook of any runner: it has no parameters and returns nothing", () => {
  expect(reset).toHaveLength(0);
  expect((reset as (context: unknown) => unknown)(() => Date.now())).toBe(undefined);
});

test("reset is in bitflake/testing alone", () => {
  expect(Object.keys(exported)).not.toContain("reset");
  expect(Object.keys(SnowflakeGenerator.prototype)).not.toContain("reset");
});

test("without reset, the errors of the clock name fake timers and the page about them", () => {
  nextId();
  vi.setSystemTime(EARLIER);
  const link = "(fake timers: https://github.com/bitflake/bitflake/blob/main/docs/testing.md)";
  expect(() => nextId()).toThrow(link);
  const full = makeGenerator("safe_integer", { machineId: 3 });
  full.nextIds(128);
  expect(() => full.nextId()).toThrow(link);
});
