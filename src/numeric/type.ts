// NumericIdType: name, length and rules of numeric IDs of one kind; generates and validates them.

import { assertName } from "../backend/names.ts";
import {
  ArgumentError,
  assertObject,
  assertOneOf,
  assertWhole,
  createStandardProps,
  NoValidIdError,
  refuse,
  type StandardProps,
  serializable,
  type TextJsonSchema,
  type TextSchema,
} from "../internal.ts";
import { DigitBuilder } from "./digitBuilder.ts";
import { drawId, MAX_PLAIN_LENGTH } from "./draw.ts";
import { computeCapacity, type IdCapacity } from "./estimate.ts";
import { randomDigit } from "./random.ts";
import { MAX_LENGTH, type NumericRules, type OwnRules, type RuleSet, resolveRules } from "./rules.ts";
import { type BrokenRule, findBrokenRules } from "./validate.ts";

/** The most IDs that one call generates. */
const MAX_COUNT = 2 ** 20;

/** Options of {@link NumericIdType}. An unknown option is refused. */
export interface NumericIdOptions {
  /**
   * What the IDs are for, such as `"farmer"`: 1 to 100 characters of one line, without braces. A store has one pool or
   * permutation per name.
   */
  readonly name: string;
  /** How many digits an ID has, with the check digit: 2 to 32. */
  readonly length: number;
  /**
   * The rules that every ID keeps: the name of a known set, or custom rules, which start from a known set (`extends`,
   * default `"openg2p"`) and change some of its settings. Default `"openg2p"`.
   */
  readonly rules?: RuleSet | OwnRules | undefined;
}

/** Result of {@link NumericIdType.validate}. */
export interface Validation {
  /** Whether the string is an ID of the type. */
  readonly valid: boolean;
  /** Every rule that the string breaks. */
  readonly broken: readonly BrokenRule[];
}

