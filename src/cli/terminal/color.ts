// Colours: few, and only where a person wants them.

import type { Io, Output } from "../io.ts";

type Colorize = (text: string) => string;

/** The colours that there are. */
export interface Colors {
  readonly red: Colorize;
  readonly green: Colorize;
  readonly bold: Colorize;
}

/** Whether an output takes more than plain text; NO_COLOR is heeded as no-color.org has it. */
function hasColors(output: Output, env: Io["env"]): boolean {
  return output.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** The colours for an output; on a plain one they change nothing. */
export function colorsFor(output: Output, env: Io["env"]): Colors {
  const paint = (on: number, off: number): Colorize =>
    hasColors(output, env) ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  return { red: paint(31, 39), green: paint(32, 39), bold: paint(1, 22) };
}

/** A text from outside, fit for a terminal: where it has control characters, or is very long, in quotes. */
export function printable(text: string): string {
  return /^[^\p{C}\p{Zl}\p{Zp}]{0,200}$/u.test(text)
    ? text
    : JSON.stringify(text.slice(0, 200)).replace(/[\u007f-\u009f]/g, "?");
}
