// randomString: lengths, alphabets and distribution; and timestampId.

import { afterEach, describe, expect, test, vi } from "vitest";
import { randomString, timestampId } from "../../src/index.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Returns the sum of (observed - expected)^2 / expected. */
function chiSquared(counts: number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Returns a bound that a fair source does not reach in a thousand million runs. One that is not fair is far above it. */
function bound(categories: number): number {
  const free = categories - 1;
  return free + 6 * Math.sqrt(2 * free) + 40;
}

const alphabetOf = (length: number) =>
  Array.from({ length }, (_, i) => String.fromCodePoint(0x1f300 + i)).join("");

describe("randomString", () => {
  test("returns 21 characters of 0-9A-Za-z by default", () => {
    const many = Array.from({ length: 2000 }, () => randomString());
    for (const each of many) expect(each).toMatch(/^[0-9A-Za-z]{21}$/);
    expect(new Set(many).size).toBe(2000);
  });

  test.each([1, 2, 3, 20, 21, 5000])("returns %d characters", (length) => {
    expect(randomString(length)).toHaveLength(length);
    expect(Array.from(randomString(length, alphabetOf(100)))).toHaveLength(length);
  });

  test.each([
    ["2", "01"],
    ["3", "abc"],
    ["10", "0123456789"],
    ["62", undefined],
    ["64", alphabetOf(64)],
    ["65", alphabetOf(65)],
    ["255", alphabetOf(255)],
    ["256", alphabetOf(256)],
  ])("draws each of %s characters equally often, at even and at odd positions", (_count, alphabet) => {
    const draws = 4001;
    const text = Array.from({ length: 50 }, () => Array.from(randomString(draws, alphabet)));
    const characters = Array.from(
      alphabet ?? "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    );
    for (const place of [0, 1]) {
      const counts = new Map(characters.map((character) => [character, 0]));
      for (const line of text) {
        for (let i = place; i < draws - 1; i += 2)
          counts.set(line[i] as string, (counts.get(line[i] as string) ?? 0) + 1);
      }
      expect(counts.size).toBe(characters.length);
      expect(chiSquared([...counts.values()], (50 * 2000) / characters.length)).toBeLessThan(
        bound(characters.length),
      );
    }
    const lasts = new Set(Array.from({ length: 4000 }, () => randomString(3, alphabet).slice(-1)));
    if (characters.length <= 64) expect(lasts.size).toBeGreaterThan(1);
  });

  test("draws each pair of neighbours equally often", () => {
    const text = randomString(400_001, "abcd");
    const counts = new Map<string, number>();
    for (let i = 0; i < 400_000; i++)
      counts.set(text.slice(i, i + 2), (counts.get(text.slice(i, i + 2)) ?? 0) + 1);
    expect(counts.size).toBe(16);
    expect(chiSquared([...counts.values()], 25_000)).toBeLessThan(bound(16));
  });

  test("reaches every character of an alphabet of 200", () => {
    let next = 0;
    vi.stubGlobal("crypto", {
      getRandomValues: (bytes: Uint8Array) => bytes.map((_, at) => (at % 2 === 0 ? next++ : 0)),
    });
    expect(new Set(Array.from(randomString(20_000, alphabetOf(200)))).size).toBe(200);
  });

  test("counts an emoji as one character", () => {
    expect(randomString(50, "🍏🍊")).toMatch(/^(🍏|🍊){50}$/u);
  });

  test("works with many alphabets in turn", () => {
    for (let round = 0; round < 2; round++) {
      for (let length = 2; length < 40; length++) {
        const alphabet = alphabetOf(length);
        for (const character of randomString(100, alphabet)) expect(alphabet).toContain(character);
      }
    }
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity, 1_048_577, "21", 21n, null])(
    "throws on a length of %s",
    (length) => {
      expect(() => randomString(length as number)).toThrow("length must be a whole number from 1 to 1048576");
    },
  );

  test.each([[""], ["a"], ["aa"], ["abca"], [alphabetOf(257)], [null], [5], [["a", "b"]], ["🍏🍏"]])(
    "throws on %j as an alphabet",
    (alphabet) => {
      expect(() => randomString(5, alphabet as string)).toThrow(
        "alphabet must be a string of 2 to 256 distinct characters",
      );
    },
  );

  test("throws, and does not hang, when the source never returns a number in range", () => {
    vi.stubGlobal("crypto", {
      getRandomValues: (bytes: Uint8Array) => bytes.map((_, at) => (at % 16 === 0 ? 0xfe : 0xff)),
    });
    expect(() => randomString()).toThrow("this runtime has no fair randomness");
    vi.unstubAllGlobals();
    expect(randomString(1, alphabetOf(255))).toHaveLength(2);
  });
});

describe("timestampId", () => {
  test("returns the time as text", () => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    expect(timestampId()).toBe("1700000000000");
    vi.setSystemTime(0);
    expect(timestampId()).toBe("0");
  });

  test("throws when Date.now returns no time, and drops fractions", () => {
    const now = vi.spyOn(Date, "now");
    for (const invalid of [Number.NaN, Infinity, -1, 1e21]) {
      now.mockReturnValue(invalid);
      expect(() => timestampId()).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT", field: "Date.now()" }),
      );
    }
    now.mockReturnValue(5.9);
    expect(timestampId()).toBe("5");
    now.mockRestore();
  });
});
