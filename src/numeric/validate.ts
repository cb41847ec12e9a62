// Validation: finds every rule that a string breaks, each by a check of its own.

import { MAX_LENGTH, type NumericRules } from "./rules.ts";
import { verhoeff } from "./verhoeff.ts";

/** Name of a rule that an ID can break. */
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
  /** Name of the rule. */
  readonly rule: NumericRule;
  /** What breaks it: `"678 at digit 1 is ascending"`. */
  readonly detail: string;
}

/** Returns the first substring of a length that matches, with its position. */
function findPiece(id: string, length: number, matches: (piece: string, from: number) => boolean) {
  for (let from = 0; from + length <= id.length; from++) {
    const piece = id.slice(from, from + length);
    if (matches(piece, from)) return `${piece} at digit ${from + 1}`;
  }
  return undefined;
}

/** Returns whether each digit is the one before it plus `by`. */
function isRun(piece: string, by: number, wraps: boolean): boolean {
  const follows = (a: number, b: number) => b - a === by || (wraps && b - a === -9 * by);
  return Array.from(piece, Number).every((digit, i, all) => i === 0 || follows(all[i - 1] as number, digit));
}

function findStart(id: string, { notStartWith }: NumericRules): string | undefined {
  const start = notStartWith.find((number) => id.startsWith(number));
  return start === undefined ? undefined : `it starts with ${start}`;
}

function findSequence(id: string, { sequenceLimit, sequenceWraps }: NumericRules): string | undefined {
  if (sequenceLimit === null) return undefined;
  const up = findPiece(id, sequenceLimit, (piece) => isRun(piece, 1, sequenceWraps));
  const down = findPiece(id, sequenceLimit, (piece) => isRun(piece, -1, sequenceWraps));
  return (up && `${up} is ascending`) ?? (down && `${down} is descending`);
}

function findRepeating(id: string, { repeatingLimit }: NumericRules): string | undefined {
  for (let apart = 1; apart < (repeatingLimit ?? 0); apart++) {
    const piece = findPiece(id, apart + 1, (digits) => digits[0] === digits[apart]);
    if (piece) return `${piece} repeats a digit`;
  }
  return undefined;
}

function findBlock(id: string, { repeatingBlockLimit: limit }: NumericRules): string | undefined {
  if (limit === null) return undefined;
  const piece = findPiece(id, limit, (block, from) => id.includes(block, from + limit));
  return piece && `${piece} is repeated`;
}

function findEven(id: string, { evenDigitsLimit, zeroIsEven }: NumericRules): string | undefined {
  if (evenDigitsLimit === null) return undefined;
  const isEven = zeroIsEven ? /^[02468]*$/ : /^[2468]*$/;
  const piece = findPiece(id, evenDigitsLimit, (digits) => isEven.test(digits));
  return piece && `${piece} has only even digits`;
}

/** Returns the first digits if the last ones, passed through `transform`, are equal to them. */
function repeatedGroup(
  id: string,
  limit: number | null,
  mayOverlap: boolean,
  transform: (end: string) => string,
) {
  if (limit === null || id.length < (mayOverlap ? limit : 2 * limit)) return undefined;
  const start = id.slice(0, limit);
  return start === transform(id.slice(-limit)) ? start : undefined;
}

function findGroup(id: string, { digitsGroupLimit, groupsOverlap }: NumericRules): string | undefined {
  const start = repeatedGroup(id, digitsGroupLimit, groupsOverlap, (end) => end);
  return start && `it starts and ends with ${start}`;
}

function findReversedGroup(id: string, { reverseDigitsGroupLimit, groupsOverlap }: NumericRules) {
  const start = repeatedGroup(id, reverseDigitsGroupLimit, groupsOverlap, (end) =>
    [...end].reverse().join(""),
  );
  return start && `it ends with ${start} reversed`;
}

function findContained(id: string, numbers: readonly string[]): string | undefined {
  const number = numbers.find((one) => id.includes(one));
  return number && `it contains ${number}`;
}

function findWrongCheckDigit(id: string): string | undefined {
  return verhoeff.isValid(id) ? undefined : `${id.at(-1)} is not the check digit of the digits before it`;
}

/** For each rule a check that returns what breaks it, `undefined` if nothing does. */
const CHECKS: Record<NumericRule, (id: string, rules: NumericRules, length: number) => string | undefined> = {
  digits: (id) => (/^\d+$/.test(id) ? undefined : "it has characters other than the digits 0 to 9"),
  length: (id, _, length) =>
    id.length === length ? undefined : `it has ${id.length} characters instead of ${length}`,
  checkDigit: findWrongCheckDigit,
  notStartWith: findStart,
  sequence: findSequence,
  repeating: findRepeating,
  repeatingBlock: findBlock,
  evenDigits: findEven,
  digitsGroup: findGroup,
  reverseDigitsGroup: findReversedGroup,
  restrictedNumbers: (id, { restrictedNumbers }) => findContained(id, restrictedNumbers),
  cyclicNumbers: (id, { cyclicNumbers }) => findContained(id, cyclicNumbers),
};

/** Returns every rule that a string breaks, in the order of {@link NumericRule}. */
export function findBrokenRules(id: string, length: number, rules: NumericRules): BrokenRule[] {
  const names = Object.keys(CHECKS) as NumericRule[];
  // For other characters and for strings longer than any ID the first two rules are enough.
  const isNumber = /^\d+$/.test(id) && id.length <= MAX_LENGTH;
  return (isNumber ? names : names.slice(0, 2)).flatMap((rule) => {
    const detail = CHECKS[rule](id, rules, length);
    return detail === undefined ? [] : [{ rule, detail }];
  });
}
