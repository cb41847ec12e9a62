// Rules of numeric IDs: each alone and in the two known sets, what validate reports, and which custom rules are refused.

import { describe, expect, test } from "vitest";
import type { OwnRules, RuleSet } from "../../src/numeric/index.ts";
import {
  ArgumentError,
  NumericIdType,
  type NumericRule,
  type NumericRules,
} from "../../src/numeric/index.ts";

/** All rules off. */
const OFF: OwnRules = {
  notStartWith: [],
  sequenceLimit: null,
  repeatingLimit: null,
  repeatingBlockLimit: null,
  evenDigitsLimit: null,
  digitsGroupLimit: null,
  reverseDigitsGroupLimit: null,
  restrictedNumbers: [],
  cyclicNumbers: [],
};

/** Turns on these rules and no others. */
const only = (rules: OwnRules): OwnRules => ({ ...OFF, ...rules });

const typeOf = (length: number, rules?: RuleSet | OwnRules) =>
  new NumericIdType({ name: "farmer", length, rules });

/** Returns the rules that a string of the right length breaks, as a string, except the check digit. */
function detailsOf(rules: RuleSet | OwnRules, text: string): string[] {
  const { broken } = typeOf(text.length, rules).validate(text);
  return broken.filter(({ rule }) => rule !== "checkDigit").map(({ rule, detail }) => `${rule}: ${detail}`);
}

/** Returns the names of all rules that a string breaks. */
const brokenBy = (rules: RuleSet, text: string): NumericRule[] =>
  typeOf(text.length, rules)
    .validate(text)
    .broken.map(({ rule }) => rule);

describe("the known sets, on published IDs", () => {
  test.each([
    ["1492915312", "notStartWith", "it starts with 1"],
    ["6786305283", "sequence", "678 at digit 1 is ascending"],
    ["4457216377", "repeating", "44 at digit 1 repeats a digit"],
    ["9694945910", "repeatingBlock", "94 at digit 3 is repeated"],
    ["4801706042", "evenDigits", "480 at digit 1 has only even digits"],
    ["805394593508", "reverseDigitsGroup", "it ends with 80539 reversed"],
  ])("refuse %s by one rule of openg2p, %s: %s", (id, rule, detail) => {
    expect(typeOf(id.length).validate(id)).toEqual({ valid: false, broken: [{ rule, detail }] });
  });

  test.each(["8349257232", "472652573182"])("accept %s by openg2p", (id) => {
    expect(typeOf(id.length, "openg2p").validate(id)).toEqual({ valid: true, broken: [] });
  });

  test.each(["3029384756", "2013023805"])("accept %s by both", (id) => {
    for (const rules of ["openg2p", "mosip"] as const) expect(brokenBy(rules, id)).toEqual([]);
  });

  test.each<[string, NumericRule[]]>([
    ["9707690352", ["repeating"]],
    ["5901572943", ["sequence"]],
    ["8927861407", ["restrictedNumbers"]],
  ])("accept %s by openg2p, and refuse it by mosip for %j", (id, broken) => {
    expect(brokenBy("openg2p", id)).toEqual([]);
    expect(brokenBy("mosip", id)).toEqual(broken);
  });

  test("accept 4805694704 by mosip, and refuse it by openg2p for even digits", () => {
    expect(brokenBy("openg2p", "4805694704")).toEqual(["evenDigits"]);
    expect(brokenBy("mosip", "4805694704")).toEqual([]);
  });

  test("use openg2p by default, with and without custom rules", () => {
    expect(typeOf(10).rules).toEqual(typeOf(10, "openg2p").rules);
    expect(typeOf(10, {}).rules).toEqual(typeOf(10, "openg2p").rules);
    expect(typeOf(10, { extends: "mosip" }).rules).toEqual(typeOf(10, "mosip").rules);
  });

  test("differ in five settings", () => {
    const [openg2p, mosip] = [typeOf(10, "openg2p").rules, typeOf(10, "mosip").rules];
    const { cyclicNumbers, ...plain } = openg2p;
    expect(plain).toEqual({
      notStartWith: ["0", "1"],
      sequenceLimit: 3,
      sequenceWraps: false,
      repeatingLimit: 2,
      repeatingBlockLimit: 2,
      evenDigitsLimit: 3,
      zeroIsEven: true,
      digitsGroupLimit: 5,
      reverseDigitsGroupLimit: 5,
      groupsOverlap: false,
      restrictedNumbers: [],
    });
    expect(mosip).toEqual({
      ...openg2p,
      sequenceWraps: true,
      repeatingLimit: 3,
      zeroIsEven: false,
      groupsOverlap: true,
      restrictedNumbers: ["786", "666"],
    });
  });

  test("refuse the periods of nine fractions", () => {
    const periods = [7n, 17n, 19n, 23n, 29n, 47n, 59n, 61n, 97n].map((prime) =>
      `${(10n ** (prime - 1n) - 1n) / prime}`.padStart(Number(prime) - 1, "0"),
    );
    expect(typeOf(10).rules.cyclicNumbers).toEqual(periods);
  });
});

