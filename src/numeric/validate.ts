// Which rules a text breaks: every one of them, each looked at by itself.

import { MAX_LENGTH, type NumericRules } from "./rules.ts";
import { verhoeff } from "./verhoeff.ts";

/** The name of a rule that an ID can break. */
export type NumericRule =
  | "digits"
  | "length"
  | "checkDigit"
  | "notStartWith"
  | "sequence"
  | "repeating"
  | "repeatingBlock"
  | "evenDigits"
  | "digitsGroup"
  | "reverseDigitsGroup"
  | "restrictedNumbers"
  | "cyclicNumbers";

/** A rule that an ID breaks. */
export interface BrokenRule {
  /** Which rule. */
  readonly rule: NumericRule;
  /** How, in words: `"678, at digit 1, goes up"`. */
  readonly detail: string;
}

/** The first of the pieces of a length that is as asked, with where it is. */
function pieceOf(id: string, length: number, isSuch: (piece: string, from: number) => boolean) {
  for (let from = 0; from + length <= id.length; from++) {
    const piece = id.slice(from, from + length);
    if (isSuch(piece, from)) return `${piece}, at digit ${from + 1},`;
  }
  return undefined;
}

/** Whether each digit is the one before it, and `by`. */
function goes(piece: string, by: number, wraps: boolean): boolean {
  const follows = (a: number, b: number) => b - a === by || (wraps && b - a === -9 * by);
  return Array.from(piece, Number).every((digit, i, all) => i === 0 || follows(all[i - 1] as number, digit));
}

function startsOf(id: string, { notStartWith }: NumericRules): string | undefined {
  const start = notStartWith.find((number) => id.startsWith(number));
  return start === undefined ? undefined : `it starts with ${start}`;
}

function sequenceOf(id: string, { sequenceLimit, sequenceWraps }: NumericRules): string | undefined {
  if (sequenceLimit === null) return undefined;
  const up = pieceOf(id, sequenceLimit, (piece) => goes(piece, 1, sequenceWraps));
  const down = pieceOf(id, sequenceLimit, (piece) => goes(piece, -1, sequenceWraps));
  return (up && `${up} goes up`) ?? (down && `${down} goes down`);
}

function repeatingOf(id: string, { repeatingLimit }: NumericRules): string | undefined {
  for (let apart = 1; apart < (repeatingLimit ?? 0); apart++) {
    const piece = pieceOf(id, apart + 1, (digits) => digits[0] === digits[apart]);
    if (piece) return `${piece} has a digit twice`;
  }
  return undefined;
}

function blockOf(id: string, { repeatingBlockLimit: limit }: NumericRules): string | undefined {
  if (limit === null) return undefined;
  const piece = pieceOf(id, limit, (block, from) => id.includes(block, from + limit));
  return piece && `${piece} comes again`;
}

function evenOf(id: string, { evenDigitsLimit, zeroIsEven }: NumericRules): string | undefined {
  if (evenDigitsLimit === null) return undefined;
  const isEven = zeroIsEven ? /^[02468]*$/ : /^[2468]*$/;
  const piece = pieceOf(id, evenDigitsLimit, (digits) => isEven.test(digits));
  return piece && `${piece} is even throughout`;
}

/** The first digits, if they come again at the end. `turn` is what the last ones are compared as. */
function groupOf(id: string, limit: number | null, overlap: boolean, turn: (end: string) => string) {
  if (limit === null || id.length < (overlap ? limit : 2 * limit)) return undefined;
  const start = id.slice(0, limit);
  return start === turn(id.slice(-limit)) ? start : undefined;
}

function groupAgain(id: string, { digitsGroupLimit, groupsOverlap }: NumericRules): string | undefined {
  const start = groupOf(id, digitsGroupLimit, groupsOverlap, (end) => end);
  return start && `it starts and ends with ${start}`;
}

function groupReversed(id: string, { reverseDigitsGroupLimit, groupsOverlap }: NumericRules) {
  const start = groupOf(id, reverseDigitsGroupLimit, groupsOverlap, (end) => [...end].reverse().join(""));
  return start && `it ends with ${start} in reverse`;
}

function containedIn(id: string, numbers: readonly string[]): string | undefined {
  const number = numbers.find((one) => id.includes(one));
  return number && `it contains ${number}`;
}

function checkDigitOf(id: string): string | undefined {
  return verhoeff.isValid(id) ? undefined : `${id.at(-1)} is not the check digit of the digits before it`;
}

/** What each rule says against a number; `undefined` if nothing. */
const SAYS: Record<NumericRule, (id: string, rules: NumericRules, length: number) => string | undefined> = {
  digits: (id) => (/^\d+$/.test(id) ? undefined : "it is not made of the digits 0 to 9"),
  length: (id, _, length) =>
    id.length === length ? undefined : `it has ${id.length} characters instead of ${length}`,
  checkDigit: checkDigitOf,
  notStartWith: startsOf,
  sequence: sequenceOf,
  repeating: repeatingOf,
  repeatingBlock: blockOf,
  evenDigits: evenOf,
  digitsGroup: groupAgain,
  reverseDigitsGroup: groupReversed,
  restrictedNumbers: (id, { restrictedNumbers }) => containedIn(id, restrictedNumbers),
  cyclicNumbers: (id, { cyclicNumbers }) => containedIn(id, cyclicNumbers),
};

/** Every rule that a text breaks, in the order of {@link NumericRule}. */
export function brokenRules(id: string, length: number, rules: NumericRules): BrokenRule[] {
  const names = Object.keys(SAYS) as NumericRule[];
  // Of what is no number, or longer than any ID, the first two say it all.
  const isNumber = /^\d+$/.test(id) && id.length <= MAX_LENGTH;
  return (isNumber ? names : names.slice(0, 2)).flatMap((rule) => {
    const detail = SAYS[rule](id, rules, length);
    return detail === undefined ? [] : [{ rule, detail }];
  });
}
