// DigitBuilder and validate, compared with the rules as plain regular expressions.
//
// With FC_RUNS=10000 it compares 1,000,000 random numbers for each set of rules and each length from 6 to
// 16: 22 million. A shorter run compares 100,000 for each set.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DigitBuilder } from "../../src/numeric/digitBuilder.ts";
import { computeCapacity } from "../../src/numeric/estimate.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import { type OwnRules, type RuleSet, resolveRules } from "../../src/numeric/rules.ts";
import { findBrokenRules, type NumericRule } from "../../src/numeric/validate.ts";
import { invert, multiply, permute } from "../../src/numeric/verhoeff.ts";

const SETS = ["openg2p", "mosip"] as const;
const LENGTHS = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
/** All pairs of a set and a length. */
const KINDS = SETS.flatMap((set) => LENGTHS.map((length) => [set, length] as const));

/** Runs of each property. */
const { numRuns = 100 } = fc.readConfigureGlobal() ?? {};
const isShort = numRuns < 10_000;
/** How many random numbers per pair. */
const NUMBERS = isShort ? Math.ceil(100_000 / LENGTHS.length) : 1_000_000;

const CYCLIC =
  /142857|0588235294117647|052631578947368421|0434782608695652173913|0344827586206896551724137931|0212765957446808510638297872340425531914893617|0169491525423728813559322033898305084745762711864406779661|016393442622950819672131147540983606557377049180327868852459|010309278350515463917525773195876288659793814432989690721649484536082474226804123711340206185567/;

type Expressions = readonly (readonly [NumericRule, RegExp])[];

/** Expressions that no ID matches. Each set has its own list, and nothing is computed. */
const REFUSED: Record<RuleSet, Expressions> = {
  openg2p: [
    ["notStartWith", /^[01]/],
    ["sequence", /012|123|234|345|456|567|678|789|987|876|765|654|543|432|321|210/],
    ["repeating", /(\d)\1/],
    ["repeatingBlock", /(\d\d)\d*\1/],
    ["evenDigits", /[02468]{3}/],
    ["digitsGroup", /^(\d{5})\d*\1$/],
    ["reverseDigitsGroup", /^(\d)(\d)(\d)(\d)(\d)\d*\5\4\3\2\1$/],
    ["cyclicNumbers", CYCLIC],
  ],
  mosip: [
    ["notStartWith", /^[01]/],
    ["sequence", /012|123|234|345|456|567|678|789|890|901|109|098|987|876|765|654|543|432|321|210/],
    ["repeating", /(\d)\d?\1/],
    ["repeatingBlock", /(\d\d)\d*\1/],
    ["evenDigits", /[2468]{3}/],
    // A lookahead, because the last five digits may overlap the first five.
    ["digitsGroup", /^(?=(\d{5}))\d*$(?<=\1)/],
    ["reverseDigitsGroup", /^(?=(\d)(\d)(\d)(\d)(\d))\d*$(?<=\5\4\3\2\1)/],
    ["restrictedNumbers", /786|666/],
    ["cyclicNumbers", CYCLIC],
  ],
};

// The expression that refuses most is first, to save time on millions of numbers.
const LIKELIEST: NumericRule[] = ["evenDigits", "repeating", "notStartWith", "sequence", "repeatingBlock"];
const hurried = (set: RuleSet): RegExp[] => {
  const rank = (rule: NumericRule) => (LIKELIEST.indexOf(rule) + 100) % 100;
  return [...REFUSED[set]].sort(([a], [b]) => rank(a) - rank(b)).map(([, expression]) => expression);
};

/** Returns whether no expression matches. */
function isGood(id: string, expressions: readonly RegExp[]): boolean {
  for (const expression of expressions) if (expression.test(id)) return false;
  return true;
}

// Verhoeff by tables, indexed by place and digit, and then by the product before. verhoeff.test.ts compares the arithmetic
// behind them with the textbook tables.
const TABLE = Array.from({ length: 80 }, (_, i) =>
  Array.from({ length: 10 }, (_, before) => multiply(permute(i % 10, Math.floor(i / 10)), before)),
);

/** Returns the check digit of digits by those tables. */
function checkOf(payload: ArrayLike<number>): number {
  let check = 0;
  for (let i = 0; i < payload.length; i++) {
    const row = TABLE[((payload.length - i) & 7) * 10 + payload[i]] as number[];
    check = row[check] as number;
  }
  return invert(check);
}

/** Returns digits with their check digit, as text. */
const completed = (payload: ArrayLike<number>): string => Array.from(payload).join("") + checkOf(payload);

/** Returns whether the builder accepts the digits and their check digit. */
function isTaken(builder: DigitBuilder, payload: ArrayLike<number>): boolean {
  builder.clear();
  for (let i = 0; i < payload.length; i++) if (!builder.push(payload[i])) return false;
  return builder.pushCheckDigit();
}

