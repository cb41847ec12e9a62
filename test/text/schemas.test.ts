// Schemas: the texts that each takes and refuses, against decode and parse and against Ajv with the schema's own JSON Schema.

import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { decode, type GeneratorOptions, type PresetName, uuid, uuidv7 } from "../../src/index.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import {
  base32,
  base58,
  base62,
  hex,
  idSchema,
  type PrefixedId,
  prefixed,
  type TextCodec,
  type TextSchema,
  uuidSchema,
} from "../../src/text/index.ts";
import { anyId, MAX, refused } from "./ids.ts";

/** Returns Ajv's opinion of a text, by a schema's JSON Schema. */
function compile(schema: TextSchema<unknown>): ValidateFunction {
  const ajv = new Ajv({ strict: true });
  addFormats.default(ajv);
  return ajv.compile(schema.jsonSchema);
}

/** Validates a value; returns the output, or the messages of a refusal. */
function validate<Output>(schema: TextSchema<Output>, value: unknown): Output | readonly string[] {
  const result = schema["~standard"].validate(value);
  return result.issues ? result.issues.map(({ message }) => message) : result.value;
}

const passes = (schema: TextSchema<unknown>, value: unknown) =>
  schema["~standard"].validate(value).issues === undefined;

const farmer = new NumericIdType({ name: "farmer", length: 10 });

const all: [string, () => TextSchema<unknown>][] = [
  ["idSchema()", () => idSchema()],
  ['idSchema("safe_integer")', () => idSchema("safe_integer")],
  ["prefixed", () => prefixed("user", base32)],
  ["NumericIdType", () => farmer],
  ["uuidSchema()", () => uuidSchema()],
  ["uuidSchema(7)", () => uuidSchema(7)],
];

/** Values that are no text of any schema, some of them hostile. */
const hostile: unknown[] = [
  undefined,
  null,
  true,
  Number.NaN,
  Infinity,
  -1,
  1.5,
  2 ** 53,
  -1n,
  2n ** 63n,
  10n ** 5000n,
  Symbol("id"),
  () => "5",
  {},
  [],
  ["5"],
  Object("5"),
  new Date(5),
  { toString: () => "5" },
  {
    toString() {
      throw new Error("toString");
    },
  },
  Object.create(null),
  Proxy.revocable({}, {}).proxy,
  new Proxy(
    {},
    {
      get() {
        throw new Error("get");
      },
    },
  ),
  (() => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  })(),
  "",
  " ",
  "\u0000",
  "\ud800",
  "9".repeat(1_000_000),
];

describe.each(all)("%s", (_title, make) => {
  test("has the properties of version 1 of Standard Schema and Standard JSON Schema", () => {
    const schema = make();
    const standard = schema["~standard"];
    expect(standard).toEqual({
      version: 1,
      vendor: "bitflake",
      validate: expect.any(Function),
      jsonSchema: { input: expect.any(Function), output: expect.any(Function) },
    });
    expect(schema["~standard"]).toBe(standard);
    expect("~standard" in schema).toBe(true);
    for (const target of ["draft-2020-12", "draft-07", "openapi-3.0", "openapi-3.1"]) {
      expect(standard.jsonSchema.input({ target })).toEqual(schema.jsonSchema);
      expect(standard.jsonSchema.output({ target })).toEqual(schema.jsonSchema);
    }
    for (const convert of [standard.jsonSchema.input, standard.jsonSchema.output]) {
      expect(() => convert({ target: "draft-1" })).toThrow(
        'target must be one of draft-2020-12, draft-07, openapi-3.0, openapi-3.1, got "draft-1"',
      );
    }
  });

  test("its JSON Schema is a new object each time, which a tool may change", () => {
    const schema = make();
    Object.assign(schema.jsonSchema, { description: "changed" });
    expect(schema.jsonSchema).not.toHaveProperty("description");
    const { input } = schema["~standard"].jsonSchema;
    Object.assign(input({ target: "draft-07" }), { description: "changed" });
    expect(input({ target: "draft-07" })).not.toHaveProperty("description");
  });

  test("refuses hostile values without throwing, and its messages are short", () => {
    const { validate } = make()["~standard"];
    for (const value of hostile) {
      const { issues } = validate(value);
      expect(issues?.length).toBeGreaterThan(0);
      for (const { message } of issues ?? []) {
        expect(message.length).toBeGreaterThan(0);
        expect(message.length).toBeLessThan(250);
      }
    }
  });

  test("never throws, and never returns a promise", () => {
    const { validate } = make()["~standard"];
    const anything = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(anything, (value) => {
        const result = validate(value);
        return result.issues === undefined ? "value" in result : result.issues.length > 0;
      }),
      // Each of the schemas has them, and such values are slow to make.
      { numRuns: 200 },
    );
  });
});

