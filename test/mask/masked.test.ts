// masked: known values, a permutation of the IDs, key versions, and refusals that show no key.

import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { FF1 as NobleFf1 } from "@noble/ciphers/ff1.js";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ArgumentError, InvalidIdError, makeGenerator, PRESET_SAFE_INTEGER } from "../../src/index.ts";
import {
  type MaskedCodec,
  type MaskKey,
  type MaskKeys,
  type MaskOptions,
  masked,
} from "../../src/mask/index.ts";
import { anyId, MAX } from "../text/ids.ts";

/** The key of NIST's examples. */
const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const KEYS = [KEY, "000102030405060708090a0b0c0d0e0f", "6b".repeat(31) + "6c"] as const;
const ID = 911780371413233664n;

const anyKey = fc
  .constantFrom(16, 24, 32)
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length, size: "max" }))
  .filter((bytes) => new Set(bytes).size > 1);
const anyName = fc.constantFrom("orders", "users", "a", "名前", "x".repeat(100));

/** Returns the error of a call. */
function thrownBy(act: () => unknown): ArgumentError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return error as ArgumentError;
  }
  throw new Error("the call did not throw");
}

describe("a mask", () => {
  // Computed by @noble/ciphers 2.4.0, FF1(2, key, name) on the binary digits. Another value would break every stored link.
  test.each<[string, MaskKey | MaskKeys, MaskOptions, bigint, bigint]>([
    ["63 bits", KEY, { name: "orders" }, ID, 7284816827242867165n],
    ["another name", KEY, { name: "users" }, ID, 8397812748129474365n],
    ["the first ID", KEY, { name: "orders" }, 0n, 3891144426127641566n],
    ["the last ID", KEY, { name: "orders" }, MAX, 704571445420231266n],
    ["a key of 24 bytes", `${KEY}0001020304050607`, { name: "orders" }, ID, 614198626958982721n],
    ["a key of 32 bytes", KEYS[2], { name: "orders" }, ID, 3013873804017191077n],
    ["53 bits", KEY, { name: "orders", bits: 53 }, 8707044720639n, 2517790527687861n],
    [
      "version 2 of 2 bits",
      { keys: { 2: KEY }, current: 2, versionBits: 2 },
      { name: "orders" },
      ID,
      6792754824892590914n,
    ],
  ])("is the same in every version of the package: %s", (_title, key, options, id, maskedId) => {
    const mask = masked(key, options);
    expect(mask.encode(id)).toBe(maskedId);
    expect(mask.decode(maskedId)).toBe(id);
  });

  test("is FF1 of @noble/ciphers on the bits of the ID, below the version, with the name as tweak", () => {
    fc.assert(
      fc.property(
        anyKey,
        anyName,
        anyId,
        fc.constantFrom<53 | 63>(53, 63),
        fc.integer({ min: 0, max: 8 }),
        (key, name, anyNumber, bits, versionBits) => {
          const width = bits - versionBits;
          const id = BigInt.asUintN(width, anyNumber);
          const current = 2 ** versionBits - 1;
          const keys = versionBits === 0 ? key : { keys: { [current]: key }, current, versionBits };
          const digits = Array.from(id.toString(2).padStart(width, "0"), Number);
          const result = NobleFf1(2, key, new TextEncoder().encode(name)).encrypt(digits).join("");
          const version = "1".repeat(versionBits);
          expect(masked(keys, { name, bits }).encode(id)).toBe(BigInt(`0b${version}${result}`));
        },
      ),
    );
  });

  test("decodes encoded IDs, and encodes decoded ones, within 0 to 2^63 - 1", () => {
    fc.assert(
      fc.property(anyKey, anyName, anyId, (key, name, id) => {
        const mask = masked(key, { name });
        const [there, back] = [mask.encode(id), mask.decode(id)];
        for (const result of [there, back]) expect(BigInt.asUintN(63, result)).toBe(result);
        expect(mask.decode(there)).toBe(id);
        expect(mask.encode(back)).toBe(id);
      }),
    );
  });

  test("of 53 bits does the same with safe integers", () => {
    const anySafe = fc.maxSafeNat();
    fc.assert(
      fc.property(anyKey, anySafe, (key, id) => {
        const mask = masked(key, { name: "orders", bits: 53 });
        const there = mask.encode(id);
        expect(Number.isSafeInteger(Number(there))).toBe(true);
        expect(mask.decode(Number(there))).toBe(BigInt(id));
        expect(mask.encode(mask.decode(id))).toBe(BigInt(id));
      }),
    );
  });

  test("takes an ID in every form that parseId takes", () => {
    const mask = masked(KEY, { name: "orders" });
    expect(mask.encode(String(ID))).toBe(mask.encode(ID));
    expect(mask.encode(42)).toBe(mask.encode(42n));
    expect(mask.decode("7284816827242867165")).toBe(ID);
    expect(mask.decode(42)).toBe(mask.decode("42"));
  });

  test("takes a key as bytes or in hexadecimal of either case, and copies it", () => {
    const bytes = Uint8Array.from(Buffer.from(KEY, "hex"));
    const mask = masked(bytes, { name: "orders" });
    bytes.fill(0);
    for (const same of [
      mask,
      masked(KEY.toUpperCase(), { name: "orders" }),
      masked(Buffer.from(KEY, "hex"), { name: "orders" }),
    ]) {
      expect(same.encode(ID)).toBe(7284816827242867165n);
    }
  });

  test("has types", () => {
    expectTypeOf(masked).returns.toEqualTypeOf<MaskedCodec>();
    expectTypeOf<MaskedCodec["encode"]>().toEqualTypeOf<(id: bigint | string | number) => bigint>();
    expectTypeOf<MaskedCodec["decode"]>().toEqualTypeOf<(id: bigint | string | number) => bigint>();
    expectTypeOf<MaskedCodec["largestId"]>().toEqualTypeOf<bigint>();
    expectTypeOf<{ name: string; bits: 53 }>().toExtend<MaskOptions>();
    // @ts-expect-error a mask has a name
    expect(() => masked(KEY, {})).toThrow(ArgumentError);
    // @ts-expect-error there are two widths
    expect(() => masked(KEY, { name: "orders", bits: 64 })).toThrow(ArgumentError);
    // @ts-expect-error versions have a current one
    expect(() => masked({ keys: { 1: KEY }, versionBits: 2 }, { name: "orders" })).toThrow(ArgumentError);
    // @ts-expect-error versions have a number of bits
    expect(() => masked({ keys: { 1: KEY }, current: 1 }, { name: "orders" })).toThrow(ArgumentError);
  });
});

