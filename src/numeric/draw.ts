// IDs drawn at random: from a source of random digits, so that the draw itself is a function.

import type { DigitBuilder } from "./digitBuilder.ts";

/** A random digit, each equally likely. */
export type Digits = () => number;

/** How many digits are drawn for one ID, in each of the two ways, before there is held to be none. */
const MOST_DIGITS = 2 ** 22;

/** The longest ID that is drawn plainly: at 24 digits some ten thousand a second. */
export const LONGEST_PLAIN = 24;

/** The mask of all ten digits. */
const ALL = 1023;

/**
 * Draws one ID, or none if so many digits do not make one.
 *
 * - Plainly: a digit that breaks a rule ends the attempt, and the next one begins anew. What comes out is what drawing
 *   all digits and testing them would bring, each ID as likely as the others, only sooner. A digit that is too near its
 *   like is drawn again, and does no harm to that: at each place there are as many of those, whatever came before.
 * - Constrained: a digit that breaks any rule is drawn again, until one fits or none does. Much faster where nearly all
 *   plain attempts fail; but an ID on whose way few digits fit is more likely than another.
 */
function attempt(walk: DigitBuilder, digit: Digits, isConstrained: boolean): string | undefined {
  const last = walk.length - 1;
  let left = MOST_DIGITS;
  while (left > 0) {
    walk.clear();
    let tried = 0;
    while (walk.size < last && tried !== ALL && left-- > 0) {
      const drawn = digit();
      if (walk.isNear(drawn)) tried |= 1 << drawn;
      else if (walk.push(drawn)) tried = 0;
      else tried = isConstrained ? tried | (1 << drawn) : ALL;
    }
    if (walk.size === last && walk.finish()) return walk.toString();
  }
  return undefined;
}

/** Draws one ID; plainly if that can be. */
export function draw(walk: DigitBuilder, digit: Digits, isPlain: boolean): string | undefined {
  if (isPlain && !walk.isRare) {
    const id = attempt(walk, digit, false);
    if (id !== undefined) return id;
    // Nor would the next ones, and it takes a while to find that out.
    walk.isRare = true;
  }
  return attempt(walk, digit, true);
}
