// The interfaces of a command: its description for help, its context when it runs, its definition.

import type { Io } from "./io.ts";
import type { FlagTable, Values } from "./settings/flagTable.ts";

/** An example command line, with its output if that is always the same. */
interface Example {
  readonly run: string;
  readonly output?: string;
}

/** The parts of a command that help shows. */
export interface CommandDescription {
  /** Its name after `bitflake`, one or two words: `"numeric new"`. */
  readonly name: string;
  /** Its purpose, in one sentence. */
  readonly summary: string;
  /** The placeholder of its arguments; without arguments it reads lines of the standard input. */
  readonly args?: string;
  /** The words that its argument may be, for completion. */
  readonly argChoices?: readonly string[];
  /** Further paragraphs. */
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
}

/** The input of a command that runs. */
export interface CommandContext<T extends FlagTable> {
  readonly values: Values<T>;
  /** The name of each setting in error messages, by its origin: `--port`, `BITFLAKE_PORT`, `port in bitflake.json`. */
  readonly sources: Readonly<Record<string, string>>;
  /** The arguments that are not flags. */
  readonly args: readonly string[];
  /** Whether the output is JSON. */
  readonly isJson: boolean;
  readonly io: Io;
}

/** The source of a command: see `defineCommand`. */
export interface CommandDefinition<T extends FlagTable> extends CommandDescription {
  readonly flags: T;
  /** Runs the command. Resolves to the exit code. */
  run(context: CommandContext<T>): Promise<number>;
}

/** A command. */
export interface Command extends CommandDescription {
  readonly flags: FlagTable;
  /** Parses and validates the arguments, and runs the command. Resolves to the exit code. */
  run(argv: readonly string[], io: Io): Promise<number>;
}