describe("key versions", () => {
  const both: MaskKeys = { keys: { 1: KEYS[0], 2: KEYS[1] }, current: 2, versionBits: 2 };

  test("are the upper bits of a masked ID, and each decodes with its own key", () => {
    const anySmall = fc.bigInt(0n, 2n ** 61n - 1n);
    fc.assert(
      fc.property(anyKey, anyKey, anySmall, fc.integer({ min: 0, max: 3 }), (one, other, id, version) => {
        fc.pre(String(one) !== String(other));
        const older = (version + 1) % 4;
        const old = masked({ keys: { [older]: one }, current: older, versionBits: 2 }, { name: "orders" });
        const mask = masked(
          { keys: { [older]: one, [version]: other }, current: version, versionBits: 2 },
          { name: "orders" },
        );
        const there = mask.encode(id);
        expect(there >> 61n).toBe(BigInt(version));
        expect(mask.decode(there)).toBe(id);
        expect(mask.decode(old.encode(id))).toBe(id);
        // Never the ID of another key.
        expect(thrownBy(() => old.decode(there))).toBeInstanceOf(InvalidIdError);
      }),
    );
  });

  test("decode each masked number to an ID in range, or refuse it by its version", () => {
    const mask = masked(both, { name: "orders" });
    fc.assert(
      fc.property(anyId, (number) => {
        const version = Number(number >> 61n);
        if (version === 1 || version === 2) {
          const id = mask.decode(number);
          expect(id).toBeLessThanOrEqual(mask.largestId);
          if (version === 2) expect(mask.encode(id)).toBe(number);
        } else {
          expect(thrownBy(() => mask.decode(number)).message).toBe(
            `id must be masked with a key of version 1, 2, got ${number}n`,
          );
        }
      }),
    );
  });

  test.each([
    [1, 63, 62],
    [2, 63, 61],
    [8, 63, 55],
    [1, 53, 52],
    [2, 53, 51],
    [8, 53, 45],
  ] as const)("of %i bits of %i leave %i for the ID", (versionBits, bits, left) => {
    const largest = 2n ** BigInt(left) - 1n;
    const last = 2 ** versionBits - 1;
    const mask = masked(
      { keys: { 0: KEYS[0], [last]: KEYS[1] }, current: last, versionBits },
      { name: "orders", bits },
    );
    expect(mask.largestId).toBe(largest);
    for (const id of [0n, 1n, largest]) {
      expect(mask.encode(id) >> BigInt(left)).toBe(BigInt(last));
      expect(mask.decode(mask.encode(id))).toBe(id);
    }
    expect(thrownBy(() => mask.encode(largest + 1n))).toMatchObject({
      code: "ERR_INVALID_ID",
      message: `id must be an ID from 0 to ${largest}, the largestId of the mask, got ${largest + 1n}n`,
    });
  });

  test("a key that was removed no longer decodes", () => {
    const there = masked({ ...both, current: 1 }, { name: "orders" }).encode(ID);
    const mask = masked({ keys: { 2: KEYS[1] }, current: 2, versionBits: 2 }, { name: "orders" });
    expect(thrownBy(() => mask.decode(there)).message).toBe(
      `id must be masked with a key of version 2, got ${there}n`,
    );
  });
});

