// Properties of the client under any order of calls, aborts, answers, failures and time: no ID goes to two callers, calls are
// served in their order, and every call ends in time.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BitflakeClient, ServiceError } from "../../src/client/index.ts";
import { FAKES, flushEvents, ManualFetch, type PendingRequest } from "./manualFetch.ts";

beforeEach(() => {
  vi.useFakeTimers({ ...FAKES, now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const TIMEOUT_MS = 2000;

const anyEvent = fc.record({
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constant("call" as const) },
    { weight: 3, arbitrary: fc.constant("callMany" as const) },
    { weight: 7, arbitrary: fc.constant("answer" as const) },
    { weight: 1, arbitrary: fc.constant("truncate" as const) },
    { weight: 1, arbitrary: fc.constant("repeat" as const) },
    { weight: 2, arbitrary: fc.constant("refuse" as const) },
    { weight: 2, arbitrary: fc.constant("fail" as const) },
    { weight: 3, arbitrary: fc.constant("abort" as const) },
    { weight: 4, arbitrary: fc.constant("wait" as const) },
    { weight: 1, arbitrary: fc.constant("stepClock" as const) },
  ),
  pick: fc.nat(1000),
  /** Whether pending callbacks run before the next event. */
  pause: fc.boolean(),
});

const anyEvents = fc.array(anyEvent, { maxLength: 60, size: "max" });

const anyOptions = fc.record({
  prefetch: fc.constantFrom(0, 1, 2, 7, 1000),
  maxAgeMs: fc.constantFrom(1, 50, 1000, 60_000),
  retry: fc.boolean(),
  urls: fc.constantFrom(1, 2, 3),
  heedsAbort: fc.boolean(),
});

/** The type of the values of an arbitrary. */
type ValueOf<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

interface Call {
  readonly number: number;
  readonly startedMs: number;
  readonly aborter: AbortController;
  ids?: readonly bigint[];
  error?: unknown;
  endedMs?: number;
}

/** A client, its services, and all calls. */
class Simulation {
  readonly service: ManualFetch;
  readonly client: BitflakeClient;
  readonly calls: Call[] = [];
  #lastBody: unknown;

  constructor({ prefetch, maxAgeMs, retry, urls, heedsAbort }: ValueOf<typeof anyOptions>) {
    this.service = new ManualFetch(heedsAbort);
    this.client = new BitflakeClient({
      url: Array.from({ length: urls }, (_, at) => `http://service-${at}`),
      fetch: this.service.fetch,
      prefetch,
      maxAgeMs,
      retry,
      timeoutMs: TIMEOUT_MS,
      attemptTimeoutMs: 700,
    });
  }

  call(count: number): void {
    const aborter = new AbortController();
    const { signal } = aborter;
    const call: Call = { number: this.calls.length, startedMs: performance.now(), aborter };
    this.calls.push(call);
    // One ID without options takes the short way.
    const ids = count === 1 && call.number % 2 === 0 ? this.client.nextId().then((id) => [id]) : undefined;
    (ids ?? this.client.nextIds(count, { signal })).then(
      (ids) => {
        call.ids = ids;
        call.endedMs = performance.now();
      },
      (error) => {
        call.error = error;
        call.endedMs = performance.now();
      },
    );
  }

  /** Does something to a pending request. */
  #respond(kind: string, request: PendingRequest, pick: number): void {
    if (kind === "answer") this.service.answerIds(request);
    else if (kind === "truncate") request.answer('{"ids":["1","2');
    else if (kind === "refuse") {
      const status = [400, 401, 429, 500, 503][pick % 5] as number;
      request.answer({ code: "ERR" }, status, pick % 2 ? { "retry-after": "1" } : {});
    } else if (kind === "fail") request.fail();
    // The answer of a cache. It may fit the request or not.
    else if (this.#lastBody !== undefined) request.answer(this.#lastBody);
  }

  async play(events: readonly ValueOf<typeof anyEvent>[]): Promise<void> {
    for (const { kind, pick, pause } of events) {
      const { pending } = this.service;
      const request = pending[pick % pending.length];
      if (kind === "call") this.call(1);
      else if (kind === "callMany") this.call(1 + (pick % 30));
      else if (kind === "abort") this.calls[pick % this.calls.length]?.aborter.abort("aborted");
      else if (kind === "wait") await vi.advanceTimersByTimeAsync(pick);
      else if (kind === "stepClock") vi.setSystemTime(Date.now() + (pick - 500) * 100);
      else if (request) this.#respond(kind, request, pick);
      if (pause) await flushEvents();
    }
  }
}

describe("a client under any order of events", () => {
  test("gives no ID to two callers, serves calls in their order, ends each call in time, and leaves no timer", async () => {
    await fc.assert(
      fc.asyncProperty(anyOptions, anyEvents, async (options, events) => {
        const simulation = new Simulation(options);
        const { client, service, calls } = simulation;
        await simulation.play(events);
        // Without an answer, each call ends by its timeout.
        await vi.advanceTimersByTimeAsync(TIMEOUT_MS + 1);
        await flushEvents();
        for (const { ids, error, startedMs, endedMs } of calls) {
          expect(ids !== undefined || error !== undefined).toBe(true);
          if (error !== undefined && error !== "aborted") expect(error).toBeInstanceOf(ServiceError);
          expect((endedMs as number) - startedMs).toBeLessThanOrEqual(TIMEOUT_MS + 1);
        }
        // After the faults the client works.
        vi.setSystemTime(Date.now() + 3_600_000);
        for (let rounds = 0; rounds < 40; rounds++) {
          for (const request of [...service.pending]) service.answerIds(request);
          await flushEvents();
        }
        const last = calls.length;
        for (let count = 0; count < 5; count++) simulation.call(1);
        for (let rounds = 0; rounds < 40; rounds++) {
          await vi.advanceTimersByTimeAsync(20);
          for (const request of [...service.pending]) service.answerIds(request);
          await flushEvents();
        }
        for (const call of calls.slice(last)) expect(call.ids).toHaveLength(1);

        const ids = calls.flatMap((call) => call.ids ?? []);
        expect(new Set(ids).size).toBe(ids.length);
        // Those of one service increase from call to call.
        const increasing = ids.toSorted((a, b) => Number(a - b));
        if (options.urls === 1) expect(ids).toEqual(increasing);
        await client.close();
        await flushEvents();
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });

  test("has one request in flight, and no more IDs in memory than prefetch and its half", async () => {
    const anyCounts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 5, 20, 100), anyCounts, async (prefetch, counts) => {
        const service = new ManualFetch();
        const client = new BitflakeClient({
          url: "http://a",
          fetch: service.fetch,
          prefetch,
          maxAgeMs: 60_000,
        });
        let given = 0;
        let fetched = 0;
        for (const count of counts) {
          const call = client.nextIds(count);
          let isDone = false;
          void call.then(() => {
            isDone = true;
          });
          await flushEvents();
          while (!isDone) {
            fetched += service.only().count;
            service.answerIds();
            await flushEvents();
          }
          given += count;
          // Sometimes the block ahead comes before the next call.
          if (count % 3 === 0 && service.pending.length > 0) {
            fetched += service.only().count;
            service.answerIds();
            await flushEvents();
          }
          expect(service.pending.length).toBeLessThanOrEqual(1);
          expect(fetched - given).toBeLessThanOrEqual(prefetch + Math.ceil(prefetch / 2));
        }
        await client.close();
      }),
    );
  });
});
