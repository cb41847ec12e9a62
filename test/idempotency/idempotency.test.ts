// Idempotency: options, failing stores, owners and slow stores.

import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { BackendError, memory, type RedisPort } from "../../src/backend/index.ts";
import {
  ArgumentError,
  Idempotency,
  type IdempotencyOptions,
  type KeyState,
  type Once,
  UnsupportedError,
} from "../../src/idempotency/index.ts";
import { errorOf, failingAt, ScriptedRedis } from "./fakePorts.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("options", () => {
  const good = { backend: memory(), name: "n" };
  test.each<[string, object]>([
    ["backend", { backend: {} }],
    ["backend", { backend: undefined }],
    ["name", { name: "" }],
    ["name", { name: "{x}" }],
    ["name", { name: "x".repeat(101) }],
    ["ttlMs", { ttlMs: 0 }],
    ["ttlMs", { ttlMs: 1.5 }],
    ["ttlMs", { ttlMs: Number.NaN }],
    ["ttlMs", { ttlMs: Infinity }],
    ["ttlMs", { ttlMs: "1" }],
    ["lockMs", { lockMs: 99 }],
    ["lockMs", { lockMs: 2 ** 31 }],
    ["maxBytes", { maxBytes: -1 }],
    ["maxBytes", { maxBytes: 2 ** 28 + 1 }],
    ["onStoreError", { onStoreError: "bypass" }],
    ["onStoreError", { onStoreError: "open" }],
    ["onStoreError", { onStoreError: null }],
    ["onFailure", { onFailure: "open" }],
    ["onFailure", { onFailure: "allow" }],
    ["onFailure", { onFailure: null }],
    ["onFailure", { onFailure: "fail", onStoreError: "fail" }],
    ["onFailure", { onFailure: "bypass", onStoreError: "allow" }],
    ["inFlight", { inFlight: "queue" }],
    ["inFlight", { inFlight: null }],
    ["waitMs", { waitMs: 5 }],
    ["waitMs", { inFlight: "reject", waitMs: 5 }],
    ["waitMs", { inFlight: "wait", waitMs: 0 }],
    ["waitMs", { inFlight: "wait", waitMs: 2 ** 31 }],
    ["waitMs", { inFlight: "wait", waitMs: 1.5 }],
    ["onHit", { onHit: "log" }],
    ["onMiss", { onMiss: null }],
    ["onConflict", { onConflict: {} }],
    ["option", { ttl: 5 }],
  ])("a wrong %s is refused: %o", (field, wrong) => {
    expect(() => new Idempotency({ ...good, ...wrong } as IdempotencyOptions)).toThrow(ArgumentError);
    try {
      new Idempotency({ ...good, ...wrong } as IdempotencyOptions);
    } catch (error) {
      expect(error).toHaveProperty("field", field);
    }
  });

  test("an undefined option is its default", () => {
    const once = new Idempotency({
      ...good,
      ttlMs: undefined,
      lockMs: undefined,
      maxBytes: undefined,
      onStoreError: undefined,
      onFailure: undefined,
      inFlight: undefined,
      waitMs: undefined,
      onHit: undefined,
      onMiss: undefined,
      onConflict: undefined,
    });
    expect(once.name).toBe("n");
    expect(once.backend).toBe(good.backend);
  });

  test.each<[string, unknown[]]>([
    ["key", ["", "f", () => 1]],
    ["key", ["x".repeat(256), "f", () => 1]],
    ["key", ["a\0b", "f", () => 1]],
    ["key", ["\ud800", "f", () => 1]],
    ["key", [5, "f", () => 1]],
    ["fingerprint", ["k", "", () => 1]],
    ["fingerprint", ["k", undefined, () => 1]],
    ["work", ["k", "f", undefined]],
    ["work", ["k", "f", "work"]],
    ["options", ["k", "f", () => 1, 5]],
    ["option", ["k", "f", () => 1, { sign: 1 }]],
    ["signal", ["k", "f", () => 1, { signal: new AbortController() }]],
    ["signal", ["k", "f", () => 1, { signal: null }]],
    ["transaction", ["k", "f", () => 1, { transaction: failingAt() }]],
  ])("a wrong %s is refused before the store is called", async (field, args) => {
    const backend = failingAt();
    const once = new Idempotency({ backend, name: "n", onStoreError: "allow" });
    const error = await errorOf(once.once(...(args as Parameters<typeof once.once>)));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toHaveProperty("field", field);
    expect(backend.calls).toBe(0);
  });

  test("types: the result is the work's, the signal an AbortSignal, and onStoreError is fail or allow", () => {
    expectTypeOf<IdempotencyOptions["onStoreError"]>().toEqualTypeOf<"fail" | "allow" | undefined>();
    expectTypeOf<IdempotencyOptions["onFailure"]>().toEqualTypeOf<"fail" | "bypass" | undefined>();
    const once = new Idempotency(good);
    expectTypeOf(once.once("k", "f", async () => ({ id: "1" }))).toEqualTypeOf<
      Promise<Once<{ id: string }>>
    >();
    expectTypeOf(once.once<number>)
      .parameter(2)
      .parameter(0)
      .toEqualTypeOf<AbortSignal>();
  });
});

