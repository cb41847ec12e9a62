// NumericIdType: options, generated IDs, capacity, a uniform distribution, and defineIdTypes.

import fc from "fast-check";
import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { randomUint16 } from "../../src/internal.ts";
import {
  ArgumentError,
  defineIdTypes,
  type IdCapacity,
  type IdTypeDefinition,
  type NumericIdOptions,
  NumericIdType,
  type NumericRules,
  type OwnRules,
  type RuleSet,
  UnsupportedError,
  type Validation,
  verhoeff,
} from "../../src/numeric/index.ts";
import { resolveRules } from "../../src/numeric/rules.ts";

import { allOf, DIGITS, typeOf } from "./enumerate.ts";

const SETS = ["openg2p", "mosip"] as const;

const isShort = Number(fc.readConfigureGlobal()?.numRuns) < 10_000;

describe("a type", () => {
  test("has its name, length and rules as properties", () => {
    const { name, length, rules } = new NumericIdType({ name: "farmer", length: 10, rules: "mosip" });
    expect({ name, length, rules }).toEqual({
      name: "farmer",
      length: 10,
      rules: resolveRules("rules", "mosip"),
    });
  });

  test.each([
    ["a"],
    ["x".repeat(100)],
    ["🍏".repeat(100)],
    ["pessoa física"],
    [" "],
    ["__proto__"],
    ["a.b/c:d"],
  ])("accepts the name %j", (name) => {
    expect(new NumericIdType({ name, length: 10 }).name).toBe(name);
  });

  test.each([
    ["nothing", ""],
    ["101 characters", "x".repeat(101)],
    ["101 emoji", "🍏".repeat(101)],
    ["an opening brace", "a{b"],
    ["a closing brace", "}"],
    ["a line break", "a\nb"],
    ["a line break at the end", "a\n"],
    ["a carriage return", "a\rb"],
    ["a line separator", "a\u2028b"],
    ["a paragraph separator", "a\u2029b"],
    ["a zero byte", "a\0b"],
    ["half an emoji", "a\ud83c"],
    ["a number", 5],
    ["null", null],
    ["undefined", undefined],
    ["an array", ["a"]],
    ["a String object", Object("a")],
  ])("refuses %s as a name", (_title, name) => {
    expect(() => new NumericIdType({ name: name as string, length: 10 })).toThrow(
      expect.objectContaining({
        code: "ERR_ARGUMENT",
        field: "name",
        rule: "a string of 1 to 100 characters in one line, without braces",
      }),
    );
  });

  test.each([1, 0, -5, 33, 2.5, NaN, Infinity, "10", 10n, null, undefined, [10], true])(
    "refuses a length of %s",
    (length) => {
      expect(() => typeOf(length as number)).toThrow(
        expect.objectContaining({
          code: "ERR_ARGUMENT",
          field: "length",
          rule: "a whole number from 2 to 32",
        }),
      );
    },
  );

  test.each([["rule"], ["Name"], ["prefix"], ["toString"], [""]])(
    "refuses the unknown option %j",
    (option) => {
      expect(() => new NumericIdType({ name: "a", length: 10, [option]: undefined })).toThrow(
        expect.objectContaining({
          field: "option",
          rule: "one of name, length, rules",
          value: `"${option}"`,
        }),
      );
    },
  );

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a name", "farmer"],
    ["an array", [{ name: "farmer", length: 10 }]],
    ["a function", () => ({ name: "farmer", length: 10 })],
  ])("refuses %s in place of options", (_title, options) => {
    expect(() => new NumericIdType(options as NumericIdOptions)).toThrow(
      expect.objectContaining({ field: "options", rule: "an object" }),
    );
  });

  test("has the declared types", () => {
    const type = new NumericIdType({ name: "farmer", length: 10 });
    expectTypeOf(type.generate()).toEqualTypeOf<string>();
    expectTypeOf(type.generateIds).toEqualTypeOf<(count: number) => string[]>();
    expectTypeOf(type.generateMany).toEqualTypeOf(type.generateIds);
    expectTypeOf(type.validate("")).toEqualTypeOf<Validation>();
    expectTypeOf(type.capacity()).toEqualTypeOf<IdCapacity>();
    expectTypeOf(type.rules).toEqualTypeOf<NumericRules>();
    expectTypeOf<NumericIdOptions["rules"]>().toEqualTypeOf<RuleSet | OwnRules | undefined>();
    expectTypeOf<RuleSet>().toEqualTypeOf<"openg2p" | "mosip">();
    // @ts-expect-error No such set.
    expect(() => new NumericIdType({ name: "farmer", length: 10, rules: "mosip2" })).toThrow(ArgumentError);
    // @ts-expect-error No such rule.
    expect(() => new NumericIdType({ name: "farmer", length: 10, rules: { limit: 3 } })).toThrow();
    // @ts-expect-error Numbers must be text.
    expect(() => typeOf(10, { restrictedNumbers: [786] })).toThrow(ArgumentError);
    // @ts-expect-error `length` is required.
    expect(() => new NumericIdType({ name: "farmer" })).toThrow(ArgumentError);
  });
});

