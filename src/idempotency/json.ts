// Results as JSON. Values that JSON would change are refused.

import { ArgumentError } from "../internal.ts";

const RULE =
  "a value that JSON preserves: null, a boolean, a finite number, a string, or arrays and plain objects of those";

/** Whether a value equals its copy from JSON. */
function isSame(value: unknown, parsed: unknown): boolean {
  // Not by ===, because JSON turns -0 into 0.
  if (Object.is(value, parsed)) return true;
  if (Object(value) !== value || Object(parsed) !== parsed) return false;
  const isArray = Array.isArray(value);
  const prototype = Object.getPrototypeOf(value);
  // An instance of a class would lose its prototype.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (isArray !== Array.isArray(parsed) || !(isArray || isPlain)) return false;
  const [one, other] = [value, parsed] as [Record<string, unknown>, Record<string, unknown>];
  // A property that is undefined is missing in the copy, or null in an array. Each pair is compared only once, because
  // comparing twice at each level would double the time with each level.
  return (
    Object.keys(one).every((key) => isSame(one[key], other[key])) &&
    Object.keys(other).every((key) => Object.hasOwn(one, key))
  );
}

/**
 * Writes a value as JSON. `undefined`, the result of work without one, is an empty string.
 *
 * @throws {@link ArgumentError} if JSON would change the value
 */
export function writeJson(field: string, value: unknown): string {
  if (value === undefined) return "";
  try {
    const text = JSON.stringify(value);
    if (isSame(value, JSON.parse(text))) return text;
  } catch {
    // A bigint, a cycle, or nested too deeply.
  }
  throw new ArgumentError(field, RULE, value);
}

/** Reads a string of {@link writeJson}. */
export function readJson(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}
