// Conformance of idempotency on any store: the port against the rule, and every case that other libraries fail.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellKey } from "../../src/backend/cells.ts";
import type { Backend } from "../../src/backend/index.ts";
import { nowMsSql } from "../../src/backend/sql.ts";
import { qualifiedTable, redisKey } from "../../src/backend/storeNames.ts";
import {
  FingerprintError,
  fingerprint,
  Idempotency,
  type IdempotentOptions,
  InFlightError,
  idempotent,
  LockLostError,
  NotKeptError,
} from "../../src/idempotency/index.ts";
import { oncePort } from "../../src/idempotency/openPort.ts";
import {
  acquire,
  complete,
  extend,
  forget,
  isReleasable,
  type KeyRecord,
  peek,
} from "../../src/idempotency/rule.ts";

let names = 0;
/** Returns a new name with characters that are special in scripts and statements. */
const freshName = () => `orders ${names++} ü'" %s $1 ?`;

/** How time passes in a test: for real stores it is waited for, for memory it is stepped. */
export interface TestTime {
  /** Lets time pass, in the store and in this process. */
  sleep(ms: number): Promise<unknown>;
  /** Lets time pass in the store while no timer of this process runs, as if the process were paused. */
  pauseProcess(ms: number): void;
}

/** The length of the longest value, unless the store takes less. */
const LONGEST_VALUE = 300_000;

const realTime: TestTime = {
  sleep: (ms) => new Promise<void>((wake) => setTimeout(wake, ms)),
  pauseProcess: (ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
};

/** A promise, and the function that resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Lets time pass until a promise has ended. */
async function passTime<T>(promise: Promise<T>, sleep: TestTime["sleep"]): Promise<T> {
  let hasEnded = false;
  const ended = promise.finally(() => {
    hasEnded = true;
  });
  ended.catch(() => {});
  while (!hasEnded) await sleep(20);
  return ended;
}

type Fields = Readonly<Record<string, string>>;

const post = (body: BodyInit | null = "{}", headers: Fields = {}, url = "https://shop.example/orders") =>
  new Request(url, { method: "POST", body, headers: { "idempotency-key": "k-1", ...headers } });

const LONG = 1_000_000;

/** An operation of the model test. */
type Operation = {
  readonly kind: "acquire" | "extend" | "complete" | "empty" | "release" | "peek" | "forget";
  readonly owner: string;
  readonly fingerprint: string;
  readonly lockMs: number;
  readonly keepMs: number;
};

const anyOperation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(
    "acquire",
    "acquire",
    "acquire",
    "extend",
    "complete",
    "empty",
    "release",
    "peek",
    "peek",
    "forget",
  ),
  owner: fc.constantFrom("a", "b", "c"),
  fingerprint: fc.constantFrom("f", "f", "f", "g"),
  // Ends at once, or not within the test.
  lockMs: fc.constantFrom(0, LONG, LONG),
  keepMs: fc.constantFrom(0, LONG, LONG, LONG),
});

/**
 * Registers the tests of the port.
 *
 * @param open returns the store; called only within tests
 */