describe("a store that fails", () => {
  test("at the acquire: no work runs, and the call throws", async () => {
    const work = vi.fn(() => 1);
    const once = new Idempotency({ backend: failingAt(1), name: "n" });
    expect(await errorOf(once.once("k", "f", work))).toBeInstanceOf(BackendError);
    expect(work).not.toHaveBeenCalled();
    expect(await once.once("k", "f", work)).toEqual({ value: 1, isReplay: false });
  });

  test.each([{ onStoreError: "allow" }, { onFailure: "bypass" }] as const)(
    "at the acquire, with %o: the work runs, and the result has the error",
    async (option) => {
      const once = new Idempotency({ backend: failingAt(1), name: "n", ...option });
      const { value, isReplay, error } = await once.once("k", "f", (signal) => signal.aborted);
      expect([value, isReplay]).toEqual([false, false]);
      expect(error).toBeInstanceOf(BackendError);
      expect(await once.once("k", "f", () => 2)).toEqual({ value: 2, isReplay: false });
    },
  );

  test("at the acquire, with onStoreError allow: an error of the work is thrown", async () => {
    const once = new Idempotency({ backend: failingAt(1), name: "n", onStoreError: "allow" });
    const error = new Error("no");
    expect(await errorOf(once.once("k", "f", () => Promise.reject(error)))).toBe(error);
  });

  test("at the first complete only: the result is stored", async () => {
    const once = new Idempotency({ backend: failingAt(2), name: "n" });
    expect(await once.once("k", "f", () => 1)).toEqual({ value: 1, isReplay: false });
    expect(await once.once("k", "f", () => 2)).toEqual({ value: 1, isReplay: true });
  });

  test.each(["fail", "allow"] as const)(
    "at both completes with the result, with onStoreError %s: the work is done without one, and does not run again",
    async (onStoreError) => {
      const once = new Idempotency({ backend: failingAt(2, 3), name: "n", onStoreError });
      const { value, isReplay, error } = await once.once("k", "f", () => 1);
      expect([value, isReplay]).toEqual([1, false]);
      expect(error).toMatchObject({ code: "ERR_BACKEND", operation: "idempotency: complete" });
      expect(await errorOf(once.once("k", "f", () => 2))).toHaveProperty("code", "ERR_NOT_KEPT");
    },
  );

  test("at both completes with the result, but after it has stored it: the result is kept", async () => {
    const backend = failingAt(3);
    const { change } = backend;
    let isLost = true;
    backend.change = (name, step) => {
      const result = change.call(backend, name, step as never) as never;
      if (backend.calls !== 2 || !isLost) return result;
      isLost = false;
      throw new Error("the answer was lost");
    };
    const once = new Idempotency({ backend, name: "n" });
    expect(await once.once("k", "f", () => 1)).toEqual({ value: 1, isReplay: false });
    expect(await once.once("k", "f", () => 2)).toEqual({ value: 1, isReplay: true });
  });

  test("at both completes with the result, and another call takes the key over: the lock is lost", async () => {
    const backend = failingAt(2, 3);
    const once = new Idempotency({ backend, name: "n" });
    const { change } = backend;
    backend.change = (name, step) => {
      // The fourth call finds the record of another owner.
      if (backend.calls === 3)
        change.call(backend, name, () => [
          new Map([["k", { ...taken, ends: Date.now() + 1000 }]]),
          undefined,
        ]);
      return change.call(backend, name, step as never) as never;
    };
    const taken = { fingerprint: "f", owner: "another", lockedUntil: null, lockMs: 1000, value: "3" };
    expect(await errorOf(once.once("k", "f", () => 1))).toHaveProperty("code", "ERR_LOCK_LOST");
  });

  test.each([
    ["acquire", [2, 3, 4]],
    ["complete", [2, 3, 5]],
  ])(
    "at both completes, and at the %s after them: a result that is not stored is not returned",
    async (name, calls) => {
      const once = new Idempotency({ backend: failingAt(...calls), name: "n" });
      expect(await errorOf(once.once("k", "f", () => 1))).toMatchObject({
        code: "ERR_BACKEND",
        operation: `idempotency: ${name}`,
      });
      expect(await errorOf(once.once("k", "f", () => 2))).toHaveProperty("code", "ERR_IN_FLIGHT");
    },
  );

  test("at all completes, with onStoreError allow: the result is returned with the error", async () => {
    const once = new Idempotency({ backend: failingAt(2, 3, 4), name: "n", onStoreError: "allow" });
    const { value, error } = await once.once("k", "f", () => 1);
    expect(value).toBe(1);
    expect(error).toBeInstanceOf(BackendError);
    expect(await errorOf(once.once("k", "f", () => 2))).toHaveProperty("code", "ERR_IN_FLIGHT");
  });

  test("at the release: the error of the work is thrown", async () => {
    const once = new Idempotency({ backend: failingAt(2), name: "n" });
    const error = new Error("no");
    expect(await errorOf(once.once("k", "f", () => Promise.reject(error)))).toBe(error);
    expect(await errorOf(once.once("k", "f", () => 1))).toHaveProperty("code", "ERR_IN_FLIGHT");
  });

  test("a broken clock of the store is an error, also with onStoreError allow", async () => {
    const backend = memory({ clock: () => Number.NaN });
    const once = new Idempotency({ backend, name: "n", onStoreError: "allow" });
    expect(await errorOf(once.once("k", "f", () => 1))).toBeInstanceOf(ArgumentError);
  });

  test("a BackendError of the work counts as the work's", async () => {
    const error = new BackendError("counter: reserve", "failed", "no");
    for (const onStoreError of ["fail", "allow"] as const) {
      const once = new Idempotency({ backend: memory(), name: "n", onStoreError });
      expect(await errorOf(once.once("k", "f", () => Promise.reject(error)))).toBe(error);
    }
  });
});

