// Typed prefixes: IDs as texts such as user_04W86BB0G4007.

import {
  ArgumentError,
  assertWhole,
  createStandardProps,
  InvalidIdError,
  refuse,
  type SchemaResult,
  type TextJsonSchema,
  type TextSchema,
} from "../internal.ts";
import { idOrThrow, type TextCodec } from "./codec.ts";

/** The key of the prefix in the type. No value has it. */
declare const prefixOf: unique symbol;

/**
 * The text of an ID after a prefix. Each prefix is a type of its own in TypeScript: a `PrefixedId<"user">` is not
 * assignable to a `PrefixedId<"order">`, and a plain string is assignable to neither.
 */
export type PrefixedId<Prefix extends string> = `${Prefix}_${string}` & {
  /** The prefix, in the type only. */
  readonly [prefixOf]: Prefix;
};

/**
 * A text form of IDs with a prefix. Created by {@link prefixed}. It is a Standard Schema as well: it takes the texts that
 * {@link PrefixedCodec.parse} takes and returns the same.
 */
export interface PrefixedCodec<Prefix extends string> extends TextSchema<PrefixedId<Prefix>> {
  /** The prefix, without the underscore. */
  readonly prefix: Prefix;
  /** The number of characters of a text, with prefix and underscore. */
  readonly width: number;
  /**
   * Writes an ID after the prefix.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID
   */
  encode(id: bigint | string | number): PrefixedId<Prefix>;
  /**
   * Reads an ID. TypeScript refuses a text whose type is that of another prefix.
   *
   * @throws {@link InvalidIdError} for another prefix, or if the text form refuses the rest
   */
  decode(text: string & { readonly [prefixOf]?: Prefix }): bigint;
  /**
   * Asserts that a value from outside is a text of this prefix.
   *
   * @param value for example from a URL or a JSON body
   * @returns the text that {@link PrefixedCodec.encode} writes. It differs from the value only with `base32.lenient`,
   *   which reads several texts as one ID
   * @throws {@link InvalidIdError} for another prefix, or if the text form refuses the rest
   */
  parse(value: unknown): PrefixedId<Prefix>;
}

/**
 * Creates a text form of IDs with a prefix, so that people and programs see the kind of each ID.
 *
 * @param prefix 1 to 63 characters of `a-z`, `0-9` and `_` that begin with a letter and do not end with `_`
 * @param codec the text form after it: {@link base32}, {@link base58}, {@link base62} or {@link hex}
 * @throws {@link ArgumentError} if the prefix breaks that rule, or `codec` is not a codec
 *
 * @example
 * ```ts
 * import { base32, type PrefixedId, prefixed } from "bitflake/text";
 *
 * const users = prefixed("user", base32);
 * type UserId = PrefixedId<"user">;
 *
 * const id: UserId = users.encode(175928847299117063n);
 * id; // => 'user_04W86BB0G4007'
 * users.decode(id); // => 175928847299117063n
 *
 * const { issues } = users["~standard"].validate("order_04W86BB0G4007");
 * issues?.[0]?.message; // => 'text must be user_ and 13 characters, got "order_04W86BB0G4007"'
 * ```
 */
export function prefixed<const Prefix extends string>(
  prefix: Prefix,
  codec: TextCodec,
): PrefixedCodec<Prefix> {
  if (typeof prefix !== "string" || prefix.length > 63 || !/^[a-z]([a-z0-9_]*[a-z0-9])?$/.test(prefix)) {
    throw new ArgumentError(
      "prefix",
      "1 to 63 characters of a-z, 0-9 and _ that begin with a letter and do not end with _",
      prefix,
    );
  }
  const { encode, decode, width, pattern = "[\\s\\S]*" } = Object(codec) as Partial<TextCodec>;
  if (typeof encode !== "function" || typeof decode !== "function" || typeof pattern !== "string") {
    throw new ArgumentError("codec", "base32, base58, base62, hex or another TextCodec", codec);
  }
  const head = `${prefix}_`;
  const length = head.length + assertWhole("codec.width", width, 1, 64);
  const write = (id: bigint | string | number) => (head + codec.encode(id)) as PrefixedId<Prefix>;
  const read = (text: string): bigint => {
    const fits = typeof text === "string" && text.length === length && text.startsWith(head);
    if (!fits) return idOrThrow(undefined, text, `${head} and ${width} characters`);
    try {
      return codec.decode(text.slice(head.length));
    } catch (error) {
      // The error has the whole text, not only the part that the codec got.
      const rule = error instanceof InvalidIdError ? error.rule : "a text of its codec";
      return idOrThrow(undefined, text, `${head} and ${rule}`);
    }
  };
  const parse = (value: unknown) => write(read(value as string));
  const validate = (value: unknown): SchemaResult<PrefixedId<Prefix>> => {
    try {
      return { value: parse(value) };
    } catch (error) {
      // A custom codec may also read a number that is no ID, and refuse to write it.
      const isText = error instanceof InvalidIdError && error.field === "text";
      return refuse("text", isText ? error.rule : `${head} and a text of its codec`, value);
    }
  };
  const jsonSchema = (): TextJsonSchema => ({
    type: "string",
    pattern: `^${head}${pattern.includes("|") ? `(?:${pattern})` : pattern}$`,
    minLength: length,
    maxLength: length,
  });
  return Object.freeze({
    prefix,
    width: length,
    encode: write,
    decode: read,
    parse,
    "~standard": createStandardProps(validate, jsonSchema),
    get jsonSchema() {
      return jsonSchema();
    },
  });
}
