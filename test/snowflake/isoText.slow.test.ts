// The text of a moment, compared with Date.prototype.toISOString.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isoText } from "../../src/snowflake/isoText.ts";

const DAY_MS = 86_400_000;
/** The first moment that an epoch can be, and the last that a Date can hold. */
const FIRST_MS = -1e14;
const LAST_MS = 8.64e15;

const anyMoment = fc.oneof(
  fc.integer({ min: FIRST_MS, max: LAST_MS }),
  fc.integer({ min: Date.UTC(1890, 0), max: Date.UTC(2200, 0) }),
  // Around the ends of days.
  fc
    .tuple(
      fc.integer({ min: Math.ceil(FIRST_MS / DAY_MS), max: LAST_MS / DAY_MS - 1 }),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([day, by]) => Math.max(day * DAY_MS + by, FIRST_MS)),
);

describe("isoText", () => {
  test("returns what toISOString returns, for any moment that an ID can have", () => {
    fc.assert(
      fc.property(anyMoment, (ms) => {
        expect(isoText(ms)).toBe(new Date(ms).toISOString());
      }),
    );
  });

  test("returns the same when many days share the slots of its table", () => {
    fc.assert(
      fc.property(fc.array(anyMoment, { minLength: 2, maxLength: 20 }), (moments) => {
        for (const ms of [...moments, ...moments]) expect(isoText(ms)).toBe(new Date(ms).toISOString());
        for (const ms of moments) {
          const later = Math.min(ms + 1024 * DAY_MS, LAST_MS);
          expect([isoText(later), isoText(ms)]).toEqual([
            new Date(later).toISOString(),
            new Date(ms).toISOString(),
          ]);
        }
      }),
    );
  });

  test("returns each day of 800 years, so every kind of leap year", () => {
    for (let ms = Date.UTC(1600, 0); ms < Date.UTC(2400, 0); ms += DAY_MS) {
      if (isoText(ms) !== new Date(ms).toISOString()) expect.fail(`${isoText(ms)} at ${ms}`);
    }
  });

  test("returns each minute, second and millisecond", () => {
    for (let ms = 0; ms < DAY_MS; ms += 997) {
      if (isoText(ms) !== new Date(ms).toISOString()) expect.fail(`${isoText(ms)} at ${ms}`);
    }
  });

  test.each([
    0,
    -1,
    FIRST_MS,
    LAST_MS,
    Date.UTC(0, 0) - 1,
    -62_167_219_200_000, // 0000-01-01
    -62_167_219_200_001,
    253_402_300_799_999, // 9999-12-31T23:59:59.999Z
    253_402_300_800_000,
    951_782_400_000, // 2000-02-29
    4_107_542_400_000, // 2100-03-01
  ])("returns the text of %s", (ms) => {
    expect(isoText(ms)).toBe(new Date(ms).toISOString());
  });
});
