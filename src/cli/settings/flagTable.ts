// Flag tables: the settings of a command, from which parsing, validation and help are derived.

/** A former name of a setting. It still works, and help does not list it. */
interface DeprecatedName {
  /** The former setting, whose flag follows from it as for other settings. */
  readonly name: string;
  readonly env?: string;
  /** The former values and what they mean now, if they changed. */
  readonly values?: Readonly<Record<string, string>>;
}

/** A second form of a setting, with a flag and a name in files of its own: a date beside milliseconds. */
interface OtherForm {
  readonly name: string;
  readonly flag: MomentFlag;
}

/** The part that all settings share. */
interface FlagBase {
  /** What it sets, in a few words, for help. */
  readonly description: string;
  /** The environment variable that sets it where there is no flag. */
  readonly env?: string;
  /** The default in words, if it is not a value: `"a leased node"`. */
  readonly defaultText?: string;
  /** Set if the command does not run without it. */
  readonly required?: true;
  /** Set if a configuration file must not contain it. */
  readonly notInFile?: true;
  /** Why it cannot be a flag, if it cannot: it is a secret. Its value is not printed. */
  readonly noFlagReason?: string;
  readonly deprecatedName?: DeprecatedName;
  readonly otherForm?: OtherForm;
  /** The letter of its short flag: `"n"` for `-n`. */
  readonly short?: string;
}

/** A setting that is on or off. */
export interface SwitchFlag extends FlagBase {
  readonly kind: "switch";
}

/** A whole number. */
export interface IntegerFlag extends FlagBase {
  readonly kind: "integer";
  readonly min: number;
  readonly max: number;
  /** Words that may stand for a number, each with its value, which may be outside the limits. */
  readonly words?: Readonly<Record<string, number>>;
  readonly default?: number;
}

/** A moment: a date, or a time with its zone. Its value is in milliseconds since 1970. */
interface MomentFlag extends FlagBase {
  readonly kind: "moment";
}

/** A string that is not empty. */
interface TextFlag extends FlagBase {
  readonly kind: "text";
  /** Its placeholder in help: `"URL"`. */
  readonly placeholder: string;
  readonly default?: string;
}

/** One of several words. */
interface ChoiceFlag extends FlagBase {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
}

/** Several strings: separated by commas in a variable, an array in a file. */
interface ListFlag extends FlagBase {
  readonly kind: "list";
  readonly placeholder: string;
  /** Set if entries in a file may be objects, which the command validates. */
  readonly mayHoldObjects?: true;
}

/** The content of a JSON file: given by its path, or in a configuration file also as an object. */
interface DocumentFlag extends FlagBase {
  readonly kind: "document";
}

export type Flag = SwitchFlag | IntegerFlag | MomentFlag | TextFlag | ChoiceFlag | ListFlag | DocumentFlag;

/** Settings by name, as in a configuration file: `machineId` has the flag `--machine-id`. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** The value of a {@link DocumentFlag}. */
export type DocumentSource = { readonly path: string } | { readonly content: object; readonly path?: never };

/** The type of a setting's value. */
type ValueOf<F extends Flag> = F extends SwitchFlag
  ? boolean
  : F extends IntegerFlag | MomentFlag
    ? number
    : F extends { readonly choices: readonly (infer C)[] }
      ? C
      : F extends ListFlag
        ? readonly (F extends { readonly mayHoldObjects: true } ? string | object : string)[]
        : F extends DocumentFlag
          ? DocumentSource
          : string;

/** A setting that always has a value. */
type AlwaysSet =
  | { readonly default: string | number }
  | { readonly required: true }
  | { readonly kind: "switch" };

/** The values of a table. */
export type Values<T extends FlagTable> = {
  readonly [Name in keyof T]: T[Name] extends AlwaysSet ? ValueOf<T[Name]> : ValueOf<T[Name]> | undefined;
};

/** Returns the settings of a table and their other forms, each with its name. */
export function flagRows(table: FlagTable): (readonly [name: string, flag: Flag])[] {
  return Object.entries(table).flatMap(([name, flag]) => {
    const { otherForm } = flag;
    return otherForm
      ? [[name, flag] as const, [otherForm.name, otherForm.flag] as const]
      : [[name, flag] as const];
  });
}

/** Returns the flag of a setting: `--machine-id` of `machineId`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