/** Returns a source of digits, each equally likely. */
function randomDigits(): () => number {
  const bytes = new Uint8Array(65_536);
  let at = bytes.length;
  return () => {
    for (;;) {
      if (at === bytes.length) {
        crypto.getRandomValues(bytes);
        at = 0;
      }
      const byte = bytes[at++] as number;
      if (byte < 250) return byte % 10;
    }
  };
}

/**
 * Yields every payload with one other digit, and with two swapped neighbours; and payloads with another sixth digit that
 * end with the second to the fifth digit reversed, of which one has the first digit as its check digit.
 */
function* neighboursOf(payload: readonly number[]): Generator<number[]> {
  for (let i = 0; i < payload.length; i++) {
    for (let digit = 0; digit < 10; digit++) if (digit !== payload[i]) yield payload.with(i, digit);
    const [a, b] = payload.slice(i, i + 2);
    if (b !== undefined && a !== b) yield payload.with(i, b).with(i + 1, a as number);
  }
  const mirrored = [...payload.slice(0, -4), ...payload.slice(1, 5).reverse()];
  if (payload.length > 9) for (let digit = 0; digit < 10; digit++) yield mirrored.with(5, digit);
}

const typeOf = (length: number, rules: RuleSet | OwnRules) => new NumericIdType({ name: "t", length, rules });
const digitsOf = (text: string) => Array.from(text, Number);

describe("DigitBuilder accepts exactly the numbers that no expression matches", () => {
  test.each(KINDS)(`of ${NUMBERS.toLocaleString("en-US")} random numbers: %s, %d digits`, (set, length) => {
    const builder = new DigitBuilder(length, resolveRules("rules", set));
    const expressions = hurried(set);
    const next = randomDigits();
    const payload = new Uint8Array(length - 1);
    // The texts of 4096 numbers are made as one, because that is faster.
    const characters = Buffer.alloc(length * 4096);
    const taken = new Uint8Array(4096);
    let good = 0;
    for (let done = 0; done < NUMBERS; done += 4096) {
      for (let number = 0; number < 4096; number++) {
        const from = number * length;
        for (let i = 0; i < length - 1; i++) {
          payload[i] = next();
          characters[from + i] = 48 + payload[i];
        }
        characters[from + length - 1] = 48 + checkOf(payload);
        taken[number] = Number(isTaken(builder, payload));
      }
      const text = characters.toString("latin1");
      for (let number = 0; number < 4096; number++) {
        const id = text.slice(number * length, (number + 1) * length);
        const isExpected = isGood(id, expressions);
        if (isExpected !== (taken[number] === 1)) expect.fail(`${id} should be ${isExpected}`);
        if (isExpected) good++;
      }
    }
    expect(good).toBeGreaterThan(NUMBERS / 1000);
  });

  test.each(KINDS)("of IDs and their neighbours by one digit or one swap: %s, %d digits", (set, length) => {
    const type = typeOf(length, set);
    const builder = new DigitBuilder(length, type.rules);
    const expressions = hurried(set);
    const count = { true: 0, false: 0 };
    for (let i = 0; i < (isShort ? 20 : 100); i++) {
      const id = type.generate();
      const payload = digitsOf(id).slice(0, -1);
      expect(completed(payload)).toBe(id);
      expect([isTaken(builder, payload), builder.toString()]).toEqual([true, id]);
      for (const other of neighboursOf(payload)) {
        const isExpected = isGood(completed(other), expressions);
        if (isTaken(builder, other) !== isExpected)
          expect.fail(`${completed(other)} should be ${isExpected}`);
        count[`${isExpected}`]++;
      }
    }
    // Both answers are frequent.
    expect(count.true).toBeGreaterThan(count.false / 20);
    expect(count.false).toBeGreaterThan(count.true / 20);
  });
});

