// Answers of stores: parses them, and throws on any other value.

import type { AcquireResult, ForgetResult, PeekResult } from "./rule.ts";

/** Asserts that an answer is a boolean. */
export function parseBoolean(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new Error("not a boolean");
}

/** Parses the outcome of an acquire. */
export function parseAcquireResult(answer: unknown): AcquireResult {
  const { outcome, waitMs, value } = Object(answer) as Readonly<Record<string, unknown>>;
  if (outcome === "acquired" || outcome === "mismatch") return { outcome };
  if (outcome === "running" && Number.isSafeInteger(waitMs) && Number(waitMs) > 0) {
    return { outcome, waitMs: Number(waitMs) };
  }
  if (outcome === "completed" && (typeof value === "string" || value === null)) return { outcome, value };
  throw new Error("not the outcome of an acquire");
}

/** Parses the state of a key. */
export function parsePeekResult(answer: unknown): PeekResult {
  const { outcome, waitMs } = Object(answer) as Readonly<Record<string, unknown>>;
  if (outcome === "absent") return { outcome };
  if (outcome === "running" && waitMs === 0) return { outcome, waitMs };
  const result = parseAcquireResult(answer);
  if (result.outcome === "running" || result.outcome === "completed") return result;
  throw new Error("not the state of a key");
}

/** Parses the outcome of a forget. */
export function parseForgetResult(answer: unknown): ForgetResult {
  const { outcome } = Object(answer) as Readonly<Record<string, unknown>>;
  if (outcome === "forgotten" || outcome === "absent") return { outcome };
  const result = parseAcquireResult(answer);
  if (result.outcome === "running") return result;
  throw new Error("not the outcome of a forget");
}