describe("a mask refuses", () => {
  const mask = masked(KEY, { name: "orders" });
  const narrow = masked(KEY, { name: "orders", bits: 53 });

  test.each([
    -1n,
    2n ** 63n,
    2n ** 64n + 5n,
    "042",
    " 1",
    "0x10",
    "",
    2 ** 53,
    1.5,
    Number.NaN,
    null,
    undefined,
    {},
  ])("%s, which is no ID", (value) => {
    for (const call of [mask.encode.bind(mask), mask.decode.bind(mask)]) {
      expect(thrownBy(() => call(value as bigint))).toMatchObject({ code: "ERR_INVALID_ID", field: "id" });
    }
  });

  test("an ID past 53 bits, if it has 53", () => {
    expect(thrownBy(() => narrow.encode(2n ** 53n)).message).toBe(
      "id must be an ID from 0 to 9007199254740991, the largestId of the mask, got 9007199254740992n",
    );
    expect(thrownBy(() => narrow.decode(2n ** 53n)).message).toBe(
      "id must be a masked ID of at most 53 bits, got 9007199254740992n",
    );
    expect(narrow.largestId).toBe(2n ** 53n - 1n);
    const generator = makeGenerator(PRESET_SAFE_INTEGER, { machineId: 3 });
    const id = generator.nextId();
    expect(narrow.decode(narrow.encode(id))).toBe(id);
  });

  const SECRET = "c0ffee00c0ffee11c0ffee22c0ffee33";
  const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
  test.each<[string, unknown, unknown, string]>([
    ["a key that is too short", SECRET.slice(2), { name: "a" }, "key"],
    ["a key that is too long", `${SECRET}00`, { name: "a" }, "key"],
    ["a key that is not hexadecimal", `${SECRET.slice(1)}g`, { name: "a" }, "key"],
    ["bytes that are too few", bytesOf(SECRET).subarray(1), { name: "a" }, "key"],
    ["a key of zeros", new Uint8Array(16), { name: "a" }, "key"],
    ["a key of one byte again and again", "c0".repeat(32), { name: "a" }, "key"],
    ["a key that is a number", 0xc0ffee, { name: "a" }, "key"],
    ["a key that is a bigint", BigInt(`0x${SECRET}`), { name: "a" }, "key"],
    ["an array of keys", [SECRET], { name: "a" }, "key"],
    ["no key", undefined, { name: "a" }, "key"],
    ["a key as the options", { name: "a" }, SECRET, "options"],
    ["no options", SECRET, undefined, "options"],
    ["no name", SECRET, {}, "name"],
    ["an empty name", SECRET, { name: "" }, "name"],
    ["a long name", SECRET, { name: "a".repeat(101) }, "name"],
    ["a name with a lone surrogate", SECRET, { name: "\ud800" }, "name"],
    ["a name that is not normalized", SECRET, { name: "e\u0301" }, "name"],
    ["another width", SECRET, { name: "a", bits: 64 }, "bits"],
    ["an unknown option", SECRET, { name: "a", version: 1 }, "option"],
    ["versions without keys", { current: 1, versionBits: 2 }, { name: "a" }, "keys"],
    ["a key as the keys", { keys: SECRET, current: 1, versionBits: 2 }, { name: "a" }, "keys"],
    ["no key among the keys", { keys: {}, current: 1, versionBits: 2 }, { name: "a" }, "keys"],
    [
      "a version that is not current",
      { keys: { 1: SECRET }, current: 2, versionBits: 2 },
      { name: "a" },
      "current",
    ],
    ["no current version", { keys: { 1: SECRET }, versionBits: 2 }, { name: "a" }, "current"],
    [
      "a version past its bits",
      { keys: { 4: SECRET }, current: 4, versionBits: 2 },
      { name: "a" },
      "version of keys",
    ],
    [
      "a version that is negative",
      { keys: { "-1": SECRET }, current: -1, versionBits: 2 },
      { name: "a" },
      "version of keys",
    ],
    [
      "a version with a zero before it",
      { keys: { "01": SECRET }, current: 1, versionBits: 2 },
      { name: "a" },
      "version of keys",
    ],
    [
      "a key as the version",
      { keys: { [SECRET]: 1 }, current: 1, versionBits: 2 },
      { name: "a" },
      "version of keys",
    ],
    [
      "a weak key of a version",
      { keys: { 1: new Uint8Array(32) }, current: 1, versionBits: 2 },
      { name: "a" },
      "keys[1]",
    ],
    [
      "a short key of a version",
      { keys: { 1: SECRET.slice(2) }, current: 1, versionBits: 2 },
      { name: "a" },
      "keys[1]",
    ],
    [
      "one key of two versions",
      { keys: { 1: SECRET, 2: bytesOf(SECRET) }, current: 1, versionBits: 2 },
      { name: "a" },
      "keys[2]",
    ],
    [
      "no bits for versions",
      { keys: { 1: SECRET }, current: 1, versionBits: 0 },
      { name: "a" },
      "versionBits",
    ],
    ["no number of bits for versions", { keys: { 1: SECRET }, current: 1 }, { name: "a" }, "versionBits"],
    [
      "many bits for versions",
      { keys: { 1: SECRET }, current: 1, versionBits: 9 },
      { name: "a" },
      "versionBits",
    ],
    [
      "a key as the current version",
      { keys: { 1: SECRET }, current: SECRET, versionBits: 2 },
      { name: "a" },
      "current",
    ],
    [
      "a key as the number of bits",
      { keys: { 1: SECRET }, current: 1, versionBits: SECRET },
      { name: "a" },
      "versionBits",
    ],
    ["keys and versions the wrong way round", { [SECRET]: 1 }, { name: "a" }, "option"],
    ["a key as the width", SECRET, { name: "a", bits: SECRET }, "bits"],
    ["a key as an option", SECRET, { name: "a", [SECRET]: 1 }, "option"],
    ["a key as the name, with a line end", SECRET, { name: `${SECRET}\n` }, "name"],
    ["a name with a space at its end", SECRET, { name: "orders " }, "name"],
    ["a name with a space at its beginning", SECRET, { name: "\u00a0orders" }, "name"],
    ["bytes of a hexadecimal text", Buffer.from(SECRET), { name: "a" }, "key"],
    ["an object that looks like bytes", Object.create(Uint8Array.prototype), { name: "a" }, "versionBits"],
    ["no key of a version", { keys: { 1: undefined }, current: 1, versionBits: 2 }, { name: "a" }, "keys[1]"],
    ["an unknown option of versions", { keys: { 1: SECRET }, current: 1, bits: 2 }, { name: "a" }, "option"],
  ])("%s, without the key in its error", (_title, key, options, field) => {
    const error = thrownBy(() => masked(key as MaskKey, options as MaskOptions));
    expect(error.field).toBe(field);
    expect(error.code).toBe("ERR_ARGUMENT");
    const shown = `${error.message} ${error.stack} ${inspect(error)} ${JSON.stringify(error)}`;
    expect(shown).not.toMatch(/c0ffee|12648430|64,256|255679/i);
    expect(shown).not.toContain(String(BigInt(`0x${SECRET}`)));
  });
});