export function portConformance(
  open: () => Backend,
  runs: number,
  { sleep }: TestTime = realTime,
  longestValue: number = LONGEST_VALUE,
): void {
  describe("the port", () => {
    test("stores and returns the outcomes of the rule, for any sequence of operations", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyOperation, { maxLength: 25, size: "max" }), async (operations) => {
          const store = oncePort(open(), freshName());
          const key = `key ü'" %s $1 ? {x} } \n 🦩`;
          let record: KeyRecord | undefined;
          // The model's time stands still, because locks and records end at once or not within the test.
          for (const operation of operations) {
            const { kind, owner } = operation;
            const value = kind === "complete" ? `{"by":"${owner}"}` : null;
            if (record && record.ends <= 0) record = undefined;
            if (kind === "acquire") {
              const [next, expected] = acquire(record, operation, 0);
              const answer = await store.acquire(key, operation);
              if (answer.outcome === "running") expect(answer.waitMs).toBeGreaterThan(LONG - 60_000);
              expect({ ...answer, waitMs: 0 }).toEqual({ ...expected, waitMs: 0 });
              record = next;
            } else if (kind === "peek" || kind === "forget") {
              const expected = (kind === "peek" ? peek : forget)(record, 0);
              const answer = await store[kind](key);
              if (answer.outcome === "running" && answer.waitMs > 0) {
                expect(answer.waitMs).toBeGreaterThan(LONG - 60_000);
                expect(expected).toEqual({ outcome: "running", waitMs: LONG });
              } else expect(answer).toEqual(expected);
              if (answer.outcome === "forgotten") record = undefined;
            } else if (kind === "extend") {
              const next = extend(record, operation, 0);
              expect(await store.extend(key, operation)).toBe(next !== undefined);
              record = next ?? record;
            } else if (kind === "release") {
              const isMine = isReleasable(record, owner, 0);
              expect(await store.release(key, owner)).toBe(isMine);
              if (isMine) record = undefined;
            } else {
              const next = complete(record, operation, value, 0);
              expect(await store.complete(key, operation, value)).toBe(next !== undefined);
              record = next ?? record;
            }
          }
        }),
        { numRuns: runs },
      );
    });

    test("a stale owner cannot complete, extend or release", async () => {
      const store = oncePort(open(), freshName());
      const request = { fingerprint: "f", lockMs: 1, keepMs: LONG };
      expect(await store.acquire("k", { ...request, owner: "stale" })).toEqual({ outcome: "acquired" });
      await sleep(20);
      const mine = { ...request, owner: "next", lockMs: LONG };
      expect(await store.acquire("k", mine)).toEqual({ outcome: "acquired" });
      expect(await store.extend("k", { ...request, owner: "stale" })).toBe(false);
      expect(await store.complete("k", { ...request, owner: "stale" }, "wrong")).toBe(false);
      expect(await store.release("k", "stale")).toBe(false);
      expect(await store.complete("k", mine, "right")).toBe(true);
      expect(await store.complete("k", { ...request, owner: "stale" }, "wrong")).toBe(false);
      expect(await store.release("k", "stale")).toBe(false);
      expect(await store.acquire("k", mine)).toEqual({ outcome: "completed", value: "right" });
    });

    test("an owner whose lock has ended can complete if no other owner has acquired it", async () => {
      const store = oncePort(open(), freshName());
      const request = { fingerprint: "f", owner: "late", lockMs: 1, keepMs: LONG };
      await store.acquire("k", request);
      await sleep(20);
      expect(await store.complete("k", request, "done")).toBe(true);
      expect(await store.acquire("k", { ...request, owner: "b" })).toEqual({
        outcome: "completed",
        value: "done",
      });
    });

    test("a lock with an implausibly late end is shortened to its own duration", async () => {
      const name = freshName();
      const store = oncePort(open(), name);
      const request = { fingerprint: "f", keepMs: LONG };
      const dead = { ...request, owner: "dead", lockMs: LONG };
      const next = { ...request, owner: "next", lockMs: 50 };
      expect(await store.acquire("k", dead)).toEqual({ outcome: "acquired" });
      // As after the clock was set back.
      await moveLock(open(), name, "k", 2 * LONG);
      const first = await store.acquire("k", next);
      expect(first).toEqual({ outcome: "running", waitMs: expect.any(Number) });
      const waitMs = first.outcome === "running" ? first.waitMs : 0;
      expect(waitMs).toBeGreaterThan(LONG - 60_000);
      expect(waitMs).toBeLessThanOrEqual(LONG);
      // The shortened end is stored, and a shorter lock of another owner does not shorten it further.
      expect(await store.extend("k", { ...dead, lockMs: 50 })).toBe(true);
      await moveLock(open(), name, "k", 2 * LONG);
      for (;;) {
        const result = await store.acquire("k", next);
        if (result.outcome === "acquired") break;
        if (result.outcome === "running") expect(result.waitMs).toBeLessThanOrEqual(50);
        else expect.fail(result.outcome);
        await sleep(5);
      }
      expect(await store.complete("k", dead, "late")).toBe(false);
    });

    test("a key whose lock holds is not forgotten, and an owner whose key was forgotten cannot complete", async () => {
      const store = oncePort(open(), freshName());
      const request = { fingerprint: "f", owner: "a", lockMs: 60_000, keepMs: LONG };
      expect(await store.forget("k")).toEqual({ outcome: "absent" });
      await store.acquire("k", request);
      const refused = await store.forget("k");
      expect(refused).toEqual({ outcome: "running", waitMs: expect.any(Number) });
      if (refused.outcome === "running") expect(refused.waitMs).toBeLessThanOrEqual(60_000);
      await store.extend("k", { ...request, lockMs: 50 });
      await sleep(100);
      expect(await store.peek("k")).toEqual({ outcome: "running", waitMs: 0 });
      expect(await store.forget("k")).toEqual({ outcome: "forgotten" });
      expect(await store.forget("k")).toEqual({ outcome: "absent" });
      expect(await store.peek("k")).toEqual({ outcome: "absent" });
      expect(await store.complete("k", request, "late")).toBe(false);
      expect(await store.extend("k", request)).toBe(false);
      // Also for another fingerprint.
      const other = { ...request, fingerprint: "g", owner: "b" };
      expect(await store.acquire("k", other)).toEqual({ outcome: "acquired" });
    });

    test("a peek changes nothing", async () => {
      const store = oncePort(open(), freshName());
      const request = { fingerprint: "f", owner: "a", lockMs: 1000, keepMs: LONG };
      await store.acquire("k", request);
      for (let call = 0; call < 3; call++) {
        expect(await store.peek("k")).toEqual({ outcome: "running", waitMs: expect.any(Number) });
        await sleep(400);
      }
      expect(await store.acquire("k", { ...request, owner: "b" })).toEqual({ outcome: "acquired" });
    });

    test("stores any text as a value", async () => {
      const store = oncePort(open(), freshName());
      const request = { fingerprint: "f", owner: "a", lockMs: LONG, keepMs: LONG };
      const values = ["", " ", "12", "null", '{"a":1}', "a b\nc", "ü🦩'\"%s$1?\\", "x".repeat(longestValue)];
      for (const [at, value] of values.entries()) {
        await store.acquire(`${at}`, request);
        await store.complete(`${at}`, request, value);
        expect(await store.acquire(`${at}`, request)).toEqual({ outcome: "completed", value });
        expect(await store.peek(`${at}`)).toEqual({ outcome: "completed", value });
      }
    });
  });
}

