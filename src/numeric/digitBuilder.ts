// DigitBuilder: an ID under construction, digit by digit from the left, which refuses a digit that breaks a rule at once.

import { MAX_LENGTH, type NumericRules } from "./rules.ts";
import { createRunTable, type RunTable } from "./runTable.ts";
import { invert, multiply, permute } from "./verhoeff.ts";

/** A forbidden series of digits. */
type Pattern = readonly number[];

const digitsOf = (text: string): Pattern => Array.from(text, Number);

/** Groups patterns by a number from 0 to `size - 1`. */
function groupBy(patterns: readonly Pattern[], size: number, key: (pattern: Pattern) => number): Pattern[][] {
  const groups: Pattern[][] = Array.from({ length: size }, () => []);
  for (const pattern of patterns) groups[key(pattern)]?.push(pattern);
  return groups;
}

/**
 * The first digits of an ID, which together break no rule. The places of each digit are a bit mask, so that "the same
 * pair as before" is two shifts, and removing a digit clears one bit.
 *
 * The two rules about groups need the whole ID, so {@link DigitBuilder.pushCheckDigit} tests them.
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
  /** For each digit, the mask of its places. */
  readonly #places: Int32Array = new Int32Array(10);
  /** For each place, the state of the run table before it. */
  readonly #states: Int32Array = new Int32Array(MAX_LENGTH + 1);
  /** For each place, the Verhoeff product of the digits before it. */
  readonly #checks: Uint8Array = new Uint8Array(MAX_LENGTH + 1);
  /** The Verhoeff product with one more digit, indexed by the digit's place from the right, the digit and the product. */
  readonly #products: Uint8Array = new Uint8Array(800);
  /** For each place, the mask of the places where the same digit would be too near. */
  readonly #near: Int32Array = new Int32Array(MAX_LENGTH);
  /** For each place, the mask of the places where an earlier copy of a block that ends here can end. */
  readonly #earlier: Int32Array = new Int32Array(MAX_LENGTH);
  readonly #blockLimit: number;
  /** Forbidden beginnings, grouped by their length minus one. */
  readonly #starts: Pattern[][];
  /** Forbidden numbers, grouped by their last digit. */
  readonly #patterns: Pattern[][] | undefined;

  constructor(length: number, rules: NumericRules) {
    this.length = length;
    this.#rules = rules;
    this.#runs = createRunTable(rules);
    this.#blockLimit = rules.repeatingBlockLimit ?? 0;
    for (let i = 0; i < 800; i++) {
      this.#products[i] = multiply(permute(Math.floor(i / 10) % 10, Math.floor(i / 100)), i % 10);
    }
    const reach = (rules.repeatingLimit ?? 1) - 1;
    for (let place = 0; place < length; place++) {
      const end = place - this.#blockLimit;
      this.#near[place] = 2 ** place - 2 ** Math.max(0, place - reach);
      this.#earlier[place] = this.#blockLimit > 0 && end >= 0 ? 2 ** (end + 1) - 1 : 0;
    }
    this.#starts = [];
    const patterns = [...rules.restrictedNumbers, ...rules.cyclicNumbers]
      .filter((text) => text.length <= length)
      .map(digitsOf)
      // A pattern that breaks another rule by itself can never be completed.
      .filter((pattern) => this.#accepts(pattern));
    if (patterns.length > 0) this.#patterns = groupBy(patterns, 10, (pattern) => pattern.at(-1) as number);
    this.#starts = groupBy(rules.notStartWith.map(digitsOf), length, (start) => start.length - 1);
    while (this.#starts.length > 0 && this.#starts.at(-1)?.length === 0) this.#starts.pop();
  }

  /** Returns whether digits break no rule by themselves. */
  #accepts(digits: Pattern): boolean {
    const isAccepted = digits.every((digit) => this.push(digit));
    this.clear();
    return isAccepted;
  }

  /**
   * Returns whether a digit is so near to its last occurrence that it breaks the rule about repeats. The number of such
   * digits at a place is the same for every prefix, because the digits within that reach all differ.
   */
  isTooNear(digit: number): boolean {
    return ((this.#places[digit] as number) & (this.#near[this.size] as number)) !== 0;
  }

  /** Appends a digit, unless it breaks a rule. Returns whether it did. */
  push(digit: number): boolean {
    const at = this.size;
    const places = this.#places;
    const same = places[digit] as number;
    if ((same & (this.#near[at] as number)) !== 0) return false;
    const state = this.#runs[(this.#states[at] as number) + digit] as number;
    if (state < 0) return false;
    // Places of the same digit, preceded by the same digit as here, and so on: there an equal block has ended.
    let ends = same & (this.#earlier[at] as number);
    for (let i = 1; ends !== 0 && i < this.#blockLimit; i++) {
      ends &= (places[this.#digits[at - i] as number] as number) << i;
    }
    if (ends !== 0) return false;
    if (at < this.#starts.length && this.#endsWithAny(this.#starts[at] as Pattern[], digit)) return false;
    if (this.#patterns && this.#endsWithAny(this.#patterns[digit] as Pattern[], digit)) return false;

    const size = at + 1;
    this.#digits[at] = digit;
    places[digit] = same | (1 << at);
    this.#states[size] = state;
    const place = (this.length - size) & 7;
    this.#checks[size] = this.#products[place * 100 + digit * 10 + (this.#checks[at] as number)] as number;
    this.size = size;
    return true;
  }

  /** Returns whether the digits with one more appended would end with one of the patterns. */
  #endsWithAny(patterns: readonly Pattern[], digit: number): boolean {
    return patterns.some((pattern) => {
      const from = this.size + 1 - pattern.length;
      return (
        from >= 0 &&
        pattern.every((expected, i) => expected === (from + i < this.size ? this.#digits[from + i] : digit))
      );
    });
  }

  /** Removes the last digit. */
  pop(): void {
    this.size--;
    const digit = this.#digits[this.size] as number;
    this.#places[digit] = (this.#places[digit] as number) & ~(1 << this.size);
  }

  /** Removes all digits. */
  clear(): void {
    for (; this.size > 0; this.size--) this.#places[this.#digits[this.size - 1] as number] = 0;
  }

  /**
   * Replaces all digits by those of a number, with leading zeros up to the place of the check digit. Returns whether none
   * of them breaks a rule; if one does, only the digits before it are there.
   */
  pushNumber(number: bigint): boolean {
    this.clear();
    const digits = this.length - 1;
    const text = number.toString().padStart(digits, "0");
    for (let i = 0; i < digits; i++) if (!this.push(text.charCodeAt(i) - 48)) return false;
    return true;
  }

  /** Appends the check digit as the last digit, unless the ID breaks a rule with it. Returns whether it did. */
  pushCheckDigit(): boolean {
    if (!this.push(invert(this.#checks[this.length - 1] as number))) return false;
    const { digitsGroupLimit, reverseDigitsGroupLimit } = this.#rules;
    if (!this.#isGroup(digitsGroupLimit, false) && !this.#isGroup(reverseDigitsGroupLimit, true)) return true;
    this.pop();
    return false;
  }

  /** Returns whether the last digits repeat the first ones, in the same order or reversed. */
  #isGroup(limit: number | null, isReverse: boolean): boolean {
    if (limit === null || this.length < (this.#rules.groupsOverlap ? limit : 2 * limit)) return false;
    for (let i = 0; i < limit; i++) {
      const end = isReverse ? this.length - 1 - i : this.length - limit + i;
      if (this.#digits[i] !== this.#digits[end]) return false;
    }
    return true;
  }

  /** Returns the digits as a string. */
  toString(): string {
    let text = "";
    for (let i = 0; i < this.size; i++) text += this.#digits[i];
    return text;
  }
}
