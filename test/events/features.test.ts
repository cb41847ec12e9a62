// The events of leases, pools, idempotency keys and rate limits: each fact is published once, whatever wraps the call.

import { afterEach, describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory, type SqlPort } from "../../src/backend/index.ts";
import { Idempotency, idempotent } from "../../src/idempotency/index.ts";
import { LeaseExpiredError, leaseNode } from "../../src/lease/index.ts";
import { IdPool, IdPoolEmptyError, NumericIdType } from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import { CLAIM_MS } from "../../src/numeric/refill.ts";
import { RateLimit, type RateLimitOptions, rateLimited } from "../../src/ratelimit/index.ts";
import { errorOf, failingAt } from "../idempotency/fakePorts.ts";
import { FakeRedis } from "../ratelimit/fakePorts.ts";
import { countsOf, delivered, recordEvents } from "./recordEvents.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("leases", () => {
  const NOW = Date.UTC(2026, 10, 21);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  /** A store that can fail. */
  function switchable(): MemoryPort & { isDown: boolean } {
    const store = memory();
    return {
      isDown: false,
      change(name, change) {
        if (this.isDown) throw new Error("connection refused");
        return store.change(name, change);
      },
    };
  }

  test("publish acquired and renewed, also beside a release", async () => {
    vi.useFakeTimers({ now: NOW });
    const events = recordEvents();
    const lease = await leaseNode({ backend: memory(), name: "orders", preset: "twitter", datacenterId: 2 });
    const facts = { name: "orders", node: 64, datacenterId: 2, machineId: 0 };
    await delivered();
    expect(events).toEqual([["lease:acquired", { ...facts, untilMs: NOW + 30_001, grants: 1, skewMs: 0 }]]);
    await pass(1000);
    expect(events.slice(1)).toEqual([["lease:renewed", { ...facts, untilMs: NOW + 31_001, skewMs: 0 }]]);
    await pass(10_000);
    await lease.release();
    await pass(60_000);
    expect(await countsOf(events)).toEqual({ "lease:acquired": 1, "lease:renewed": 2 });
  });

  test("publish one acquired for each of many, and none for a refusal", async () => {
    vi.useFakeTimers({ now: NOW + 1e9 });
    const events = recordEvents();
    const backend = memory();
    const pair = { timestampBits: 41, datacenterBits: 0, machineBits: 1, sequenceBits: 21 };
    const lease = () =>
      leaseNode({ backend, preset: pair }).then(
        () => "leased",
        () => "refused",
      );
    expect((await Promise.all([1, 2, 3].map(lease))).sort()).toEqual(["leased", "leased", "refused"]);
    expect(await countsOf(events)).toEqual({ "lease:acquired": 2 });
  });

  test("publish a loss once, beside onLost, and then the lease that is acquired again", async () => {
    vi.useFakeTimers({ now: NOW + 2e9 });
    const events = recordEvents();
    const backend = switchable();
    const lease = await leaseNode({ backend, onExpired: "reacquire" });
    const losses: unknown[] = [];
    lease.onLost((error) => losses.push(error));
    backend.isDown = true;
    await pass(40_000);
    expect(await countsOf(events)).toEqual({ "lease:acquired": 1, "lease:lost": 1 });
    expect(events[1]).toEqual([
      "lease:lost",
      {
        name: "default",
        node: 0,
        datacenterId: 0,
        machineId: 0,
        untilMs: NOW + 2e9 + 30_001,
        error: losses[0],
      },
    ]);
    expect(losses).toEqual([expect.any(LeaseExpiredError)]);
    backend.isDown = false;
    await pass(60_000);
    const { "lease:renewed": renewed, ...counts } = await countsOf(events);
    expect(renewed).toBeGreaterThan(0);
    expect(counts).toEqual({ "lease:acquired": 2, "lease:lost": 1 });
    expect(events[2]).toEqual(["lease:acquired", expect.objectContaining({ grants: 2 })]);
    await lease.release();
  });
});

