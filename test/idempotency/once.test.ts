// Running once when something is wrong: bad arguments, stores that are down, late or make no sense.

import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  type Backend,
  BackendError,
  type MemoryPort,
  memory,
  type RedisPort,
  type SqlPort,
} from "../../src/backend/index.ts";
import {
  ArgumentError,
  fingerprint,
  Idempotency,
  type IdempotencyOptions,
  LockLostError,
  type Once,
  UnsupportedError,
} from "../../src/idempotency/index.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What a call is refused with. */
const refusal = (call: Promise<unknown>) =>
  call.then(
    (value) => {
      throw new Error(`not refused, but ${JSON.stringify(value)}`);
    },
    (error) => error,
  );

/** A store in memory that fails at some of its calls, by their number from 1. */
function failingAt(...numbers: number[]): MemoryPort & { calls: number } {
  const port = memory();
  return {
    calls: 0,
    change(name, change) {
      this.calls++;
      if (numbers.includes(this.calls)) throw new Error("connection lost");
      return port.change(name, change);
    },
  };
}

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
    ["onFailure", { onFailure: "open" }],
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
      onFailure: undefined,
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
  ])("a wrong %s is refused, and the store not asked", async (field, args) => {
    const backend = failingAt();
    const once = new Idempotency({ backend, name: "n", onFailure: "bypass" });
    const error = await refusal(once.once(...(args as Parameters<typeof once.once>)));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toHaveProperty("field", field);
    expect(backend.calls).toBe(0);
  });

  test("types", () => {
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

describe("a store that is down", () => {
  test("at the beginning: nothing is run, and it says so", async () => {
    const work = vi.fn(() => 1);
    const once = new Idempotency({ backend: failingAt(1), name: "n" });
    expect(await refusal(once.once("k", "f", work))).toBeInstanceOf(BackendError);
    expect(work).not.toHaveBeenCalled();
    expect(await once.once("k", "f", work)).toEqual({ value: 1, isReplay: false });
  });

  test("at the beginning, told to bypass: the work is run, and the result says why", async () => {
    const once = new Idempotency({ backend: failingAt(1), name: "n", onFailure: "bypass" });
    const { value, isReplay, error } = await once.once("k", "f", (signal) => signal.aborted);
    expect([value, isReplay]).toEqual([false, false]);
    expect(error).toBeInstanceOf(BackendError);
    expect(await once.once("k", "f", () => 2)).toEqual({ value: 2, isReplay: false });
  });

  test("at the beginning, told to bypass: what the work throws is thrown", async () => {
    const once = new Idempotency({ backend: failingAt(1), name: "n", onFailure: "bypass" });
    const error = new Error("no");
    expect(await refusal(once.once("k", "f", () => Promise.reject(error)))).toBe(error);
  });

  test("at the end, for a moment: the result is kept all the same", async () => {
    const once = new Idempotency({ backend: failingAt(2), name: "n" });
    expect(await once.once("k", "f", () => 1)).toEqual({ value: 1, isReplay: false });
    expect(await once.once("k", "f", () => 2)).toEqual({ value: 1, isReplay: true });
  });

  test("at the end: a result that is not kept is not given", async () => {
    const once = new Idempotency({ backend: failingAt(2, 3), name: "n" });
    expect(await refusal(once.once("k", "f", () => 1))).toMatchObject({
      code: "ERR_BACKEND",
      operation: "idempotency: complete",
    });
    expect(await refusal(once.once("k", "f", () => 2))).toHaveProperty("code", "ERR_IN_FLIGHT");
  });

  test("at the end, told to bypass: it is given, with the error", async () => {
    const once = new Idempotency({ backend: failingAt(2, 3), name: "n", onFailure: "bypass" });
    const { value, error } = await once.once("k", "f", () => 1);
    expect(value).toBe(1);
    expect(error).toBeInstanceOf(BackendError);
  });

  test("at the release: what the work threw is what is thrown", async () => {
    const once = new Idempotency({ backend: failingAt(2), name: "n" });
    const error = new Error("no");
    expect(await refusal(once.once("k", "f", () => Promise.reject(error)))).toBe(error);
    expect(await refusal(once.once("k", "f", () => 1))).toHaveProperty("code", "ERR_IN_FLIGHT");
  });

  test("a store whose clock is broken is an error, and not passed by", async () => {
    const backend = memory({ clock: () => Number.NaN });
    const once = new Idempotency({ backend, name: "n", onFailure: "bypass" });
    expect(await refusal(once.once("k", "f", () => 1))).toBeInstanceOf(ArgumentError);
  });

  test("a BackendError of the work's own is its, not the store's", async () => {
    const error = new BackendError("counter: reserve", "failed", "no");
    for (const onFailure of ["fail", "bypass"] as const) {
      const once = new Idempotency({ backend: memory(), name: "n", onFailure });
      expect(await refusal(once.once("k", "f", () => Promise.reject(error)))).toBe(error);
    }
  });
});

/** A Redis that answers what it is told, when it is told. */
class Scripted implements RedisPort {
  readonly timeoutMs = 5000;
  readonly sent: string[] = [];
  readonly answers: unknown[];
  constructor(...answers: unknown[]) {
    this.answers = answers;
  }
  async eval(script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const what = ["HSET", "HDEL", "DEL"].filter((word) => script.includes(`'${word}'`)).join(" ");
    this.sent.push(`${what} ${args.length}`);
    const answer = this.answers.shift();
    return typeof answer === "function" ? answer() : answer;
  }
}

describe("a store that is slow", () => {
  test("a key that it takes after its time is given back", async () => {
    vi.useFakeTimers();
    let answer = (_: unknown) => {};
    const backend = new Scripted(
      new Promise((resolve) => {
        answer = resolve;
      }),
      "yes",
    );
    const call = refusal(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    await vi.advanceTimersByTimeAsync(5000);
    expect(await call).toMatchObject({ reason: "timeout" });
    expect(backend.sent).toEqual(["HSET 4"]);
    answer("started");
    await vi.advanceTimersByTimeAsync(0);
    expect(backend.sent).toEqual(["HSET 4", "DEL 1"]);
  });

  test("one that another has is left alone", async () => {
    vi.useFakeTimers();
    const slow = new Promise((resolve) => setTimeout(() => resolve("running 5"), 6000));
    const backend = new Scripted(slow);
    const call = refusal(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    await vi.advanceTimersByTimeAsync(7000);
    expect(await call).toMatchObject({ reason: "timeout" });
    expect(backend.sent).toEqual(["HSET 4"]);
  });
});

describe("the lock", () => {
  /** Work that takes so long, under fake timers, and what its signal says of it. */
  const working = (once: Idempotency, ms: number) => {
    let signal = new AbortController().signal;
    const call = once.once("k", "f", async (given) => {
      signal = given;
      await new Promise((wake) => setTimeout(wake, ms));
      return 1;
    });
    return { outcome: call.catch((error) => error), reason: () => signal.reason };
  };

  test("is extended three times in its time, and no more when the work is done", async () => {
    vi.useFakeTimers();
    const backend = new Scripted("started", "yes", "yes", "yes", "yes");
    const { outcome } = working(new Idempotency({ backend, name: "n", lockMs: 3000 }), 3500);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toEqual({ value: 1, isReplay: false });
    expect(backend.sent).toEqual(
      ["HSET 4", "HSET 3", "HSET 3", "HSET 3", "HDEL 3"].map((sent) => sent.replace("HDEL", "HSET HDEL")),
    );
  });

  test("that is another's aborts the work, and its result is not taken", async () => {
    vi.useFakeTimers();
    const backend = new Scripted("started", "yes", "no", "no");
    const { outcome, reason } = working(new Idempotency({ backend, name: "n", lockMs: 3000 }), 10_000);
    await vi.advanceTimersByTimeAsync(1999);
    expect(reason()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(reason()).toBeInstanceOf(LockLostError);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toBeInstanceOf(LockLostError);
    expect(backend.sent).toHaveLength(4);
  });

  test("that cannot be extended aborts the work when it may have ended, not before", async () => {
    vi.useFakeTimers();
    const backend = new Scripted("started", "yes");
    const { outcome, reason } = working(new Idempotency({ backend, name: "n", lockMs: 3000 }), 6000);
    await vi.advanceTimersByTimeAsync(1000);
    backend.answers.push(...[1, 2, 3, 4, 5].map(() => undefined));
    // Extended at 1000, and so until 4000.
    await vi.advanceTimersByTimeAsync(2990);
    expect(reason()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(20);
    expect(reason()).toBeInstanceOf(LockLostError);
    backend.answers.splice(0);
    backend.answers.push("yes");
    await vi.advanceTimersByTimeAsync(5000);
    // Nobody has taken it meanwhile.
    expect(await outcome).toEqual({ value: 1, isReplay: false });
  });

  test("is extended until the store has the result, and what becomes of it then aborts nobody", async () => {
    vi.useFakeTimers();
    const slow = () => new Promise((resolve) => setTimeout(() => resolve("yes"), 4000));
    const backend = new Scripted("started", slow, "yes", "yes", "no");
    const { outcome, reason } = working(new Idempotency({ backend, name: "n", lockMs: 3000 }), 500);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toEqual({ value: 1, isReplay: false });
    expect(reason()).toBeUndefined();
    expect(backend.sent).toEqual(["HSET 4", "HSET HDEL 3", "HSET 3", "HSET 3", "HSET 3"]);
  });

  test("that could not be extended once is extended the next time", async () => {
    vi.useFakeTimers();
    const backend = new Scripted("started", "nonsense", "yes", "yes", "yes");
    const { outcome, reason } = working(new Idempotency({ backend, name: "n", lockMs: 3000 }), 3900);
    await vi.advanceTimersByTimeAsync(5000);
    expect(reason()).toBeUndefined();
    expect(await outcome).toEqual({ value: 1, isReplay: false });
  });

  test("an answer that comes when the work is done changes nothing", async () => {
    vi.useFakeTimers();
    const late = (answer: unknown) => () => new Promise((resolve) => setTimeout(() => resolve(answer), 900));
    for (const answer of ["no", "nonsense"]) {
      const backend = new Scripted("started", late(answer), "yes");
      const { outcome, reason } = working(new Idempotency({ backend, name: "n", lockMs: 3000 }), 1500);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await outcome).toEqual({ value: 1, isReplay: false });
      expect(reason()).toBeUndefined();
    }
  });
});

describe("an answer that makes no sense", () => {
  const sql = (answer: unknown): SqlPort => ({ dialect: "postgres", query: async () => answer as [] });
  const lists: [string, (answer: unknown) => Backend, unknown[]][] = [
    [
      "Redis",
      (answer) => new Scripted(answer),
      [
        null,
        undefined,
        1,
        "",
        "yes",
        "running",
        "running x",
        "running 0",
        "running -5",
        "running 1.5",
        "started?",
        ["started"],
      ],
    ],
    [
      "memory",
      (answer) => ({ change: () => answer as never }),
      [
        null,
        undefined,
        1,
        "started",
        {},
        { outcome: "x" },
        { outcome: "running" },
        { outcome: "completed" },
        { outcome: "running", waitMs: "5" },
      ],
    ],
    ["SQL", sql, [null, undefined, "rows", [1, 2], {}]],
  ];
  for (const [name, make, answers] of lists) {
    test.each(answers.map((answer) => [answer]))(`of ${name}, %j, is an error`, async (answer) => {
      const work = vi.fn(() => 1);
      const error = await refusal(new Idempotency({ backend: make(answer), name: "n" }).once("k", "f", work));
      expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
      expect(work).not.toHaveBeenCalled();
    });
  }

  test.each([
    [[{ fingerprint: 5, value: null, wait: "5" }]],
    [[{ fingerprint: "f", value: 5, wait: null }]],
    [[{ fingerprint: "f", value: null, wait: "x" }]],
  ])("of SQL's second look, %j, is an error", async (rows) => {
    const answers: unknown[] = [[], [], rows];
    const backend: SqlPort = { dialect: "sqlite", query: async () => answers.shift() as [] };
    expect(await refusal(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1))).toMatchObject({
      reason: "answer",
    });
  });

  test("a key in SQL that is always taken, and always free, is no endless matter", async () => {
    const backend: SqlPort = { dialect: "postgres", query: async () => [] };
    const error = await refusal(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed" });
  });
});

test("a result may be deep", async () => {
  let deep: unknown = 1;
  for (let level = 0; level < 1000; level++) deep = level % 2 ? [deep] : { deep };
  const once = new Idempotency({ backend: memory(), name: "n" });
  await once.once("k", "f", () => deep);
  expect(await once.once("k", "f", () => 1)).toEqual({ value: deep, isReplay: true });
});

describe("fingerprint", () => {
  test("is the SHA-256 of bytes, or of a text's", async () => {
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(await fingerprint("")).toBe(empty);
    expect(await fingerprint(new Uint8Array(0))).toBe(empty);
    expect(await fingerprint("ü")).toBe(await fingerprint(new Uint8Array([0xc3, 0xbc])));
    expect(await fingerprint(new Uint8Array(8).subarray(2, 4))).toBe(await fingerprint("\0\0"));
    expect(await fingerprint(Buffer.from("abc"))).toBe(await fingerprint("abc"));
    // The platform's digest refuses memory that threads share.
    expect(await fingerprint(new Uint8Array(new SharedArrayBuffer(2)))).toBe(await fingerprint("\0\0"));
  });

  test.each([["\ud800"], [undefined], [null], [5], [[1, 2]], [new ArrayBuffer(4)]])(
    "is not taken of %o",
    async (data) => {
      expect(await refusal(fingerprint(data as unknown as string))).toMatchObject({
        code: "ERR_ARGUMENT",
        field: "data",
      });
    },
  );

  test("says so where there is no crypto", async () => {
    vi.stubGlobal("crypto", undefined);
    expect(await refusal(fingerprint("x"))).toBeInstanceOf(UnsupportedError);
    vi.stubGlobal("crypto", {});
    expect(await refusal(fingerprint("x"))).toMatchObject({ feature: "crypto.subtle" });
  });
});
