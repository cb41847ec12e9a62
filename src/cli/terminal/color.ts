// Terminal colors, and strings that are safe to print on a terminal.

import type { Io, Output } from "../io.ts";

type Colorize = (text: string) => string;

/** The colors that commands use. */
export interface Colors {
  readonly red: Colorize;
  readonly green: Colorize;
  readonly bold: Colorize;
}

/** Returns whether an output has colors: it is a terminal, and neither NO_COLOR (no-color.org) nor TERM=dumb is set. */
function hasColors(output: Output, env: Io["env"]): boolean {
  return output.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** Returns the colors for an output. Without colors, they return their text unchanged. */
export function colorsFor(output: Output, env: Io["env"]): Colors {
  const colorize = (on: number, off: number): Colorize =>
    hasColors(output, env) ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  return { red: colorize(31, 39), green: colorize(32, 39), bold: colorize(1, 22) };
}

/** Returns the escape of each UTF-16 unit, as JSON has it. */
function escaped(characters: string): string {
  const units = Array.from({ length: characters.length }, (_, i) => characters.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/**
 * Returns a string from outside for a terminal: in quotes if it has control characters, or more than `maxLength` characters, of
 * which it then has the first. Characters that are invisible or change the order or the line are escaped.
 */
export function printable(text: string, maxLength = 200): string {
  return text.length <= maxLength && /^[^\p{C}\p{Zl}\p{Zp}]*$/u.test(text)
    ? text
    : JSON.stringify(text.slice(0, maxLength))
        .replace(/[\u007f-\u009f]/g, "?")
        .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}
