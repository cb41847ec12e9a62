// Random strings over any alphabet, each character equally likely.

import { ArgumentError, UnsupportedError } from "../errors.ts";
import { assertWhole } from "../validate.ts";
import { randomUint16 } from "./entropy.ts";

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MAX_LENGTH = 1_048_576;

/** Texts to choose from. A draw is masked to the next power of two, and drawn anew if it is beyond the last text. */
interface Choices {
  readonly texts: readonly string[];
  readonly mask: number;
}

function choicesOf(texts: readonly string[]): Choices {
  return { texts, mask: 2 ** Math.ceil(Math.log2(texts.length)) - 1 };
}

interface Alphabet {
  readonly single: Choices;
  /** All pairs of characters, where there are few enough: half as many draws, and most of them count. */
  readonly pairs: Choices | undefined;
}

const alphabets = /* @__PURE__ */ new Map<string, Alphabet>();

function resolveAlphabet(source: string): Alphabet {
  let alphabet = alphabets.get(source);
  if (alphabet === undefined) {
    // By code point, so that an emoji is one character and is never torn apart; half of one is none at all.
    const sound = typeof source === "string" && source.length <= 512 && !/\p{Cs}/u.test(source);
    const texts = sound ? Array.from(source) : [];
    const { length } = texts;
    if (length < 2 || length > 256 || new Set(texts).size < length) {
      throw new ArgumentError("alphabet", "a string of 2 to 256 distinct characters", source);
    }
    const pairs =
      length > 64 ? undefined : choicesOf(texts.flatMap((first) => texts.map((second) => first + second)));
    alphabet = { single: choicesOf(texts), pairs };
    // Alphabets are a program's constants; should they come from outside, memory must not grow with them.
    if (alphabets.size > 15) alphabets.clear();
    alphabets.set(source, alphabet);
  }
  return alphabet;
}

function pick({ texts, mask }: Choices): string {
  // More than half of all draws count, so a fair source fails this often once in 2^256; a stub may fail for ever.
  for (let draws = 0; draws < 256; draws++) {
    const text = texts[randomUint16() & mask];
    if (text !== undefined) return text;
  }
  throw new UnsupportedError("fair randomness");
}

/**
 * Makes a random string from the runtime's cryptographic source; every string of the length is equally likely.
 * The default of 21 characters out of 62 carries 125 random bits, about as many as a UUID v4.
 *
 * @param length how many characters: 1 to 1,048,576; default 21
 * @param alphabet 2 to 256 distinct characters (code points); default 0-9A-Za-z
 * @throws {@link ArgumentError} if the length or the alphabet is out of its limits
 * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that always returns the same
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
