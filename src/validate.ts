// The checks that arguments and options share: each returns what it was given, or throws.

import { ArgumentError } from "./errors.ts";

/**
 * Lets through a number without fraction from `least` to `most`, and nothing else: no string, no NaN, no infinity.
 * It returns 0 for -0.
 */
export function assertWhole(
  field: string,
  value: unknown,
  least: number,
  most: number,
  note = "",
  Refusal: new (field: string, rule: string, value: unknown) => ArgumentError = ArgumentError,
): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
    return (value as number) + 0;
  }
  throw new Refusal(field, `a whole number from ${least} to ${most}${note}`, value);
}

/** Lets through one of a few values. */
export function assertOneOf<T>(field: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new ArgumentError(field, `one of ${allowed.join(", ")}`, value);
}

/**
 * Reads a field of an object from a caller. What the object inherits or computes counts, but not what is only on
 * `Object.prototype`: a polluted prototype must not configure a generator.
 */
export function readField(from: object, name: string): unknown {
  let holder: object | null = from;
  if (name in Object.prototype) {
    while (holder && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  }
  return holder === Object.prototype ? undefined : Reflect.get(from, name);
}

/** Lets through an object that is no array, function, Map, Promise or Date: nothing whose content would not be read. */
export function assertObject<T>(field: string, value: T): T {
  if ({}.toString.call(value) === "[object Object]") return value;
  throw new ArgumentError(field, "an object", value);
}

/** Asserts that a value is a function. */
export function assertFunction<T>(field: string, value: T): T {
  if (typeof value === "function") return value;
  throw new ArgumentError(field, "a function", value);
}

/** Asserts that options have no unknown names, so that a misspelt option is not silently the default. */
export function assertKnownOptions(options: object, names: readonly string[]): void {
  for (const name of Object.keys(assertObject("options", options))) assertOneOf("option", name, names);
}