test("neither a print, nor JSON, nor a copy of a mask has the key", () => {
  const bytes = Uint8Array.from(Buffer.from(KEY, "hex"));
  for (const mask of [
    masked(KEY, { name: "orders" }),
    masked({ keys: { 1: bytes }, current: 1, versionBits: 2 }, { name: "orders" }),
  ]) {
    expect(inspect(mask)).toBe("Mask { name: 'orders' }");
    expect(inspect(mask, { depth: null, showHidden: true })).not.toMatch(/2b7e|43, 126|729683222/i);
    expect(JSON.stringify(mask)).toBe('{"name":"orders"}');
    expect({ ...mask }).toEqual({ name: "orders" });
    expect(Reflect.ownKeys(mask)).toEqual(["name", "encode", "decode"]);
    expect(Object.isFrozen(mask)).toBe(true);
    expect(structuredClone(mask)).toEqual({ name: "orders" });
  }
});

test("the methods of a mask work without it", () => {
  const { encode, decode } = masked(KEY, { name: "orders" });
  expect([ID, ID + 1n].map(encode).map(decode)).toEqual([ID, ID + 1n]);
});

test("a key may be bytes of another realm", () => {
  const bytes = runInNewContext("Uint8Array.from(bytes)", {
    bytes: [...Buffer.from(KEY, "hex")],
  }) as Uint8Array;
  expect(masked(bytes, { name: "orders" }).encode(ID)).toBe(masked(KEY, { name: "orders" }).encode(ID));
});

test("a polluted Object.prototype configures no mask", () => {
  const polluted = { bits: 53, name: "orders", keys: { 1: KEY }, versionBits: 2, current: 1 };
  try {
    for (const [name, value] of Object.entries(polluted)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true });
    }
    expect(masked(KEY, { name: "orders" }).largestId).toBe(MAX);
    expect(thrownBy(() => masked(KEY, {} as MaskOptions)).field).toBe("name");
    expect(thrownBy(() => masked({} as MaskKey, { name: "orders" })).field).toBe("versionBits");
  } finally {
    for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
  }
});