describe("a rule alone", () => {
  test("is one of ten: with all of them off, only the length and the check digit count", () => {
    expect(typeOf(10, OFF).validate("0000000000").broken).toEqual([]);
    expect(typeOf(10, OFF).validate("0000000001").broken).toEqual([
      { rule: "checkDigit", detail: "1 is not the check digit of the digits before it" },
    ]);
    expect(detailsOf(OFF, "12345678901234567890")).toEqual([]);
    expect(typeOf(2, OFF).validate("04").valid).toBe(true);
  });

  test.each<[title: string, rules: OwnRules, text: string, detail: string | undefined]>([
    ["a digit at the beginning", { notStartWith: ["0", "1"] }, "1350", "it starts with 1"],
    ["only at the beginning", { notStartWith: ["0", "1"] }, "3501", undefined],
    ["several digits", { notStartWith: ["79", "350"] }, "3501", "it starts with 350"],
    ["not all of several digits", { notStartWith: ["79", "359"] }, "3501", undefined],
    ["the first in the list that fits", { notStartWith: ["35", "3"] }, "3501", "it starts with 35"],
    ["the whole ID", { notStartWith: ["3501"] }, "3501", "it starts with 3501"],
    ["more than the whole ID", { notStartWith: ["35017"] }, "3501", undefined],
  ])("notStartWith: %s", (_title, rules, text, detail) => {
    expect(detailsOf(only(rules), text)).toEqual(detail === undefined ? [] : [`notStartWith: ${detail}`]);
  });

  const DOWN = "98765432109876543210987654321098";
  test.each<[title: string, rules: OwnRules, text: string, detail: string | undefined]>([
    ["up", { sequenceLimit: 3 }, "90345", "345 at digit 3 is ascending"],
    ["down", { sequenceLimit: 3 }, "43209", "432 at digit 1 is descending"],
    ["up is named before down", { sequenceLimit: 3 }, "32145607", "456 at digit 4 is ascending"],
    ["at the end, with the check digit", { sequenceLimit: 3 }, "70987", "987 at digit 3 is descending"],
    ["one less is let through", { sequenceLimit: 3 }, "3487", undefined],
    ["up and down again is none", { sequenceLimit: 3 }, "3434343", undefined],
    ["steps of two are none", { sequenceLimit: 3 }, "1357", undefined],
    ["of two, the least", { sequenceLimit: 2 }, "1350", undefined],
    ["of two, the least", { sequenceLimit: 2 }, "13540", "54 at digit 3 is descending"],
    ["not 890 without wraps", { sequenceLimit: 3 }, "58902", undefined],
    ["not 901 without wraps", { sequenceLimit: 3 }, "59015", undefined],
    ["not 109 without wraps", { sequenceLimit: 3 }, "51095", undefined],
    ["not 098 without wraps", { sequenceLimit: 3 }, "50985", undefined],
    ["not 90 without wraps", { sequenceLimit: 2 }, "690", undefined],
    ["890 with wraps", { sequenceLimit: 3, sequenceWraps: true }, "58902", "890 at digit 2 is ascending"],
    ["901 with wraps", { sequenceLimit: 3, sequenceWraps: true }, "59015", "901 at digit 2 is ascending"],
    ["109 with wraps", { sequenceLimit: 3, sequenceWraps: true }, "51095", "109 at digit 2 is descending"],
    ["098 with wraps", { sequenceLimit: 3, sequenceWraps: true }, "50985", "098 at digit 2 is descending"],
    ["90 with wraps", { sequenceLimit: 2, sequenceWraps: true }, "690", "90 at digit 2 is ascending"],
    ["09 with wraps", { sequenceLimit: 2, sequenceWraps: true }, "309", "09 at digit 2 is descending"],
    ["the longest without wraps", { sequenceLimit: 10 }, "90123456789", "0123456789 at digit 2 is ascending"],
    ["eleven, as there are none without wraps", { sequenceLimit: 11 }, "012345678901", undefined],
    ["32, the most", { sequenceLimit: 32, sequenceWraps: true }, DOWN, `${DOWN} at digit 1 is descending`],
    ["31 of 32", { sequenceLimit: 32, sequenceWraps: true }, `${DOWN.slice(0, -1)}9`, undefined],
    ["32 without wraps", { sequenceLimit: 32 }, DOWN, undefined],
  ])("sequence: %s", (_title, rules, text, detail) => {
    expect(detailsOf(only(rules), text)).toEqual(detail === undefined ? [] : [`sequence: ${detail}`]);
  });

  const TEN = "0246813579";
  test.each<[title: string, limit: number, text: string, detail: string | undefined]>([
    ["11 at 2, the least", 2, "9311", "11 at digit 3 repeats a digit"],
    ["1x1 at 2", 2, "9171", undefined],
    ["1x1 at 3", 3, "9171", "171 at digit 2 repeats a digit"],
    ["11 at 3", 3, "1193", "11 at digit 1 repeats a digit"],
    ["1xx1 at 3", 3, "91731", undefined],
    ["1xx1 at 4", 4, "91731", "1731 at digit 2 repeats a digit"],
    ["the nearest is named first", 4, "171855", "55 at digit 5 repeats a digit"],
    ["the ends of ten digits at 9", 9, `${TEN.slice(1)}2`, undefined],
    ["the ends of ten digits at 10", 10, `${TEN.slice(1)}2`, "2468135792 at digit 1 repeats a digit"],
    ["ten different ones at 32, the most", 32, TEN, undefined],
    ["eleven at 32, of which two must be the same", 32, `${TEN}0`, `${TEN}0 at digit 1 repeats a digit`],
  ])("repeating: %s", (_title, repeatingLimit, text, detail) => {
    expect(detailsOf(only({ repeatingLimit }), text)).toEqual(
      detail === undefined ? [] : [`repeating: ${detail}`],
    );
  });

  const HALF = "8349257232472652";
  test.each<[title: string, limit: number, text: string, detail: string | undefined]>([
    ["a digit at 1, the least", 1, "83498", "8 at digit 1 is repeated"],
    ["no digit at 1", 1, TEN, undefined],
    ["a digit at 2", 2, "83498", undefined],
    ["a pair at 2", 2, "948394", "94 at digit 1 is repeated"],
    ["right behind itself", 2, "89494", "94 at digit 2 is repeated"],
    ["not where it overlaps itself", 2, "8444", undefined],
    ["twice, and so without overlap", 2, "84444", "44 at digit 2 is repeated"],
    ["a pair within longer blocks", 2, "123123", "12 at digit 1 is repeated"],
    ["the first that does is named", 2, "61735173", "17 at digit 2 is repeated"],
    ["in reverse it is another", 2, "9449", undefined],
    ["a pair at 3", 3, "948394", undefined],
    ["three at 3", 3, "9482948", "948 at digit 1 is repeated"],
    ["half an ID at 16", 16, HALF + HALF, `${HALF} at digit 1 is repeated`],
    ["half an ID but for one digit at 16", 16, `${HALF + HALF.slice(0, -1)}3`, undefined],
    ["more than half an ID at 17", 17, HALF + HALF, undefined],
    ["32, the most, which no ID has twice", 32, "0".repeat(32), undefined],
  ])("repeatingBlock: %s", (_title, repeatingBlockLimit, text, detail) => {
    expect(detailsOf(only({ repeatingBlockLimit }), text)).toEqual(
      detail === undefined ? [] : [`repeatingBlock: ${detail}`],
    );
  });

  const EVEN = "24682468246824682468246824682468";
  test.each<[title: string, rules: OwnRules, text: string, detail: string | undefined]>([
    ["three at 3", { evenDigitsLimit: 3 }, "72485", "248 at digit 2 has only even digits"],
    ["the same one three times", { evenDigitsLimit: 3 }, "76667", "666 at digit 2 has only even digits"],
    ["two at 3", { evenDigitsLimit: 3 }, "724582", undefined],
    ["odd ones do not count", { evenDigitsLimit: 3 }, "13579", undefined],
    [
      "at the end, with the check digit",
      { evenDigitsLimit: 2 },
      "7182",
      "82 at digit 3 has only even digits",
    ],
    ["one at 1, the least", { evenDigitsLimit: 1 }, "1350", "0 at digit 4 has only even digits"],
    ["none at 1", { evenDigitsLimit: 1 }, "13579", undefined],
    ["0 is even", { evenDigitsLimit: 3, zeroIsEven: true }, "54047", "404 at digit 2 has only even digits"],
    ["0 is not", { evenDigitsLimit: 3, zeroIsEven: false }, "54047", undefined],
    ["none but 0 at 1", { evenDigitsLimit: 1, zeroIsEven: false }, "10305", undefined],
    ["32, the most", { evenDigitsLimit: 32 }, EVEN, `${EVEN} at digit 1 has only even digits`],
    ["31 of 32", { evenDigitsLimit: 32 }, `${EVEN.slice(0, -1)}9`, undefined],
  ])("evenDigits: %s", (_title, rules, text, detail) => {
    expect(detailsOf(only(rules), text)).toEqual(detail === undefined ? [] : [`evenDigits: ${detail}`]);
  });

  const guarded = { groupsOverlap: false };
  const overlapping = { groupsOverlap: true };
  test.each<[title: string, limit: number, variant: OwnRules, text: string, isBroken: boolean]>([
    ["five at 5", 5, guarded, "834927583492", true],
    ["four at 5", 5, guarded, "834927583490", false],
    ["in reverse", 5, guarded, "83492729438", false],
    ["two times five are long enough", 5, guarded, "8349283492", true],
    ["two times five less one are not", 5, guarded, "898989898", false],
    ["unless they may overlap", 5, overlapping, "898989898", true],
    ["two times five may overlap as well", 5, overlapping, "8349283492", true],
    ["at 3, overlapping in one", 3, overlapping, "12121", true],
    ["at 3, overlapping in one, but not allowed to", 3, guarded, "12121", false],
    ["at 3, one digit differs", 3, overlapping, "12131", false],
    ["as long as the ID, it is its own end", 5, overlapping, "83492", true],
    ["as long as the ID, but not allowed to overlap", 5, guarded, "83492", false],
    ["longer than the ID", 5, overlapping, "8888", false],
    ["one at 1, the least", 1, guarded, "8348", true],
    ["another one at 1", 1, guarded, "8349", false],
    ["half an ID at 16", 16, guarded, HALF + HALF, true],
    ["half an ID at 17", 17, guarded, HALF + HALF, false],
    ["32, the most", 32, guarded, HALF + HALF, false],
    ["32, the most, overlapping", 32, overlapping, HALF + HALF, true],
  ])("digitsGroup: %s", (_title, digitsGroupLimit, variant, text, isBroken) => {
    const details = detailsOf(only({ digitsGroupLimit, ...variant }), text);
    const start = text.slice(0, digitsGroupLimit);
    expect(details).toEqual(isBroken ? [`digitsGroup: it starts and ends with ${start}`] : []);
  });

  const MIRROR = HALF + [...HALF].reverse().join("");
  test.each<[title: string, limit: number, variant: OwnRules, text: string, isBroken: boolean]>([
    ["five at 5", 5, guarded, "83492529438", true],
    ["four at 5", 5, guarded, "834925719438", false],
    ["in the same order", 5, guarded, "834925783492", false],
    ["two times five are long enough", 5, guarded, "8349229438", true],
    ["two times five less one are not", 5, guarded, "834929438", false],
    ["unless they may overlap", 5, overlapping, "834929438", true],
    ["at 3, overlapping in one", 3, overlapping, "12321", true],
    ["at 3, overlapping in one, but not allowed to", 3, guarded, "12321", false],
    ["at 3, one digit differs", 3, overlapping, "12331", false],
    ["as long as the ID, if that is its own mirror", 5, overlapping, "83438", true],
    ["as long as the ID, if that is not", 5, overlapping, "83439", false],
    ["longer than the ID", 5, overlapping, "8888", false],
    ["one at 1, the least", 1, guarded, "8348", true],
    ["another one at 1", 1, guarded, "8349", false],
    ["half an ID at 16", 16, guarded, MIRROR, true],
    ["half an ID at 17", 17, guarded, MIRROR, false],
    ["32, the most", 32, guarded, MIRROR, false],
    ["32, the most, overlapping", 32, overlapping, MIRROR, true],
  ])("reverseDigitsGroup: %s", (_title, reverseDigitsGroupLimit, variant, text, isBroken) => {
    const details = detailsOf(only({ reverseDigitsGroupLimit, ...variant }), text);
    const start = text.slice(0, reverseDigitsGroupLimit);
    expect(details).toEqual(isBroken ? [`reverseDigitsGroup: it ends with ${start} reversed`] : []);
  });

  test.each<[title: string, restrictedNumbers: string[], text: string, number: string | undefined]>([
    ["at the beginning", ["786", "666"], "78613", "786"],
    ["within", ["786", "666"], "17863", "786"],
    ["at the end, with the check digit", ["786", "666"], "13786", "786"],
    ["the first of the list is named", ["786", "666"], "6667861", "786"],
    ["the whole ID", ["13786"], "13786", "13786"],
    ["more than the ID", ["137860"], "13786", undefined],
    ["but for one digit", ["786", "666"], "78766876", undefined],
    ["one digit", ["7"], "13786", "7"],
    ["a part of another", ["3786", "78"], "1785", "78"],
    ["of 100 digits, the most", ["1".repeat(100)], "11111", undefined],
  ])("restrictedNumbers: %s", (_title, restrictedNumbers, text, number) => {
    expect(detailsOf(only({ restrictedNumbers }), text)).toEqual(
      number === undefined ? [] : [`restrictedNumbers: it contains ${number}`],
    );
  });

  describe("cyclicNumbers", () => {
    const { cyclicNumbers } = typeOf(10).rules;
    const alone = only({ cyclicNumbers });
    const fitting = cyclicNumbers.filter((number) => number.length <= 32);

    test("has five periods that fit into an ID", () => {
      expect(fitting.map((number) => number.length)).toEqual([6, 16, 18, 22, 28]);
    });

    test.each(fitting)("finds %s in an ID of its own length, and in all longer ones", (number) => {
      const detail = `cyclicNumbers: it contains ${number}`;
      expect(detailsOf(alone, number)).toEqual([detail]);
      for (let before = 0; number.length + before < 32; before++) {
        expect(detailsOf(alone, "3".repeat(before) + number + "3")).toEqual([detail]);
        expect(detailsOf(alone, "3" + number + "3".repeat(before))).toEqual([detail]);
      }
    });

    test.each(fitting)("does not find %s without its last digit", (number) => {
      expect(detailsOf(alone, number.slice(0, -1) + "5")).toEqual([]);
    });

    test("finds periods that all break the rule of even digits as well", () => {
      for (const set of ["openg2p", "mosip"] as const) {
        for (const number of fitting) {
          const details = detailsOf(set, number).map((text) => text.replace(/:.*/, ""));
          expect(details).toContain("cyclicNumbers");
          expect(details.length).toBeGreaterThan(1);
        }
      }
    });

    test("takes other numbers", () => {
      expect(detailsOf(only({ cyclicNumbers: ["076923"] }), "30769231")).toEqual([
        "cyclicNumbers: it contains 076923",
      ]);
    });
  });
});

