// NumericIdType: what the IDs of one kind look like.

import { assertName } from "../backend/names.ts";
import { ArgumentError, assertObject, assertOneOf, assertWhole, NoValidIdError } from "../internal.ts";
import { DigitBuilder } from "./digitBuilder.ts";
import { draw, LONGEST_PLAIN } from "./draw.ts";
import { capacityOf, type IdCapacity } from "./estimate.ts";
import { randomDigit } from "./random.ts";
import { MAX_LENGTH, type NumericRules, type OwnRules, type RuleSet, rulesOf } from "./rules.ts";
import { type BrokenRule, brokenRules } from "./validate.ts";

/** The most IDs that one call makes. */
const MAX_COUNT = 2 ** 20;

/** What a {@link NumericIdType} is made of. An unknown name is refused. */
export interface NumericIdOptions {
  /** What is numbered: 1 to 100 characters of one line, without braces. Pools and permutations go by it. */
  readonly name: string;
  /** How many digits, with the check digit: 2 to 32. */
  readonly length: number;
  /**
   * What every ID keeps to: the name of a known set, or rules of one's own, which begin with such a set (`extends`,
   * default `"openg2p"`) and change what they name. Default `"openg2p"`.
   */
  readonly rules?: RuleSet | OwnRules | undefined;
}

/** What {@link NumericIdType.validate} says. */
export interface Validation {
  /** Whether it is an ID of the type. */
  readonly valid: boolean;
  /** Every rule that it breaks. */
  readonly broken: readonly BrokenRule[];
}

/**
 * A kind of numeric ID for people: digits only, of one length, hard to guess, easy to say and to type, the last of them
 * a Verhoeff check digit, and none of them a number that people would stumble over: see {@link NumericRules}.
 *
 * A type only knows what its IDs look like. Whether one was issued before is known by an {@link IdPool}, or by
 * {@link PermutedIds}.
 *
 * @example
 * ```ts
 * import { NumericIdType } from "bitflake/numeric";
 *
 * const farmer = new NumericIdType({ name: "farmer", length: 10 });
 * farmer.generate().length; // => 10
 * farmer.validate("8349257232").valid; // => true
 * farmer.validate("8349257223").broken.map(({ rule }) => rule); // => [ 'checkDigit', 'repeating' ]
 * ```
 */
export class NumericIdType {
  /** What is numbered. */
  declare readonly name: string;
  /** How many digits an ID has, with the check digit. */
  declare readonly length: number;
  /** The rules, complete. */
  declare readonly rules: NumericRules;

  readonly #walk: DigitBuilder;
  #capacity: IdCapacity | undefined;

  /**
   * @param options `name`, `length`, and `rules`, default `"openg2p"`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown
   */
  constructor(options: NumericIdOptions) {
    Object.assign(this, settingsOf("", options));
    this.#walk = new DigitBuilder(this.length, this.rules);
  }

  /**
   * Makes a random ID, from the runtime's cryptographic source. Another call may make the same one, as likely as with
   * any random draw.
   *
   * - **Up to 24 digits every ID is equally likely**: the draw stops at the first digit that breaks a rule, and begins
   *   anew.
   * - **From 25 digits on** nearly every such draw would fail. Digits that break a rule are drawn again instead, and
   *   some IDs are then more likely than others: docs/numeric-ids.md has how much. So it is with shorter ones under rules
   *   of your own that leave so few that millions of digits bring none.
   *
   * @throws {@link NoValidIdError} if no ID keeps the rules, or none was found in millions of attempts
   * @throws {@link UnsupportedError} if the runtime has no `crypto`
   */
  generate(): string {
    const id = draw(this.#walk, randomDigit, this.length <= LONGEST_PLAIN);
    if (id === undefined) throw new NoValidIdError(this.name, this.length);
    return id;
  }

  /**
   * Makes several random IDs, no two of them the same.
   *
   * @param count 0 to 1,048,576
   * @throws {@link ArgumentError} if the count is out of its limits, or more than there are IDs
   * @throws {@link NoValidIdError} if no ID keeps the rules, or none was found in millions of attempts
   * @throws {@link UnsupportedError} if the runtime has no `crypto`
   *
   * @example
   * ```ts
   * import { NumericIdType } from "bitflake/numeric";
   *
   * const household = new NumericIdType({ name: "household", length: 8, rules: "mosip" });
   * new Set(household.generateIds(1000)).size; // => 1000
   * ```
   */
  generateIds(count: number): string[] {
    assertWhole("count", count, 0, MAX_COUNT);
    const ids = new Set<string>();
    let repeats = 0;
    while (ids.size < count) {
      const before = ids.size;
      ids.add(this.generate());
      repeats = ids.size > before ? 0 : repeats + 1;
      // Were there one more, one of forty times as many draws would have met it, but for one time in 2^57.
      if (repeats > 40 * (before + 1)) {
        throw new ArgumentError("count", `at most ${before}, for there are no more IDs`, count);
      }
    }
    return [...ids];
  }

  /** @deprecated Use {@link NumericIdType.generateIds}, which this calls. */
  generateMany(count: number): string[] {
    return this.generateIds(count);
  }

  /**
   * Says whether a text is an ID of this type, and if not, every rule that it breaks.
   *
   * @param text what came from outside; of any length, and with any characters
   * @throws {@link ArgumentError} if it is no string: a number has lost its leading zeros, or its last digits
   *
   * @example
   * ```ts
   * import { NumericIdType } from "bitflake/numeric";
   *
   * const farmer = new NumericIdType({ name: "farmer", length: 10 });
   * farmer.validate("6786305283");
   * // => { valid: false, broken: [ { rule: 'sequence', detail: '678, at digit 1, goes up' } ] }
   * ```
   */
  validate(text: string): Validation {
    if (typeof text !== "string") throw new ArgumentError("text", "a string", text);
    const broken = brokenRules(text, this.length, this.rules);
    return { valid: broken.length === 0, broken };
  }

  /**
   * How many IDs there are: counted up to 9 digits, which for 9 takes about a second the first time; beyond that an
   * estimate, always the same, which says how far off it may be.
   *
   * @example
   * ```ts
   * import { NumericIdType } from "bitflake/numeric";
   *
   * new NumericIdType({ name: "farmer", length: 6 }).capacity(); // => { ids: 29593n, isExact: true, error: 0 }
   * ```
   */
  capacity(): IdCapacity {
    this.#capacity ??= Object.freeze(capacityOf(this.#walk));
    return this.#capacity;
  }
}

/** Lets through a type. */
export function aType(type: NumericIdType): NumericIdType {
  if (type instanceof NumericIdType) return type;
  throw new ArgumentError("type", "a NumericIdType", type);
}

/** The rules of a type, for a walk of one's own. */
export function walkOf({ length, rules }: NumericIdType): DigitBuilder {
  return new DigitBuilder(length, rules);
}

/** A type's fields, validated. `path` is what comes before the name of a field in an error. */
export function settingsOf(
  path: string,
  options: NumericIdOptions,
): Pick<NumericIdType, "name" | "length" | "rules"> {
  for (const name of Object.keys(assertObject(path.slice(0, -1) || "options", options))) {
    assertOneOf(`${path}option`, name, ["name", "length", "rules"]);
  }
  const { name, length, rules = "openg2p" } = options;
  return {
    name: assertName(`${path}name`, name),
    length: assertWhole(`${path}length`, length, 2, MAX_LENGTH),
    rules: rulesOf(`${path}rules`, rules),
  };
}