describe("validate", () => {
  test.each(SETS)("names exactly the rules whose expression matches: %s", (set) => {
    const next = randomDigits();
    const types = LENGTHS.map((length) => typeOf(length, set));
    const names = new Set<NumericRule>();
    const numbers = isShort ? 5_000 : 50_000;
    let good = 0;
    for (let i = 0; i < numbers; i++) {
      const type = types[i % types.length] as NumericIdType;
      const { length } = type;
      // A third are random, a third differ from an ID in up to two digits, and a third at most in the check digit.
      const digits = i % 3 === 0 ? Array.from({ length }, next) : digitsOf(type.generate());
      if (i % 3 === 1) for (const at of [next(), next()]) digits[at % (length - 1)] = next();
      if (i % 3 === 2 && next() < 5) digits[length - 1] = next();
      if (i % 3 !== 2 && next() < 8) digits[length - 1] = checkOf(digits.slice(0, -1));
      const id = digits.join("");
      const expected = REFUSED[set].flatMap(([rule, expression]) => (expression.test(id) ? [rule] : []));
      if (checkOf(digits.slice(0, -1)) !== digits.at(-1)) expected.unshift("checkDigit");
      const { valid, broken } = type.validate(id);
      const named = broken.map(({ rule }) => rule);
      if (named.join() !== expected.join()) expect.fail(`${id}: ${named}, and not ${expected}`);
      if (valid !== (expected.length === 0)) expect.fail(`${id} is ${valid}`);
      if (valid) good++;
      for (const rule of named) names.add(rule);
    }
    expect(good).toBeGreaterThan(numbers / 10);
    // The rules about groups and cyclic numbers apply too seldom to be expected here.
    expect([...names]).toEqual(
      expect.arrayContaining([
        "checkDigit",
        ...["notStartWith", "sequence", "repeating", "repeatingBlock", "evenDigits"],
        ...(set === "mosip" ? ["restrictedNumbers"] : []),
      ]),
    );
  });
});

/** Numbers as text. Those with few different digits overlap, and break other rules by themselves. */
const anyNumber = (maxLength: number) =>
  fc.oneof(
    ...["0123456789", "123", "28"].map((digits) =>
      fc.string({ unit: fc.constantFrom(...digits), minLength: 1, maxLength }),
    ),
  );
/** Lists of numbers, seldom so short that no ID is left. */
const anyNumbers = (maxLength: number) =>
  fc.array(
    anyNumber(maxLength).filter((number) => number.length > 1 || number < "3"),
    { maxLength: 4 },
  );
/** A limit, mostly a low one, because limits near the least show off-by-one errors. */
const anyLimit = (min: number) =>
  fc.oneof(fc.integer({ min, max: min + 2 }), fc.integer({ min, max: 8 }), fc.constant(null));

/** Any rules, some of them off: with all of them on there are hardly any IDs. */
const anyRules: fc.Arbitrary<OwnRules> = fc
  .record({
    rules: fc.record({
      extends: fc.constantFrom(...SETS),
      notStartWith: anyNumbers(4),
      sequenceLimit: anyLimit(2),
      sequenceWraps: fc.boolean(),
      repeatingLimit: anyLimit(2),
      repeatingBlockLimit: anyLimit(1),
      evenDigitsLimit: anyLimit(1),
      zeroIsEven: fc.boolean(),
      digitsGroupLimit: anyLimit(1),
      reverseDigitsGroupLimit: anyLimit(1),
      groupsOverlap: fc.boolean(),
      restrictedNumbers: anyNumbers(6),
      cyclicNumbers: anyNumbers(8),
    }),
    off: fc.subarray([
      ...(["sequenceLimit", "repeatingLimit", "repeatingBlockLimit", "evenDigitsLimit"] as const),
      ...(["digitsGroupLimit", "reverseDigitsGroupLimit"] as const),
      ...(["notStartWith", "restrictedNumbers", "cyclicNumbers"] as const),
    ]),
  })
  .map(({ rules, off }) => ({
    ...rules,
    ...Object.fromEntries(off.map((name) => [name, Array.isArray(rules[name]) ? [] : null])),
  }));

/** Digits with few or many equal or neighbouring ones. */
const anyDigits = (length: number) =>
  fc.oneof(
    ...[
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [5, 9],
      [3, 4, 7],
      [8, 9, 0, 1],
    ].map((digits) => fc.array(fc.constantFrom(...digits), { minLength: length, maxLength: length })),
  );

/** Returns the wanted digits, each replaced by the next one that the builder accepts, if it accepts any. */
function nearlyGood(builder: DigitBuilder, wanted: readonly number[]): number[] {
  builder.clear();
  return wanted.map((digit) => {
    const fits = Array.from({ length: 10 }, (_, i) => (digit + i) % 10).find((each) => builder.push(each));
    return fits ?? digit;
  });
}