describe("validate", () => {
  const type = typeOf(10);
  const rulesOf = (text: string) => type.validate(text).broken.map(({ rule }) => rule);

  test("names every broken rule, in the order in which the rules are listed", () => {
    expect(typeOf(12, { restrictedNumbers: ["28"] }).validate("142857142857")).toEqual({
      valid: false,
      broken: [
        { rule: "checkDigit", detail: "7 is not the check digit of the digits before it" },
        { rule: "notStartWith", detail: "it starts with 1" },
        { rule: "repeatingBlock", detail: "14 at digit 1 is repeated" },
        { rule: "evenDigits", detail: "428 at digit 2 has only even digits" },
        { rule: "restrictedNumbers", detail: "it contains 28" },
        { rule: "cyclicNumbers", detail: "it contains 142857" },
      ],
    });
  });

  test("names the length of a string of another length, and its other broken rules", () => {
    expect(type.validate("83492572329")).toEqual({
      valid: false,
      broken: [
        { rule: "length", detail: "it has 11 characters instead of 10" },
        { rule: "checkDigit", detail: "9 is not the check digit of the digits before it" },
      ],
    });
    expect(type.validate("0")).toEqual({
      valid: false,
      broken: [
        { rule: "length", detail: "it has 1 characters instead of 10" },
        { rule: "notStartWith", detail: "it starts with 0" },
      ],
    });
    expect(rulesOf("4".repeat(32))).toEqual([
      "length",
      "checkDigit",
      "repeating",
      "repeatingBlock",
      "evenDigits",
      "digitsGroup",
      "reverseDigitsGroup",
    ]);
  });

  test("refuses an ID with a 0 before it for its length, even if the check digit is right", () => {
    const id = typeOf(8).generate();
    expect(
      typeOf(8)
        .validate(`0${id}`)
        .broken.map(({ rule }) => rule),
    ).toEqual(expect.arrayContaining(["length", "notStartWith"]));
  });

  test.each([
    ["a letter", "834925723a", ["digits"]],
    ["a space", "834925 723", ["digits"]],
    ["spaces around it", " 8349257232 ", ["digits", "length"]],
    ["a line break behind it", "8349257232\n", ["digits", "length"]],
    ["full-width digits", "８３４９２５７２３２", ["digits"]],
    ["an emoji", "🍏", ["digits", "length"]],
    ["nothing", "", ["digits", "length"]],
    ["33 digits", "1".repeat(33), ["length"]],
    ["a letter among 33", `${"1".repeat(32)}x`, ["digits", "length"]],
  ])("names only that a string cannot be an ID: %s", (_title, text, rules) => {
    expect(rulesOf(text)).toEqual(rules);
  });

  test("describes wrong digits and a wrong length", () => {
    expect(type.validate("x").broken).toEqual([
      { rule: "digits", detail: "it has characters other than the digits 0 to 9" },
      { rule: "length", detail: "it has 1 characters instead of 10" },
    ]);
  });

  test("accepts a megabyte of any characters", () => {
    const size = 2 ** 20;
    for (let i = 0; i < 20; i++) {
      expect(type.validate("7".repeat(size))).toEqual({
        valid: false,
        broken: [{ rule: "length", detail: "it has 1048576 characters instead of 10" }],
      });
      expect(rulesOf("x".repeat(size))).toEqual(["digits", "length"]);
      expect(rulesOf(`${"7".repeat(size)}\n`)).toEqual(["digits", "length"]);
    }
  });

  test.each([
    ["a number", 8349257232],
    ["a bigint", 8349257232n],
    ["null", null],
    ["undefined", undefined],
    ["an array", ["8349257232"]],
    ["a String object", Object("8349257232")],
  ])("throws if the value is not a string: %s", (_title, value) => {
    expect(() => type.validate(value as string)).toThrow(ArgumentError);
    expect(() => type.validate(value as string)).toThrow(
      expect.objectContaining({ field: "text", rule: "a string" }),
    );
  });
});

