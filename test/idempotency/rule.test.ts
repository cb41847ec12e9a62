// The idempotency rule: each step at the exact moment when a lock or a record ends, and a model of one key.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GRACE_MS } from "../../src/backend/expiry.ts";
import {
  acquire,
  complete,
  extend,
  forget,
  isReleasable,
  type KeyRecord,
  peek,
} from "../../src/idempotency/rule.ts";

const NOW = 1_000_000;

/** A record that owner "a" locked 100 ms ago for 1000 ms, and that ends in 5000 ms. */
const locked: KeyRecord = {
  fingerprint: "f",
  owner: "a",
  lockedUntil: NOW + 900,
  lockMs: 1000,
  value: null,
  ends: NOW + 5000,
};
const completed: KeyRecord = { ...locked, lockedUntil: null, value: "done" };

const requestOf = (owner: string, fingerprint = "f") => ({ fingerprint, owner, lockMs: 2000, keepMs: 9000 });
const recordOf = (owner: string, fingerprint = "f"): KeyRecord => ({
  fingerprint,
  owner,
  lockedUntil: NOW + 2000,
  lockMs: 2000,
  value: null,
  ends: NOW + 9000,
});

describe("acquire", () => {
  test.each<[string, KeyRecord | undefined, string, string]>([
    ["an absent key", undefined, "b", "f"],
    ["a lock that ends now", { ...locked, lockedUntil: NOW }, "b", "f"],
    ["a lock that has ended", { ...locked, lockedUntil: NOW - 1 }, "b", "f"],
    ["its own lock", locked, "a", "f"],
    ["its own lock that has ended", { ...locked, lockedUntil: NOW - 1 }, "a", "f"],
    ["a locked record that ends now", { ...locked, ends: NOW }, "b", "f"],
    ["a locked record that ends now, with another fingerprint", { ...locked, ends: NOW }, "b", "g"],
    ["a completed record that ends now", { ...completed, ends: NOW }, "b", "f"],
    [
      "a completed record that has ended, with another fingerprint",
      { ...completed, ends: NOW - 1 },
      "b",
      "g",
    ],
  ])("acquires %s", (_, record, owner, fingerprint) => {
    expect(acquire(record, requestOf(owner, fingerprint), NOW)).toEqual([
      recordOf(owner, fingerprint),
      { outcome: "acquired" },
    ]);
  });

  test.each<[string, KeyRecord, string, string, object]>([
    ["another owner's lock", locked, "b", "f", { outcome: "running", waitMs: 900 }],
    [
      "a lock that ends in 1 ms",
      { ...locked, lockedUntil: NOW + 1 },
      "b",
      "f",
      { outcome: "running", waitMs: 1 },
    ],
    [
      "a record that ends in 1 ms",
      { ...locked, ends: NOW + 1 },
      "b",
      "f",
      { outcome: "running", waitMs: 900 },
    ],
    ["another fingerprint", locked, "b", "g", { outcome: "mismatch" }],
    ["another fingerprint of the same owner", locked, "a", "g", { outcome: "mismatch" }],
    ["another fingerprint after completion", completed, "b", "g", { outcome: "mismatch" }],
    ["a completed record", completed, "b", "f", { outcome: "completed", value: "done" }],
    ["a completed record of the same owner", completed, "a", "f", { outcome: "completed", value: "done" }],
    [
      "a completed record without a value",
      { ...completed, value: null },
      "b",
      "f",
      { outcome: "completed", value: null },
    ],
    [
      "a completed record that ends in 1 ms",
      { ...completed, ends: NOW + 1 },
      "b",
      "f",
      { outcome: "completed", value: "done" },
    ],
    [
      "a lock that ends late within the grace",
      { ...locked, lockedUntil: NOW + 1000 + GRACE_MS },
      "b",
      "f",
      { outcome: "running", waitMs: 1000 + GRACE_MS },
    ],
  ])("does not acquire, and changes nothing: %s", (_, record, owner, fingerprint, outcome) => {
    const [next, result] = acquire(record, requestOf(owner, fingerprint), NOW);
    expect(result).toEqual(outcome);
    // The same object: a store of cells writes nothing then, so calls that wait do not compete with the owner.
    expect(next).toBe(record);
  });

  test("shortens a lock that ends later than the grace to its own duration", () => {
    const far = { ...locked, lockedUntil: NOW + 1000 + GRACE_MS + 1 };
    expect(acquire(far, requestOf("b"), NOW)).toEqual([
      { ...locked, lockedUntil: NOW + 1000 },
      { outcome: "running", waitMs: 1000 },
    ]);
  });
});

describe("extend", () => {
  const request = { owner: "a", lockMs: 2000, keepMs: 9000 };

  test.each<[string, KeyRecord]>([
    ["its lock", locked],
    ["its lock that has ended", { ...locked, lockedUntil: NOW - 1 }],
    ["its record that ends in 1 ms", { ...locked, ends: NOW + 1 }],
  ])("extends %s", (_, record) => {
    expect(extend(record, request, NOW)).toEqual(recordOf("a"));
  });

  test.each<[string, KeyRecord | undefined]>([
    ["an absent key", undefined],
    ["another owner's lock", { ...locked, owner: "b" }],
    ["a record that ends now", { ...locked, ends: NOW }],
    ["a record that has ended", { ...locked, ends: NOW - 1 }],
    ["a completed record", completed],
  ])("does not extend %s", (_, record) => {
    expect(extend(record, request, NOW)).toBeUndefined();
  });
});

