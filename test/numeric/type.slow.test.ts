// NumericIdType: rules without an ID, and statistics of generated IDs: their check digits, and a uniform distribution.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { DigitBuilder } from "../../src/numeric/digitBuilder.ts";
import { type DigitSource, drawId } from "../../src/numeric/draw.ts";
import {
  NoValidIdError,
  type NumericIdType,
  type OwnRules,
  type RuleSet,
  verhoeff,
} from "../../src/numeric/index.ts";
import { randomDigit } from "../../src/numeric/random.ts";
import { resolveRules } from "../../src/numeric/rules.ts";
import { createDigitBuilder } from "../../src/numeric/type.ts";
import { allOf, DIGITS, typeOf } from "./enumerate.ts";

const isShort = Number(fc.readConfigureGlobal()?.numRuns) < 10_000;
describe("the check digit catches 100 % of the most common errors", () => {
  const type = typeOf(10);
  const ids = Array.from({ length: isShort ? 10_000 : 100_000 }, () => type.generate());

  test(`every single wrong digit in ${ids.length.toLocaleString("en-US")} random IDs`, () => {
    let missed = 0;
    for (const id of ids) {
      for (let i = 0; i < id.length; i++) {
        const [before, after] = [id.slice(0, i), id.slice(i + 1)];
        for (const digit of DIGITS) if (digit !== id[i] && verhoeff.isValid(before + digit + after)) missed++;
      }
    }
    expect(missed).toBe(0);
  });

  test(`every two neighbours that changed places in ${ids.length.toLocaleString("en-US")} random IDs`, () => {
    let missed = 0;
    for (const id of ids) {
      for (let i = 0; i < id.length - 1; i++) {
        const swapped = id.slice(0, i) + id[i + 1] + id[i] + id.slice(i + 2);
        if (swapped !== id && verhoeff.isValid(swapped)) missed++;
      }
    }
    expect(missed).toBe(0);
  });
});

describe("rules that no ID can keep", () => {
  const refusal = (length: number) =>
    expect.objectContaining({
      code: "ERR_NO_VALID_ID",
      type: "farmer",
      length,
      message: `no ID of ${length} digits was found that keeps the rules of "farmer"`,
    });

  test.each<[title: string, length: number, rules: RuleSet | OwnRules]>([
    ["no digit may be the first", 10, { notStartWith: DIGITS }],
    ["two digits make no six", 6, { evenDigitsLimit: 1, restrictedNumbers: ["1", "3", "7"] }],
    ["more digits than there are different ones", 11, { repeatingLimit: 11 }],
    ["no check digit fits", 2, { restrictedNumbers: allOf(typeOf(2)) }],
    ["five digits always begin as they end", 5, "mosip"],
  ])("throw NoValidIdError: %s", (_title, length, rules) => {
    const type = typeOf(length, rules);
    expect(() => type.generate()).toThrow(NoValidIdError);
    const isExact = length < 10;
    expect(type.capacity()).toEqual({ ids: 0n, isExact, error: isExact ? 0 : 1 });
  });

  test("throw in each call of each method", () => {
    const type = typeOf(32, { repeatingLimit: 32 });
    for (let round = 0; round < 2; round++) {
      expect(() => type.generate()).toThrow(refusal(32));
      expect(() => type.generateIds(1)).toThrow(refusal(32));
      expect(type.capacity()).toEqual({ ids: 0n, isExact: false, error: 1 });
    }
  });
});

