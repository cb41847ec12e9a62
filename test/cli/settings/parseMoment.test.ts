// Moments on the command line.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMoment } from "../../../src/cli/settings/parseMoment.ts";

describe("a moment", () => {
  test.each([
    ["1970-01-01", 0],
    ["2026-01-31", Date.UTC(2026, 0, 31)],
    ["2024-02-29", Date.UTC(2024, 1, 29)],
    ["1970-01-01T00:00Z", 0],
    ["1970-01-01T00:01:02Z", 62_000],
    ["1970-01-01T00:00:00.5Z", 500],
    ["1970-01-01T00:00:00.123Z", 123],
    ["1970-01-01T01:00:00+01:00", 0],
    ["1970-01-01T00:00:00-02:30", 9_000_000],
    ["1970-01-01 05:30:00+0530", 0],
    ["1970-01-01 01:00:00+01", 0],
    ["0001-01-01", -62_135_596_800_000],
    ["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
  ])("is %s", (text, ms) => {
    expect(parseMoment(text)).toBe(ms);
  });

  test.each([
    "",
    "2026",
    "2026-01",
    "1767225600000",
    "0",
    "now",
    "2026-1-1",
    "2026-02-29",
    "2026-02-30",
    "2026-04-31",
    "2026-13-01",
    "2026-00-01",
    "2026-01-00",
    "2026-01-01T",
    "2026-01-01T12Z",
    "2026-01-01T24:00Z",
    "2026-01-01T23:60Z",
    "2026-01-01T23:59:60Z",
    "2026-01-01T00:00:00.1234Z",
    // Without a zone its meaning would depend on the machine.
    "2026-01-01T12:00:00",
    "2026-01-01Z",
    "2026-01-01T12:00:00+24:00",
    "2026-01-01T12:00:00+01:60",
    "2026-01-01T12:00:00+1",
    "2026-01-01T12:00:00z",
    "2026-01-01T12:00:00 Z",
    " 2026-01-01",
    "2026-01-01\n",
    "+002026-01-01",
    "01/02/2026",
  ])("is not %j", (text) => {
    expect(parseMoment(text)).toBe(undefined);
  });

  test("is read as Date writes it, for every moment of four-digit years", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.parse("0000-01-01"), max: Date.parse("9999-12-31") }), (ms) => {
        const iso = new Date(ms).toISOString();
        expect(parseMoment(iso)).toBe(ms);
        expect(parseMoment(iso.slice(0, 10))).toBe(Math.floor(ms / 86_400_000) * 86_400_000);
      }),
    );
  });

  test("is a moment that Date reads alike, or none, for any text", () => {
    const word = fc.constantFrom("2026", "-", "01", "31", "T", " ", ":", "59", ".", "5", "Z", "+", "02");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 18 }), (words) => {
        const ms = parseMoment(words.join(""));
        if (ms !== undefined) expect(Number.isSafeInteger(ms)).toBe(true);
      }),
    );
  });
});