/** Moves the end of a key's lock to `aheadMs` from now. */
async function moveLock(port: Backend, name: string, key: string, aheadMs: number): Promise<void> {
  if ("change" in port) {
    port.change<Map<string, KeyRecord>, null>(`once:${name}`, (records = new Map(), now) => {
      const record = records.get(key) as KeyRecord;
      records.set(key, { ...record, lockedUntil: Math.floor(now) + aheadMs });
      return [records, null];
    });
  } else if ("eval" in port) {
    const script =
      "redis.call('HSET', KEYS[1], 'u', string.format('%.0f', redis.call('TIME')[1] * 1000 + ARGV[1])) return 'done'";
    await port.eval(script, [redisKey(port, key, `once:${name}`)], [String(aheadMs)]);
  } else if ("swap" in port) {
    const cell = cellKey(port, "once", name, key);
    const { value, version, nowMs = Date.now() } = await port.read(cell);
    const record = JSON.parse(value as string);
    record[2] = Math.floor(nowMs) + aheadMs;
    expect(await port.swap(cell, version, JSON.stringify(record))).toMatchObject({ swapped: true });
  } else {
    const now = nowMsSql(port.dialect === "postgres");
    const sql = `UPDATE ${qualifiedTable(port, "once")} SET until = ${now} + CAST($3 AS BIGINT) WHERE name = $1 AND key = $2`;
    await port.query(sql, [name, key, String(aheadMs)]);
  }
}

/**
 * Registers the tests of `Idempotency` and `idempotent`.
 *
 * @param open returns the store; called only within tests
 */
