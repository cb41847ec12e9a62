// Idempotency keys on a store of cells without a clock: processes whose clocks disagree.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cellOncePort } from "../../src/idempotency/cells.ts";
import { memoryCells } from "../support/memoryCells.ts";

const NOW = 1_800_000_000_000;
const LOCK_MS = 30_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Returns a function that acquires a key by a clock. */
function createAcquire() {
  const backend = memoryCells();
  const store = cellOncePort(backend, "n");
  const acquire = (owner: string, nowMs: number) => {
    vi.setSystemTime(nowMs);
    return store.acquire("k", { owner, fingerprint: "f", lockMs: LOCK_MS, keepMs: 86_400_000 });
  };
  return { acquire, calls: backend.calls };
}

test.each([1500, 25_000, 60_000])(
  "a call whose clock is %i ms behind does not shorten the lock of a living owner",
  async (skewMs) => {
    const { acquire, calls } = createAcquire();
    await acquire("a", NOW);
    calls.length = 0;
    expect(await acquire("b", NOW - skewMs)).toEqual({ outcome: "running", waitMs: LOCK_MS + skewMs });
    expect(calls).toEqual(["read bitflake:once:n:k"]);
    expect(await acquire("c", NOW + LOCK_MS - 1)).toEqual({ outcome: "running", waitMs: 1 });
    expect(await acquire("c", NOW + LOCK_MS)).toEqual({ outcome: "acquired" });
  },
);

test("a lock that ends more than a minute too late is shortened, because the clock was set back", async () => {
  const { acquire } = createAcquire();
  await acquire("a", NOW);
  const set = NOW - 60_001;
  expect(await acquire("b", set)).toEqual({ outcome: "running", waitMs: LOCK_MS });
  expect(await acquire("b", set + LOCK_MS)).toEqual({ outcome: "acquired" });
});

test("a key is released by its owner alone", async () => {
  const backend = memoryCells();
  const store = cellOncePort(backend, "n");
  const request = { fingerprint: "f", lockMs: LOCK_MS, keepMs: 86_400_000 };
  await store.acquire("k", { ...request, owner: "a" });
  expect(await store.release("k", "b")).toBe(false);
  expect(await store.acquire("k", { ...request, owner: "b" })).toMatchObject({ outcome: "running" });
  expect(await store.release("k", "a")).toBe(true);
  expect(await store.release("k", "a")).toBe(false);
  expect(await store.acquire("k", { ...request, owner: "b" })).toEqual({ outcome: "acquired" });
});

test.each([
  "no JSON",
  "{}",
  "[]",
  '["f","a",1.5,1,1,null]',
  '["f","a",null,1,1,7]',
  '["f",null,null,1,1,null]',
])("a cell with %s is an unexpected response, and stays", async (value) => {
  const backend = memoryCells();
  await backend.swap("bitflake:once:n:k", "", value);
  const request = { owner: "a", fingerprint: "f", lockMs: LOCK_MS, keepMs: 86_400_000 };
  const store = cellOncePort(backend, "n");
  await expect(store.acquire("k", request)).rejects.toMatchObject({ reason: "answer" });
  await expect(store.complete("k", request, "done")).rejects.toMatchObject({ reason: "answer" });
  expect(backend.values()).toEqual({ "bitflake:once:n:k": value });
});

test("a key is peeked at and forgotten, unless its work is in progress", async () => {
  vi.setSystemTime(NOW);
  const backend = memoryCells();
  const store = cellOncePort(backend, "n");
  const request = { owner: "a", fingerprint: "f", lockMs: LOCK_MS, keepMs: 86_400_000 };
  expect(await store.peek("k")).toEqual({ outcome: "absent" });
  expect(await store.forget("k")).toEqual({ outcome: "absent" });
  await store.acquire("k", request);
  expect(await store.peek("k")).toEqual({ outcome: "running", waitMs: LOCK_MS });
  expect(await store.forget("k")).toMatchObject({ outcome: "running", waitMs: LOCK_MS });
  await store.complete("k", request, "done");
  expect(await store.peek("k")).toMatchObject({ outcome: "completed", value: "done" });
  expect(await store.forget("k")).toEqual({ outcome: "forgotten" });
  expect(await store.peek("k")).toEqual({ outcome: "absent" });
  expect(await store.acquire("k", { ...request, owner: "b" })).toEqual({ outcome: "acquired" });
});
