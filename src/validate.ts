// Assertions for arguments and options, which throw an ArgumentError, and readField, which is safe on a polluted prototype.
// Most assertions return the value that they were given.

import { ArgumentError } from "./errors.ts";

/**
 * Asserts that a value is a number without fraction from `least` to `most`: no string, no NaN, no infinity.
 * Returns 0 for -0.
 */
export function assertWhole(
  field: string,
  value: unknown,
  least: number,
  most: number,
  note = "",
  ErrorClass: new (field: string, rule: string, value: unknown) => ArgumentError = ArgumentError,
): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
    return (value as number) + 0;
  }
  throw new ErrorClass(field, `a whole number from ${least} to ${most}${note}`, value);
}

/** Asserts that a value is one of a few; returns it. */
export function assertOneOf<const T>(field: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  throw new ArgumentError(field, `one of ${allowed.join(", ")}`, value);
}

/**
 * Reads a field of an object from a caller. Inherited properties and getters count, but not a property that only
 * a polluted `Object.prototype` has: that must not configure a generator.
 */
export function readField(from: object, name: string): unknown {
  let holder: object | null = from;
  // `name` is in Object.prototype only if the prototype is polluted.
  if (name in Object.prototype) {
    while (holder && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  }
  return holder === Object.prototype ? undefined : Reflect.get(from, name);
}

/**
 * Asserts that a value is an object, and no array, function, Map, Promise or Date, whose content would not be read;
 * returns it.
 */
export function assertObject<T>(field: string, value: T, rule = "an object"): T {
  if ({}.toString.call(value) === "[object Object]") return value;
  throw new ArgumentError(field, rule, value);
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

/** Asserts that options have no unknown names; returns the values of the known ones, read by {@link readField}. */
export function readFields<T extends object>(options: T, names: readonly string[]): T {
  assertKnownOptions(options, names);
  return Object.fromEntries(names.map((name) => [name, readField(options, name)])) as T;
}

/**
 * Asserts that a value is a name: 1 to 100 characters of one line, without braces.
 *
 * @returns the name
 */
export function assertName(field: string, name: unknown): string {
  // Braces would move a key to another slot of a Redis Cluster. Stores treat control characters differently.
  if (typeof name !== "string" || !/^[^\p{C}\p{Zl}\p{Zp}{}]{1,100}$/u.test(name)) {
    throw new ArgumentError(field, "a string of 1 to 100 characters in one line, without braces", name);
  }
  // Two processes whose names look equal but differ in their code points would share nothing, unnoticed.
  if (name.normalize() !== name) {
    throw new ArgumentError(
      field,
      "a string in Unicode normalization form C, as normalize() returns it",
      name,
    );
  }
  return name;
}