describe("an owner", () => {
  /** Creates a store that notes the owner of each acquire. */
  const recordOwners = () => {
    const owners: string[] = [];
    const port: RedisPort = {
      eval: async (_script, _keys, args) => {
        if (args.length === 4) owners.push(args[0] as string);
        return args.length === 4 ? "acquired" : "yes";
      },
    };
    return { owners, once: new Idempotency({ backend: port, name: "n" }) };
  };

  test("is drawn for each run, at its acquire", async () => {
    const { owners, once } = recordOwners();
    const requested: number[] = [];
    const sound = crypto.getRandomValues.bind(crypto);
    vi.stubGlobal("crypto", {
      getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => {
        requested.push(bytes.length);
        return sound(bytes);
      },
      // A constant, as in a test or a process snapshot.
      randomUUID: () => "00000000-0000-4000-8000-000000000000",
    });
    for (let i = 0; i < 3; i++) await once.once("k", "f", () => i);
    expect(requested).toEqual([16, 16, 16]);
    expect(new Set(owners).size).toBe(3);
    for (const owner of owners) expect(owner).toMatch(/^[0-9A-Za-z]{21,}$/);
  });

  test("is not drawn from a stub of crypto: no work runs", async () => {
    const { owners, once } = recordOwners();
    const work = vi.fn();
    vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array) => bytes });
    expect(await errorOf(once.once("k", "f", work))).toBeInstanceOf(UnsupportedError);
    vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) });
    expect(await errorOf(once.once("k", "f", work))).toBeInstanceOf(UnsupportedError);
    expect(work).not.toHaveBeenCalled();
    expect(owners).toEqual([]);
  });
});

