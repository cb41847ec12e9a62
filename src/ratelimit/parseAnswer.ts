// Answers of stores: the operations' names in errors, and the check that the rule can have an answer.

import type { KeyCall } from "./port.ts";
import { type ConsumeResult, type Gcra, isPlausible } from "./rule.ts";

/** The operations' names in errors. */
export const OPERATION = {
  consume: "ratelimit: limit",
  peek: "ratelimit: peek",
  refund: "ratelimit: refund",
  block: "ratelimit: block",
  reset: "ratelimit: reset",
} as const;

/** Returns the outcome if the rule can have it, else `undefined`. */
export function plausibleOrUndefined(
  gcra: Gcra,
  costUs: number,
  result: ConsumeResult,
): ConsumeResult | undefined {
  return isPlausible(gcra, costUs, result) ? result : undefined;
}

/** Whether all calls of a step were allowed, and so counted. */
export function areAllowed(results: readonly ConsumeResult[]): boolean {
  return results.every(({ allowed }) => allowed);
}

/** Returns the outcomes of a step that counts all calls or none if the rule can have them, else `undefined`. */
export function areTogetherOrUndefined(
  calls: readonly KeyCall[],
  results: readonly ConsumeResult[],
): readonly ConsumeResult[] | undefined {
  if (results.length !== calls.length) return undefined;
  const isCounted = areAllowed(results);
  const isValid = calls.every(({ gcra, costUs }, index) => {
    const result = results[index] as ConsumeResult;
    // A call that would have passed has the TAT from before it.
    const counted = result.allowed && !isCounted ? { ...result, tat: result.tat + costUs } : result;
    return isPlausible(gcra, costUs, counted);
  });
  return isValid ? results : undefined;
}