describe("generate", () => {
  const lengths = Array.from({ length: 31 }, (_, i) => i + 2);

  test.each(SETS)("makes valid IDs of all lengths: %s", (set) => {
    // In five digits the first five are also the last five, which mosip refuses.
    for (const length of lengths.filter((each) => set !== "mosip" || each !== 5)) {
      const type = typeOf(length, set);
      for (let i = 0; i < (isShort ? 20 : 200); i++) {
        const id = type.generate();
        expect(id).toMatch(/^\d+$/);
        expect(id).toHaveLength(length);
        expect(type.validate(id)).toEqual({ valid: true, broken: [] });
      }
    }
  });

  test.each([25, 26, 27, 28, 29, 30, 31, 32])("makes valid, different IDs of %d digits", (length) => {
    for (const set of SETS) {
      const type = typeOf(length, set);
      const ids = Array.from({ length: isShort ? 200 : 2_000 }, () => type.generate());
      for (const id of ids) if (!type.validate(id).valid) expect.fail(id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  test("makes the only ID of a type", () => {
    const type = typeOf(2, { notStartWith: DIGITS.filter((digit) => digit !== "7") });
    const id = `7${verhoeff.checkDigit("7")}`;
    expect(type.capacity().ids).toBe(1n);
    expect(type.generate()).toBe(id);
    expect(type.generateIds(1)).toEqual([id]);
  });

  test("makes IDs from the few digits that the rules allow", () => {
    const type = typeOf(12, {
      ...{ evenDigitsLimit: 1, repeatingBlockLimit: null, digitsGroupLimit: null, sequenceLimit: null },
      restrictedNumbers: ["1", "3", "99"],
    });
    // Each takes a while, because plain draws are tried first and find none.
    for (let i = 0; i < 3; i++) expect(type.generate()).toMatch(/^[579]{12}$/);
  });
});

describe("generateIds", () => {
  test.each([0, 1, 2, 1000])("makes %d IDs, all different and valid", (count) => {
    const type = typeOf(8, "mosip");
    const ids = type.generateIds(count);
    expect(ids).toHaveLength(count);
    expect(new Set(ids).size).toBe(count);
    for (const id of ids) expect(type.validate(id).valid).toBe(true);
  });

  test.each([2, 3, 4, 5])("makes every ID of %d digits, and throws if more are requested", (length) => {
    const type = typeOf(length);
    const all = allOf(type);
    expect(type.capacity().ids).toBe(BigInt(all.length));
    for (let round = 0; round < 2; round++) {
      expect(type.generateIds(all.length).sort()).toEqual(all);
      expect(() => type.generateIds(all.length + 1)).toThrow(
        expect.objectContaining({
          code: "ERR_ARGUMENT",
          field: "count",
          rule: `at most ${all.length}, because there are no more IDs`,
          value: `${all.length + 1}`,
        }),
      );
    }
  });

  test.each([-1, 1.5, NaN, Infinity, 2 ** 20 + 1, "5", 5n, null, undefined, [5]])(
    "refuses a count of %s",
    (count) => {
      expect(() => typeOf(10).generateIds(count as number)).toThrow(
        expect.objectContaining({ field: "count", rule: "a whole number from 0 to 1048576" }),
      );
    },
  );

  test("returns an empty array for a count of 0", () => {
    expect(typeOf(5, "mosip").generateIds(0)).toEqual([]);
  });

  test("has the deprecated alias generateMany", () => {
    const type = typeOf(4);
    expect(type.generateMany(465).sort()).toEqual(type.generateIds(465).sort());
    expect(() => type.generateMany(-1)).toThrow(expect.objectContaining({ field: "count" }));
  });
});

describe("capacity", () => {
  const own: OwnRules = { repeatingLimit: 4, notStartWith: ["0", "12"], restrictedNumbers: ["35", "808"] };

  test.each([
    ["openg2p", "openg2p"],
    ["mosip", "mosip"],
    ["rules of one's own", own],
  ] as const)("is what is found among all numbers of 2 to 6 digits: %s", (_title, rules) => {
    for (let length = 2; length <= (isShort ? 5 : 6); length++) {
      const type = typeOf(length, rules);
      expect(type.capacity()).toEqual({ ids: BigInt(allOf(type).length), isExact: true, error: 0 });
    }
  });

  const COUNTED: [length: number, ids: bigint][] = [
    [6, 29_593n],
    [7, 231_359n],
    [8, 1_790_577n],
    [9, 13_682_178n],
  ];
  // The last one takes a second.
  test.each(COUNTED.slice(0, isShort ? -1 : undefined))(
    "is exact for openg2p with %d digits: %d",
    (length, ids) => {
      expect(typeOf(length).capacity()).toEqual({ ids, isExact: true, error: 0 });
    },
  );

  // The shares were measured separately, by drawing all digits and testing them, 100,000 to 400,000 times with
  // success, or by 1,500,000 paths where that would take hours.
  test.each([
    [10, 0.10334, 0.0015],
    [12, 0.05666, 0.0062],
    [16, 0.014659, 0.0015],
    [20, 0.00308, 0.0062],
    [24, 0.00050977, 0.0031],
    [32, 0.0000068389, 0.0025],
  ])("is about the right share for openg2p with %d digits: %d", (length, share, shareError) => {
    const { ids, isExact, error } = typeOf(length).capacity();
    expect(isExact).toBe(false);
    expect(error).toBeGreaterThan(0.005);
    expect(error).toBeLessThan(0.05);
    expect(Math.abs(Number(ids) / 10 ** (length - 1) / share - 1)).toBeLessThan(2 * (error + shareError));
  });

  test("is the same in each call and for each equal type", () => {
    for (const length of [4, 10]) {
      const type = typeOf(length, "mosip");
      const first = type.capacity();
      expect(JSON.parse(JSON.stringify(first))).toEqual({ ...first, ids: String(first.ids) });
      expect(type.capacity()).toBe(first);
      expect(typeOf(length, "mosip").capacity()).toEqual(first);
      expect(Object.isFrozen(first)).toBe(true);
    }
  });

  test("does not disturb generate, and is not disturbed by it", () => {
    for (const length of [4, 25]) {
      const untouched = typeOf(length).capacity();
      const type = typeOf(length);
      expect(type.validate(type.generate()).valid).toBe(true);
      expect(type.capacity()).toEqual(untouched);
      for (let i = 0; i < 100; i++) expect(type.validate(type.generate()).valid).toBe(true);
    }
  });

  // All paths have the same weight, so the variance is a rounding error around 0, negative at some lengths.
  test("is estimated almost without error for a type without rules", () => {
    const none: OwnRules = {
      ...{ notStartWith: [], restrictedNumbers: [], cyclicNumbers: [] },
      ...{ sequenceLimit: null, repeatingLimit: null, repeatingBlockLimit: null, evenDigitsLimit: null },
      ...{ digitsGroupLimit: null, reverseDigitsGroupLimit: null },
    };
    for (const length of [10, 11, 13, 16, 22, 32]) {
      const { ids, error } = typeOf(length, none).capacity();
      expect(Number(ids) / 10 ** (length - 1)).toBeCloseTo(1, 9);
      expect(error).toBeLessThan(1e-6);
    }
  });
});

describe("without a source of randomness", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    // Uses up the stub's values in the batch.
    for (let i = 0; i < 4096; i++) randomUint16();
  });

  /** Uses up the values that were drawn before, and more. */
  const drain = (type: NumericIdType) => () => {
    for (let i = 0; i < 5000; i++) type.generate();
  };

  test.each([8, 32])("throws for %d digits, and works again with a source", (length) => {
    const type = typeOf(length);
    vi.stubGlobal("crypto", undefined);
    expect(drain(type)).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED", feature: "crypto" }));
    expect(() => type.generateIds(1)).toThrow(UnsupportedError);
    vi.unstubAllGlobals();
    expect(drain(type)).not.toThrow();
    expect(type.validate(type.generate()).valid).toBe(true);
  });

  test.each([8, 32])("detects a source that repeats a value, with %d digits", (length) => {
    const type = typeOf(length);
    // Two values, because a single one is refused earlier. Neither gives a digit.
    const getRandomValues = (bytes: Uint8Array) => bytes.map((_, at) => (at % 16 === 0 ? 0xfe : 0xff));
    vi.stubGlobal("crypto", { getRandomValues });
    expect(drain(type)).toThrow(
      expect.objectContaining({ code: "ERR_UNSUPPORTED", feature: "fair randomness" }),
    );
    expect(() => type.generate()).toThrow(UnsupportedError);
  });

  test("has the error of the source as its cause", () => {
    const type = typeOf(8);
    const cause = new Error("Disallowed operation called within global scope");
    vi.stubGlobal("crypto", {
      getRandomValues() {
        throw cause;
      },
    });
    expect(drain(type)).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED", cause }));
    vi.unstubAllGlobals();
    expect(type.validate(type.generate()).valid).toBe(true);
  });

  test("everything else works", () => {
    vi.stubGlobal("crypto", undefined);
    const type = typeOf(10);
    expect(type.validate("8349257232").valid).toBe(true);
    expect(type.capacity().ids).toBeGreaterThan(10n ** 8n);
    expect(type.generateIds(0)).toEqual([]);
  });
});

describe("defineIdTypes", () => {
  const DEFINITIONS = {
    farmer: { length: 10 },
    household: { length: 12, rules: { extends: "mosip", restrictedNumbers: ["13"] } },
  } as const;

  test.each([
    ["an object", DEFINITIONS],
    ["the text of a JSON file", JSON.stringify(DEFINITIONS, null, 2)],
  ])("makes types from %s", (_title, given) => {
    const types = defineIdTypes(given as string);
    expect(Object.keys(types)).toEqual(["farmer", "household"]);
    const { farmer, household } = types;
    expect(farmer).toBeInstanceOf(NumericIdType);
    expect(farmer).toMatchObject({ name: "farmer", length: 10, rules: resolveRules("rules", "openg2p") });
    expect(household?.name).toBe("household");
    expect(household?.rules).toEqual({ ...resolveRules("rules", "mosip"), restrictedNumbers: ["13"] });
    expect(household?.validate(household.generate()).valid).toBe(true);
  });

  test("returns an empty array for a count of 0", () => {
    expect(Object.keys(defineIdTypes({}))).toEqual([]);
    expect(Object.keys(defineIdTypes("{}"))).toEqual([]);
  });

  test("returns a frozen object with these names and no others", () => {
    const types = defineIdTypes(DEFINITIONS);
    expect(Object.isFrozen(types)).toBe(true);
    expect(Object.getPrototypeOf(types)).toBe(null);
    expect("toString" in types).toBe(false);
    expect(() => Object.assign(types, { farmer: null })).toThrow(TypeError);
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "7"])(
    "accepts the type name %s",
    (name) => {
      const types = defineIdTypes(`{ "a": { "length": 8 }, ${JSON.stringify(name)}: { "length": 10 } }`);
      expect(Object.keys(types).sort()).toEqual(["a", name].sort());
      expect(types[name]).toBeInstanceOf(NumericIdType);
      expect(types[name]).toMatchObject({ name, length: 10 });
      expect(Object.getPrototypeOf(types)).toBe(null);
    },
  );

  test.each<[title: string, definitions: unknown, field: string, rule: string]>([
    ["no length", { farmer: {} }, "types.farmer.length", "a whole number from 2 to 32"],
    ["a length as text", { farmer: { length: "10" } }, "types.farmer.length", "a whole number from 2 to 32"],
    [
      "a wrong limit",
      { farmer: { length: 10, rules: { sequenceLimit: 1 } } },
      "types.farmer.rules.sequenceLimit",
      "a whole number from 2 to 32, or null",
    ],
    [
      "a wrong number in a list",
      { farmer: { length: 10, rules: { restrictedNumbers: ["786", 666] } } },
      "types.farmer.rules.restrictedNumbers[1]",
      "a string of 1 to 100 digits",
    ],
    [
      "an unknown set to extend",
      { farmer: { length: 10, rules: { extends: "mosip2" } } },
      "types.farmer.rules.extends",
      "one of openg2p, mosip",
    ],
    [
      "an unknown set",
      { farmer: { length: 10, rules: "mosip2" } },
      "types.farmer.rules",
      "one of openg2p, mosip",
    ],
    ["rules that are null", { farmer: { length: 10, rules: null } }, "types.farmer.rules", "an object"],
    [
      "an unknown option",
      { farmer: { length: 10, rule: {} } },
      "a name in types.farmer",
      "one of length, rules",
    ],
    [
      "a name of its own",
      { farmer: { length: 10, name: "farmer" } },
      "a name in types.farmer",
      "one of length, rules",
    ],
    [
      "a name of its own that is not set",
      { farmer: { length: 10, name: null } },
      "a name in types.farmer",
      "one of length, rules",
    ],
    [
      "a bad name",
      { "far{mer": { length: 10 } },
      "types.far{mer.name",
      "a string of 1 to 100 characters in one line, without braces",
    ],
    [
      "no name",
      { "": { length: 10 } },
      "types..name",
      "a string of 1 to 100 characters in one line, without braces",
    ],
    ["a definition that is null", { farmer: null }, "types.farmer", "an object"],
    ["a definition that is an array", { farmer: [10] }, "types.farmer", "an object"],
    ["a definition that is a length", { farmer: 10 }, "types.farmer", "an object"],
    ["a definition that is a set", { farmer: "mosip" }, "types.farmer", "an object"],
    [
      "the second definition",
      { farmer: { length: 10 }, card: { length: 1 } },
      "types.card.length",
      "a whole number from 2 to 32",
    ],
    ["an array", [{ length: 10 }], "types", "an object"],
    ["null", null, "types", "an object"],
    ["a number", 10, "types", "an object"],
  ])("names the path of a wrong value: %s", (_title, definitions, field, rule) => {
    const wanted = expect.objectContaining({ code: "ERR_ARGUMENT", field, rule });
    expect(() => defineIdTypes(definitions as Record<string, IdTypeDefinition>)).toThrow(wanted);
    expect(() => defineIdTypes(JSON.stringify(definitions))).toThrow(wanted);
  });

  test("accepts a string with a byte order mark", () => {
    expect(Object.keys(defineIdTypes(`\uFEFF${JSON.stringify(DEFINITIONS)}`))).toEqual([
      "farmer",
      "household",
    ]);
  });

  test("names an unknown rule", () => {
    expect(() => defineIdTypes({ farmer: { length: 10, rules: { sequence: 3 } as OwnRules } })).toThrow(
      expect.objectContaining({ field: "a name in types.farmer.rules", value: '"sequence"' }),
    );
  });

  test.each([
    "",
    "farmer",
    "{",
    '{ "farmer": { "length": 10 }, }',
    "{ farmer: { length: 10 } }",
    "undefined",
  ])("throws if the text is not JSON: %j", (text) => {
    expect(() => defineIdTypes(text)).toThrow(
      expect.objectContaining({
        code: "ERR_ARGUMENT",
        field: "types",
        rule: expect.stringMatching(/^JSON: ./),
      }),
    );
  });

  test("throws a short error, however long the text is", () => {
    const refusal = (text: string) => {
      try {
        defineIdTypes(text);
      } catch (error) {
        return error as ArgumentError;
      }
      throw new Error("not refused");
    };
    expect(refusal("x".repeat(2 ** 20)).message.length).toBeLessThan(300);
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => DEFINITIONS],
    ["a Map", new Map([["farmer", { length: 10 }]])],
  ])("refuses %s", (_title, definitions) => {
    expect(() => defineIdTypes(definitions as unknown as string)).toThrow(
      expect.objectContaining({ field: "types", rule: "an object" }),
    );
  });

  test("types the result by the names of an object", () => {
    const types = defineIdTypes(DEFINITIONS);
    expectTypeOf(types).toEqualTypeOf<Readonly<Record<"farmer" | "household", NumericIdType>>>();
    // @ts-expect-error No type has that name.
    expect(types.card).toBe(undefined);
    const fromText = defineIdTypes(JSON.stringify(DEFINITIONS));
    expectTypeOf(fromText).toEqualTypeOf<Readonly<Record<string, NumericIdType>>>();
    // @ts-expect-error The key is the name.
    expect(() => defineIdTypes({ farmer: { name: "farmer", length: 10 } })).toThrow(ArgumentError);
    // @ts-expect-error `length` is required.
    expect(() => defineIdTypes({ farmer: {} })).toThrow(ArgumentError);
  });
});
