// uuidSchema: a Standard Schema of UUIDs.

import { assertWhole, createStandardProps, refuse, type TextSchema } from "../internal.ts";

/** The versions of RFC 9562. */
export type UuidVersion = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/**
 * Creates a schema of UUIDs, which gives them in lower case, so that one UUID has one text. It takes hexadecimal digits of
 * either case in groups of 8, 4, 4, 4 and 12, of the variant of RFC 9562: no braces, no `urn:uuid:`, and neither the nil
 * nor the max UUID, which are no identifiers.
 *
 * @param version the one version that passes, 4 for `uuid()` and 7 for `uuidv7()`. Default each of 1 to 8
 * @throws {@link ArgumentError} if the version is no whole number from 1 to 8
 *
 * @example
 * ```ts
 * import { uuidSchema } from "bitflake/text";
 *
 * const { validate } = uuidSchema(7)["~standard"];
 * validate("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"); // => { value: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }
 * validate("017f22e2").issues?.[0]?.message; // => 'uuid must be a UUID of version 7 as 36 characters, got "017f22e2"'
 * ```
 */
export function uuidSchema(version?: UuidVersion): TextSchema<string> {
  const digit = version === undefined ? "[1-8]" : String(assertWhole("version", version, 1, 8));
  const rule = `a UUID${version === undefined ? "" : ` of version ${digit}`} as 36 characters`;
  const hex = (count: number) => `[0-9a-fA-F]{${count}}`;
  const pattern = `^${hex(8)}-${hex(4)}-${digit}${hex(3)}-[89abAB]${hex(3)}-${hex(12)}$`;
  const expression = new RegExp(pattern);
  const jsonSchema = () => ({
    type: "string" as const,
    format: "uuid" as const,
    pattern,
    minLength: 36,
    maxLength: 36,
  });
  const validate = (value: unknown) =>
    typeof value === "string" && expression.test(value)
      ? { value: value.toLowerCase() }
      : refuse("uuid", rule, value);
  return Object.freeze({
    "~standard": createStandardProps(validate, jsonSchema),
    get jsonSchema() {
      return jsonSchema();
    },
  });
}