describe("custom rules", () => {
  const refusalOf = (rules: unknown): unknown => {
    try {
      return typeOf(10, rules as OwnRules);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return `${error.field} must be ${error.rule}`;
    }
  };

  const LIMITS = [
    ["sequenceLimit", 2],
    ["repeatingLimit", 2],
    ["repeatingBlockLimit", 1],
    ["evenDigitsLimit", 1],
    ["digitsGroupLimit", 1],
    ["reverseDigitsGroupLimit", 1],
  ] as const;

  test.each(LIMITS)(
    "require for %s a whole number from %d to 32 or null, and convert nothing",
    (name, least) => {
      for (const value of [
        least - 1,
        0,
        -1,
        33,
        2.5,
        NaN,
        Infinity,
        2n ** 64n,
        3n,
        "3",
        "",
        true,
        false,
        [3],
        {},
      ]) {
        expect(refusalOf({ [name]: value })).toBe(
          `rules.${name} must be a whole number from ${least} to 32, or null`,
        );
      }
      for (const value of [least, 3, 32, null]) expect(typeOf(10, { [name]: value }).rules[name]).toBe(value);
    },
  );

  test.each(["sequenceWraps", "zeroIsEven", "groupsOverlap"] as const)(
    "require true or false for %s",
    (name) => {
      for (const value of ["true", "false", "", 0, 1, null, NaN, [], {}, Object(true)]) {
        expect(refusalOf({ [name]: value })).toBe(`rules.${name} must be one of true, false`);
      }
      for (const value of [true, false]) expect(typeOf(10, { [name]: value }).rules[name]).toBe(value);
    },
  );

  test.each(["notStartWith", "restrictedNumbers", "cyclicNumbers"] as const)(
    "require a list of numbers as text for %s",
    (name) => {
      for (const value of [null, "0", "", 5, true, {}, new Set(["0"]), { length: 1, 0: "0" }, () => ["0"]]) {
        expect(refusalOf({ [name]: value })).toBe(`rules.${name} must be an array of at most 10000 numbers`);
      }
      for (const value of [
        7,
        7n,
        null,
        undefined,
        "",
        "a",
        "7a",
        " 7",
        "7\n",
        "-7",
        "7.5",
        "７",
        ["7"],
        "7".repeat(101),
      ]) {
        expect(refusalOf({ [name]: ["12", value] })).toBe(
          `rules.${name}[1] must be a string of 1 to 100 digits`,
        );
      }
      for (const value of [[], ["0"], ["00", "00"], ["7".repeat(100)]]) {
        expect(typeOf(10, { [name]: value }).rules[name]).toEqual(value);
      }
    },
  );

  test("refuse a list with a hole", () => {
    const holed = ["1", "2", "3"];
    delete holed[1];
    expect(refusalOf({ restrictedNumbers: holed })).toBe(
      "rules.restrictedNumbers[1] must be a string of 1 to 100 digits",
    );
  });

  test("accept up to 10,000 numbers in a list", () => {
    const numbers = Array.from({ length: 10_001 }, (_, i) => `${100_000 + i}`);
    expect(refusalOf({ restrictedNumbers: numbers })).toBe(
      "rules.restrictedNumbers must be an array of at most 10000 numbers",
    );
    const type = typeOf(10, { extends: "openg2p", restrictedNumbers: numbers.slice(0, 10_000) });
    expect(type.validate("3109999728").broken.map(({ rule }) => rule)).toContain("restrictedNumbers");
    expect(type.validate(type.generate()).valid).toBe(true);
  });

  test.each([[null], [5], ["MOSIP"], ["toString"], [["openg2p"]], [""], [Object("mosip")]])(
    "refuse to extend %j",
    (value) => {
      expect(refusalOf({ extends: value })).toBe("rules.extends must be one of openg2p, mosip");
    },
  );

  test.each([["MOSIP"], [""], ["toString"], ["__proto__"], ["openg2p "]])(
    "refuse %j in place of rules",
    (rules) => {
      expect(refusalOf(rules)).toBe("rules must be one of openg2p, mosip");
    },
  );

  test.each([
    ["null", null],
    ["a number", 5],
    ["a boolean", true],
    ["an array", ["openg2p"]],
    ["a function", () => "openg2p"],
    ["a Map", new Map([["sequenceLimit", 3]])],
  ])("refuse %s in place of rules", (_title, rules) => {
    expect(refusalOf(rules)).toBe("rules must be an object");
  });

  test.each([
    ["sequenceLimits", { sequenceLimits: 3 }],
    ["the upstream's name", { sequence_limit: 3 }],
    ["a name that every object has", { toString: 3 }],
    ["__proto__, from JSON", JSON.parse('{ "__proto__": { "sequenceLimit": 5 } }')],
    ["constructor", { constructor: null }],
    ["a digit", { 0: "0" }],
    ["one that is not set", { sequenceLimits: undefined }],
  ])("refuse an unknown name: %s", (_title, rules) => {
    const known = Object.keys(typeOf(10).rules).join(", ");
    expect(refusalOf(rules)).toBe(`a name in rules must be extends or one of ${known}`);
    expect(() => typeOf(10, rules)).toThrow(`got "${Object.keys(rules)[0]}"`);
  });

  test("treat undefined as absent", () => {
    const names = Object.keys(typeOf(10).rules);
    const none = Object.fromEntries(["extends", ...names].map((name) => [name, undefined]));
    expect(typeOf(10, none).rules).toEqual(typeOf(10).rules);
    expect(typeOf(10, { ...none, extends: "mosip" }).rules).toEqual(typeOf(10, "mosip").rules);
  });

  test("ignore inherited properties", () => {
    const rules = Object.create({ sequenceLimit: null, sequenceLimits: 5 });
    expect(typeOf(10, rules).rules).toEqual(typeOf(10).rules);
  });

  test("may be an object without a prototype", () => {
    const rules = Object.assign(Object.create(null), { sequenceLimit: 5 });
    expect(typeOf(10, rules).rules.sequenceLimit).toBe(5);
  });

  test("change the settings that they name, and no others", () => {
    for (const set of ["openg2p", "mosip"] as const) {
      const base = typeOf(10, set).rules;
      expect(typeOf(10, { extends: set, sequenceLimit: null }).rules).toEqual({
        ...base,
        sequenceLimit: null,
      });
      expect(typeOf(10, { extends: set, restrictedNumbers: ["13"] }).rules).toEqual({
        ...base,
        restrictedNumbers: ["13"],
      });
    }
  });

  test("are copied, so that later changes have no effect", () => {
    const given = { sequenceLimit: 4, notStartWith: ["5"], restrictedNumbers: ["13"] };
    const type = typeOf(10, given);
    const before = structuredClone(type.rules);
    given.sequenceLimit = 2;
    given.notStartWith.push("8");
    given.restrictedNumbers[0] = "x";
    expect(type.rules).toEqual(before);
    expect(type.validate("8349257232").valid).toBe(true);
    expect(Object.isFrozen(given.notStartWith)).toBe(false);
  });

  // A rule that was changed later would apply to validate, but not to generate.
  test.each<[string, RuleSet | OwnRules | undefined]>([
    ["of a set", "mosip"],
    ["by default", undefined],
    ["of one's own", { restrictedNumbers: ["13"], notStartWith: [], cyclicNumbers: ["076923"] }],
  ])("are deeply frozen: %s", (_title, given) => {
    const { rules } = typeOf(10, given);
    expect(Object.isFrozen(rules)).toBe(true);
    for (const value of Object.values(rules)) expect(Object.isFrozen(value)).toBe(true);
    expect(() => (rules.notStartWith as string[]).push("8")).toThrow(TypeError);
    expect(() => Object.assign(rules, { sequenceLimit: 9 })).toThrow(TypeError);
  });

  test("are not shared between types", () => {
    const [one, other]: NumericRules[] = [typeOf(10).rules, typeOf(10).rules];
    expect(one).not.toBe(other);
  });
});
