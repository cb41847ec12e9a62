// Problems: the errors that clients get instead of the handler's response.

import type { RunResult } from "./runOnce.ts";

/** An error that a client gets instead of the handler's response. */
export interface RequestProblem {
  /** The status: 400, 409, 413, 422 or 503. */
  readonly status: number;
  /** The code of the problem: one of those in the table of {@link idempotent}. */
  readonly code:
    | "ERR_IDEMPOTENCY_KEY"
    | "ERR_CONTENT_TOO_LARGE"
    | "ERR_IN_FLIGHT"
    | "ERR_FINGERPRINT"
    | "ERR_LOCK_LOST"
    | "ERR_NOT_KEPT"
    | "ERR_BACKEND";
  /** A sentence for the client's developer. It has nothing secret. */
  readonly detail: string;
  /** The headers, in lower case: `link`, and `retry-after` if the client should try again. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A second, because work mostly ends long before its lock does. */
const RETRY_SOON = { "retry-after": "1" };

/** Returns the problem of a run that has no response of the handler. */
export function problemOf({ outcome }: RunResult<Response>): RequestProblem {
  switch (outcome) {
    case "running":
      return {
        status: 409,
        code: "ERR_IN_FLIGHT",
        detail: "Another request with this key is in progress.",
        headers: RETRY_SOON,
      };
    case "lost":
      return {
        status: 409,
        code: "ERR_LOCK_LOST",
        detail: "Another request with this key has taken over the work.",
        headers: RETRY_SOON,
      };
    case "mismatch":
      return {
        status: 422,
        code: "ERR_FINGERPRINT",
        detail: "This key was used before for another request.",
        headers: {},
      };
    case "completed":
      return {
        status: 409,
        code: "ERR_NOT_KEPT",
        detail: "The request with this key is done, but its response was not stored.",
        headers: {},
      };
    default:
      return {
        status: 503,
        code: "ERR_BACKEND",
        detail: "The store of the keys cannot be reached.",
        headers: RETRY_SOON,
      };
  }
}