export function conformance(
  open: () => Backend,
  { sleep, pauseProcess }: TestTime = realTime,
  longestValue: number = LONGEST_VALUE,
): void {
  const make = (
    handler: (request: Request) => Response | Promise<Response>,
    options: Partial<IdempotentOptions> = {},
  ) => idempotent(handler, { backend: open(), name: freshName(), tenant: () => "", ...options });
  /** Creates a handler that counts its runs. */
  const counting = (respond: (run: number) => Response, options: Partial<IdempotentOptions> = {}) => {
    let runs = 0;
    const handler = make(() => respond(++runs), options);
    return { handler, runs: () => runs };
  };

  describe("once", () => {
    const make = (options = {}) => new Idempotency({ backend: open(), name: freshName(), ...options });

    test("runs the work, and returns its result to later calls", async () => {
      const once = make();
      let runs = 0;
      const work = async () => ({ run: ++runs, text: "ü🦩", list: [1, null, true], none: undefined });
      const value = { run: 1, text: "ü🦩", list: [1, null, true] };
      expect(await once.once("k", "f", work)).toEqual({ value, isReplay: false });
      expect(await once.once("k", "f", work)).toEqual({ value, isReplay: true });
      expect(await once.once("other", "f", work)).toMatchObject({ value: { run: 2 }, isReplay: false });
      expect(await once.once("k", "f", () => undefined)).toMatchObject({ isReplay: true });
    });

    test("runs work without a result only once", async () => {
      const once = make();
      let runs = 0;
      const work = () => void runs++;
      expect(await once.once("k", "f", work)).toEqual({ value: undefined, isReplay: false });
      expect(await once.once("k", "f", work)).toEqual({ value: undefined, isReplay: true });
      expect(runs).toBe(1);
    });

    test("of 20 concurrent calls one runs the work, and the others throw InFlightError", async () => {
      const backend = open();
      const name = freshName();
      let runs = 0;
      const { opened, open: finish } = gate();
      const work = async () => {
        runs++;
        await opened;
        return runs;
      };
      let failed = 0;
      const calls = Array.from({ length: 20 }, () =>
        new Idempotency({ backend, name }).once("k", "f", work).then(
          ({ value }) => value,
          (error) => {
            // The work ends after all the other calls.
            if (++failed === 19) finish();
            return error;
          },
        ),
      );
      const outcomes = await Promise.all(calls);
      expect(runs).toBe(1);
      expect(outcomes.filter((outcome) => outcome === 1)).toHaveLength(1);
      const refused = outcomes.filter((outcome) => outcome !== 1);
      for (const error of refused) {
        expect(error).toBeInstanceOf(InFlightError);
        expect(error.lockedMs).toBeGreaterThan(0);
        expect(error.lockedMs).toBeLessThanOrEqual(30_000);
      }
      expect(refused).toHaveLength(19);
    });

    test("throws FingerprintError on another fingerprint, during the work and after it", async () => {
      const once = make();
      const { opened, open: finish } = gate();
      const { opened: started, open: start } = gate();
      const first = once.once("k", "f", () => {
        start();
        return opened;
      });
      await started;
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
      finish();
      await first;
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
    });

    test("work that throws counts as not done, and the key is free", async () => {
      const once = make();
      const error = new Error("no");
      await expect(once.once("k", "f", () => Promise.reject(error))).rejects.toBe(error);
      const thrown = () => {
        throw error;
      };
      await expect(once.once("k", "f", thrown)).rejects.toBe(error);
      // Also for another fingerprint.
      expect(await once.once("k", "g", () => 2)).toEqual({ value: 2, isReplay: false });
    });

    test("extends the lock while the work runs", async () => {
      const options = { backend: open(), name: freshName(), lockMs: 3000 };
      let runs = 0;
      const { opened, open: finish } = gate();
      const slow = async (signal: AbortSignal) => {
        runs++;
        await opened;
        return signal.aborted;
      };
      const first = new Idempotency(options).once("k", "f", slow);
      const began = performance.now();
      while (performance.now() - began < 5000) {
        await sleep(100);
        await expect(new Idempotency(options).once("k", "f", slow)).rejects.toBeInstanceOf(InFlightError);
      }
      finish();
      expect(await first).toEqual({ value: false, isReplay: false });
      expect(runs).toBe(1);
    });

    test("after a crash, the next call runs the work when the lock has ended", async () => {
      const [backend, name] = [open(), freshName()];
      const crashed = { fingerprint: "f", owner: "crashed", lockMs: 60_000, keepMs: LONG };
      const store = oncePort(backend, name);
      await store.acquire("k", crashed);
      const once = new Idempotency({ backend, name });
      await expect(once.once("k", "f", () => 1)).rejects.toBeInstanceOf(InFlightError);
      await store.extend("k", { ...crashed, lockMs: 50 });
      await sleep(100);
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
      expect(await once.once("k", "f", () => 2)).toEqual({ value: 2, isReplay: false });
      expect(await once.once("k", "f", () => 3)).toEqual({ value: 2, isReplay: true });
    });

    test("a lost lock aborts the work's signal, and the result is not stored", async () => {
      const [backend, name] = [open(), freshName()];
      const once = new Idempotency({ backend, name, lockMs: 300 });
      let reason: unknown;
      const first = once.once("k", "f", async (signal) => {
        const store = oncePort(backend, name);
        const other = { fingerprint: "f", owner: "other", lockMs: LONG, keepMs: LONG };
        // For longer than the lock holds, so that another owner can acquire it.
        pauseProcess(1000);
        expect(await store.acquire("k", other)).toEqual({ outcome: "acquired" });
        expect(await store.complete("k", other, '"mine"')).toBe(true);
        while (!signal.aborted) await sleep(50);
        reason = signal.reason;
        return "stale";
      });
      await expect(first).rejects.toBeInstanceOf(LockLostError);
      expect(reason).toBeInstanceOf(LockLostError);
      expect(await once.once("k", "f", () => "again")).toEqual({ value: "mine", isReplay: true });
    });

    test("a result is kept for ttlMs, and not longer, also if lockMs is longer", async () => {
      const once = make({ ttlMs: 1000, lockMs: 30_000 });
      const began = performance.now();
      await once.once("k", "f", () => 1);
      const again = await once.once("k", "f", () => 2);
      if (performance.now() - began < 900) expect(again).toEqual({ value: 1, isReplay: true });
      await sleep(1100);
      expect(await once.once("k", "g", () => 3)).toEqual({ value: 3, isReplay: false });
    });

    test("a result above maxBytes is not stored, and its work does not run again", async () => {
      const once = make({ maxBytes: 10 });
      expect(await once.once("k", "f", () => "12345678")).toEqual({ value: "12345678", isReplay: false });
      expect(await once.once("k", "f", () => "")).toEqual({ value: "12345678", isReplay: true });
      // Counted in bytes: the ü has two.
      expect(await once.once("l", "f", () => "1234567ü")).toEqual({ value: "1234567ü", isReplay: false });
      await expect(once.once("l", "f", () => "")).rejects.toBeInstanceOf(NotKeptError);
    });

    test.each([
      ["a bigint", 5n],
      ["NaN", Number.NaN],
      ["-0", -0],
      ["a date", new Date(0)],
      ["a map", new Map([[1, 2]])],
      ["a function", () => 1],
      ["a hole", Array(2)],
      ["undefined in an array", [undefined]],
      ["a nested Set", { a: [{ b: new Set() }] }],
    ])("throws on a result that JSON would change, %s, and does not run the work again", async (_, value) => {
      const once = make();
      await expect(once.once<unknown>("k", "f", () => value)).rejects.toMatchObject({ field: "result" });
      await expect(once.once("k", "f", () => 1)).rejects.toBeInstanceOf(NotKeptError);
    });

    test("with inFlight wait, concurrent calls get the result of one", async () => {
      const options = { backend: open(), name: freshName(), inFlight: "wait", waitMs: 60_000 } as const;
      let runs = 0;
      const { opened, open: finish } = gate();
      const { opened: started, open: start } = gate();
      const work = async () => {
        start();
        await opened;
        return ++runs;
      };
      const calls = Array.from({ length: 10 }, () => new Idempotency(options).once("k", "f", work));
      await started;
      await sleep(100);
      finish();
      const results = await passTime(Promise.all(calls), sleep);
      expect(runs).toBe(1);
      expect(results.filter(({ isReplay }) => !isReplay)).toEqual([{ value: 1, isReplay: false }]);
      expect(results.filter(({ isReplay }) => isReplay)).toEqual(
        Array<object>(9).fill({ value: 1, isReplay: true }),
      );
    });

    test("a waiting call takes the key over when the lock of a dead owner ends", async () => {
      const [backend, name] = [open(), freshName()];
      const dead = { fingerprint: "f", owner: "dead", lockMs: 1000, keepMs: LONG };
      await oncePort(backend, name).acquire("k", dead);
      const once = new Idempotency({ backend, name, inFlight: "wait", waitMs: 60_000 });
      const work = async (signal: AbortSignal) => {
        expect(await oncePort(backend, name).complete("k", dead, '"late"')).toBe(false);
        return signal.aborted;
      };
      expect(await passTime(once.once("k", "f", work), sleep)).toEqual({ value: false, isReplay: false });
    });

    test("a waiting call does the work if that of the other one throws", async () => {
      const options = { backend: open(), name: freshName(), inFlight: "wait", waitMs: 60_000 } as const;
      const { opened, open: finish } = gate();
      const { opened: started, open: start } = gate();
      const error = new Error("no");
      const first = new Idempotency(options).once("k", "f", async () => {
        start();
        await opened;
        throw error;
      });
      await started;
      const second = new Idempotency(options).once("k", "f", () => 2);
      await sleep(100);
      finish();
      await expect(first).rejects.toBe(error);
      expect(await passTime(second, sleep)).toEqual({ value: 2, isReplay: false });
    });

    test("a waiting call throws InFlightError after waitMs, and FingerprintError at once", async () => {
      const [backend, name] = [open(), freshName()];
      await oncePort(backend, name).acquire("k", {
        fingerprint: "f",
        owner: "a",
        lockMs: LONG,
        keepMs: LONG,
      });
      const once = new Idempotency({ backend, name, inFlight: "wait", waitMs: 300 });
      const began = performance.now();
      await expect(
        passTime(
          once.once("k", "f", () => 1),
          sleep,
        ),
      ).rejects.toBeInstanceOf(InFlightError);
      expect(performance.now() - began).toBeGreaterThanOrEqual(290);
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
    });

    test("peek returns the state of a key, and forget removes it unless its work is in progress", async () => {
      const once = make();
      expect(await once.peek("k")).toEqual({ state: "absent" });
      expect(await once.forget("k")).toBe(false);
      const { opened, open: finish } = gate();
      const { opened: started, open: start } = gate();
      const first = once.once("k", "f", async () => {
        start();
        await opened;
        return { n: 1 };
      });
      await started;
      expect(await once.peek("k")).toEqual({ state: "in-progress", lockedMs: expect.any(Number) });
      await expect(once.forget("k")).rejects.toBeInstanceOf(InFlightError);
      finish();
      expect(await first).toEqual({ value: { n: 1 }, isReplay: false });
      expect(await once.peek("k")).toEqual({ state: "completed", isKept: true, value: { n: 1 } });
      expect(await once.forget("k")).toBe(true);
      expect(await once.peek("k")).toEqual({ state: "absent" });
      // Also with another fingerprint.
      expect(await once.once("k", "g", () => undefined)).toEqual({ value: undefined, isReplay: false });
      expect(await once.peek("k")).toEqual({ state: "completed", isKept: true, value: undefined });
    });

    test("peek says that a result was not kept", async () => {
      const once = make({ maxBytes: 3 });
      await once.once("k", "f", () => "too long");
      expect(await once.peek("k")).toEqual({ state: "completed", isKept: false, value: undefined });
      expect(await once.forget("k")).toBe(true);
      expect(await once.once("k", "f", () => 1)).toEqual({ value: 1, isReplay: false });
    });

    test("keys of different names are separate", async () => {
      const [one, other] = [make(), make()];
      await one.once("k", "f", () => 1);
      expect(await other.once("k", "g", () => 2)).toEqual({ value: 2, isReplay: false });
      expect(await one.once("k", "f", () => 3)).toEqual({ value: 1, isReplay: true });
    });
  });

  describe("idempotent", () => {
    test("a replay has the same status, headers and body, and is marked", async () => {
      const headers = { "content-type": "text/x; charset=utf-8", location: "/orders/1", "x-trace": "ü" };
      const { handler, runs } = counting(
        (run) => new Response(`order ${run} ü🦩`, { status: 201, statusText: "Made", headers }),
      );
      const first = await handler(post());
      const again = await handler(post());
      expect(first.headers.get("idempotent-replayed")).toBeNull();
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      for (const response of [first, again]) {
        expect(response.status).toBe(201);
        expect(response.statusText).toBe("Made");
        expect(response.headers.get("location")).toBe("/orders/1");
        expect(response.headers.get("content-type")).toBe("text/x; charset=utf-8");
        expect(response.headers.get("x-trace")).toBe("ü");
        expect(await response.text()).toBe("order 1 ü🦩");
      }
      expect(runs()).toBe(1);
    });

    test("of 20 concurrent requests one runs, and the rest are 409 with Retry-After", async () => {
      const { opened, open: finish } = gate();
      const handler = make(async () => {
        await opened;
        return new Response("done");
      });
      let refused = 0;
      const request = async () => {
        const response = await handler(post());
        // The handler ends after all the other requests.
        if (response.status === 409 && ++refused === 19) finish();
        return response;
      };
      const responses = await Promise.all(Array.from({ length: 20 }, request));
      const statuses = responses.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, ...Array<number>(19).fill(409)]);
      for (const response of responses) {
        if (response.status === 200) continue;
        expect(response.headers.get("retry-after")).toBe("1");
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        expect(await response.json()).toMatchObject({
          status: 409,
          title: "Conflict",
          code: "ERR_IN_FLIGHT",
        });
      }
    });

    test("with inFlight wait, the rest get the first response, or 409 after waitMs", async () => {
      const { opened, open: finish } = gate();
      const { opened: started, open: start } = gate();
      const options = { backend: open(), name: freshName(), tenant: () => "", inFlight: "wait" } as const;
      const respond = async () => {
        start();
        await opened;
        return new Response("done", { status: 201 });
      };
      const handler = idempotent(respond, { ...options, waitMs: 60_000 });
      const first = handler(post());
      await started;
      const rest = [handler(post()), handler(post())];
      const impatient = idempotent(respond, { ...options, waitMs: 100 });
      const refused = await passTime(impatient(post()), sleep);
      expect(await refused.json()).toMatchObject({ status: 409, code: "ERR_IN_FLIGHT" });
      expect(refused.headers.get("retry-after")).toBe("1");
      finish();
      expect((await first).headers.get("idempotent-replayed")).toBeNull();
      for (const response of await passTime(Promise.all(rest), sleep)) {
        expect(response.status).toBe(201);
        expect(response.headers.get("idempotent-replayed")).toBe("true");
        expect(await response.text()).toBe("done");
      }
    });

    test.each([
      ["body", post("{ }"), post("{}")],
      [
        "query",
        post("{}", {}, "https://shop.example/orders?n=1"),
        post("{}", {}, "https://shop.example/orders?n=2"),
      ],
      ["missing body", post(), post(null)],
    ])("another %s is 422, during the first request and after it", async (_, one, other) => {
      const { opened, open: finish } = gate();
      const { opened: started, open: start } = gate();
      const handler = make(async () => {
        start();
        await opened;
        return new Response("done");
      });
      const first = handler(one.clone() as Request);
      await started;
      expect(await (await handler(other.clone() as Request)).json()).toMatchObject({
        status: 422,
        code: "ERR_FINGERPRINT",
      });
      finish();
      await first;
      expect((await handler(other.clone() as Request)).status).toBe(422);
      expect((await handler(one.clone() as Request)).headers.get("idempotent-replayed")).toBe("true");
    });

    test.each([
      ["quoted", { "idempotency-key": '"k-1"' }],
      ["in the other header", { "x-idempotency-key": "k-1", "idempotency-key": undefined }],
      ["in both", { "x-idempotency-key": '"k-1"' }],
      ["bare", {}],
    ])("a key %s is the same key", async (_, given) => {
      const { handler, runs } = counting(() => new Response("done"));
      await handler(post());
      const request = post();
      for (const [name, value] of Object.entries(given)) {
        if (value === undefined) request.headers.delete(name);
        else request.headers.set(name, value);
      }
      expect((await handler(request)).headers.get("idempotent-replayed")).toBe("true");
      expect(runs()).toBe(1);
    });

    test("keys of different tenants, paths, methods and names are separate", async () => {
      const [backend, name] = [open(), freshName()];
      const made: string[] = [];
      const build = (name: string) =>
        idempotent(
          async (request: Request, tenant: string) => {
            made.push(`${request.method} ${new URL(request.url).pathname} ${tenant}`);
            return new Response(made.at(-1));
          },
          { backend, name, tenant: (_, tenant: string) => tenant },
        );
      const [handler, other] = [build(name), build(freshName())];
      const at = (path: string, method = "POST") =>
        new Request(`https://shop.example${path}`, { method, headers: { "idempotency-key": "k" } });
      for (let round = 0; round < 2; round++) {
        expect(await (await handler(at("/a"), "ann")).text()).toBe("POST /a ann");
        expect(await (await handler(at("/a"), "bob")).text()).toBe("POST /a bob");
        expect(await (await handler(at("/b"), "ann")).text()).toBe("POST /b ann");
        expect(await (await handler(at("/a", "PATCH"), "ann")).text()).toBe("PATCH /a ann");
        expect(await (await other(at("/a"), "ann")).text()).toBe("POST /a ann");
      }
      expect(made).toHaveLength(5);
    });

    test("a handler that throws counts as not run", async () => {
      let runs = 0;
      const error = new Error("no");
      const handler = make(() => {
        if (++runs === 1) throw error;
        return new Response("done");
      });
      await expect(handler(post())).rejects.toBe(error);
      expect(await (await handler(post("other"))).text()).toBe("done");
    });

    test.each([
      [200, true],
      [204, true],
      [302, true],
      [400, true],
      [404, true],
      [409, true],
      [401, false],
      [403, false],
      [429, false],
      [500, false],
      [503, false],
    ])("a %d is stored: %s", async (status, isStored) => {
      const { handler, runs } = counting((run) => new Response(status === 204 ? null : `${run}`, { status }));
      const texts: string[] = [];
      for (let call = 0; call < 2; call++) {
        const response = await handler(post());
        expect(response.status).toBe(status);
        texts.push(await response.text());
      }
      expect(runs()).toBe(isStored ? 1 : 2);
      expect(texts).toEqual(status === 204 ? ["", ""] : isStored ? ["1", "1"] : ["1", "2"]);
    });

    test("keeps decides which statuses are stored, and a 401 never is", async () => {
      const keeps = (status: number) => status === 500 || status === 401;
      for (const [status, runsOf] of [
        [500, 1],
        [404, 2],
        [401, 2],
      ] as const) {
        const { handler, runs } = counting(() => new Response("", { status }), { keeps });
        await handler(post());
        await handler(post());
        expect(runs()).toBe(runsOf);
      }
    });

    test("replays any bytes, an empty body and no body", async () => {
      // A response is stored in base64.
      const bytes = Uint8Array.from(
        { length: Math.min(70_000, longestValue / 2) },
        (_, at) => (at * 7919) % 256,
      );
      for (const body of [bytes, new Uint8Array(0), null, "\0\u{1F9A9}"]) {
        const { handler } = counting(() => new Response(body));
        const first = await (await handler(post())).arrayBuffer();
        const again = await (await handler(post())).arrayBuffer();
        expect(again).toEqual(first);
        expect(first.byteLength).toBe(typeof body === "string" ? 5 : (body?.length ?? 0));
      }
    });

    test("does not replay cookies and hop-by-hop headers", async () => {
      const { handler } = counting(() => {
        const response = new Response("done", {
          headers: { connection: "close, X-Mine", "x-mine": "1", "keep-alive": "timeout=5", etag: '"e"' },
        });
        response.headers.append("set-cookie", "a=1; HttpOnly");
        response.headers.append("set-cookie", "b=2");
        return response;
      });
      const first = await handler(post());
      expect(first.headers.getSetCookie()).toEqual(["a=1; HttpOnly", "b=2"]);
      const again = await handler(post());
      expect(again.headers.getSetCookie()).toEqual([]);
      for (const name of ["connection", "x-mine", "keep-alive"]) expect(again.headers.get(name)).toBeNull();
      expect(again.headers.get("etag")).toBe('"e"');
    });

    test("a response above maxBytes reaches its client whole, and is not stored", async () => {
      const large = new Uint8Array(5000).fill(7);
      const { handler, runs } = counting(() => new Response(large, { status: 201 }), { maxBytes: 4999 });
      const first = await handler(post());
      expect(first.status).toBe(201);
      expect(new Uint8Array(await first.arrayBuffer())).toEqual(large);
      const again = await handler(post());
      expect(await again.json()).toMatchObject({ status: 409, code: "ERR_NOT_KEPT" });
      expect(again.headers.get("retry-after")).toBeNull();
      expect(runs()).toBe(1);
    });

    test("the fingerprint is the SHA-256 of the body", async () => {
      const [backend, name] = [open(), freshName()];
      const handler = idempotent(() => new Response("done"), { backend, name, tenant: () => "t" });
      await handler(post("abc"));
      const scope = await fingerprint(JSON.stringify(["t", "POST", "/orders", "k-1"]));
      const store = oncePort(backend, name);
      const request = { owner: "x", lockMs: LONG, keepMs: LONG };
      const print = await fingerprint("abc");
      expect(await store.acquire(scope, { ...request, fingerprint: print })).toMatchObject({
        outcome: "completed",
      });
      expect(await store.acquire(scope, { ...request, fingerprint: "x" })).toEqual({ outcome: "mismatch" });
    });
  });
}