describe("pools", () => {
  const type = new NumericIdType({ name: "farmer", length: 16 });
  const start = (lowMark: number, highMark: number, backend = memory()) => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 21) });
    vi.setTimerTickMode("nextTimerAsync");
    return new IdPool({ backend, type, lowMark, highMark });
  };
  /** Lets all background work finish. */
  const finish = () => new Promise((wake) => setTimeout(wake, 10_000));

  test("publish that they are low once, until they have been refilled", async () => {
    const events = recordEvents();
    const pool = start(10, 50);
    await pool.fill();
    for (let round = 1; round <= 3; round++) {
      for (let available = 49; available >= 10; available--) {
        expect(await countsOf(events)).toEqual(round === 1 ? {} : { "pool:low": round - 1 });
        await pool.issue();
        await finish();
      }
    }
    const facts = { type: "farmer", available: 10, lowMark: 10, highMark: 50 };
    expect(events).toEqual([1, 2, 3].map(() => ["pool:low", facts]));
    await pool.stop();
  });

  test("publish it once for many calls that find an empty pool at the same time", async () => {
    const events = recordEvents();
    const pool = start(10, 2000);
    await Promise.all(Array.from({ length: 50 }, () => pool.issue()));
    await finish();
    expect(await countsOf(events)).toEqual({ "pool:low": 1 });
    expect(events[0]?.[1]).toMatchObject({ available: 0 });
    await pool.stop();
  });

  test("publish it again if one call takes all that a refill has added", async () => {
    const events = recordEvents();
    const pool = start(10, 50);
    await pool.issueIds(50);
    await finish();
    expect(await countsOf(events)).toEqual({ "pool:low": 2 });
    await pool.stop();
  });

  test("publish it once while another process has the refill", async () => {
    const events = recordEvents();
    const backend = memory();
    const pool = start(10, 50, backend);
    await pool.fill();
    expect(await poolPort(backend, "farmer").claimRefill("another", CLAIM_MS)).not.toBeNull();
    await pool.issueIds(48);
    const before = Date.now();
    await pool.issueIds(5);
    expect(Date.now() - before).toBeGreaterThan(1000);
    await finish();
    expect(await countsOf(events)).toEqual({ "pool:low": 1 });
    await pool.stop();
  });

  test("do not publish it for a batch that is larger than a pool that is not low", async () => {
    const events = recordEvents();
    const pool = start(10, 50);
    await pool.fill();
    await pool.stop();
    expect(await errorOf(pool.issueIds(60))).toBeInstanceOf(IdPoolEmptyError);
    expect(await countsOf(events)).toEqual({});
  });

  test("publish it once while no refill helps, and again after fill()", async () => {
    const events = recordEvents();
    const pool = start(10, 50);
    await pool.stop();
    for (let i = 0; i < 3; i++) expect(await errorOf(pool.issue())).toBeInstanceOf(IdPoolEmptyError);
    expect(await countsOf(events)).toEqual({ "pool:low": 1 });
    await pool.fill();
    await pool.issueIds(50);
    for (let i = 0; i < 3; i++) expect(await errorOf(pool.issue())).toBeInstanceOf(IdPoolEmptyError);
    expect(await countsOf(events)).toEqual({ "pool:low": 2 });
  });
});

