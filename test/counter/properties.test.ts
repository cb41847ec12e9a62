// Properties of counters under any order of calls, answers, losses and timeouts.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Counter, CounterBackwardsError, CounterExhaustedError } from "../../src/counter/index.ts";
import { MAX_VALUE, NO_VALUE } from "../../src/counter/rule.ts";
import { BitflakeError } from "../../src/index.ts";
import { flushEvents, ManualRedis } from "./ports.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An event; `pick` selects the counter, or the pending call of the store. */
const anyEvent = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("next" as const) },
    { weight: 5, arbitrary: fc.constant("reply" as const) },
    { weight: 3, arbitrary: fc.constant("execute" as const) },
    { weight: 2, arbitrary: fc.constant("fail" as const) },
    { weight: 1, arbitrary: fc.constant("timeout" as const) },
    { weight: 1, arbitrary: fc.constant("lose" as const) },
  ),
  pick: fc.nat(1000),
  /** Whether pending callbacks run before the next event. */
  pause: fc.boolean(),
});

/** Long enough to use ranges up: by default fast-check makes mostly short arrays. */
const anyEvents = fc.array(anyEvent, { maxLength: 80, size: "max" });

const anyStart = fc.oneof(
  fc.constant(NO_VALUE),
  fc.constant(NO_VALUE),
  fc.bigInt(0n, 10n),
  fc.bigInt(2n ** 53n - 10n, 2n ** 53n),
  fc.bigInt(MAX_VALUE - 30n, MAX_VALUE),
);

interface Call {
  readonly of: number;
  /** The largest value of all counters when the call was made. */
  readonly known: bigint;
  outcome?: bigint | BitflakeError;
}

/** Simulation of several counters with one name on one fake Redis. */
class Simulation {
  readonly redis = new ManualRedis();
  readonly calls: Call[] = [];
  readonly counters: Counter[];
  readonly floors: bigint[];
  /** The pending calls of each counter. A call that timed out is not pending, though the store may still execute it. */
  readonly #open: Set<object>[];
  #largest = NO_VALUE;
  /** How often a counter by the block had more than one pending call. */
  overlaps = 0;

  constructor(options: { block: number; floor: bigint }[], start: bigint) {
    this.redis.at = start;
    this.floors = options.map(({ floor }) => floor);
    this.#open = options.map(() => new Set());
    this.counters = options.map(({ block, floor }, of) => {
      const port = {
        timeoutMs: this.redis.timeoutMs,
        eval: (...call: Parameters<ManualRedis["eval"]>) => {
          const answer = this.redis.eval(...call);
          const open = this.#open[of].add(answer);
          if (block > 1 && open.size > 1) this.overlaps++;
          const close = () => void open.delete(answer);
          answer.then(close, close);
          return answer;
        },
      };
      return new Counter({ backend: port, name: "orders", block, floor });
    });
  }

