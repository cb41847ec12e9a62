// Drawing one random ID with a DigitBuilder, from a given source of random digits.

import type { DigitBuilder } from "./digitBuilder.ts";

/** Returns a random digit, each equally likely. */
export type DigitSource = () => number;

/** How many digits one ID may take, in each of the two modes, before the draw gives up. */
const MAX_DRAWN_DIGITS = 2 ** 22;

/** The longest ID that is drawn by rejection: at 24 digits that makes about 10,000 IDs a second. */
export const MAX_PLAIN_LENGTH = 24;

/** The mask of all ten digits. */
const ALL_DIGITS = 1023;

/**
 * Draws one ID, or returns `undefined` after {@link MAX_DRAWN_DIGITS} digits without one.
 *
 * - Plain: a digit that breaks a rule ends the attempt, and the next attempt begins with the first digit. The result is
 *   distributed as if all digits were drawn first and tested afterwards, so every ID is equally likely. Only a digit that
 *   repeats too soon is drawn again; that keeps the distribution, because the number of such digits at a place is the
 *   same for every prefix.
 * - Constrained: a digit that breaks any rule is drawn again, until one is allowed or all ten have failed. This is much
 *   faster where nearly all plain attempts fail, but an ID on whose path few digits are allowed is more likely than others.
 */
function tryDraw(builder: DigitBuilder, drawDigit: DigitSource, isConstrained: boolean): string | undefined {
  const last = builder.length - 1;
  let budget = MAX_DRAWN_DIGITS;
  while (budget > 0) {
    builder.clear();
    let tried = 0;
    while (builder.size < last && tried !== ALL_DIGITS && budget-- > 0) {
      const digit = drawDigit();
      if (builder.isTooNear(digit)) tried |= 1 << digit;
      else if (builder.push(digit)) tried = 0;
      else tried = isConstrained ? tried | (1 << digit) : ALL_DIGITS;
    }
    if (builder.size === last && builder.pushCheckDigit()) return builder.toString();
  }
  return undefined;
}

/** Draws one ID, by plain draws if `isPlain` and they find any. Returns `undefined` if none was found. */
export function drawId(builder: DigitBuilder, drawDigit: DigitSource, isPlain: boolean): string | undefined {
  if (isPlain && !builder.isRare) {
    const id = tryDraw(builder, drawDigit, false);
    if (id !== undefined) return id;
    // The next plain draw would fail as well, after millions of digits.
    builder.isRare = true;
  }
  return tryDraw(builder, drawDigit, true);
}
