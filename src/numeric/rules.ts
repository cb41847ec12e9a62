// Rules for numeric IDs: the two known sets, and the options that change them.

import { ArgumentError, assertObject, assertOneOf, assertWhole } from "../internal.ts";

/** The greatest length of an ID. */
export const MAX_LENGTH = 32;

/** The most numbers in one list of a rule. */
const MAX_LIST = 10_000;

/**
 * Every setting of the rules. A limit of `null` or an empty list turns its rule off. Each rule applies to the whole ID
 * with its check digit.
 */
export interface NumericRules {
  /** Numbers that no ID begins with. */
  readonly notStartWith: readonly string[];
  /** The shortest refused run of digits that ascend or descend by one: 3 refuses `123` and `321`. 2 to 32. */
  readonly sequenceLimit: number | null;
  /** Whether such runs continue between 9 and 0, so that `890` and `109` are refused. */
  readonly sequenceWraps: boolean;
  /**
   * The least distance between two equal digits: 2 refuses `11`, 3 refuses `1x1` as well. 2 to 32. MOSIP counts one
   * less: its `repeating-limit` of 2 is 3 here.
   */
  readonly repeatingLimit: number | null;
  /** The length of a block of digits that must not be repeated later: 2 refuses `48xx48`. 1 to 32. */
  readonly repeatingBlockLimit: number | null;
  /** The shortest refused run of even digits: 3 refuses `248`. 1 to 32. */
  readonly evenDigitsLimit: number | null;
  /** Whether 0 is an even digit. */
  readonly zeroIsEven: boolean;
  /** How many digits at the beginning must not be repeated, in the same order, at the end. 1 to 32. */
  readonly digitsGroupLimit: number | null;
  /** How many digits at the beginning must not be repeated, in reverse order, at the end. 1 to 32. */
  readonly reverseDigitsGroupLimit: number | null;
  /** Whether the last two rules also apply to IDs so short that beginning and end overlap. */
  readonly groupsOverlap: boolean;
  /** Numbers that no ID contains. */
  readonly restrictedNumbers: readonly string[];
  /** Numbers that no ID contains. Default the periods of nine fractions, of which `142857` is the shortest. */
  readonly cyclicNumbers: readonly string[];
}

/** The name of a known set of rules. */
export type RuleSet = "openg2p" | "mosip";

/** Custom rules: the rules of `extends`, changed by the other fields. */
export interface OwnRules
  extends Partial<{ readonly [Knob in keyof NumericRules]: NumericRules[Knob] | undefined }> {
  /** The set that the rules start from. Default `"openg2p"`. */
  readonly extends?: RuleSet | undefined;
}

/** Returns a known set. A function, so that bundlers drop it where it is not used. */
function knownRules(name: RuleSet): NumericRules {
  const isMosip = name === "mosip";
  return {
    notStartWith: ["0", "1"],
    sequenceLimit: 3,
    sequenceWraps: isMosip,
    repeatingLimit: isMosip ? 3 : 2,
    repeatingBlockLimit: 2,
    evenDigitsLimit: 3,
    zeroIsEven: !isMosip,
    digitsGroupLimit: 5,
    reverseDigitsGroupLimit: 5,
    groupsOverlap: isMosip,
    restrictedNumbers: isMosip ? ["786", "666"] : [],
    // The periods of 1/7, 1/17, 1/19, 1/23, 1/29, 1/47, 1/59, 1/61 and 1/97.
    cyclicNumbers: [
      "142857",
      "0588235294117647",
      "052631578947368421",
      "0434782608695652173913",
      "0344827586206896551724137931",
      "0212765957446808510638297872340425531914893617",
      "0169491525423728813559322033898305084745762711864406779661",
      "016393442622950819672131147540983606557377049180327868852459",
      "010309278350515463917525773195876288659793814432989690721649484536082474226804123711340206185567",
    ],
  };
}

/** The least value of each limit: below it the rule would refuse every ID, or none. */
const MIN_LIMITS: Readonly<Record<string, number>> = {
  sequenceLimit: 2,
  repeatingLimit: 2,
  repeatingBlockLimit: 1,
  evenDigitsLimit: 1,
  digitsGroupLimit: 1,
  reverseDigitsGroupLimit: 1,
};

/** Asserts that a list consists of strings of digits, and returns a copy. */
function assertNumbers(field: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_LIST) {
    throw new ArgumentError(field, `an array of at most ${MAX_LIST} numbers`, value);
  }
  return Array.from(value, (number: unknown, i) => {
    if (typeof number === "string" && /^\d{1,100}$/.test(number)) return number;
    throw new ArgumentError(`${field}[${i}]`, "a string of 1 to 100 digits", number);
  });
}

/**
 * Asserts that rules are valid, and returns them complete.
 *
 * @param path prefix of field names in errors
 */
export function resolveRules(path: string, given: RuleSet | OwnRules): NumericRules {
  if (typeof given === "string")
    return resolveRules(path, { extends: assertOneOf(path, given, ["openg2p", "mosip"]) });
  const { extends: base = "openg2p", ...own } = assertObject(path, given);
  const rules: Record<string, unknown> = {
    ...knownRules(assertOneOf(`${path}.extends`, base, ["openg2p", "mosip"])),
  };
  for (const [name, value] of Object.entries(own)) {
    const field = `${path}.${name}`;
    if (!Object.hasOwn(rules, name)) {
      throw new ArgumentError(
        `a name in ${path}`,
        `extends or one of ${Object.keys(rules).join(", ")}`,
        name,
      );
    }
    if (value === undefined) continue; // As absent, like every option.
    const least = MIN_LIMITS[name];
    if (typeof rules[name] === "boolean") assertOneOf(field, value, [true, false]);
    else if (least !== undefined && value !== null) assertWhole(field, value, least, MAX_LENGTH, ", or null");
    rules[name] = Array.isArray(rules[name]) ? assertNumbers(field, value) : value;
  }
  for (const rule of Object.values(rules)) Object.freeze(rule);
  return Object.freeze(rules as unknown as NumericRules);
}
