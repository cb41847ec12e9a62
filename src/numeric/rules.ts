// The rules that an ID for people keeps: the two known sets of them, and a set of one's own, validated.

import { ArgumentError, assertObject, assertOneOf, assertWhole } from "../internal.ts";

/** The longest ID. */
export const MAX_LENGTH = 32;

/** The most numbers in one list of a rule. */
const MAX_LIST = 10_000;

/**
 * Every knob of the rules. A limit of `null` switches its rule off, and so does an empty list. Each rule sees the whole
 * ID with its check digit.
 */
export interface NumericRules {
  /** What no ID begins with. */
  readonly notStartWith: readonly string[];
  /** The shortest refused run of neighbours that go up or down by one: 3 refuses `123` and `321`. 2 to 32. */
  readonly sequenceLimit: number | null;
  /** Whether such runs go on from 9 to 0: then `890` and `109` are refused. */
  readonly sequenceWraps: boolean;
  /**
   * How far from itself a digit may come again: at 2 `11` is refused, at 3 `1x1` as well. 2 to 32. MOSIP counts one
   * less: its `repeating-limit` of 2 is 3 here.
   */
  readonly repeatingLimit: number | null;
  /** The length of a block that must not come again later on: 2 refuses `48xx48`. 1 to 32. */
  readonly repeatingBlockLimit: number | null;
  /** The shortest refused run of even digits: 3 refuses `248`. 1 to 32. */
  readonly evenDigitsLimit: number | null;
  /** Whether 0 is an even digit. */
  readonly zeroIsEven: boolean;
  /** How many digits at the beginning must not come again, in that order, at the end. 1 to 32. */
  readonly digitsGroupLimit: number | null;
  /** How many digits at the beginning must not come again, in reverse, at the end. 1 to 32. */
  readonly reverseDigitsGroupLimit: number | null;
  /** Whether the last two rules hold also for IDs so short that beginning and end overlap. */
  readonly groupsOverlap: boolean;
  /** What no ID contains. */
  readonly restrictedNumbers: readonly string[];
  /** What no ID contains: by default the periods of nine fractions, `142857` the shortest. */
  readonly cyclicNumbers: readonly string[];
}

/** The name of a known set of rules. */
export type RuleSet = "openg2p" | "mosip";

/** Rules of one's own: those of `extends`, default `"openg2p"`, but for what is given here. */
export interface OwnRules
  extends Partial<{ readonly [Knob in keyof NumericRules]: NumericRules[Knob] | undefined }> {
  /** Which set the rules begin with. Default `"openg2p"`. */
  readonly extends?: RuleSet | undefined;
}

/** The known sets. Not a constant, so that who imports something else does not get it. */
function ruleSet(name: RuleSet): NumericRules {
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

/** The least value of each limit: below it every ID would be broken, or none. */
const LEAST: Readonly<Record<string, number>> = {
  sequenceLimit: 2,
  repeatingLimit: 2,
  repeatingBlockLimit: 1,
  evenDigitsLimit: 1,
  digitsGroupLimit: 1,
  reverseDigitsGroupLimit: 1,
};

function numbersOf(field: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_LIST) {
    throw new ArgumentError(field, `an array of at most ${MAX_LIST} numbers`, value);
  }
  return Array.from(value, (number: unknown, i) => {
    if (typeof number === "string" && /^\d{1,100}$/.test(number)) return number;
    throw new ArgumentError(`${field}[${i}]`, "a string of 1 to 100 digits", number);
  });
}

/**
 * Validates rules, and fills in what they leave out.
 *
 * @param path what comes before the name of a field in an error
 */
export function rulesOf(path: string, given: RuleSet | OwnRules): NumericRules {
  if (typeof given === "string")
    return rulesOf(path, { extends: assertOneOf(path, given, ["openg2p", "mosip"]) });
  const { extends: base = "openg2p", ...own } = assertObject(path, given);
  const rules: Record<string, unknown> = {
    ...ruleSet(assertOneOf(`${path}.extends`, base, ["openg2p", "mosip"])),
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
    if (value === undefined) continue; // As if it were not there, like every option.
    const least = LEAST[name];
    if (typeof rules[name] === "boolean") assertOneOf(field, value, [true, false]);
    else if (least !== undefined && value !== null) assertWhole(field, value, least, MAX_LENGTH, ", or null");
    rules[name] = Array.isArray(rules[name]) ? numbersOf(field, value) : value;
  }
  for (const rule of Object.values(rules)) Object.freeze(rule);
  return Object.freeze(rules as unknown as NumericRules);
}
