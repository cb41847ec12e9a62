// IDs from memory: when blocks are fetched, how large they are, in which order calls are served, and how calls end without IDs.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BitflakeClient, type ClientOptions } from "../../src/client/index.ts";
import { advance, FAKES, flushEvents, ManualFetch, observe, type PendingRequest } from "./manualFetch.ts";

let service: ManualFetch;
let client: BitflakeClient;

beforeEach(() => {
  vi.useFakeTimers({ ...FAKES, now: 1_800_000_000_000 });
  // No jitter, so that a test knows each pause.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  service = new ManualFetch();
});
afterEach(async () => {
  await client.close();
  await flushEvents();
  // Whatever a test has left open, a closed client has no timer.
  expect(vi.getTimerCount()).toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function open(options: Partial<ClientOptions> = {}): BitflakeClient {
  client = new BitflakeClient({ url: "http://a", fetch: service.fetch, ...options });
  return client;
}

const calls = (count: number) => Array.from({ length: count }, () => client.nextId());

/** Makes so many calls, and answers the requests for them, but not the one ahead of need. */
async function use(count: number): Promise<void> {
  const all = observe(Promise.all(calls(count)));
  await flushEvents();
  while (all.outcome === "waits") {
    service.answerIds();
    await flushEvents();
  }
  expect(all.outcome).toHaveLength(count);
}

/** Returns the request that is pending when all that is due has run. */
async function request(): Promise<PendingRequest> {
  await flushEvents();
  return service.only();
}

/** Answers that request with IDs. */
async function answerIds(): Promise<void> {
  service.answerIds(await request());
  await flushEvents();
}

/** Opens a client that has used so many IDs, and fetched as many ahead. */
async function openWithBlock(count: number, options: Partial<ClientOptions> = {}): Promise<void> {
  open(options);
  await use(count);
  expect(service.only().count).toBe(Math.min(count, options.prefetch ?? 1000));
  service.answerIds();
  await flushEvents();
}

describe("a block", () => {
  test("is fetched by the first call, of the size that the calls want", async () => {
    open();
    expect(service.sent).toHaveLength(0);
    const seven = Promise.all(calls(7));
    await flushEvents();
    expect(service.only()).toMatchObject({ method: "GET", url: "http://a/generate_snowflake_id?count=7" });
    service.answerIds();
    expect(await seven).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  });

  test("of a client that is seldom used is one ID, and none is fetched ahead", async () => {
    open();
    for (let call = 0; call < 3; call++) {
      await use(1);
      expect(service.pending).toHaveLength(0);
      await advance(250);
    }
    expect(service.sent.map(({ count }) => count)).toEqual([1, 1, 1]);
  });

  test("has as many IDs as were used in a quarter of maxAgeMs, in this or in the one before", async () => {
    open({ maxAgeMs: 400 });
    await use(5);
    expect(service.only().count).toBe(5);
    service.answerIds();
    await advance(100);
    await use(3);
    // The second half of the block begins.
    expect(service.only().count).toBe(5);
  });

  test("has at most prefetch IDs, and with waiting calls at most 1000", async () => {
    open({ prefetch: 10 });
    await use(30);
    expect(service.only().count).toBe(10);
    service.answerIds();
    const many = Promise.all(calls(2000));
    await flushEvents();
    const counts: number[] = [];
    for (; service.pending.length > 0; await flushEvents()) {
      counts.push(service.only().count);
      service.answerIds();
    }
    expect(await many).toHaveLength(2000);
    // Ten came from memory.
    expect(counts).toEqual([1000, 1000]);
  });

  test("is fetched ahead when half of the one before is used, once", async () => {
    await openWithBlock(10);
    await Promise.all(calls(4));
    expect(service.pending).toHaveLength(0);
    await client.nextId();
    const ahead = service.only();
    await Promise.all(calls(5));
    expect(service.only()).toBe(ahead);
    const last = observe(client.nextId());
    await flushEvents();
    expect(last.outcome).toBe("waits");
    service.answerIds();
    await flushEvents();
    expect(last.outcome).toBe(21n);
  });

  test("is discarded when it is older than maxAgeMs, and so is the next one", async () => {
    await openWithBlock(10, { maxAgeMs: 1000 });
    await use(5);
    await answerIds();
    await advance(1000);
    expect(await client.nextId()).toBe(16n);
    await advance(1);
    const call = client.nextId();
    expect((await request()).count).toBe(1);
    await answerIds();
    expect(await call).toBe(36n);
  });

  test("counts its age from its request, and is discarded when the clock steps back", async () => {
    open({ maxAgeMs: 1000 });
    await use(10);
    await advance(700);
    service.answerIds();
    await advance(300);
    const [last] = await client.nextIds(1);
    expect(last).toBe(11n);
    vi.setSystemTime(Date.now() - 5000);
    const call = observe(client.nextId());
    await flushEvents();
    expect(call.outcome).toBe("waits");
  });

  test("serves the calls that waited for it, however old it is", async () => {
    open({ maxAgeMs: 1 });
    const call = client.nextId();
    await advance(2000);
    service.answerIds();
    expect(await call).toBe(1n);
  });
});

describe("prefetch: 0", () => {
  test("makes each ID after its call: the request of one call does not serve a later one", async () => {
    open({ prefetch: 0 });
    const aborter = new AbortController();
    const first = observe(client.nextIds(3, { signal: aborter.signal }));
    expect((await request()).count).toBe(3);
    const second = observe(client.nextId());
    aborter.abort("no more");
    await answerIds();
    expect([first.outcome, second.outcome]).toEqual(["no more", "waits"]);
    expect((await request()).count).toBe(1);
    await answerIds();
    expect(second.outcome).toBe(4n);
    expect(service.pending).toHaveLength(0);
  });
});

describe("nextIds", () => {
  test("takes IDs from memory and waits for the rest, before later calls", async () => {
    await openWithBlock(6);
    const some = observe(client.nextIds(10));
    const later = observe(client.nextId());
    await flushEvents();
    expect([some.outcome, later.outcome]).toEqual(["waits", "waits"]);
    for (; some.outcome === "waits" || later.outcome === "waits"; await flushEvents()) service.answerIds();
    expect(some.outcome).toEqual(Array.from({ length: 10 }, (_, at) => BigInt(at + 7)));
    expect(later.outcome).toBe(17n);
  });

  test("takes as many requests as it needs, one after the other", async () => {
    open();
    const many = client.nextIds(2500);
    const counts: number[] = [];
    while (counts.length < 3) {
      counts.push((await request()).count);
      await answerIds();
    }
    expect(await many).toEqual(Array.from({ length: 2500 }, (_, at) => BigInt(at + 1)));
    // The last one has IDs for the calls to come.
    expect(counts).toEqual([1000, 1000, 1000]);
  });

  test.each([0, -1, 1.5, 10_001, "3", Number.NaN])("of %j is refused", async (count) => {
    open();
    await expect(client.nextIds(count as number)).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      field: "count",
    });
  });
});