test.each([
  ["3.0.4", "openapi-3.0"],
  ["3.1.1", "openapi-3.1"],
])("the JSON Schemas are valid in a document of OpenAPI %s", async (openapi, target) => {
  const paths = all.map(([title, make]) => {
    const schema = make()["~standard"].jsonSchema.input({ target });
    const parameters = [{ name: "id", in: "path", required: true, schema }];
    const content = { "application/json": { schema } };
    return [
      `/${encodeURIComponent(title)}/{id}`,
      { get: { parameters, responses: { 200: { description: "d", content } } } },
    ];
  });
  const info = { title: "t", version: "1" };
  const { errors } = await new Validator().validate({ openapi, info, paths: Object.fromEntries(paths) });
  expect(errors).toBeUndefined();
});

describe("idSchema", () => {
  test("gives the bigint of a decimal text, of a bigint and of a safe integer", () => {
    for (const value of ["175928847299117063", 175928847299117063n, MAX, String(MAX), "0", 5, 0n]) {
      expect(validate(idSchema(), value)).toBe(BigInt(value));
    }
  });

  test("its message names the rule and the value", () => {
    expect(validate(idSchema(), "05")).toEqual([
      'id must be a decimal string without leading zeros, from 0 to 9223372036854775807, got "05"',
    ]);
    expect(validate(idSchema("safe_integer"), "9007199254740992")).toEqual([
      'id must be a decimal string without leading zeros, from 0 to 9007199254740991, got "9007199254740992"',
    ]);
    expect(validate(idSchema(), 2 ** 60)).toEqual([
      "id must be a decimal string without leading zeros, from 0 to 9223372036854775807, got 1152921504606847000",
    ]);
  });

  test.each<[PresetName | GeneratorOptions, bigint]>([
    ["safe_integer", 2n ** 53n - 1n],
    ["twitter", MAX],
    // The last tick that a Date holds comes before the last one of 53 bits.
    ["minimal", ((8_640_000_000_000_000n - 1_577_836_800_000n + 1n) << 10n) - 1n],
    [{ timestampBits: 53, datacenterBits: 0, machineBits: 0, sequenceBits: 0, tickMs: 8.64e15 }, 0n],
    [
      { timestampBits: 1, datacenterBits: 0, machineBits: 0, sequenceBits: 52, tickMs: 8.64e15 },
      2n ** 52n - 1n,
    ],
  ])("with %j the last ID is %d", (preset, last) => {
    expect(validate(idSchema(preset), String(last))).toBe(last);
    expect(passes(idSchema(preset), String(last + 1n))).toBe(false);
  });

  test("with a preset, it takes what decode takes, of any time", () => {
    const layout = fc
      .record({
        timestampBits: fc.integer({ min: 1, max: 53 }),
        datacenterBits: fc.nat(20),
        machineBits: fc.nat(20),
        tickMs: fc.constantFrom(1, 10, 1000, 1e9, 8.64e15),
        total: fc.constantFrom(53, 63),
      })
      .map(({ total, ...widths }) => {
        const { timestampBits, datacenterBits, machineBits } = widths;
        return { ...widths, sequenceBits: total - timestampBits - datacenterBits - machineBits };
      })
      .filter(({ sequenceBits }) => sequenceBits >= 0 && sequenceBits <= 53);
    const preset = fc.oneof(
      layout,
      fc.constantFrom<PresetName>("twitter", "minimal", "safe_integer", "x", "discord"),
    );
    fc.assert(
      fc.property(preset, anyId, (options, id) => {
        const isDecoded = refused(() => decode(id, options)) === undefined;
        expect(passes(idSchema(options), String(id))).toBe(isDecoded);
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ["an unknown preset", "twiter", "preset"],
    ["null", null, "preset"],
    ["an unknown option", { machineid: 7 }, "option"],
    ["no layout", { timestampBits: 10 }, "layout"],
  ])("throws when it is created with %s", (_title, preset, field) => {
    expect(() => idSchema(preset as PresetName)).toThrow(expect.objectContaining({ field }));
  });

  test.each<[string, () => TextSchema<bigint>, bigint]>([
    ["of all IDs", () => idSchema(), MAX],
    ["of safe integers", () => idSchema("safe_integer"), 2n ** 53n - 1n],
    [
      "of minimal",
      () => idSchema("minimal"),
      ((8_640_000_000_000_000n - 1_577_836_800_000n + 1n) << 10n) - 1n,
    ],
    [
      "of 0 alone",
      () =>
        idSchema({ timestampBits: 53, datacenterBits: 0, machineBits: 0, sequenceBits: 0, tickMs: 8.64e15 }),
      0n,
    ],
    [
      "of two digits",
      () =>
        idSchema({ timestampBits: 48, datacenterBits: 0, machineBits: 0, sequenceBits: 5, tickMs: 8.64e15 }),
      31n,
    ],
  ])("the JSON Schema %s takes exactly the texts that the schema takes", (_title, make, last) => {
    const schema = make();
    const ajv = compile(schema);
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 21 });
    const near = fc.bigInt(last - 100_000n, last + 100_000n).map(String);
    // The last ID with one digit changed, at each place.
    const alike = fc
      .tuple(fc.nat(String(last).length - 1), fc.constantFrom(..."0123456789"))
      .map(([at, digit]) => String(last).slice(0, at) + digit + String(last).slice(at + 1));
    const other = fc.tuple(anyId, fc.constantFrom("+", "-", " ", "\n", ".0", "e1", "n", "٣"), fc.boolean());
    const spoilt = other.map(([id, mark, isFirst]) => (isFirst ? mark + id : id + mark));
    fc.assert(
      fc.property(
        fc.oneof(digits, near, alike, anyId.map(String), spoilt, fc.string()),
        (text) => ajv(text) === passes(schema, text),
      ),
      { numRuns: 1000 },
    );
    for (let length = 1; length <= 20; length++) {
      for (const text of ["0", "1", "9"].map((digit) => digit.repeat(length))) {
        expect(ajv(text)).toBe(passes(schema, text));
      }
    }
    for (const value of [5, null, true, {}]) expect(ajv(value)).toBe(false);
  });

  test("the JSON Schema of all IDs is a text with a pattern", () => {
    expect(idSchema("safe_integer").jsonSchema).toMatchObject({
      type: "string",
      minLength: 1,
      maxLength: 16,
    });
    // As short as possible: a class of two characters without a dash, no count of one, no group of one alternative.
    expect(idSchema("safe_integer").jsonSchema.pattern).toBe(
      "^(?:0|[1-9][0-9]{0,14}|(?:[1-8][0-9]{15}|900(?:[0-6][0-9]{12}|7(?:0[0-9]{11}|1(?:[0-8][0-9]{10}|9(?:[0-8][0-9]{9}" +
        "|9(?:[01][0-9]{8}|2(?:[0-4][0-9]{7}|5(?:[0-3][0-9]{6}|4(?:[0-6][0-9]{5}|7(?:[0-3][0-9]{4}|40(?:[0-8][0-9]{2}" +
        "|9(?:[0-8][0-9]|9[01])))))))))))))$",
    );
    expect([base32.pattern, hex.pattern]).toEqual(["[0-7][0-9A-HJKMNP-TV-Z]{12}", "[0-7][0-9a-f]{15}"]);
  });
});

describe("prefixed", () => {
  test("gives the text that parse gives", () => {
    const users = prefixed("user", base32);
    expect(validate(users, "user_04W86BB0G4007")).toBe("user_04W86BB0G4007");
    expect(validate(prefixed("user", base32.lenient), "user_o4w86bbog4oo7")).toBe("user_04W86BB0G4007");
  });

  test("its message is that of parse", () => {
    const users = prefixed("user", base32);
    for (const value of ["order_04W86BB0G4007", "user_04w86bb0g4007", "user_", "", 5, null]) {
      expect(validate(users, value)).toEqual([refused(() => users.parse(value))?.message]);
    }
  });

  test("a custom codec that throws or returns no ID is an issue", () => {
    const make = (decode: (text: string) => bigint): TextCodec => ({
      ...hex,
      decode,
      width: 1,
      pattern: undefined,
    });
    const codecs = [
      make(() => {
        throw "text";
      }),
      make(() => -1n),
      make(() => undefined as unknown as bigint),
    ];
    for (const codec of codecs) {
      const message = 'text must be code_ and a text of its codec, got "code_1"';
      expect(validate(prefixed("code", codec), "code_1")).toEqual([message]);
    }
  });

  const forms: [string, TextCodec, string][] = [
    ["base32", base32, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"],
    ["base32.lenient", base32.lenient, "0123456789ABCDEFGHIJKLMNOPQRSTVWXYZabcdefghijklmnopqrstvwxyz"],
    ["base58", base58, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"],
    ["base62", base62, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"],
    ["hex", hex, "0123456789abcdef"],
  ];

  test.each(forms)(
    "of %s: the JSON Schema takes exactly the texts that the schema takes",
    (_name, codec, alphabet) => {
      const schema = prefixed("user", codec);
      const ajv = compile(schema);
      const { width } = codec;
      const last = codec.encode(MAX);
      const ascii = fc.constantFrom(...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)));
      const replaced = (text: string) =>
        fc
          .tuple(fc.nat(width - 1), fc.oneof(ascii, fc.constantFrom(...alphabet)))
          .map(([at, character]) => text.slice(0, at) + character + text.slice(at + 1));
      const text = fc.oneof(
        fc.string({ unit: fc.constantFrom(...alphabet), minLength: width, maxLength: width }),
        replaced(last),
        anyId.chain((id) => replaced(codec.encode(id))),
        fc.constantFrom("", last.slice(1), `${last}0`, `${last}\n`),
      );
      let taken = 0;
      fc.assert(
        fc.property(fc.constantFrom("user_", "order_", "User_", " user_"), text, (head, rest) => {
          const isTaken = passes(schema, head + rest);
          if (isTaken) taken++;
          return ajv(head + rest) === isTaken;
        }),
        { numRuns: 1000 },
      );
      expect(taken).toBeGreaterThan(0);
      expect(ajv(`user_${last}`)).toBe(true);
    },
  );

  test("the patterns of hex and base32 have no alternatives, that of a custom codec is used whole", () => {
    expect(prefixed("user", hex).jsonSchema).toEqual({
      type: "string",
      pattern: "^user_[0-7][0-9a-f]{15}$",
      minLength: 21,
      maxLength: 21,
    });
    const coin = { ...hex, width: 1, pattern: "0|1" };
    expect(prefixed("coin", coin).jsonSchema.pattern).toBe("^coin_(?:0|1)$");
    const custom = { encode: hex.encode, decode: hex.decode, width: 16 };
    const ajv = compile(prefixed("a", custom));
    expect(ajv(`a_${"\n".repeat(16)}`)).toBe(true);
    expect(ajv("a_0")).toBe(false);
    expect(() => prefixed("a", { ...hex, pattern: /a/ as unknown as string })).toThrow(
      expect.objectContaining({ field: "codec" }),
    );
  });
});

describe("NumericIdType", () => {
  test("gives the text, and one issue with every rule that it breaks", () => {
    expect(validate(farmer, "8349257232")).toBe("8349257232");
    expect(validate(farmer, "8349257223")).toEqual([
      "checkDigit: 3 is not the check digit of the digits before it; repeating: 22 at digit 8 repeats a digit",
    ]);
    expect(validate(farmer, 8349257232)).toEqual(["text must be a string of 10 digits, got 8349257232"]);
  });

  test("takes the texts that validate takes, and its JSON Schema takes all of them", () => {
    const ajv = compile(farmer);
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 12 });
    const text = fc.oneof(
      digits,
      fc.string(),
      fc.constant(0).map(() => farmer.generate()),
    );
    fc.assert(
      fc.property(text, (value) => {
        const { valid, broken } = farmer.validate(value);
        expect(passes(farmer, value)).toBe(valid);
        const hasForm = !broken.some(({ rule }) => rule === "digits" || rule === "length");
        expect(ajv(value)).toBe(hasForm);
      }),
    );
  });
});

