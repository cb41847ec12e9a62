// Values that are kept as JSON and come back as they were: what JSON would change is refused.

import { ArgumentError } from "../internal.ts";

const RULE =
  "what JSON keeps as it is: null, a boolean, a finite number, a text, or arrays and plain objects of those";

/** Whether a value is what JSON has made of it. */
function isSame(value: unknown, parsed: unknown): boolean {
  if (Object.is(value, parsed)) return true; // -0 would come back as 0.
  if (Object(value) !== value || Object(parsed) !== parsed) return false;
  const isArray = Array.isArray(value);
  const prototype = Object.getPrototypeOf(value);
  // A class is more than its fields.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (isArray !== Array.isArray(parsed) || !(isArray || isPlain)) return false;
  const [one, other] = [value, parsed] as [Record<string, unknown>, Record<string, unknown>];
  // What is undefined was left out, or is null in an array. Each pair is looked at once: twice at every depth would be
  // a time that doubles with each.
  return (
    Object.keys(one).every((key) => isSame(one[key], other[key])) &&
    Object.keys(other).every((key) => Object.hasOwn(one, key))
  );
}

/**
 * Writes a value; `undefined`, for work that has no result, is an empty text.
 *
 * @throws {@link ArgumentError} if it would come back as something else
 */
export function writeJson(field: string, value: unknown): string {
  if (value === undefined) return "";
  try {
    const text = JSON.stringify(value);
    if (isSame(value, JSON.parse(text))) return text;
  } catch {
    // A bigint, a circle, or deeper than a stack: all of them are no JSON.
  }
  throw new ArgumentError(field, RULE, value);
}

/** Reads what {@link writeJson} has written. */
export function readJson(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}