describe("a failed fetch", () => {
  test("ahead of need fails no call, and is not repeated before a call needs it", async () => {
    await openWithBlock(10, { retry: false });
    await Promise.all(calls(5));
    service.only().answer({}, 500);
    await flushEvents();
    expect(await Promise.all(calls(5))).toEqual([16n, 17n, 18n, 19n, 20n]);
    expect(service.pending).toHaveLength(0);
    await use(1);
  });

  test("ahead of need does not fail a call that came meanwhile: that gets a fetch of its own", async () => {
    await openWithBlock(4, { retry: false });
    await Promise.all(calls(4));
    const ahead = service.only();
    const call = observe(client.nextId());
    ahead.answer({}, 500);
    await flushEvents();
    expect(call.outcome).toBe("waits");
    service.answerIds();
    await flushEvents();
    expect(call.outcome).toBe(9n);
  });

  test("fails the calls that waited for it, and no later one", async () => {
    open({ retry: false });
    const failed = calls(3).map(observe);
    (await request()).fail();
    await flushEvents();
    expect(failed.map(({ outcome }) => outcome)).toEqual(["network", "network", "network"]);
    await use(1);
  });

  test("is repeated while a call waits, and the call gets its ID", async () => {
    open();
    const call = client.nextId();
    (await request()).fail();
    await advance(25);
    (await request()).answer("<html>", 502);
    await advance(49);
    expect(service.pending).toHaveLength(0);
    await advance(1);
    await answerIds();
    expect(await call).toBe(1n);
  });

  test("that lasts ends each call by its own timeout, with the last failure", async () => {
    open({ timeoutMs: 1000, attemptTimeoutMs: 400 });
    const early = client.nextId().catch((error) => error);
    await advance(700);
    const late = observe(client.nextId());
    await advance(299);
    await advance(1);
    const error = await early;
    expect(error).toMatchObject({ code: "ERR_SERVICE", reason: "timeout", url: "http://a" });
    expect(error.message).toContain("no IDs within 1000 ms");
    expect(error.cause).toMatchObject({ reason: "timeout", attempts: 2 });
    expect(late.outcome).toBe("waits");
    // The late call may still get its ID.
    await advance(200);
    await answerIds();
    expect(late.outcome).toBe(1n);
  });

  test("has no timer left when no call waits and the fetch has ended", async () => {
    open({ timeoutMs: 500 });
    const call = observe(client.nextId());
    await advance(500);
    expect(call.outcome).toBe("timeout");
    expect(service.pending).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("an aborted call", () => {
  test("rejects with the reason at once, and disturbs neither the fetch nor the other calls", async () => {
    open();
    const aborters = Array.from({ length: 3 }, () => new AbortController());
    const outcomes = aborters.map(({ signal }) => observe(client.nextId({ signal })));
    await request();
    aborters[1].abort("enough");
    await flushEvents();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["waits", "enough", "waits"]);
    await answerIds();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([1n, "enough", 2n]);
  });

  test("leaves its IDs to later calls if it alone waited", async () => {
    open();
    const aborter = new AbortController();
    const call = observe(client.nextIds(2, { signal: aborter.signal }));
    await request();
    aborter.abort("enough");
    expect(vi.getTimerCount()).toBe(1); // the attempt's
    await answerIds();
    expect(call.outcome).toBe("enough");
    expect(await client.nextIds(2)).toEqual([1n, 2n]);
  });

  test("sends nothing if it was the only one of its turn", async () => {
    open();
    const aborter = new AbortController();
    const call = observe(client.nextId({ signal: aborter.signal }));
    aborter.abort("enough");
    await flushEvents();
    expect(call.outcome).toBe("enough");
    expect(service.sent).toHaveLength(0);
    await use(1);
  });

  test("is not sent at all if its signal is aborted already", async () => {
    open();
    const signal = AbortSignal.abort("before");
    await expect(client.nextId({ signal })).rejects.toBe("before");
    await expect(client.uuid({ signal })).rejects.toBe("before");
    expect(service.sent).toHaveLength(0);
  });

  test("leaves no listener on its signal", async () => {
    open();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const call = client.nextId({ signal });
    await answerIds();
    await call;
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed).toHaveBeenCalledTimes(1);
  });
});

describe("close", () => {
  test("rejects the calls that wait, cancels the request in flight, and rejects the calls to come", async () => {
    open();
    const waiting = [client.nextId(), client.nextIds(3), client.uuid()].map((call) => observe<unknown>(call));
    await flushEvents();
    const requests = [...service.pending];
    await client.close();
    await flushEvents();
    expect(waiting.map(({ outcome }) => outcome)).toEqual(["closed", "closed", "closed"]);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    for (const call of [client.nextId(), client.nextIds(3), client.health()]) {
      await expect(call).rejects.toMatchObject({
        code: "ERR_SERVICE",
        reason: "closed",
        message: "the client is closed",
      });
    }
    expect(service.sent).toHaveLength(requests.length);
  });

  test("discards the IDs in memory, and an answer that comes late", async () => {
    service = new ManualFetch(false);
    await openWithBlock(4);
    await client.nextIds(3);
    const ahead = service.only();
    await client.close();
    service.answerIds(ahead);
    await flushEvents();
    await expect(client.nextId()).rejects.toMatchObject({ reason: "closed" });
  });

  test("is called by await using", async () => {
    open();
    await (client as unknown as Record<symbol, () => Promise<void>>)[Symbol.asyncDispose as symbol]();
    await expect(client.nextId()).rejects.toMatchObject({ reason: "closed" });
  });
});

describe("the process", () => {
  /** Returns how many timers keep the process alive. */
  function activeTimers(): number {
    return started.mock.results.filter(({ value }) => !stopped.has(value) && value.hasRef()).length;
  }
  let started: { mock: { results: { value: NodeJS.Timeout }[] } };
  const stopped = new Set<unknown>();

  beforeEach(() => {
    vi.useRealTimers();
    stopped.clear();
    started = vi.spyOn(globalThis, "setTimeout") as unknown as typeof started;
    const clear = globalThis.clearTimeout;
    vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
      stopped.add(timer);
      clear(timer);
    });
  });
  afterEach(async () => {
    await client.close();
    // Before the fake timers, which would otherwise end by putting the spies back.
    vi.restoreAllMocks();
    vi.useFakeTimers(FAKES);
  });

  test("is kept alive by a call that waits, and not by a fetch ahead of need", async () => {
    open({ maxAgeMs: 3_600_000 });
    const first = client.nextIds(2);
    expect(activeTimers()).toBe(1);
    await answerIds();
    await first;
    await request();
    expect(activeTimers()).toBe(0);
    await answerIds();
    expect(await client.nextIds(2)).toEqual([3n, 4n]);
    await request();
    const waiting = client.nextId();
    expect(activeTimers()).toBe(1);
    await answerIds();
    expect(await waiting).toBe(5n);
    expect(activeTimers()).toBe(0);
  });
});
