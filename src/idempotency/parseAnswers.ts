// What stores answer, made sense of: what cannot be is refused here.

import type { AcquireResult } from "./rule.ts";

/** Lets through a yes or no. */
export function parseBoolean(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new Error("neither yes nor no");
}

/** Lets through what beginning has come to. */
export function parseAcquireResult(answer: unknown): AcquireResult {
  const { outcome, waitMs, value } = Object(answer) as Readonly<Record<string, unknown>>;
  if (outcome === "started" || outcome === "mismatch") return { outcome };
  if (outcome === "running" && Number.isSafeInteger(waitMs) && Number(waitMs) > 0) {
    return { outcome, waitMs: Number(waitMs) };
  }
  if (outcome === "completed" && (typeof value === "string" || value === null)) return { outcome, value };
  throw new Error("not the outcome of a beginning");
}
