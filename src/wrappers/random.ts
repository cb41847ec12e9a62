// randomString: random strings over any alphabet, in which each character is equally likely.

import { ArgumentError, UnsupportedError } from "../errors.ts";
import { assertWhole } from "../validate.ts";
import { randomUint16 } from "./entropy.ts";

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MAX_LENGTH = 1_048_576;

/** Texts to choose from. A draw is masked to the next power of two, and repeated if it is past the last text. */
interface Choices {
  readonly texts: readonly string[];
  readonly mask: number;
}

function choicesOf(texts: readonly string[]): Choices {
  return { texts, mask: 2 ** Math.ceil(Math.log2(texts.length)) - 1 };
}

interface Alphabet {
  readonly single: Choices;
  /** All pairs of characters, for alphabets of up to 64: half as many draws, most of which are not repeated. */
  readonly pairs: Choices | undefined;
}

const alphabets = /* @__PURE__ */ new Map<string, Alphabet>();

function resolveAlphabet(source: string): Alphabet {
  let alphabet = alphabets.get(source);
  if (alphabet === undefined) {
    // By code point, so that an emoji is one character. Lone surrogates are refused.
    const isValid = typeof source === "string" && source.length <= 512 && !/\p{Cs}/u.test(source);
    const texts = isValid ? Array.from(source) : [];
    const { length } = texts;
    if (length < 2 || length > 256 || new Set(texts).size < length) {
      throw new ArgumentError("alphabet", "a string of 2 to 256 distinct characters", source);
    }
    const pairs =
      length > 64 ? undefined : choicesOf(texts.flatMap((first) => texts.map((second) => first + second)));
    alphabet = { single: choicesOf(texts), pairs };
    // A limit, because memory must not grow if a program uses alphabets from outside.
    if (alphabets.size > 15) alphabets.clear();
    alphabets.set(source, alphabet);
  }
  return alphabet;
}

function pick({ texts, mask }: Choices): string {
  // More than half of all draws are in range, so 256 failures of a fair source happen once in 2^256. A stub may fail
  // for ever.
  for (let draws = 0; draws < 256; draws++) {
    const text = texts[randomUint16() & mask];
    if (text !== undefined) return text;
  }
  throw new UnsupportedError("fair randomness");
}

/**
 * Returns a random string from the runtime's cryptographic source. All strings of the length are equally likely. The
 * default of 21 characters of 62 has 125 random bits, about as many as a UUID v4.
 *
 * @param length the number of characters: 1 to 1,048,576; default 21
 * @param alphabet 2 to 256 distinct characters (code points); default 0-9A-Za-z
 * @throws {@link ArgumentError} if the length or the alphabet is not valid
 * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that does not return random bytes
 *
 * @example
 * ```ts
 * import { randomString } from "bitflake";
 *
 * randomString().length; // => 21
 * /^[01]{8}$/.test(randomString(8, "01")); // => true
 * ```
 */
export function randomString(length = 21, alphabet: string = ALPHANUMERIC): string {
  const { single, pairs } = resolveAlphabet(alphabet);
  let text = "";
  let left = assertWhole("length", length, 1, MAX_LENGTH);
  if (pairs) for (; left > 1; left -= 2) text += pick(pairs);
  for (; left > 0; left--) text += pick(single);
  return text;
}
