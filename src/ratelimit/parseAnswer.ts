// Answers of stores: the operation's name in errors, and the check that the rule can have an answer.

import { type ConsumeResult, type Gcra, isPlausible } from "./rule.ts";

/** The operation's name in errors. */
export const OPERATION = "ratelimit: limit";

/** Returns the outcome if the rule can have it, else `undefined`. */
export function plausibleOrUndefined(
  gcra: Gcra,
  costUs: number,
  result: ConsumeResult,
): ConsumeResult | undefined {
  return isPlausible(gcra, costUs, result) ? result : undefined;
}
