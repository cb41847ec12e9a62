// A value as it is stored in engines whose versions come back with a backup, and that keep a value after its end: one text of
// a token that no other write has, the time of its end, and the value. The whole text is the version.

import { freshToken } from "../../internal.ts";
import type { Cell } from "../ports.ts";

/** The text of a value: `<token> <end in milliseconds, or nothing> <value>`. */
const TEXT = /^[0-9a-f]{32} (\d*) /;

/** Returns a new text for a value. */
export function makeText(value: string, keepMs: number | undefined): string {
  const ends = keepMs === undefined ? "" : Date.now() + Math.ceil(keepMs);
  return `${freshToken()} ${ends} ${value}`;
}

/** Returns whether the time of a text is over. */
export function hasEnded(text: string): boolean {
  const ends = TEXT.exec(text)?.[1];
  return Boolean(ends) && Number(ends) <= Date.now();
}

/** Returns the cell of a text. It has no value if there is no text, or if its time is over. */
export function cellOfText(text: string | undefined): Cell {
  if (text === undefined || hasEnded(text)) return { value: undefined, version: "" };
  const [start] = TEXT.exec(text) ?? [];
  if (start === undefined) throw new Error("the key has a value that bitflake has not written");
  return { value: text.slice(start.length), version: text };
}
