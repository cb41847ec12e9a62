// The promises, whatever the calls, the store and the lines between them do, and in whatever order.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Counter, CounterBackwardsError, CounterExhaustedError } from "../../src/counter/index.ts";
import { LAST, NONE } from "../../src/counter/rule.ts";
import { BitflakeError } from "../../src/index.ts";
import { Desk, settled } from "./ports.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What happens next; `pick` says to which counter, or to which of the calls that the store has before it. */
const anyEvent = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("next" as const) },
    { weight: 5, arbitrary: fc.constant("reply" as const) },
    { weight: 3, arbitrary: fc.constant("run" as const) },
    { weight: 2, arbitrary: fc.constant("fail" as const) },
    { weight: 1, arbitrary: fc.constant("timeout" as const) },
    { weight: 1, arbitrary: fc.constant("lose" as const) },
  ),
  pick: fc.nat(1000),
  /** Whether what can run runs before the next event. */
  pause: fc.boolean(),
});

/** Long enough for ranges to be used up: by itself fast-check makes mostly short ones. */
const anyEvents = fc.array(anyEvent, { maxLength: 80, size: "max" });

const anyStart = fc.oneof(
  fc.constant(NONE),
  fc.constant(NONE),
  fc.bigInt(0n, 10n),
  fc.bigInt(2n ** 53n - 10n, 2n ** 53n),
  fc.bigInt(LAST - 30n, LAST),
);

interface Call {
  readonly of: number;
  /** The largest value that anyone had when the call was made. */
  readonly known: bigint;
  outcome?: bigint | BitflakeError;
}

/** Several counters of one name at one desk, and what is observed of them. */
class Scene {
  readonly desk = new Desk();
  readonly calls: Call[] = [];
  readonly counters: Counter[];
  readonly floors: bigint[];
  /** For each counter, its calls that are under way; what has timed out is not, though the store may still do it. */
  readonly #open: Set<object>[];
  #largest = NONE;
  /** How often a counter by the block had more than one call under way. */
  overlaps = 0;

  constructor(options: { block: number; floor: bigint }[], start: bigint) {
    this.desk.at = start;
    this.floors = options.map(({ floor }) => floor);
    this.#open = options.map(() => new Set());
    this.counters = options.map(({ block, floor }, of) => {
      const port = {
        timeoutMs: this.desk.timeoutMs,
        eval: (...call: Parameters<Desk["eval"]>) => {
          const answer = this.desk.eval(...call);
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
    vi.advanceTimersByTime(this.desk.timeoutMs);
  }

  /** Answers all there is until nobody waits. */
  async finish(): Promise<void> {
    await settled();
    for (let rounds = 0; this.desk.pending.length > 0; rounds++) {
      expect(rounds).toBeLessThan(10_000);
      for (const call of [...this.desk.pending]) this.desk.reply(call);
      await settled();
    }
  }

  async play(events: readonly { kind: string; pick: number; pause: boolean }[]): Promise<void> {
    for (const { kind, pick, pause } of events) {
      const { pending } = this.desk;
      const call = pending[pick % pending.length];
      if (kind === "next") this.next(pick % this.counters.length);
      else if (kind === "timeout") this.timeout();
      else if (kind === "lose") this.lose(pick);
      else if (call && (kind === "reply" || kind === "run" || kind === "fail")) this.desk[kind](call);
      if (pause) await settled();
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
    floor: fc.constantFrom(0n, 1n, 1n, 50n, LAST - 5n),
  }),
  { minLength: 1, maxLength: 3 },
);

describe("whatever happens between counters and their store", () => {
  test("values are unique and increase, errors are typed, and every call ends", async () => {
    await fc.assert(
      fc.asyncProperty(anyOptions, anyStart, anyEvents, async (options, start, events) => {
        const scene = new Scene(options, start);
        await scene.play(events);
        expect(scene.overlaps).toBe(0);
        expect(new Set(scene.values).size).toBe(scene.values.length);
        const last = options.map(() => NONE);
        for (const { of, known, outcome } of scene.calls) {
          if (typeof outcome !== "bigint") {
            expect(outcome).toBeInstanceOf(BitflakeError);
            // The store has lost nothing.
            expect(outcome).not.toBeInstanceOf(CounterBackwardsError);
            if (outcome instanceof CounterExhaustedError) expect(scene.desk.at).toBe(LAST);
            continue;
          }
          expect(outcome >= options[of].floor).toBe(true);
          expect(outcome > start && outcome <= LAST).toBe(true);
          if (options[of].block === 1) expect(outcome > known).toBe(true);
          else {
            expect(outcome > last[of]).toBe(true);
            last[of] = outcome;
          }
        }
        // Whatever it was, it is over: each has a value again, unless there is none.
        const from = scene.calls.length;
        for (const of of options.keys()) scene.next(of);
        await scene.finish();
        for (const { outcome } of scene.calls.slice(from)) {
          expect(typeof outcome === "bigint" || outcome instanceof CounterExhaustedError).toBe(true);
        }
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });

  test("a store that loses data repeats no value to one that had it, and is let in again when it is mended", async () => {
    class Lossy extends Scene {
      override lose(pick: number): void {
        this.desk.at = pick % 3 === 0 || this.desk.at === NONE ? NONE : this.desk.at / BigInt(1 + (pick % 5));
      }
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 1, 2, 3, 7),
        fc.constantFrom(0n, 1n, 50n),
        anyEvents,
        async (block, floor, events) => {
          const scene = new Lossy([{ block, floor }], NONE);
          await scene.play(events);
          expect(new Set(scene.values).size).toBe(scene.values.length);
          for (const { known, outcome } of scene.calls) {
            if (typeof outcome === "bigint") expect(outcome > known).toBe(true);
          }
          // Mended: above all that was given out.
          if (scene.desk.at < 10_000n) scene.desk.at = 10_000n;
          const { length } = scene.values;
          for (let more = 0; more < 3 * block; more++) scene.next(0);
          await scene.finish();
          expect(scene.values.length).toBe(length + 3 * block);
        },
      ),
    );
  });

  test("with no failures there are no gaps: one counter gives out every value up to the last", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 80 }),
        async (block, left, count) => {
          const scene = new Scene([{ block, floor: 1n }], LAST - BigInt(left));
          for (let call = 0; call < count; call++) scene.next(0);
          await scene.finish();
          const wanted = Array.from({ length: count }, (_, at) =>
            at < left ? LAST - BigInt(left - at - 1) : "ERR_COUNTER_EXHAUSTED",
          );
          const got = scene.calls.map(({ outcome }) =>
            outcome instanceof BitflakeError ? outcome.code : outcome,
          );
          expect(got).toEqual(wanted);
        },
      ),
    );
  });
});
