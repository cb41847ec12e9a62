// IdPool.status.

import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { BackendError, type IdPoolStatus } from "../../src/numeric/index.ts";
import {
  ALL,
  finishBackground,
  InspectableStore,
  poolOf,
  rejection,
  typeOf,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("status", () => {
  test("has `left` as a deprecated alias of `remaining`", () => {
    expectTypeOf<IdPoolStatus["remaining"]>().toEqualTypeOf<bigint>();
    expectTypeOf<IdPoolStatus["left"]>().toEqualTypeOf<bigint>();
  });

  test("reports the counts from the first to the last ID", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), lowMark: 0, highMark: 60 });
    const expected = { isExact: true, isExhausted: false, isFilling: false, lastError: undefined };
    expect(await pool.status()).toEqual({ ...expected, available: 0, taken: 0, remaining: 465n, left: 465n });
    expect(JSON.stringify(await pool.status())).toContain('"remaining":"465"');
    await pool.fill();
    expect(await pool.status()).toEqual({
      ...expected,
      available: 60,
      taken: 0,
      remaining: 465n,
      left: 465n,
    });
    await pool.issueIds(50);
    expect(await pool.status()).toEqual({
      ...expected,
      available: 10,
      taken: 50,
      remaining: 415n,
      left: 415n,
    });
    // Most draws repeat known IDs, so a scan starts, and stops in the middle.
    await pool.fill({ to: 300 });
    await pool.fill({ to: 400 });
    expect(store.state.scan).toMatch(/^\d+ \d+ [1-9]\d*$/);
    expect(await pool.status()).toEqual({
      ...expected,
      available: 61,
      taken: 50,
      remaining: 415n,
      left: 415n,
    });
    await pool.fill({ to: 1000 });
    expect(await pool.status()).toEqual({
      ...expected,
      available: 61,
      taken: 50,
      remaining: 415n,
      left: 415n,
    });
    await pool.issueIds(355);
    expect(await pool.status()).toEqual({
      ...expected,
      available: 60,
      taken: 405,
      remaining: 60n,
      left: 60n,
    });
    await pool.issueIds(60);
    expect(await pool.status()).toEqual({
      ...expected,
      available: 0,
      taken: 465,
      remaining: 0n,
      left: 0n,
      isExhausted: true,
    });
  });

  test("reports a refill by any process", async () => {
    const backend = memory();
    const pool = poolOf({ backend, length: 8 });
    const other = poolOf({ backend, length: 8 });
    let during: Promise<unknown> | undefined;
    await pool.fill({
      onProgress: () => {
        during ??= Promise.all([pool.status(), other.status()]);
      },
    });
    expect(await during).toMatchObject([{ isFilling: true }, { isFilling: true }]);
    expect(await other.status()).toMatchObject({ isFilling: false });
  });

  test("is the same in every pool of the store, except for `lastError`", async () => {
    const store = new InspectableStore();
    const pools = [poolOf({ backend: store.port() }), poolOf({ backend: store.port() })];
    store.fails = (operation) => operation === "add";
    await rejection(pools[0].issue());
    store.fails = () => false;
    const [one, two] = await Promise.all(pools.map((pool) => pool.status()));
    expect(one.lastError).toBeInstanceOf(BackendError);
    expect({ ...one, lastError: undefined }).toEqual(two);
  });

  test("estimates `remaining` for long IDs, never less than `available`", async () => {
    const long = poolOf({ length: 12, highMark: 100 });
    const { ids } = long.type.capacity();
    await long.fill();
    expect(await long.status()).toMatchObject({ remaining: ids, isExact: false });
    await long.issueIds(30);
    expect(await long.status()).toMatchObject({ remaining: ids - 30n, isExact: false });
    const type = typeOf(4);
    vi.spyOn(type, "capacity").mockReturnValue({ ids: 400n, isExact: false, error: 0.2 });
    const short = poolOf({ type });
    await short.fill({ to: 390 });
    expect(await short.status()).toMatchObject({ remaining: 400n, isExact: false });
    // More than estimated.
    await short.fill({ to: 430 });
    expect(await short.status()).toMatchObject({ remaining: 430n, isExact: false, isExhausted: false });
    // A complete scan makes the number exact.
    await short.fill();
    for (const estimate of [400n, 600n]) {
      vi.spyOn(type, "capacity").mockReturnValue({ ids: estimate, isExact: false, error: 0.3 });
      expect(await short.status()).toMatchObject({ available: ALL[4], remaining: 465n, isExact: true });
    }
  });

  test("sends one query for all concurrent calls", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port() });
    await pool.issue();
    await finishBackground();
    store.takeCalls();
    const all = await Promise.all(Array.from({ length: 50 }, () => pool.status()));
    expect(store.takeCalls("status").length).toBe(1);
    expect(new Set(all).size).toBe(1);
    await pool.issue();
    expect((await pool.status()).taken).toBe(2);
    // After a failure the next call sends a new query.
    store.fails = (operation) => operation === "status";
    await rejection(pool.status());
    store.fails = () => false;
    expect((await pool.status()).taken).toBe(2);
  });

  test("estimates `remaining` if more IDs are available than are counted, even after a complete scan", async () => {
    const type = typeOf(4);
    vi.spyOn(type, "capacity").mockReturnValue({ ids: 400n, isExact: false, error: 0.2 });
    const pool = poolOf({ type, lowMark: 0, highMark: 100 });
    await pool.fill({ to: 1000 });
    expect(await pool.status()).toMatchObject({ available: 101, remaining: 400n, isExact: false });
    await pool.issueIds(364);
    expect(await pool.status()).toMatchObject({ available: 101, remaining: 101n, isExact: false });
    await pool.issue();
    expect(await pool.status()).toMatchObject({ available: 100, remaining: 100n, isExact: true, taken: 365 });
  });

  test("rejects after the store's timeout", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port("pool", 300) });
    await pool.issue();
    store.hangs = (operation) => operation === "status";
    const started = Date.now();
    expect(await rejection(pool.status())).toMatchObject({ reason: "timeout", operation: "pool: status" });
    expect(Date.now() - started).toBe(300);
  });
});
