// Running once, in memory: all cases, and what only a clock of one's own can show.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { Idempotency } from "../../src/idempotency/index.ts";
import { oncePort } from "../../src/idempotency/port.ts";
import { cases, storeCases } from "./cases.ts";

const backend = memory();
describe("on memory", () => {
  storeCases(() => backend, fc.readConfigureGlobal().numRuns as number);
  cases(() => backend);
});

describe("time", () => {
  test("a result is kept for exactly as long as it says, from the end of its work", async () => {
    let now = 1_000_000;
    const once = new Idempotency({
      backend: memory({ clock: () => now }),
      name: "n",
      ttlMs: 5000,
      lockMs: 1000,
    });
    await once.once("k", "f", () => {
      now += 700;
      return 1;
    });
    now += 4999;
    expect(await once.once("k", "f", () => 2)).toEqual({ value: 1, isReplay: true });
    now += 1;
    expect(await once.once("k", "f", () => 3)).toEqual({ value: 3, isReplay: false });
  });

  test("a lock ends exactly when it says", async () => {
    let now = 1_000_000;
    const once = new Idempotency({ backend: memory({ clock: () => now }), name: "n", lockMs: 1000 });
    let finish = () => {};
    const first = once.once(
      "k",
      "f",
      () =>
        new Promise<number>((resolve) => {
          finish = () => resolve(1);
        }),
    );
    now += 999;
    await expect(once.once("k", "f", () => 2)).rejects.toMatchObject({ lockedMs: 1 });
    now += 1;
    expect(await once.once("k", "f", () => 3)).toEqual({ value: 3, isReplay: false });
    finish();
    await expect(first).rejects.toMatchObject({ code: "ERR_LOCK_LOST", key: "k" });
  });

  test("a clock that is set back keeps a dead owner's key no longer than a lock, and a living owner keeps it", async () => {
    let now = 10_000_000;
    const store = oncePort(memory({ clock: () => now }), "n");
    const claim = { fingerprint: "f", lockMs: 1000, keepMs: 100_000 };
    const begin = (owner: string, lockMs = 1000) => store.acquire("k", { ...claim, lockMs, owner });
    expect(await begin("first")).toEqual({ outcome: "started" });
    now -= 3_600_000;
    // Whoever asks, and however long their own locks are: it is the owner's that counts.
    expect(await begin("next", 50)).toEqual({ outcome: "running", waitMs: 1000 });
    now += 999;
    expect(await begin("next")).toEqual({ outcome: "running", waitMs: 1 });
    expect(await store.extend("k", { ...claim, owner: "first" })).toBe(true);
    expect(await begin("next")).toEqual({ outcome: "running", waitMs: 1000 });
    now += 1000;
    expect(await begin("next")).toEqual({ outcome: "started" });
    expect(await store.complete("k", { ...claim, owner: "first" }, "late")).toBe(false);
    // What may be the disagreement of clocks is left as it is.
    now -= 1000;
    expect(await begin("third")).toEqual({ outcome: "running", waitMs: 2000 });
    now -= 1;
    expect(await begin("third")).toEqual({ outcome: "running", waitMs: 1000 });
  });

  test("what has had its time does not stay in memory", async () => {
    let now = 1_000_000;
    const port = memory({ clock: () => now });
    const once = new Idempotency({ backend: port, name: "n", ttlMs: 1000, lockMs: 100 });
    for (let call = 0; call < 100; call++) {
      now += 100;
      await once.once(`key ${call}`, "f", () => call);
    }
    const size = port.change<Map<string, unknown>, number>("once:n", (book = new Map()) => [book, book.size]);
    expect(size).toBe(10);
  });
});