describe("with any rules", () => {
  test("DigitBuilder accepts exactly the numbers that validate finds valid", () => {
    const count = { true: 0, false: 0 };
    fc.assert(
      fc.property(
        anyRules,
        fc.integer({ min: 2, max: 12 }),
        fc.array(anyDigits(11), { minLength: 1, maxLength: 5 }),
        (own, length, drawn) => {
          const rules = resolveRules("rules", own);
          const builder = new DigitBuilder(length, rules);
          for (const digits of drawn.map((all) => all.slice(1 - length))) {
            const good = nearlyGood(builder, digits);
            const others = [...neighboursOf(good)].filter((_, i) => i % 5 === digits[0] % 5);
            for (const payload of [digits, good, ...others]) {
              const id = completed(payload);
              const isValid = findBrokenRules(id, length, rules).length === 0;
              count[`${isValid}`]++;
              if (isTaken(builder, payload) !== isValid) expect.fail(`${id} should be ${isValid}`);
              expect(builder.toString() === id).toBe(isValid);
            }
          }
        },
      ),
    );
    if (numRuns < 30) return;
    expect(count.true).toBeGreaterThan(count.false / 20);
    expect(count.false).toBeGreaterThan(count.true / 20);
  });

  test("the capacity is the count of the numbers that validate finds valid", () => {
    fc.assert(
      fc.property(anyRules, fc.integer({ min: 2, max: 4 }), (own, length) => {
        const rules = resolveRules("rules", own);
        const all = Array.from({ length: 10 ** (length - 1) }, (_, i) => `${i}`.padStart(length - 1, "0"));
        const valid = all.filter((text) => !findBrokenRules(completed(digitsOf(text)), length, rules).length);
        expect(computeCapacity(new DigitBuilder(length, rules)).ids).toBe(BigInt(valid.length));
      }),
      // Each run validates a thousand numbers.
      { numRuns: Math.ceil(numRuns / 10) },
    );
  });
});

describe("a DigitBuilder", () => {
  /** Returns how the builder treats each of the ten digits. */
  const outlook = (builder: DigitBuilder) =>
    Array.from({ length: 10 }, (_, digit) => {
      const isNear = builder.isTooNear(digit);
      const isPushed = builder.push(digit);
      if (isPushed) builder.pop();
      return { isNear, isPushed };
    });

  test.each([null, 2, 3, 5])("with repeatingLimit %j says which digits repeat too soon", (repeatingLimit) => {
    const none = { sequenceLimit: null, repeatingBlockLimit: null, evenDigitsLimit: null, notStartWith: [] };
    const builder = new DigitBuilder(8, resolveRules("rules", { ...none, repeatingLimit }));
    const digits = [7, 1, 8, 3];
    for (const digit of digits) expect(builder.push(digit)).toBe(true);
    const near = Array.from({ length: 10 }, (_, digit) => digit).filter((digit) => builder.isTooNear(digit));
    expect(near).toEqual(digits.slice(digits.length + 1 - (repeatingLimit ?? 1)).sort());
  });

  test("takes the digits of a number up to the first that breaks a rule", () => {
    const builder = new DigitBuilder(8, resolveRules("rules", { notStartWith: [], repeatingLimit: 2 }));
    expect(builder.pushNumber(50_271n)).toBe(false);
    expect(builder.size).toBe(1); // 0, and then another 0
    expect(builder.pushNumber(507_271n)).toBe(true);
    expect(builder.size).toBe(7);
    expect(builder.pushCheckDigit()).toBe(true);
    expect(builder.toString()).toMatch(/^0507271\d$/);
    expect(builder.pushNumber(5_072_733n)).toBe(false);
    expect(builder.size).toBe(6);
  });

  test("after pushes and pops equals a new one with the same digits", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...SETS), anyRules),
        fc.constantFrom(2, 3, 6, 10, 16, 31, 32),
        // Digits to push; a negative number pops one.
        fc.array(fc.integer({ min: -4, max: 9 }), { maxLength: 80 }),
        fc.nat(80),
        (own, length, steps, clearAt) => {
          const rules = resolveRules("rules", own);
          const builder = new DigitBuilder(length, rules);
          const digits: number[] = [];
          steps.forEach((step, i) => {
            if (i === clearAt) {
              builder.clear();
              digits.length = 0;
            } else if (step < 0 && digits.length > 0) {
              builder.pop();
              digits.pop();
            } else if (step >= 0 && digits.length < length - 1 && builder.push(step)) digits.push(step);
          });
          const fresh = new DigitBuilder(length, rules);
          for (const digit of digits) expect(fresh.push(digit)).toBe(true);
          expect([builder.toString(), builder.size]).toEqual([digits.join(""), digits.length]);
          expect(outlook(builder)).toEqual(outlook(fresh));
        },
      ),
    );
  });

  test("is unchanged if it refuses the check digit, and after the check digit is popped", () => {
    const count = { true: 0, false: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.array(fc.nat(9), { minLength: 15, maxLength: 15 }),
        ([set, length], drawn) => {
          const builder = new DigitBuilder(length, resolveRules("rules", set));
          const payload = nearlyGood(builder, drawn.slice(1 - length));
          if (builder.size < length - 1) return;
          const before = outlook(builder);
          const isFinished = builder.pushCheckDigit();
          count[`${isFinished}`]++;
          if (isFinished) builder.pop();
          expect(builder.toString()).toBe(payload.join(""));
          expect(outlook(builder)).toEqual(before);
        },
      ),
    );
    if (numRuns >= 30) expect(Math.min(count.true, count.false)).toBeGreaterThan(0);
  });
});
