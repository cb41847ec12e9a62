// Arbitraries of fast-check: random layouts and adversarial clocks.

import fc from "fast-check";
import type { GeneratorOptions, Widths } from "../../src/index.ts";

/** Any valid layout of 63 or 53 bits. */
export const anyWidths: fc.Arbitrary<Widths> = fc
  .record({
    total: fc.constantFrom(63, 53),
    timestampBits: fc.integer({ min: 1, max: 53 }),
    // Small sequences are used up, which is the case of interest.
    sequenceBits: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 53 })),
    share: fc.nat(53),
  })
  .map(({ total, timestampBits, sequenceBits, share }) => {
    const sequence = Math.min(sequenceBits, total - timestampBits);
    const rest = total - timestampBits - sequence;
    const datacenterBits = Math.min(share, rest);
    return { timestampBits, datacenterBits, machineBits: rest - datacenterBits, sequenceBits: sequence };
  })
  .filter(({ machineBits }) => machineBits <= 53);

/** The step of a clock from one reading to the next. */
const move = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.integer({ min: -12, max: 12 }) },
  { weight: 2, arbitrary: fc.double({ min: -3, max: 3, noNaN: true }) },
  { weight: 1, arbitrary: fc.integer({ min: -5_000, max: 5_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) },
);

const broken = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

/** Readings of a clock that starts at `start`, moves by any steps, and sometimes returns no finite number. */
function anyReadings(start: number, length = 60): fc.Arbitrary<number[]> {
  const steps = fc.array(fc.oneof({ weight: 30, arbitrary: move }, { weight: 1, arbitrary: broken }), {
    minLength: 1,
    maxLength: length,
  });
  return steps.map((moves) => {
    let at = start;
    return moves.map((by) => {
      if (!Number.isFinite(by)) return by;
      at += by;
      return at;
    });
  });
}

/** Options of a generator, and the readings of its clock. */
export interface Case {
  readonly options: GeneratorOptions & Widths & { epochMs: number; tickMs: number; maxBackwardMs: number };
  readonly readings: number[];
}

/** Any options, and a clock that starts at the epoch, in the middle of the range or near the last tick. */
export const anyCase: fc.Arbitrary<Case> = anyWidths.chain((widths) =>
  fc
    .record({
      epochMs: fc.constantFrom(0, 1_577_836_800_000, -62_135_596_800_000),
      tickMs: fc.constantFrom(1, 1, 1, 10, 1000),
      maxBackwardMs: fc.constantFrom(0, 10, 10, 10_000),
      maxBorrowMs: fc.constantFrom(0, 5, 1000),
      onExhausted: fc.constantFrom("wait", "throw", "borrow"),
      sequenceStart: fc.constantFrom(0, "random"),
      datacenterId: fc.maxSafeNat().map((n) => n % 2 ** widths.datacenterBits),
      machineId: fc.maxSafeNat().map((n) => n % 2 ** widths.machineBits),
      where: fc.constantFrom(0, 0.5, 1),
    })
    .chain(({ where, ...rest }) => {
      const options = { ...widths, ...rest } as Case["options"];
      const last = Math.min((2 ** widths.timestampBits - 1) * rest.tickMs, 8.64e15 - rest.epochMs);
      const start = rest.epochMs + Math.floor(last * where);
      return anyReadings(start).map((readings) => ({ options, readings }));
    }),
);