describe("complete", () => {
  const request = { owner: "a", keepMs: 9000 };

  test.each<[string, KeyRecord]>([
    ["its lock", locked],
    ["its lock that has ended", { ...locked, lockedUntil: NOW - 1 }],
    ["its record that ends in 1 ms", { ...locked, ends: NOW + 1 }],
    ["its completed record again", completed],
  ])("completes %s", (_, record) => {
    for (const value of ["result", null]) {
      expect(complete(record, request, value, NOW)).toEqual({
        ...locked,
        lockedUntil: null,
        value,
        ends: NOW + 9000,
      });
    }
  });

  test.each<[string, KeyRecord | undefined]>([
    ["an absent key", undefined],
    ["another owner's lock", { ...locked, owner: "b" }],
    ["another owner's completed record", { ...completed, owner: "b" }],
    ["a record that ends now", { ...locked, ends: NOW }],
    ["a record that has ended", { ...locked, ends: NOW - 1 }],
  ])("does not complete %s", (_, record) => {
    expect(complete(record, request, "result", NOW)).toBeUndefined();
  });
});

describe("isReleasable", () => {
  test.each<[string, KeyRecord | undefined, boolean]>([
    ["its lock", locked, true],
    ["its lock that has ended", { ...locked, lockedUntil: NOW - 1 }, true],
    ["its record that ends in 1 ms", { ...locked, ends: NOW + 1 }, true],
    ["an absent key", undefined, false],
    ["another owner's lock", { ...locked, owner: "b" }, false],
    ["a record that ends now", { ...locked, ends: NOW }, false],
    ["a record that has ended", { ...locked, ends: NOW - 1 }, false],
    ["a completed record", completed, false],
  ])("is right for %s", (_, record, expected) => {
    expect(isReleasable(record, "a", NOW)).toBe(expected);
  });
});

describe("peek and forget", () => {
  test.each<[string, KeyRecord | undefined, object, object]>([
    ["an absent key", undefined, { outcome: "absent" }, { outcome: "absent" }],
    ["a record that ends now", { ...completed, ends: NOW }, { outcome: "absent" }, { outcome: "absent" }],
    ["a lock", locked, { outcome: "running", waitMs: 900 }, { outcome: "running", waitMs: 900 }],
    [
      "a lock that ends in 1 ms",
      { ...locked, lockedUntil: NOW + 1 },
      { outcome: "running", waitMs: 1 },
      { outcome: "running", waitMs: 1 },
    ],
    [
      "a lock that ends now",
      { ...locked, lockedUntil: NOW },
      { outcome: "running", waitMs: 0 },
      { outcome: "forgotten" },
    ],
    [
      "a lock that has ended",
      { ...locked, lockedUntil: NOW - 1 },
      { outcome: "running", waitMs: 0 },
      { outcome: "forgotten" },
    ],
    ["a locked record that ends now", { ...locked, ends: NOW }, { outcome: "absent" }, { outcome: "absent" }],
    ["a result", completed, { outcome: "completed", value: "done" }, { outcome: "forgotten" }],
    [
      "work without a result",
      { ...completed, value: null },
      { outcome: "completed", value: null },
      { outcome: "forgotten" },
    ],
  ])("are right for %s", (_, record, peeked, forgotten) => {
    expect(peek(record, NOW)).toEqual(peeked);
    expect(forget(record, NOW)).toEqual(forgotten);
  });
});

describe("a key", () => {
  const anyOperation = fc.record({
    kind: fc.constantFrom("acquire", "acquire", "extend", "complete", "release"),
    owner: fc.constantFrom("a", "b", "c"),
    waitMs: fc.constantFrom(0, 1, 9, 10, 11, 30),
  });

  test("has one value after completion until it ends, and never two owners with a lock", () => {
    fc.assert(
      fc.property(fc.array(anyOperation, { maxLength: 40 }), (operations) => {
        let record: KeyRecord | undefined;
        let now = NOW;
        /** The lock of the last acquire or extension, and the value of the last completion. */
        let lock: { owner: string; until: number } | undefined;
        let result: { value: string; until: number } | undefined;
        for (const [at, { kind, owner, waitMs }] of operations.entries()) {
          now += waitMs;
          if (record && record.ends <= now) record = undefined;
          if (result && result.until <= now) result = undefined;
          if (kind === "acquire") {
            const [next, outcome] = acquire(record, { fingerprint: "f", owner, lockMs: 10, keepMs: 25 }, now);
            record = next;
            if (result) expect(outcome).toEqual({ outcome: "completed", value: result.value });
            else if (lock && lock.owner !== owner && lock.until > now) {
              expect(outcome).toEqual({ outcome: "running", waitMs: lock.until - now });
            } else {
              expect(outcome).toEqual({ outcome: "acquired" });
              lock = { owner, until: now + 10 };
            }
          } else if (kind === "extend") {
            const next = extend(record, { owner, lockMs: 10, keepMs: 25 }, now);
            if (next) {
              expect(lock?.owner).toBe(owner);
              expect(result).toBeUndefined();
              lock = { owner, until: now + 10 };
            }
            record = next ?? record;
          } else if (kind === "complete") {
            const next = complete(record, { owner, keepMs: 25 }, `${at}`, now);
            if (next) {
              expect(next.owner).toBe(owner);
              result = { value: `${at}`, until: now + 25 };
              lock = undefined;
            }
            record = next ?? record;
          } else if (isReleasable(record, owner, now)) {
            expect(lock?.owner).toBe(owner);
            record = undefined;
            lock = undefined;
          }
        }
      }),
    );
  });
});
