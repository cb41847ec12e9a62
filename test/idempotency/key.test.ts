// The key in the headers: quoted, bare or malformed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assertHeaderName, readKey } from "../../src/idempotency/key.ts";

const keyOf = (headers: Headers) => readKey((name) => headers.get(name));

const parse = (text: string, name = "Idempotency-Key") => keyOf(new Headers({ [name]: text }));

describe("a key", () => {
  test.each([
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["  k  ", "k"],
    ['"a b"', "a b"],
    ['"a, b"', "a, b"],
    ['"\\"\\\\"', '"\\'],
    ["order:41/x+y=;@", "order:41/x+y=;@"],
    ["x".repeat(255), "x".repeat(255)],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
    [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
    // Parameters may follow a string, and have no meaning here.
    ['"k";a', "k"],
    ['"k";a=1', "k"],
    ['"k";  a=-1.25;*b-c_d.e=?0', "k"],
    ['"k";a="x;y=\\"z";b', "k"],
    ['"k";a=token/x:y;b=*;c=:aGk=:;d=@1659578233;e=%"f%c3%bc"', "k"],
    ['"a;b=c";d', "a;b=c"],
  ])("in the header %s is %s", (text, key) => {
    expect(parse(text)).toBe(key);
    expect(parse(text, "X-Idempotency-Key")).toBe(key);
  });

  test.each([
    "",
    '""',
    "a b",
    "a,b",
    "k, k",
    '"k", "k"',
    '"k',
    'k"',
    '"a"b"',
    '"k";',
    '"k" ;a',
    '"k";A=1',
    '"k";1a',
    '"k";a=',
    '"k";a= 1',
    '"k";a=1b',
    '"k";a=1234567890123456',
    '"k";a=1.',
    '"k";a="b',
    '"k";a=?2',
    '"k";a=:b',
    '"k";a=(b)',
    '"k";a=%"%FF"',
    '"k";a, "l"',
    '"";a',
    '"\\n"',
    "a\\b",
    '"\tx"',
    "ü",
    '"ü"',
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
  ])("is malformed in the header %j", (text) => {
    expect(parse(text)).toMatchObject({
      brokenRule: expect.stringContaining(
        "1 to 255 characters of visible ASCII without double quotes, commas and backslashes",
      ),
    });
    expect(parse(text, "X-Idempotency-Key")).toMatchObject({
      brokenRule: expect.stringMatching(/^x-idempotency-key /),
    });
  });

  test.each([";a", ";a=1", '"', ';a="b"', "; ", ";a=:b", '\\"'])(
    "with 20,000 malformed parameters is refused in linear time: %s",
    (part) => {
      // A pattern that backtracks would not end.
      expect(parse(`"k"${part.repeat(20_000)}!`)).toHaveProperty("brokenRule");
    },
  );

  test("is read from headers of any names, and errors name them", () => {
    const headers = new Headers({ "x-request": "a", "idempotency-key": "b" });
    const read = (...names: string[]) => readKey((name) => headers.get(name), names);
    expect(read("x-request")).toBe("a");
    expect(read("x-other")).toBeUndefined();
    expect(read("x-request", "idempotency-key")).toMatchObject({
      brokenRule: "x-request and idempotency-key must be equal if both are given",
    });
    headers.set("x-request", "a b");
    expect(read("x-request")).toMatchObject({ brokenRule: expect.stringMatching(/^x-request must be/) });
  });

  test("has a header whose name is a token", () => {
    expect(assertHeaderName("header", "X-Request_Key.1~!#$%&'*+^`|")).toBe("x-request_key.1~!#$%&'*+^`|");
    for (const name of ["", "a b", "a:b", "ü", "a\nb", "a\n", "(a)", "x".repeat(101), 5, undefined, ["a"]]) {
      expect(() => assertHeaderName("header", name)).toThrow(expect.objectContaining({ field: "header" }));
    }
  });

  test("is undefined when the header is missing", () => {
    expect(keyOf(new Headers())).toBeUndefined();
  });

  test("may be in both headers if it is the same", () => {
    const both = (one: string, other: string) =>
      keyOf(new Headers({ "idempotency-key": one, "x-idempotency-key": other }));
    expect(both("k", '"k"')).toBe("k");
    expect(both("k", "l")).toMatchObject({ brokenRule: expect.stringContaining("must be equal") });
    expect(both("k", "")).toHaveProperty("brokenRule");
  });

  test("of any printable ASCII is read from its quoted form", () => {
    const ascii = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 255 });
    fc.assert(
      fc.property(ascii, (key) => {
        expect(parse(`"${key.replace(/["\\]/g, "\\$&")}"`)).toBe(key);
      }),
    );
  });

  test("is a key or malformed, for any header", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) }), (text) => {
        let key: ReturnType<typeof parse>;
        try {
          key = parse(text);
        } catch (error) {
          // Headers refuses this text, so no client can send it.
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        if (typeof key === "string") expect(key).toMatch(/^[\x20-\x7e]{1,255}$/);
        else expect(key).toHaveProperty("brokenRule");
      }),
    );
  });
});
