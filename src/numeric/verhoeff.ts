// Verhoeff's check digit: arithmetic in the group of the symmetries of a pentagon, with a permutation for each place.

import { ArgumentError } from "../internal.ts";

/** What one place farther left does to a digit; after eight places it is as at first. */
const MOVED = "1576283094";

/** The product of two symmetries: 0 to 4 turn, 5 to 9 turn and flip. It matters which is first. */
export function product(a: number, b: number): number {
  const turns = a < 5 ? a + b : a - b;
  return a < 5 === b < 5 ? (turns + 5) % 5 : 5 + ((turns + 5) % 5);
}

/** The digit that takes another back to 0. */
export function inverse(digit: number): number {
  return digit < 5 ? (5 - digit) % 5 : digit;
}

/** A digit at a place, counted from the right, where the check digit is at 0. */
export function moved(digit: number, place: number): number {
  let at = digit;
  for (let left = place % 8; left > 0; left--) at = Number(MOVED[at]);
  return at;
}

function isDigits(text: string): boolean {
  if (typeof text !== "string") throw new ArgumentError("text", "a string", text);
  return /^\d+$/.test(text);
}

/** The product of a text's digits, from the right, the last of them at `place`. */
function fold(text: string, place: number): number {
  let sum = 0;
  for (let i = text.length - 1, at = place; i >= 0; i--, at++) {
    sum = product(sum, moved(text.charCodeAt(i) - 48, at));
  }
  return sum;
}

/**
 * Verhoeff's check digit. It catches every wrong digit, and every two neighbours that have changed places.
 *
 * @example
 * ```ts
 * import { verhoeff } from "bitflake/numeric";
 *
 * verhoeff.checkDigit("236"); // => '3'
 * verhoeff.isValid("2363"); // => true
 * verhoeff.isValid("2633"); // => false
 * ```
 */
export const verhoeff: {
  /**
   * The digit to put behind a number.
   *
   * @param text one or more digits 0 to 9
   * @throws {@link ArgumentError} if it is anything else
   */
  checkDigit(text: string): string;
  /**
   * Whether a number ends with its check digit. Any other text does not. The digit says nothing of the length: `"0"`
   * is valid, and some numbers stay valid with a `0` before them, so check the length as well, or use
   * {@link NumericIdType.validate}.
   *
   * @param text the number with its check digit
   * @throws {@link ArgumentError} if it is no string
   */
  isValid(text: string): boolean;
} = {
  checkDigit: (text: string): string => {
    if (!isDigits(text)) throw new ArgumentError("text", "a string of digits", text);
    return String(inverse(fold(text, 1)));
  },
  isValid: (text: string): boolean => isDigits(text) && fold(text, 0) === 0,
};
