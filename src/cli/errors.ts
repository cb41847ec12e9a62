// Errors of the command line, their exit codes, and how they are printed.

import { ArgumentError, BitflakeError } from "../internal.ts";
import type { Io } from "./io.ts";
import { maskCredentials } from "./redact.ts";
import { colorsFor } from "./terminal/color.ts";
import { formatDuration } from "./terminal/formatDuration.ts";

/** Wrong usage of a command: exit code 2. */
export class UsageError extends Error {
  readonly code: string;

  constructor(message: string, code = "ERR_USAGE") {
    super(message);
    this.code = code;
  }
}

/** A failure for which the library has no error class: exit code 1. */
export class CommandError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An error as it is printed. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
}

/** Returns the code of an error, and its message in one line and without credentials. */
export function describeError(error: unknown): ErrorReport {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const isKnown =
    error instanceof BitflakeError || error instanceof UsageError || error instanceof CommandError;
  return {
    code: isKnown ? String(code) : "ERR_UNEXPECTED",
    // Some errors have a code and no message, such as the AggregateError of refused connections.
    message: maskCredentials(String(message || code || error))
      .replaceAll(/\s*\n\s*/g, " ")
      // The library writes durations in milliseconds, because its options and error fields are in milliseconds.
      .replace(/\b\d{4,15} ms\b/g, (duration) => formatDuration(Number.parseInt(duration, 10)))
      // Control characters could change the terminal.
      .replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd"),
  };
}

/** Returns the exit code of an error. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError || error instanceof ArgumentError ? 2 : 1;
}

/**
 * Prints an error.
 *
 * @param hint a second line with the remedy, in text output
 */
export async function reportError(io: Io, isJson: boolean, error: unknown, hint = ""): Promise<void> {
  const report = describeError(error);
  const { red } = colorsFor(io.stderr, io.env);
  const text = isJson
    ? JSON.stringify({ error: report })
    : `${red("error:")} ${report.message}${hint && `\n${hint}`}`;
  // If the reader is gone, the exit code still reports the error.
  await io.stderr.write(`${text}\n`).catch(() => {});
}