describe("every ID is equally likely", () => {
  const KINDS: [title: string, length: number, rules: RuleSet | OwnRules][] = [
    ["openg2p", 4, "openg2p"],
    ["mosip", 4, "mosip"],
    ["with digits farther apart", 4, { repeatingLimit: 4 }],
    ["with beginnings of two digits", 4, { notStartWith: ["0", "12", "358"], repeatingLimit: 3 }],
    ["with digits that are refused", 4, { restrictedNumbers: ["7", "35"], evenDigitsLimit: 2 }],
    ["mosip, where beginning and end overlap", 4, { extends: "mosip", reverseDigitsGroupLimit: 3 }],
  ];

  /** Returns the sum of (observed - expected)^2 / expected over all IDs. */
  function chiSquared(type: NumericIdType, isPlain: boolean, draws: number): { chi: number; bound: number } {
    const builder = createDigitBuilder(type);
    const counts = new Map(allOf(type).map((id) => [id, 0]));
    const { size } = counts;
    for (let i = 0; i < draws; i++) {
      const id = drawId(builder, randomDigit, isPlain) as string;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(counts.size).toBe(size);
    const expected = draws / size;
    const chi = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // A fair draw exceeds this once in 10^9 times (Wilson and Hilferty's approximation, at six deviations).
    const free = size - 1;
    const bound = free * (1 - 2 / (9 * free) + 6 * Math.sqrt(2 / (9 * free))) ** 3;
    return { chi, bound };
  }

  test.each(KINDS)("by the counts of IDs: %s", (_title, length, rules) => {
    const { chi, bound } = chiSquared(typeOf(length, rules), true, isShort ? 50_000 : 200_000);
    expect(chi).toBeLessThan(bound);
  });

  test("and the counts detect the bias of the draw for long IDs", () => {
    const { chi, bound } = chiSquared(typeOf(4), false, 50_000);
    expect(chi).toBeGreaterThan(2 * bound);
  });

  /**
   * Returns for each ID the product, over all places, of how many digits the draw chooses from. A script leads the draw
   * digit by digit, and the builder then shows how the draw treats each of the ten next digits: it takes the digit, draws
   * again, or restarts. Digits that are drawn again leave the others more likely. So the probability of an ID in one
   * attempt is one divided by its product.
   */
  function oddsOf(type: NumericIdType, isPlain: boolean): Map<string, number> {
    const builder = new DigitBuilder(type.length, type.rules);
    const odds = new Map<string, number>();
    const outcomeOf = (script: string): string | { id: string } => {
      let at = 0;
      const scripted: DigitSource = () => {
        if (at === script.length) throw new RangeError("the script is over");
        return Number(script[at++]);
      };
      try {
        return { id: drawId(builder, scripted, isPlain) as string };
      } catch (error) {
        if (error instanceof RangeError) return builder.toString();
        throw error;
      }
    };
    const follow = (start: string, product: number) => {
      const outcomes = DIGITS.map((digit) => outcomeOf(start + digit));
      // At the first place both draws are the same.
      const again = start === "" ? 0 : outcomes.filter((outcome) => outcome === start).length;
      const odd = product * (10 - again);
      outcomes.forEach((outcome, digit) => {
        if (typeof outcome === "object") odds.set(outcome.id, odd);
        else if (outcome === `${start}${digit}`) follow(outcome, odd);
      });
    };
    follow("", 1);
    return odds;
  }

  test.each(KINDS)("by the digits of each step: %s", (_title, length, rules) => {
    const type = typeOf(length, rules);
    const odds = oddsOf(type, true);
    expect([...odds.keys()].sort()).toEqual(allOf(type));
    expect(new Set(odds.values()).size).toBe(1);
  });

  test("and the steps detect the bias of the draw for long IDs", () => {
    const odds = oddsOf(typeOf(4), false);
    expect([...odds.keys()].sort()).toEqual(allOf(typeOf(4)));
    expect(new Set(odds.values()).size).toBeGreaterThan(2);
  });

  test.each([
    ["plain", true],
    ["constrained", false],
  ])(
    "and a digit too near to an equal one is drawn again without ending the attempt: %s",
    (_title, isPlain) => {
      const builder = new DigitBuilder(12, resolveRules("rules", { sequenceLimit: null, notStartWith: [] }));
      // Each digit twice: the second time it is too near. In the end every digit has been used, at different places.
      const script = [..."93816274509"].flatMap((digit) => [Number(digit), Number(digit)]).slice(0, -1);
      const id = drawId(builder, () => script.shift() ?? Number.NaN, isPlain);
      expect(id).toBe(`93816274509${verhoeff.checkDigit("93816274509")}`);
      expect(script).toEqual([]);
    },
  );

  test("up to 24 digits, and from 25 on by the other draw", () => {
    const source = vi.spyOn(crypto, "getRandomValues");
    const bytesFor = (length: number) => {
      source.mockClear();
      const type = typeOf(length);
      for (let i = 0; i < 50; i++) type.generate();
      return source.mock.calls.reduce((sum, [bytes]) => sum + (bytes as Uint8Array).length, 0);
    };
    // A plain draw takes about 1500 digits of two bytes per ID, the other draw a few per digit of the ID.
    expect(bytesFor(24)).toBeGreaterThan(40_000);
    expect(bytesFor(25)).toBeLessThan(30_000);
    source.mockRestore();
  });
});