/**
 * One kind of numeric ID for people: digits of one length, hard to guess, easy to say and to type. The last digit is a
 * Verhoeff check digit, and {@link NumericRules} exclude numbers that are easily misread or mistyped.
 *
 * A type does not know which IDs were issued. {@link IdPool} and {@link PermutedIds} issue each ID once.
 *
 * It is a Standard Schema: tools such as tRPC or Hono's validator take it as it is. The message of its issue names each
 * rule that the text breaks.
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
export class NumericIdType implements TextSchema<string> {
  /** What the IDs are for. */
  readonly name: string;
  /** How many digits an ID has, with the check digit. */
  readonly length: number;
  /** The rules, complete. */
  readonly rules: NumericRules;

  readonly #builder: DigitBuilder;
  #capacity: IdCapacity | undefined;
  #standard: StandardProps<string, string> | undefined;

  /**
   * @param options `name`, `length`, and `rules`, default `"openg2p"`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown
   */
  constructor(options: NumericIdOptions) {
    const { name, length, rules } = resolveTypeSettings("", options);
    this.name = name;
    this.length = length;
    this.rules = rules;
    this.#builder = new DigitBuilder(length, rules);
  }

  /**
   * Generates a random ID from the runtime's cryptographic random source. Two calls may generate the same ID.
   *
   * - **Up to 24 digits every ID is equally likely**: a draw stops at the first digit that breaks a rule and starts again.
   * - **From 25 digits on** nearly every such draw would fail. Digits that break a rule are drawn again instead, and
   *   some IDs are then more likely than others; docs/numeric-ids.md says by how much. The same applies to shorter IDs
   *   whose custom rules leave so few that millions of digits make none.
   *
   * @throws {@link NoValidIdError} if no ID keeps the rules, or millions of digits made none
   * @throws {@link UnsupportedError} if the runtime has no `crypto`
   */
  generate(): string {
    const id = drawId(this.#builder, randomDigit, this.length <= MAX_PLAIN_LENGTH);
    if (id === undefined) throw new NoValidIdError(this.name, this.length);
    return id;
  }

  /**
   * Generates several random IDs, all different.
   *
   * @param count 0 to 1,048,576
   * @throws {@link ArgumentError} if the count is out of range, or greater than the number of IDs
   * @throws {@link NoValidIdError} if no ID keeps the rules, or millions of digits made none
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
      // If there were one more ID, forty times as many draws would have missed it only once in 2^57.
      if (repeats > 40 * (before + 1)) {
        throw new ArgumentError("count", `at most ${before}, because there are no more IDs`, count);
      }
    }
    return [...ids];
  }

  /** @deprecated Use {@link NumericIdType.generateIds}, which this calls. */
  generateMany(count: number): string[] {
    return this.generateIds(count);
  }

  /**
   * Returns whether a string is an ID of this type, and every rule that it breaks.
   *
   * @param text any string, of any length
   * @throws {@link ArgumentError} if it is not a string, because a number may have lost leading zeros or its last digits
   *
   * @example
   * ```ts
   * import { NumericIdType } from "bitflake/numeric";
   *
   * const farmer = new NumericIdType({ name: "farmer", length: 10 });
   * farmer.validate("6786305283");
   * // => { valid: false, broken: [ { rule: 'sequence', detail: '678 at digit 1 is ascending' } ] }
   * ```
   */
  validate(text: string): Validation {
    if (typeof text !== "string") throw new ArgumentError("text", "a string", text);
    const broken = findBrokenRules(text, this.length, this.rules);
    return { valid: broken.length === 0, broken };
  }

  /**
   * Returns how many IDs there are: counted up to 9 digits, which takes about half a second for 9 the first time; beyond that
   * an estimate with its error, always the same.
   *
   * @example
   * ```ts
   * import { NumericIdType } from "bitflake/numeric";
   *
   * new NumericIdType({ name: "farmer", length: 6 }).capacity(); // => { ids: 29593n, isExact: true, error: 0 }
   * ```
   */
  capacity(): IdCapacity {
    this.#capacity ??= Object.freeze(serializable(computeCapacity(this.#builder)));
    return this.#capacity;
  }

  /** The interface of Standard Schema and Standard JSON Schema. */
  get "~standard"(): StandardProps<string, string> {
    this.#standard ??= createStandardProps(
      (value) => {
        if (typeof value !== "string") return refuse("text", `a string of ${this.length} digits`, value);
        const { broken } = this.validate(value);
        if (broken.length === 0) return { value };
        // One issue for all rules: arktype drops the messages if a part of its schema has several.
        return { issues: [{ message: broken.map(({ rule, detail }) => `${rule}: ${detail}`).join("; ") }] };
      },
      () => this.jsonSchema,
    );
    return this.#standard;
  }

  /**
   * The JSON Schema of the IDs, a new object each time. It says how many digits an ID has, and nothing of the check digit
   * and the other rules, which a regular expression cannot express: validate a text that it takes.
   *
   * @example
   * ```ts
   * import { NumericIdType } from "bitflake/numeric";
   *
   * new NumericIdType({ name: "farmer", length: 10 }).jsonSchema.pattern; // => '^[0-9]{10}$'
   * ```
   */
  get jsonSchema(): TextJsonSchema {
    const { length } = this;
    return { type: "string", pattern: `^[0-9]{${length}}$`, minLength: length, maxLength: length };
  }
}

/** Asserts that a value is a type. */
export function assertType(type: NumericIdType): NumericIdType {
  if (type instanceof NumericIdType) return type;
  throw new ArgumentError("type", "a NumericIdType", type);
}

/** Creates a DigitBuilder of a type. */
export function createDigitBuilder({ length, rules }: NumericIdType): DigitBuilder {
  return new DigitBuilder(length, rules);
}

/**
 * Asserts that options are valid, and returns the fields of a type.
 *
 * @param path prefix of field names in errors
 */
export function resolveTypeSettings(
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
    rules: resolveRules(`${path}rules`, rules),
  };
}
