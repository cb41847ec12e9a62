// The promises, against random layouts and adversarial clocks.

import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BitflakeError, SnowflakeGenerator } from "../../src/index.ts";
import { fill } from "../../src/snowflake/batch.ts";
import { ledgerEntry } from "../../src/snowflake/ledger.ts";
import { LocalSource } from "../../src/snowflake/localSource.ts";
import { mergeOptions } from "../../src/snowflake/options.ts";
import { resolveGeneratorSettings } from "../../src/snowflake/settings.ts";
import { anyCase, anyWidths, type Case } from "../support/arbitraries.ts";
import { drive, EndOfScript, scripted } from "../support/clocks.ts";

/** A model in plain BigInt arithmetic, with the same clock and the same outcomes as the generator. */
function model(options: Case["options"], clock: () => number): () => bigint {
  const bits = (n: number) => BigInt(n);
  const most = 2n ** bits(options.sequenceBits) - 1n;
  const maxTick = 2n ** bits(options.timestampBits) - 1n;
  let high = -Infinity;
  let tick = -1n;
  let sequence = 0n;
  return () => {
    for (;;) {
      const now = clock();
      const fail = (code: string) => Object.assign(new Error(code), { code });
      if (!Number.isFinite(now)) throw fail("ERR_ARGUMENT");
      if (now < options.epochMs) throw fail("ERR_EPOCH");
      if (high - now > options.maxBackwardMs) throw fail("ERR_CLOCK_BACKWARDS");
      const shown = (BigInt(Math.floor(now)) - BigInt(options.epochMs)) / BigInt(options.tickMs);
      if (shown > maxTick || Number(shown) * options.tickMs + options.epochMs > 8.64e15) {
        throw fail("ERR_TIMESTAMP_OVERFLOW");
      }
      if (shown <= tick && sequence === most) {
        if (Number(tick + 1n) * options.tickMs + options.epochMs - now > 2000)
          throw fail("ERR_SEQUENCE_EXHAUSTED");
        continue;
      }
      [tick, sequence] = shown > tick ? [shown, 0n] : [tick, sequence + 1n];
      high = Math.max(high, now);
      const node =
        (BigInt(options.datacenterId ?? 0) << bits(options.machineBits)) + BigInt(options.machineId ?? 0);
      const nodeBits = options.datacenterBits + options.machineBits;
      return (((tick << bits(nodeBits)) + node) << bits(options.sequenceBits)) + sequence;
    }
  };
}

describe("whatever the layout and the clock", () => {
  test("IDs strictly increase, or it is a typed error", () => {
    fc.assert(
      fc.property(anyCase, ({ options, readings }) => {
        const generator = new SnowflakeGenerator({ ...options, clock: scripted(readings) });
        let last = -1n;
        drive(
          () => generator.nextId(),
          (outcome) => {
            if (outcome instanceof BitflakeError) return;
            expect(outcome > last).toBe(true);
            expect(
              outcome <
                2n **
                  BigInt(
                    options.timestampBits +
                      options.datacenterBits +
                      options.machineBits +
                      options.sequenceBits,
                  ),
            ).toBe(true);
            last = outcome;
          },
        );
      }),
    );
  });

  test("decode inverts, and no field bleeds into another", () => {
    fc.assert(
      fc.property(anyCase, ({ options, readings }) => {
        let now = 0;
        const clock = scripted(readings);
        const generator = new SnowflakeGenerator({
          ...options,
          clock: () => {
            now = clock();
            return now;
          },
        });
        drive(
          () => generator.nextId(),
          (outcome) => {
            if (outcome instanceof BitflakeError) return;
            const decoded = generator.decode(outcome);
            expect(decoded.id).toBe(outcome);
            expect(decoded.datacenterId).toBe(options.datacenterId);
            expect(decoded.machineId).toBe(options.machineId);
            expect(decoded.sequence).toBeLessThan(2 ** options.sequenceBits);
            expect((decoded.timestampMs - options.epochMs) % options.tickMs).toBe(0);
            // Never before the clock, but by the part of a tick that has passed.
            expect(decoded.timestampMs).toBeGreaterThan(now - options.tickMs);
            expect(decoded.generatedAt).toBe(new Date(decoded.timestampMs).toISOString());
            const { min, max } = generator.range(decoded.timestampMs, decoded.timestampMs + 1);
            expect(min <= outcome && outcome <= max).toBe(true);
          },
        );
      }),
    );
  });

  test("the fast path does what the model does, step by step", () => {
    // The model does not limit the real time of a wait, which a pause of this process makes longer.
    vi.stubGlobal("performance", { now: () => 0 });
    onTestFinished(() => void vi.unstubAllGlobals());
    fc.assert(
      fc.property(anyCase, ({ options, readings }) => {
        const plain = { ...options, onExhausted: "wait", sequenceStart: 0 } as const;
        const clock = scripted(readings);
        const generator = new SnowflakeGenerator({ ...plain, clock });
        const modelClock = scripted(readings);
        const expected = model(plain, modelClock);
        const seen: unknown[] = [];
        drive(
          () => generator.nextId(),
          (outcome) => {
            seen.push([outcome instanceof BitflakeError ? outcome.code : outcome, clock.reads]);
          },
        );
        const wanted: unknown[] = [];
        for (;;) {
          try {
            wanted.push([expected(), modelClock.reads]);
          } catch (error) {
            if (error instanceof EndOfScript) break;
            wanted.push([(error as { code?: string }).code ?? error, modelClock.reads]);
          }
        }
        expect(seen).toEqual(wanted);
      }),
    );
  });

  test("a call that throws leaves the ledger, and the array to fill, as they were", () => {
    fc.assert(
      fc.property(
        anyCase,
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 }),
        ({ options, readings }, counts) => {
          const clock = scripted(readings);
          const settings = resolveGeneratorSettings(mergeOptions(options, { clock }));
          const source = new LocalSource(settings);
          const entry = ledgerEntry(settings);
          const state = () => [entry.highestReadingMs, entry.word[0]];
          for (const count of counts) {
            const target = new BigUint64Array(count).fill(7n);
            const before = state();
            try {
              if (count % 3 === 0) source.nextId();
              else fill(target, source);
            } catch {
              expect(state()).toEqual(before);
              expect(target.every((id) => id === 7n)).toBe(true);
            }
          }
        },
      ),
    );
  });

  test("fill, nextIds and nextId make the same IDs", () => {
    fc.assert(
      fc.property(
        anyWidths,
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom("wait", "borrow"),
        (widths, counts, perTick, onExhausted) => {
          fc.pre(widths.timestampBits > 20);
          // The clock moves on once a sequence is full, so that how often it is read makes no difference.
          const at = (issued: () => number) => () => 5_000 + Math.floor(issued() / perTick);
          const make = () => {
            let issued = 0;
            const generator = new SnowflakeGenerator({
              ...widths,
              epochMs: 0,
              onExhausted,
              maxBorrowMs: 1_000_000,
              clock: at(() => issued),
            });
            return { generator, add: (n: number) => (issued += n) };
          };
          fc.pre(2 ** widths.sequenceBits >= 20 || onExhausted === "borrow");
          const [single, batch, array] = [make(), make(), make()];
          for (const count of counts) {
            const singles = Array.from({ length: count }, () => single.generator.nextId());
            const target = count % 2 ? new BigInt64Array(count) : new BigUint64Array(count);
            expect(batch.generator.nextIds(count)).toEqual(singles);
            expect(Array.from(array.generator.fill(target))).toEqual(singles);
            for (const each of [single, batch, array]) each.add(count);
          }
        },
      ),
    );
  });
});