describe("idempotency keys", () => {
  test("publish one miss, and hits and conflicts with their reason, without the key", async () => {
    const events = recordEvents();
    const hooks = { onHit: vi.fn(), onMiss: vi.fn(), onConflict: vi.fn() };
    const once = new Idempotency({ backend: memory(), name: "orders", maxBytes: 9, ...hooks });
    const call = () => once.once("ada", "f", () => 1).catch(() => {});
    await Promise.all(Array.from({ length: 20 }, call));
    expect(await countsOf(events)).toEqual({ "idempotency:miss": 1, "idempotency:conflict": 19 });
    expect(hooks.onMiss).toHaveBeenCalledTimes(1);
    expect(hooks.onConflict).toHaveBeenCalledTimes(19);
    events.length = 0;
    await once.once("ada", "f", () => 1);
    await errorOf(once.once("ada", "g", () => 1));
    await once.once("bob", "f", () => "0123456789");
    await errorOf(once.once("bob", "f", () => 1));
    await delivered();
    expect(events).toEqual([
      ["idempotency:hit", { name: "orders" }],
      ["idempotency:conflict", { name: "orders", reason: "fingerprint" }],
      ["idempotency:miss", { name: "orders" }],
      ["idempotency:conflict", { name: "orders", reason: "not-kept" }],
    ]);
  });

  test("publish one hit for each call that waited for the work", async () => {
    const events = recordEvents();
    const once = new Idempotency({ backend: memory(), name: "orders", inFlight: "wait" });
    await Promise.all(Array.from({ length: 20 }, () => once.once("ada", "f", () => 1)));
    expect(await countsOf(events)).toEqual({ "idempotency:miss": 1, "idempotency:hit": 19 });
  });

  test("publish the calls in a transaction of the caller", async () => {
    const events = recordEvents();
    const answers = [
      [{ key: "k" }],
      [{ key: "k" }],
      [],
      [{ fingerprint: "f", value: "1", wait: null, far: "no" }],
    ];
    const transaction: SqlPort = { dialect: "sqlite", query: async () => answers.shift() ?? [] };
    const once = new Idempotency({ backend: { ...transaction }, name: "orders" });
    for (let i = 0; i < 2; i++) await once.once("ada", "f", () => 1, { transaction });
    await delivered();
    expect(events).toEqual([
      ["idempotency:miss", { name: "orders" }],
      ["idempotency:hit", { name: "orders" }],
    ]);
  });

  test("publish nothing if the store fails, or for peek and forget", async () => {
    const events = recordEvents();
    const backend = failingAt(1);
    const once = new Idempotency({ backend, name: "orders", onStoreError: "allow" });
    await once.once("ada", "f", () => 1);
    await once.peek("ada");
    await once.forget("ada");
    expect(await countsOf(events)).toEqual({});
  });

  test("publish each request of a wrapped handler once", async () => {
    const events = recordEvents();
    const handler = idempotent(async () => new Response("made"), {
      backend: memory(),
      name: "requests",
      tenant: () => "ada",
    });
    const request = () =>
      handler(
        new Request("https://shop.example/orders", { method: "POST", headers: { "Idempotency-Key": "a1" } }),
      );
    for (let i = 0; i < 3; i++) await request();
    await delivered();
    expect(events).toEqual([
      ["idempotency:miss", { name: "requests" }],
      ["idempotency:hit", { name: "requests" }],
      ["idempotency:hit", { name: "requests" }],
    ]);
  });
});