describe("uuidSchema", () => {
  test("takes the UUIDs of this package, and gives lower case", () => {
    for (const schema of [uuidSchema(), uuidSchema(4)]) {
      const id = uuid();
      expect(validate(schema, id)).toBe(id);
      expect(validate(schema, id.toUpperCase())).toBe(id);
    }
    const id = uuidv7();
    expect(validate(uuidSchema(7), id)).toBe(id);
    expect(passes(uuidSchema(4), id)).toBe(false);
  });

  test.each([
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
    "017f22e279b07cc398c4dc0c0c07398f",
    "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
    "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    "017f22e2-79b0-9cc3-98c4-dc0c0c07398f",
    "017f22e2-79b0-0cc3-98c4-dc0c0c07398f",
    "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
    "017f22e2-79b0-7cc3-78c4-dc0c0c07398f",
    "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  ])("refuses %j", (text) => {
    expect(validate(uuidSchema(), text)).toEqual([
      `uuid must be a UUID as 36 characters, got ${JSON.stringify(text)}`,
    ]);
    expect(validate(uuidSchema(7), text)).toEqual([
      `uuid must be a UUID of version 7 as 36 characters, got ${JSON.stringify(text)}`,
    ]);
    expect(compile(uuidSchema())(text)).toBe(false);
  });

  test("each version passes with its number and without one, and its JSON Schema takes the same", () => {
    const versions = [1, 2, 3, 4, 5, 6, 7, 8] as const;
    const ajvs = versions.map((version) => compile(uuidSchema(version)));
    for (const version of versions) {
      const id = `017f22e2-79b0-${version}cc3-a8c4-dc0c0c07398f`;
      expect(validate(uuidSchema(version), id)).toBe(id);
      expect(validate(uuidSchema(), id)).toBe(id);
      for (const [index, other] of versions.entries()) {
        expect(passes(uuidSchema(other), id)).toBe(other === version);
        expect(ajvs[index]?.(id)).toBe(other === version);
      }
    }
  });

  test("throws when the version is not one of RFC 9562", () => {
    for (const version of [0, 9, 1.5, "7", null]) {
      expect(() => uuidSchema(version as 7)).toThrow(expect.objectContaining({ field: "version" }));
    }
  });
});

test("the types of input and output are those of the text and of the value", () => {
  type Input<Schema extends TextSchema<unknown>> = NonNullable<Schema["~standard"]["types"]>["input"];
  type Output<Schema extends TextSchema<unknown>> = NonNullable<Schema["~standard"]["types"]>["output"];
  const ids = idSchema();
  const users = prefixed("user", base32);
  const uuids = uuidSchema();
  expectTypeOf<Input<typeof ids>>().toEqualTypeOf<string>();
  expectTypeOf<Output<typeof ids>>().toEqualTypeOf<bigint>();
  expectTypeOf<Input<typeof users>>().toEqualTypeOf<string>();
  expectTypeOf<Output<typeof users>>().toEqualTypeOf<PrefixedId<"user">>();
  expectTypeOf<Output<typeof farmer>>().toEqualTypeOf<string>();
  expectTypeOf<Output<typeof uuids>>().toEqualTypeOf<string>();
});