describe("a slow store", () => {
  test("a lock that it acquires after the timeout is released", async () => {
    vi.useFakeTimers();
    let answer = (_: unknown) => {};
    const backend = new ScriptedRedis(
      new Promise((resolve) => {
        answer = resolve;
      }),
      "yes",
    );
    const call = errorOf(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    await vi.advanceTimersByTimeAsync(5000);
    expect(await call).toMatchObject({ reason: "timeout" });
    expect(backend.sent).toEqual(["HSET 4"]);
    answer("acquired");
    await vi.advanceTimersByTimeAsync(0);
    expect(backend.sent).toEqual(["HSET 4", "DEL 1"]);
  });

  test("a late answer about another owner's lock releases nothing", async () => {
    vi.useFakeTimers();
    const slow = new Promise((resolve) => setTimeout(() => resolve("running 5"), 6000));
    const backend = new ScriptedRedis(slow);
    const call = errorOf(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    await vi.advanceTimersByTimeAsync(7000);
    expect(await call).toMatchObject({ reason: "timeout" });
    expect(backend.sent).toEqual(["HSET 4"]);
  });
});

describe("peek and forget", () => {
  test.each(["", "x".repeat(256), 5, undefined])(
    "refuse the key %j before the store is called",
    async (key) => {
      const backend = failingAt();
      const once = new Idempotency({ backend, name: "n" });
      for (const call of [once.peek(key as string), once.forget(key as string)]) {
        expect(await errorOf(call)).toMatchObject({ code: "ERR_ARGUMENT", field: "key" });
      }
      expect(backend.calls).toBe(0);
    },
  );

  test("throw if the store fails, whatever onStoreError is", async () => {
    for (const onStoreError of ["fail", "allow"] as const) {
      const once = new Idempotency({ backend: failingAt(1, 2), name: "n", onStoreError });
      expect(await errorOf(once.peek("k"))).toMatchObject({ operation: "idempotency: peek" });
      expect(await errorOf(once.forget("k"))).toMatchObject({ operation: "idempotency: forget" });
    }
  });

  test("types: the value is unknown, or the type argument's", async () => {
    const once = new Idempotency({ backend: memory(), name: "n" });
    const found = await once.peek<{ id: string }>("k");
    if (found.state === "completed") expectTypeOf(found.value).toEqualTypeOf<{ id: string } | undefined>();
    if (found.state === "in-progress") expectTypeOf(found.lockedMs).toEqualTypeOf<number>();
    expectTypeOf(once.peek("k")).toEqualTypeOf<Promise<KeyState<unknown>>>();
    expect(found).toEqual({ state: "absent" });
  });
});

test("a result may be nested deeply", async () => {
  let deep: unknown = 1;
  for (let level = 0; level < 1000; level++) deep = level % 2 ? [deep] : { deep };
  const once = new Idempotency({ backend: memory(), name: "n" });
  await once.once("k", "f", () => deep);
  expect(await once.once("k", "f", () => 1)).toEqual({ value: deep, isReplay: true });
});