describe("rate limits", () => {
  const limiterOf = (more: Partial<RateLimitOptions> = {}) =>
    new RateLimit({ backend: memory({ clock: () => 0 }), name: "api", limit: 10, windowMs: 60_000, ...more });
  const DENIED = {
    name: "api",
    cost: 1,
    retryAfterMs: 6000,
    isBlocked: false,
    isShadow: false,
    isInsured: false,
  };
  const down: MemoryPort = {
    change() {
      throw new Error("connection refused");
    },
  };

  test("publish each denied call once, without the key", async () => {
    const events = recordEvents();
    const limiter = limiterOf();
    await Promise.all(Array.from({ length: 200 }, () => limiter.limit("ada")));
    expect(await countsOf(events)).toEqual({ "ratelimit:denied": 190 });
    expect(events[0]).toEqual(["ratelimit:denied", DENIED]);
    events.length = 0;
    await limiter.peek("ada");
    await limiter.block("bob", 1000);
    await limiter.limit("bob");
    await limiter.limit("carol", 11);
    await delivered();
    expect(events).toEqual([
      ["ratelimit:denied", { ...DENIED, retryAfterMs: 1000, isBlocked: true }],
      ["ratelimit:denied", { ...DENIED, cost: 11, retryAfterMs: Infinity }],
    ]);
  });

  test("publish denials that this process remembers", async () => {
    const events = recordEvents();
    const backend = new FakeRedis();
    const limiter = limiterOf({ backend, rememberDenials: true });
    await limiter.limit("ada", 10);
    for (let i = 0; i < 5; i++) await limiter.limit("ada");
    await RateLimit.limitAll([{ limiter, key: "ada" }]);
    expect(backend.sent).toHaveLength(2);
    expect(await countsOf(events)).toEqual({ "ratelimit:denied": 6 });
  });

  test("publish a denial of limitOrWait if the call gives up, and not one that it waits for", async () => {
    const events = recordEvents();
    const limiter = limiterOf({ backend: memory(), limit: 1, windowMs: 20 });
    await limiter.limit("ada");
    const waited = Promise.all([1, 2, 3].map(() => limiter.limitOrWait("ada", { maxWaitMs: 60_000 })));
    expect((await waited).every(({ allowed }) => allowed)).toBe(true);
    expect(await countsOf(events)).toEqual({});
    const stopped = limiterOf();
    await stopped.limit("ada", 10);
    await stopped.limitOrWait("ada", { maxWaitMs: 5999 });
    expect(await countsOf(events)).toEqual({ "ratelimit:denied": 1 });
  });

  test.each<[string, () => [RateLimit, RateLimit]]>([
    [
      "in one step",
      () => {
        const backend = memory({ clock: () => 0 });
        return [limiterOf({ backend }), limiterOf({ backend, name: "account" })];
      },
    ],
    ["in turn", () => [limiterOf(), limiterOf({ name: "account" })]],
  ])("of limitAll %s publish one denial for each limit that denies the call", async (_how, make) => {
    const events = recordEvents();
    const [api, account] = make();
    const calls = [
      { limiter: api, key: "192.0.2.7" },
      { limiter: account, key: "ada" },
    ];
    await RateLimit.limitAll(calls);
    expect(await countsOf(events)).toEqual({});
    await account.limit("ada", 9);
    await RateLimit.limitAll(calls);
    await delivered();
    expect(events).toEqual([["ratelimit:denied", { ...DENIED, name: "account" }]]);
    await api.limit("192.0.2.7", 9);
    await RateLimit.limitAll(calls);
    await delivered();
    expect(events.slice(1)).toEqual([
      ["ratelimit:denied", DENIED],
      ["ratelimit:denied", { ...DENIED, name: "account" }],
    ]);
  });

  test("in shadow publish the denial of a call that passes", async () => {
    const events = recordEvents();
    const limiter = limiterOf({ shadow: true });
    await limiter.limit("ada", 10);
    expect((await limiter.limit("ada")).allowed).toBe(true);
    await delivered();
    expect(events).toEqual([["ratelimit:denied", { ...DENIED, isShadow: true }]]);
  });

  test("with an insurance publish its denial once, under the name of the limit", async () => {
    const events = recordEvents();
    const insurance = limiterOf({ name: "insurance" });
    const limiter = limiterOf({ backend: down, insurance });
    await limiter.limit("ada", 10);
    await limiter.limit("ada");
    await RateLimit.limitAll([{ limiter, key: "ada" }]);
    const own = { limit: () => insurance.peek("ada"), peek: vi.fn(), refund: vi.fn(), block: vi.fn() };
    await limiterOf({ backend: down, insurance: { ...own, reset: vi.fn() } }).limit("ada");
    await delivered();
    expect(events).toEqual([1, 2, 3].map(() => ["ratelimit:denied", { ...DENIED, isInsured: true }]));
    await insurance.limit("ada");
    expect(await countsOf(events)).toEqual({ "ratelimit:denied": 4 });
  });

  test("publish nothing for calls that pass because the store fails, or that throw", async () => {
    const events = recordEvents();
    await limiterOf({ backend: down, onStoreError: "allow" }).limit("ada");
    await errorOf(limiterOf({ backend: down }).limit("ada"));
    expect(await countsOf(events)).toEqual({});
  });

  test("publish each request of a wrapped handler once, beside onDenied", async () => {
    const events = recordEvents();
    const onDenied = vi.fn();
    const handler = rateLimited(() => new Response("made"), {
      limiter: limiterOf({ limit: 1 }),
      key: () => "ada",
      onDenied,
    });
    const request = () => handler(new Request("https://shop.example/orders"));
    for (let i = 0; i < 3; i++) await request();
    expect(await countsOf(events)).toEqual({ "ratelimit:denied": 2 });
    expect(onDenied).toHaveBeenCalledTimes(2);
  });
});
