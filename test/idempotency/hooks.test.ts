// Hooks: one for each answer of the store, and none changes the outcome of a call.

import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import {
  Idempotency,
  type IdempotencyOptions,
  idempotent,
  type KeyConflict,
  type KeyEvent,
} from "../../src/idempotency/index.ts";
import { errorOf, failingAt, ScriptedRedis } from "./fakePorts.ts";

/** Creates hooks that note their events. */
function recordEvents() {
  const events: unknown[] = [];
  const note = (name: string) => (event: KeyEvent) => void events.push([name, event]);
  return { events, hooks: { onHit: note("hit"), onMiss: note("miss"), onConflict: note("conflict") } };
}

describe("once", () => {
  test("reports a miss before the work, then hits and conflicts", async () => {
    const { events, hooks } = recordEvents();
    const once = new Idempotency({ backend: memory(), name: "n", maxBytes: 9, ...hooks });
    await once.once("k", "f", async () => {
      events.push("work");
      expect(await errorOf(once.once("k", "f", () => 1))).toHaveProperty("code", "ERR_IN_FLIGHT");
    });
    await once.once("k", "f", () => 1);
    await errorOf(once.once("k", "g", () => 1));
    await once.once("l", "f", () => "0123456789");
    await errorOf(once.once("l", "f", () => 1));
    expect(events).toEqual([
      ["miss", { key: "k" }],
      "work",
      ["conflict", { key: "k", reason: "in-flight" }],
      ["hit", { key: "k" }],
      ["conflict", { key: "k", reason: "fingerprint" }],
      ["miss", { key: "l" }],
      ["conflict", { key: "l", reason: "not-kept" }],
    ]);
  });

  test("reports nothing while it waits, and nothing if the store fails", async () => {
    const { events, hooks } = recordEvents();
    const options = { name: "n", inFlight: "wait", onStoreError: "allow", ...hooks } as const;
    const backend = new ScriptedRedis("running 900", "running 800", "completed 1", "completed 1");
    expect(await new Idempotency({ backend, ...options }).once("k", "f", () => 2)).toMatchObject({
      value: 1,
    });
    expect(events).toEqual([["hit", { key: "k" }]]);
    await new Idempotency({ backend: failingAt(1), ...options }).once("k", "f", () => 2);
    expect(events).toHaveLength(1);
  });
});

describe("a hook", () => {
  const throwing = () => {
    throw new Error("hook");
  };
  const rejecting = () => Promise.reject(new Error("hook"));
  const hanging = () => new Promise<never>(() => {});

  test.each([
    ["throws", throwing],
    ["rejects", rejecting],
    ["hangs", hanging],
  ])("that %s changes nothing", async (_, hook) => {
    const options = { backend: memory(), name: "n", onHit: hook, onMiss: hook, onConflict: hook };
    const once = new Idempotency(options);
    expect(await once.once("k", "f", () => 1)).toEqual({ value: 1, isReplay: false });
    expect(await once.once("k", "f", () => 2)).toEqual({ value: 1, isReplay: true });
    expect(await errorOf(once.once("k", "g", () => 2))).toHaveProperty("code", "ERR_FINGERPRINT");
    const handler = idempotent(() => new Response("done"), { ...options, tenant: () => "" });
    const post = (body: string) =>
      new Request("https://shop.example/", { method: "POST", body, headers: { "idempotency-key": "k" } });
    expect((await handler(post("a"))).status).toBe(200);
    expect((await handler(post("a"))).status).toBe(200);
    expect((await handler(post("b"))).status).toBe(422);
  });

  test("of idempotent gets the client's key and the request", async () => {
    const { events, hooks } = recordEvents();
    const handler = idempotent(() => new Response("done"), {
      backend: memory(),
      name: "n",
      tenant: () => "",
      ...hooks,
    });
    const post = (headers: Readonly<Record<string, string>>) =>
      new Request("https://shop.example/", { method: "POST", body: "a", headers });
    const requests = [post({ "idempotency-key": '"k"' }), post({ "idempotency-key": "k" })];
    for (const request of requests) await handler(request);
    // Without a key there is no answer of the store.
    await handler(post({}));
    expect(events).toHaveLength(2);
    for (const [at, name] of ["miss", "hit"].entries()) {
      expect(events[at]).toEqual([name, { key: "k", request: expect.any(Request) }]);
      expect((events[at] as [string, { request: Request }])[1].request).toBe(requests[at]);
    }
  });

  test("may be an object's method without its object", async () => {
    const metrics = { hits: vi.fn() };
    const once = new Idempotency({ backend: memory(), name: "n", onHit: metrics.hits });
    await once.once("k", "f", () => 1);
    await once.once("k", "f", () => 1);
    expect(metrics.hits).toHaveBeenCalledExactlyOnceWith({ key: "k" });
  });

  test("types: a conflict has a reason", () => {
    expectTypeOf<NonNullable<IdempotencyOptions["onHit"]>>().parameters.toEqualTypeOf<[KeyEvent]>();
    expectTypeOf<NonNullable<IdempotencyOptions["onConflict"]>>().parameters.toEqualTypeOf<[KeyConflict]>();
    expectTypeOf<KeyConflict["reason"]>().toEqualTypeOf<"in-flight" | "fingerprint" | "not-kept">();
  });
});
