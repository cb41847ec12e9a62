// Refusals of a store as errors.

import {
  BackendError,
  ClockSkewError,
  LeaseFenceError,
  NamespaceError,
  NoNodeAvailableError,
  StoreCutOffError,
} from "../internal.ts";
import type { LeaseSettings } from "./options.ts";
import type { LeaseAnswer } from "./rule.ts";

/** An answer that grants nothing. */
export type LeaseRefusal = Exclude<LeaseAnswer, { readonly outcome: "granted" }>;

/**
 * Creates the error of a refused acquire or renewal.
 *
 * @param nowMs the holder's time in the request
 */
export function refusalError(
  { name, terms }: Pick<LeaseSettings, "name" | "terms">,
  refusal: LeaseRefusal,
  nowMs: number,
): Error {
  switch (refusal.outcome) {
    case "shape":
      return new NamespaceError(
        `namespace ${name}`,
        `used with the settings of its first lease: ${refusal.shape}`,
        terms.shape,
      );
    case "skew":
      return new ClockSkewError(nowMs, refusal.storeMs, terms.maxSkewMs);
    case "taken":
      return new NoNodeAvailableError(name, terms.count, terms.epochMs + refusal.soonest * terms.tickMs);
    case "fenced":
      return new LeaseFenceError(name, terms.epochMs + refusal.until * terms.tickMs);
    case "cutOff":
      return new StoreCutOffError(name, refusal.seenMs, refusal.storeMs);
    default:
      // "lost" answers a renewal only, and a backend that a user wrote may answer anything.
      return new BackendError("lease: acquire", "answer", "unexpected response");
  }
}
