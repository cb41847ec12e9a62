// How a command fails: it was used wrongly, or it could not be done; and what is said of it.

import { ArgumentError, BitflakeError } from "../internal.ts";
import type { Io } from "./io.ts";
import { colorsFor } from "./terminal/color.ts";

/** The command was used wrongly: the exit code is 2. */
export class UsageError extends Error {
  readonly code: string;

  constructor(message: string, code = "ERR_USAGE") {
    super(message);
    this.code = code;
  }
}

/** It could not be done, for a reason that the library has no error for: the exit code is 1. */
export class CommandError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What is said of an error. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
}

/** How a text begins that is an address and nothing else, up to its password. */
const ADDRESS = /^[a-z][a-z0-9+.-]{0,30}:\/\/[^:]*:/i;

/** The same of an address with a user that may be a token, and no password. */
const TOKEN = /^(?!postgres)([a-z][a-z0-9+.-]{0,30}:\/\/)[^:]*:?@/i;

/**
 * Takes out of a text the credentials of all addresses in it. Clients like to quote the address that they were given.
 * Where there is a doubt, too much is taken out.
 */
function maskCredentials(text: string): string {
  return (
    text
      // A user without a password is the name of a role in PostgreSQL, and elsewhere may be a token.
      .replace(/\b(?!postgres)([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s:]*:?@/gi, "$1***@")
      // To the last @: a user can have one too, and a password whatever its owner forgot to encode.
      .replace(/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:]*):\S*@/gi, "$1:***@")
      // Which parameter of a query is a credential, each client decides. What is masked already may be in quotes by now.
      .replace(/([?&][^=&\s]+=)(?!\*\*\*)[^&\s]*/g, "$1***")
  );
}

/** A text that may be an address as a whole: then there can be anything in its user and password, at any length. */
export function maskAddress(text: string): string {
  const [head] = ADDRESS.exec(text) ?? [];
  const at = text.lastIndexOf("@");
  if (TOKEN.test(text)) return maskCredentials(text.replace(TOKEN, "$1***@").slice(0, 4096));
  const rest = head !== undefined && at >= head.length ? `${head}***${text.slice(at)}` : text;
  return maskCredentials(rest.slice(0, 4096));
}

/** A text from the command line as a message shows it: in quotes, not for long, and without passwords. */
export function quoted(text: string): string {
  return JSON.stringify(maskAddress(text).slice(0, 64));
}

/** What is said of an error: its code, and its message in one line. */
export function describeError(error: unknown): ErrorReport {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const isKnown =
    error instanceof BitflakeError || error instanceof UsageError || error instanceof CommandError;
  return {
    code: isKnown ? String(code) : "ERR_UNEXPECTED",
    // Some, as an AggregateError of refused connections, say it with a code alone.
    message: maskCredentials(String(message || code || error))
      .replaceAll(/\s*\n\s*/g, " ")
      // What a terminal would obey.
      .replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd"),
  };
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError || error instanceof ArgumentError ? 2 : 1;
}

/**
 * Says what went wrong.
 *
 * @param hint what to do about it, for people
 */
export async function reportError(io: Io, isJson: boolean, error: unknown, hint = ""): Promise<void> {
  const complaint = describeError(error);
  const { red } = colorsFor(io.stderr, io.env);
  const text = isJson
    ? JSON.stringify({ error: complaint })
    : `${red("error:")} ${complaint.message}${hint && `\n${hint}`}`;
  // Where nobody hears it, the exit code still says it.
  await io.stderr.write(`${text}\n`).catch(() => {});
}
