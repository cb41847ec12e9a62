// A numeric type with any length and rules, and all of its IDs.

import { NumericIdType, type OwnRules, type RuleSet, verhoeff } from "../../src/numeric/index.ts";

export const DIGITS: readonly string[] = [..."0123456789"];

export function typeOf(length: number, rules?: RuleSet | OwnRules): NumericIdType {
  return new NumericIdType({ name: "farmer", length, rules });
}

/** Returns every ID of a type, found among all numbers. */
export function allOf(type: NumericIdType): string[] {
  const ids: string[] = [];
  for (let number = 0; number < 10 ** (type.length - 1); number++) {
    const payload = `${number}`.padStart(type.length - 1, "0");
    const id = payload + verhoeff.checkDigit(payload);
    if (type.validate(id).valid) ids.push(id);
  }
  return ids;
}
