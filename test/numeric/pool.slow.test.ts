// IdPool as a whole: properties of any schedule of calls, in three pools of one store.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IdPool, IdPoolEmptyError, IdPoolExhaustedError } from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import { delayedStore, drain, expectDistinct, typeOf, useSteppedTime } from "./poolFixtures.ts";

useSteppedTime();

describe("any schedule of calls", () => {
  const anyPool = fc.nat(2);
  const anyStep = fc.oneof(
    fc.record({ do: fc.constant("issue" as const), pool: anyPool }),
    fc.record({ do: fc.constant("key" as const), pool: anyPool, key: fc.nat(30) }),
    fc.record({ do: fc.constant("many" as const), pool: anyPool, count: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ do: fc.constant("import" as const), pool: anyPool, from: fc.nat(464), count: fc.nat(80) }),
    fc.record({ do: fc.constant("fill" as const), pool: anyPool, to: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ do: fc.constant("stop" as const), pool: anyPool }),
    fc.record({ do: fc.constant("restart" as const), pool: anyPool, isStopped: fc.boolean() }),
    fc.record({ do: fc.constant("die" as const), pool: anyPool }),
    fc.record({ do: fc.constant("wait" as const), pool: anyPool, ms: fc.nat(4000) }),
  );
  type Step = typeof anyStep extends fc.Arbitrary<infer Any> ? Any : never;
  const anySchedule = fc.record({
    length: fc.constantFrom(2, 3, 4, 4, 4),
    lowMark: fc.nat(40),
    more: fc.nat(150),
    // The steps of one inner list run concurrently.
    steps: fc.array(fc.array(anyStep, { minLength: 1, maxLength: 5 }), { minLength: 5, maxLength: 60 }),
    delays: fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }),
  });

  test("issues each ID once, loses none, and ends when all are taken", async () => {
    let ends = 0;
    await fc.assert(
      fc.asyncProperty(anySchedule, async ({ length, lowMark, more, steps, delays }) => {
        const type = typeOf(length);
        const all = typeOf(length).generateIds(Number(type.capacity().ids)).sort();
        let calls = 0;
        const backend = delayedStore(() => delays[calls++ % delays.length]);
        const fresh = () => new IdPool({ backend, type, lowMark, highMark: lowMark + more + 1 });
        const pools = [fresh(), fresh(), fresh()];
        const stopped = [false, false, false];
        const taken = new Set<string>();
        const byKey = new Map<number, string>();

        /** Result of a step: issued IDs, imported IDs, and the error. */
        interface Outcome {
          step: Step;
          issued: string[];
          imported: { ids: string[]; count: number };
          error?: unknown;
          filled?: number;
        }
        const run = async (step: Step): Promise<Outcome> => {
          const outcome: Outcome = { step, issued: [], imported: { ids: [], count: 0 } };
          const pool = pools[step.pool];
          try {
            if (step.do === "issue") outcome.issued = [await pool.issue()];
            if (step.do === "many") outcome.issued = await pool.issueIds(step.count);
            if (step.do === "key") {
              const id = await pool.issue({ requestKey: `form ${step.key}` });
              if (!byKey.has(step.key)) outcome.issued = [id];
              else expect(id).toBe(byKey.get(step.key));
              byKey.set(step.key, id);
            }
            if (step.do === "import") {
              const ids = all.slice(step.from, step.from + step.count);
              const { taken: count, known, outside } = await pool.import([...ids, "0"]);
              expect([count + known, outside]).toEqual([ids.length, ["0"]]);
              outcome.imported = { ids, count };
            }
            if (step.do === "fill") outcome.filled = await pool.fill({ to: step.to });
            if (step.do === "stop" || (step.do === "restart" && step.isStopped)) {
              stopped[step.pool] = true;
              await pool.stop();
            }
            if (step.do === "die") await poolPort(backend, type.name).claimRefill("dead", 3000);
            if (step.do === "wait") await new Promise((wake) => setTimeout(wake, step.ms));
          } catch (error) {
            outcome.error = error;
          }
          return outcome;
        };

        for (const together of steps) {
          const before = taken.size;
          const outcomes = await Promise.all(together.map(run));
          const issued = outcomes.flatMap((outcome) => outcome.issued);
          expectDistinct(issued, type);
          expect(issued.filter((id) => taken.has(id))).toEqual([]);
          for (const id of issued) taken.add(id);
          let imported = 0;
          for (const { imported: some } of outcomes) {
            imported += some.count;
            for (const id of some.ids) taken.add(id);
          }
          // This also proves that no ID was both imported and issued.
          expect(taken.size - before).toBe(issued.length + imported);
          for (const { step, error, filled } of outcomes) {
            if (error instanceof IdPoolExhaustedError) {
              ends++;
              expect(error.count).toBeGreaterThan(all.length - taken.size);
              if (together.length === 1) expect(error.available).toBe(all.length - taken.size);
            } else if (error instanceof IdPoolEmptyError) expect(stopped[step.pool]).toBe(true);
            else expect(error).toBeUndefined();
            if (filled !== undefined && together.length === 1) {
              const wanted = step.do === "fill" ? step.to : 0;
              expect(filled).toBeGreaterThanOrEqual(Math.min(wanted, all.length - taken.size));
            }
          }
          // A pool that is stopped and restarted at the same time counts as restarted.
          for (const step of together) {
            if (step.do !== "restart") continue;
            pools[step.pool] = fresh();
            stopped[step.pool] = false;
          }
          const status = await pools[0].status();
          expect(status.taken).toBe(taken.size);
          expect(status.remaining).toBe(BigInt(all.length - taken.size));
        }

        const { ids, end } = await drain(fresh());
        expect([...taken, ...ids].sort()).toEqual(all);
        expect(end).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", available: 0 });
        expect(await pools[0].status()).toMatchObject({
          available: 0,
          taken: all.length,
          remaining: 0n,
          isExhausted: true,
        });
        for (const [key, id] of byKey) expect(await pools[1].issue({ requestKey: `form ${key}` })).toBe(id);
      }),
      { numRuns: 40 },
    );
    expect(ends).toBeGreaterThan(0);
  });
});
