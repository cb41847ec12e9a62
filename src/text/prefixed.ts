// IDs that say what they are of: user_04W86BB0G4007.

import { ArgumentError, assertWhole, InvalidIdError } from "../internal.ts";
import { idOrThrow, type TextCodec } from "./codec.ts";

/** The key under which a type carries its prefix; no value has it. */
declare const prefixOf: unique symbol;

/**
 * The text of an ID behind a prefix. To TypeScript each prefix has a type of its own: a `PrefixedId<"user">` does not
 * pass for a `PrefixedId<"order">`, and no mere string passes for either.
 */
export type PrefixedId<Prefix extends string> = `${Prefix}_${string}` & {
  /** The prefix: for the compiler's eyes only. */
  readonly [prefixOf]: Prefix;
};

/** A text form of IDs behind a prefix; made by {@link prefixed}. */
export interface PrefixedCodec<Prefix extends string> {
  /** The prefix, without the underscore. */
  readonly prefix: Prefix;
  /** How many characters a text has, prefix and underscore included. */
  readonly width: number;
  /**
   * Writes an ID behind the prefix.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID
   */
  encode(id: bigint | string | number): PrefixedId<Prefix>;
  /**
   * Reads an ID; its type must not be that of another prefix.
   *
   * @throws {@link InvalidIdError} for another prefix, and for what the text form behind it refuses
   */
  decode(text: string & { readonly [prefixOf]?: Prefix }): bigint;
  /**
   * Lets a text from outside through as one of this prefix.
   *
   * @param value what came in, from a URL or a JSON body
   * @returns the text that {@link PrefixedCodec.encode} writes: another one only behind `base32.lenient`, which reads
   *   many texts as one ID
   * @throws {@link InvalidIdError} for another prefix, and for what the text form behind it refuses
   */
  parse(value: unknown): PrefixedId<Prefix>;
}

/**
 * Makes a text form of IDs behind a prefix, so that people and programs see what an ID is of.
 *
 * @param prefix 1 to 63 characters of `a-z`, `0-9` and `_`; it begins with a letter and does not end with `_`
 * @param codec the text form behind it: {@link base32}, {@link base58}, {@link base62} or {@link hex}
 * @throws {@link ArgumentError} if the prefix breaks that rule, or the codec is none
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
 * ```
 */
export function prefixed<const Prefix extends string>(
  prefix: Prefix,
  codec: TextCodec,
): PrefixedCodec<Prefix> {
  if (typeof prefix !== "string" || prefix.length > 63 || !/^[a-z]([a-z0-9_]*[a-z0-9])?$/.test(prefix)) {
    throw new ArgumentError("prefix", "1 to 63 of a-z, 0-9 and _, from a letter to no _", prefix);
  }
  const { encode, decode, width } = Object(codec) as Partial<TextCodec>;
  if (typeof encode !== "function" || typeof decode !== "function") {
    throw new ArgumentError("codec", "base32, base58, base62, hex or alike", codec);
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
      // The whole text, not the part that the other codec saw.
      const rule = error instanceof InvalidIdError ? error.rule : "what its codec reads";
      return idOrThrow(undefined, text, `${head} and ${rule}`);
    }
  };
  return Object.freeze({
    prefix,
    width: length,
    encode: write,
    decode: read,
    parse: (value: unknown) => write(read(value as string)),
  });
}
