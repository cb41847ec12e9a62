// An ID as it grows, digit by digit from the left: a digit that breaks a rule is known at once.

import { MAX_LENGTH, type NumericRules } from "./rules.ts";
import { type RunTable, runTable } from "./runTable.ts";
import { inverse, moved, product } from "./verhoeff.ts";

/** A run of digits to look out for. */
type Pattern = readonly number[];

const digitsOf = (text: string): Pattern => Array.from(text, Number);

/** Patterns, by a number of theirs from 0 on. */
function groupBy(patterns: readonly Pattern[], size: number, key: (pattern: Pattern) => number): Pattern[][] {
  const groups: Pattern[][] = Array.from({ length: size }, () => []);
  for (const pattern of patterns) groups[key(pattern)]?.push(pattern);
  return groups;
}

/**
 * The digits so far of an ID that breaks no rule. Where a digit has been is a mask with a bit for each place, so that
 * "the same pair as before" is two shifts, and taking a digit back is one bit.
 *
 * What speaks only of the whole ID, the two rules of groups, is asked at the end.
 */
export class DigitBuilder {
  /** How many digits there are. */
  size = 0;
  /** Whether IDs are so rare that plain draws have found none. */
  isRare = false;
  readonly length: number;
  readonly #rules: NumericRules;
  readonly #runs: RunTable;
  readonly #digits: Uint8Array = new Uint8Array(MAX_LENGTH);
  /** For each digit, its places. */
  readonly #places: Int32Array = new Int32Array(10);
  /** For each place, the state of the runs before it. */
  readonly #states: Int32Array = new Int32Array(MAX_LENGTH + 1);
  /** For each place, Verhoeff's product of the digits before it. */
  readonly #checks: Uint8Array = new Uint8Array(MAX_LENGTH + 1);
  /** That product with one digit more, by the digit's place from the right, the digit and the product. */
  readonly #products: Uint8Array = new Uint8Array(800);
  /** For each place, those at which the same digit would be too near. */
  readonly #near: Int32Array = new Int32Array(MAX_LENGTH);
  /** For each place, those at which the same block could have ended. */
  readonly #earlier: Int32Array = new Int32Array(MAX_LENGTH);
  readonly #blockLimit: number;
  /** What must not come first, by its length less one. */
  readonly #starts: Pattern[][];
  /** What must not come, by its last digit. */
  readonly #patterns: Pattern[][] | undefined;

  constructor(length: number, rules: NumericRules) {
    this.length = length;
    this.#rules = rules;
    this.#runs = runTable(rules);
    this.#blockLimit = rules.repeatingBlockLimit ?? 0;
    for (let i = 0; i < 800; i++) {
      this.#products[i] = product(moved(Math.floor(i / 10) % 10, Math.floor(i / 100)), i % 10);
    }
    const reach = (rules.repeatingLimit ?? 1) - 1;
    for (let place = 0; place < length; place++) {
      const ends = place - this.#blockLimit;
      this.#near[place] = 2 ** place - 2 ** Math.max(0, place - reach);
      this.#earlier[place] = this.#blockLimit > 0 && ends >= 0 ? 2 ** (ends + 1) - 1 : 0;
    }
    this.#starts = [];
    const patterns = [...rules.restrictedNumbers, ...rules.cyclicNumbers]
      .filter((text) => text.length <= length)
      .map(digitsOf)
      // What breaks another rule by itself never gets to be whole.
      .filter((pattern) => this.#takes(pattern));
    if (patterns.length > 0) this.#patterns = groupBy(patterns, 10, (pattern) => pattern.at(-1) as number);
    this.#starts = groupBy(rules.notStartWith.map(digitsOf), length, (start) => start.length - 1);
    while (this.#starts.length > 0 && this.#starts.at(-1)?.length === 0) this.#starts.pop();
  }

  /** Whether the digits break no rule by themselves. */
  #takes(digits: Pattern): boolean {
    const isTaken = digits.every((digit) => this.push(digit));
    this.clear();
    return isTaken;
  }

  /**
   * Whether a digit has been here so lately that it breaks the rule of repeats. How many digits have is the same for
   * all IDs at a place, for they are all different.
   */
  isNear(digit: number): boolean {
    return ((this.#places[digit] as number) & (this.#near[this.size] as number)) !== 0;
  }

  /** Adds a digit, unless it breaks a rule. */
  push(digit: number): boolean {
    const at = this.size;
    const places = this.#places;
    const same = places[digit] as number;
    if ((same & (this.#near[at] as number)) !== 0) return false;
    const state = this.#runs[(this.#states[at] as number) + digit] as number;
    if (state < 0) return false;
    // Where the same digit has been, after the same digit, and so on: there a block as this one ended.
    let ends = same & (this.#earlier[at] as number);
    for (let i = 1; ends !== 0 && i < this.#blockLimit; i++) {
      ends &= (places[this.#digits[at - i] as number] as number) << i;
    }
    if (ends !== 0) return false;
    if (at < this.#starts.length && this.#endsAs(this.#starts[at] as Pattern[], digit)) return false;
    if (this.#patterns && this.#endsAs(this.#patterns[digit] as Pattern[], digit)) return false;

    const size = at + 1;
    this.#digits[at] = digit;
    places[digit] = same | (1 << at);
    this.#states[size] = state;
    const place = (this.length - size) & 7;
    this.#checks[size] = this.#products[place * 100 + digit * 10 + (this.#checks[at] as number)] as number;
    this.size = size;
    return true;
  }

  /** Whether the digits, with one more, would end as one of the patterns. */
  #endsAs(patterns: readonly Pattern[], digit: number): boolean {
    return patterns.some((pattern) => {
      const from = this.size + 1 - pattern.length;
      return (
        from >= 0 &&
        pattern.every((wanted, i) => wanted === (from + i < this.size ? this.#digits[from + i] : digit))
      );
    });
  }

  /** Takes the last digit back. */
  pop(): void {
    this.size--;
    const digit = this.#digits[this.size] as number;
    this.#places[digit] = (this.#places[digit] as number) & ~(1 << this.size);
  }

  /** Takes all digits back. */
  clear(): void {
    for (; this.size > 0; this.size--) this.#places[this.#digits[this.size - 1] as number] = 0;
  }

  /** Adds the check digit behind the others, unless the ID breaks a rule with it. */
  finish(): boolean {
    if (!this.push(inverse(this.#checks[this.length - 1] as number))) return false;
    const { digitsGroupLimit, reverseDigitsGroupLimit } = this.#rules;
    if (!this.#isGroup(digitsGroupLimit, false) && !this.#isGroup(reverseDigitsGroupLimit, true)) return true;
    this.pop();
    return false;
  }

  /** Whether the first digits come again at the end. */
  #isGroup(limit: number | null, isReverse: boolean): boolean {
    if (limit === null || this.length < (this.#rules.groupsOverlap ? limit : 2 * limit)) return false;
    for (let i = 0; i < limit; i++) {
      const end = isReverse ? this.length - 1 - i : this.length - limit + i;
      if (this.#digits[i] !== this.#digits[end]) return false;
    }
    return true;
  }

  /** The digits as text. */
  toString(): string {
    let text = "";
    for (let i = 0; i < this.size; i++) text += this.#digits[i];
    return text;
  }
}
