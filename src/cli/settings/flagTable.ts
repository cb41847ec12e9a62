// What a command may be told: a table of settings, from which parsing, validation and help all come.

/** What every setting has. */
interface Common {
  /** What it is, in a few words, for help. */
  readonly description: string;
  /** The environment variable that says it where no flag does. */
  readonly env?: string;
  /** What holds where nobody says it, if that is no value: `"a node is leased"`. */
  readonly defaultText?: string;
  /** That the command cannot do without it. */
  readonly required?: true;
  /** That it has no place in a configuration file. */
  readonly notInFile?: true;
}

/** Said or not. */
export interface SwitchFlag extends Common {
  readonly kind: "switch";
}

/** A whole number. */
export interface IntegerFlag extends Common {
  readonly kind: "integer";
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/** Any text but an empty one. */
interface TextFlag extends Common {
  readonly kind: "text";
  /** What stands for it in help: `"URL"`. */
  readonly placeholder: string;
  readonly default?: string;
}

/** One of a few words. */
interface ChoiceFlag extends Common {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
}

/** Several texts: in the environment with commas between them, in a file as an array. */
interface ListFlag extends Common {
  readonly kind: "list";
  readonly placeholder: string;
  /** Why it is no flag, where it is none. */
  readonly noFlagReason?: string;
  /** That in a file an entry may be an object, for the command to look into. */
  readonly mayHoldObjects?: true;
}

/** What a JSON file holds: said by its path, or in a configuration file also as an object. */
interface DocumentFlag extends Common {
  readonly kind: "document";
}

export type Flag = SwitchFlag | IntegerFlag | TextFlag | ChoiceFlag | ListFlag | DocumentFlag;

/** Settings by their names, as a configuration file has them: `machineId`, which is `--machine-id` as a flag. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** A {@link DocumentFlag} as it was said. */
export type DocumentSource = { readonly path: string } | { readonly content: object; readonly path?: never };

/** The type of a setting's value. */
type ValueOf<F extends Flag> = F extends SwitchFlag
  ? boolean
  : F extends IntegerFlag
    ? number
    : F extends { readonly choices: readonly (infer C)[] }
      ? C
      : F extends ListFlag
        ? readonly (F extends { readonly mayHoldObjects: true } ? string | object : string)[]
        : F extends DocumentFlag
          ? DocumentSource
          : string;

/** What is there in any case. */
type AlwaysSet =
  | { readonly default: string | number }
  | { readonly required: true }
  | { readonly kind: "switch" };

/** The values of a table. */
export type Values<T extends FlagTable> = {
  readonly [Name in keyof T]: T[Name] extends AlwaysSet ? ValueOf<T[Name]> : ValueOf<T[Name]> | undefined;
};

/** A setting's name as a flag. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
