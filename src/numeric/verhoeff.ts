// Verhoeff's check digit: multiplication in the dihedral group D5, with a permutation for each place.

import { ArgumentError } from "../internal.ts";

/** Verhoeff's permutation of the digits for one place. Its order is eight. */
const PERMUTATION = "1576283094";

/** Multiplies in D5, which is not commutative: 0 to 4 are rotations, 5 to 9 are reflections. */
export function multiply(a: number, b: number): number {
  const turns = a < 5 ? a + b : a - b;
  return a < 5 === b < 5 ? (turns + 5) % 5 : 5 + ((turns + 5) % 5);
}

/** Returns the inverse of a digit in D5. */
export function invert(digit: number): number {
  return digit < 5 ? (5 - digit) % 5 : digit;
}

/** Applies the permutation of a place, counted from the right, where the check digit is at place 0. */
export function permute(digit: number, place: number): number {
  let permuted = digit;
  for (let times = place % 8; times > 0; times--) permuted = Number(PERMUTATION[permuted]);
  return permuted;
}

function isDigits(text: string): boolean {
  if (typeof text !== "string") throw new ArgumentError("text", "a string", text);
  return /^\d+$/.test(text);
}

/** Returns the product of a string's digits, from the right. The last digit is at `place`. */
function fold(text: string, place: number): number {
  let product = 0;
  for (let i = text.length - 1, at = place; i >= 0; i--, at++) {
    product = multiply(product, permute(text.charCodeAt(i) - 48, at));
  }
  return product;
}

/**
 * Verhoeff's check digit. It detects every single wrong digit and every swap of two neighbours.
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
   * Returns the check digit to append to a number.
   *
   * @param text one or more digits 0 to 9
   * @throws {@link ArgumentError} if it is anything else
   */
  checkDigit(text: string): string;
  /**
   * Returns whether a string is a number that ends with its check digit. The check digit does not cover the length: `"0"`
   * is valid, and some numbers stay valid with a `0` before them. So check the length as well, or use
   * {@link NumericIdType.validate}.
   *
   * @param text the number with its check digit
   * @throws {@link ArgumentError} if it is not a string
   */
  isValid(text: string): boolean;
} = {
  checkDigit: (text: string): string => {
    if (!isDigits(text)) throw new ArgumentError("text", "a string of digits", text);
    return String(invert(fold(text, 1)));
  },
  isValid: (text: string): boolean => isDigits(text) && fold(text, 0) === 0,
};