  next(of: number): void {
    const call: Call = { of, known: this.#largest };
    this.calls.push(call);
    this.counters[of].next().then(
      (value) => {
        call.outcome = value;
        if (value > this.#largest) this.#largest = value;
      },
      (error) => {
        call.outcome = error;
      },
    );
  }

  timeout(): void {
    for (const open of this.#open) open.clear();
    vi.advanceTimersByTime(this.redis.timeoutMs);
  }

  /** Answers all calls until none is pending. */
  async finish(): Promise<void> {
    await flushEvents();
    for (let rounds = 0; this.redis.pending.length > 0; rounds++) {
      expect(rounds).toBeLessThan(10_000);
      for (const call of [...this.redis.pending]) this.redis.reply(call);
      await flushEvents();
    }
  }

  async play(events: readonly { kind: string; pick: number; pause: boolean }[]): Promise<void> {
    for (const { kind, pick, pause } of events) {
      const { pending } = this.redis;
      const call = pending[pick % pending.length];
      if (kind === "next") this.next(pick % this.counters.length);
      else if (kind === "timeout") this.timeout();
      else if (kind === "lose") this.lose(pick);
      else if (call && (kind === "reply" || kind === "execute" || kind === "fail")) this.redis[kind](call);
      if (pause) await flushEvents();
    }
    await this.finish();
  }

  lose(_pick: number): void {}

  get values(): bigint[] {
    return this.calls.map(({ outcome }) => outcome).filter((outcome) => typeof outcome === "bigint");
  }
}

const anyOptions = fc.array(
  fc.record({
    block: fc.constantFrom(1, 1, 2, 3, 7, 20),
    floor: fc.constantFrom(0n, 1n, 1n, 50n, MAX_VALUE - 5n),
  }),
  { minLength: 1, maxLength: 3 },
);

describe("counters under any order of events", () => {
  test("issue unique, increasing values; errors are typed, and every call ends", async () => {
    await fc.assert(
      fc.asyncProperty(anyOptions, anyStart, anyEvents, async (options, start, events) => {
        const simulation = new Simulation(options, start);
        await simulation.play(events);
        expect(simulation.overlaps).toBe(0);
        expect(new Set(simulation.values).size).toBe(simulation.values.length);
        const last = options.map(() => NO_VALUE);
        for (const { of, known, outcome } of simulation.calls) {
          if (typeof outcome !== "bigint") {
            expect(outcome).toBeInstanceOf(BitflakeError);
            // The store loses nothing in this test.
            expect(outcome).not.toBeInstanceOf(CounterBackwardsError);
            if (outcome instanceof CounterExhaustedError) expect(simulation.redis.at).toBe(MAX_VALUE);
            continue;
          }
          expect(outcome >= options[of].floor).toBe(true);
          expect(outcome > start && outcome <= MAX_VALUE).toBe(true);
          if (options[of].block === 1) expect(outcome > known).toBe(true);
          else {
            expect(outcome > last[of]).toBe(true);
            last[of] = outcome;
          }
        }
        // After the events each counter issues a value again, unless none is left.
        const from = simulation.calls.length;
        for (const of of options.keys()) simulation.next(of);
        await simulation.finish();
        for (const { outcome } of simulation.calls.slice(from)) {
          expect(typeof outcome === "bigint" || outcome instanceof CounterExhaustedError).toBe(true);
        }
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });

  test("repeat no value when the store loses data, and continue when its counter has been raised", async () => {
    class LossySimulation extends Simulation {
      override lose(pick: number): void {
        this.redis.at =
          pick % 3 === 0 || this.redis.at === NO_VALUE ? NO_VALUE : this.redis.at / BigInt(1 + (pick % 5));
      }
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 1, 2, 3, 7),
        fc.constantFrom(0n, 1n, 50n),
        anyEvents,
        async (block, floor, events) => {
          const simulation = new LossySimulation([{ block, floor }], NO_VALUE);
          await simulation.play(events);
          expect(new Set(simulation.values).size).toBe(simulation.values.length);
          for (const { known, outcome } of simulation.calls) {
            if (typeof outcome === "bigint") expect(outcome > known).toBe(true);
          }
          // Raise the store's counter above all that was issued.
          if (simulation.redis.at < 10_000n) simulation.redis.at = 10_000n;
          const { length } = simulation.values;
          for (let more = 0; more < 3 * block; more++) simulation.next(0);
          await simulation.finish();
          expect(simulation.values.length).toBe(length + 3 * block);
        },
      ),
    );
  });

  test("have no gaps without failures: one counter issues every value up to the largest", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 80 }),
        async (block, left, count) => {
          const simulation = new Simulation([{ block, floor: 1n }], MAX_VALUE - BigInt(left));
          for (let call = 0; call < count; call++) simulation.next(0);
          await simulation.finish();
          const wanted = Array.from({ length: count }, (_, at) =>
            at < left ? MAX_VALUE - BigInt(left - at - 1) : "ERR_COUNTER_EXHAUSTED",
          );
          const got = simulation.calls.map(({ outcome }) =>
            outcome instanceof BitflakeError ? outcome.code : outcome,
          );
          expect(got).toEqual(wanted);
        },
      ),
    );
  });
});
