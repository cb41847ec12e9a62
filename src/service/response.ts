// Replies: JSON, and refusals with their reasons.

import { PROBLEM_CONTENT_TYPE, problemJson } from "../http/problem.ts";
import { ArgumentError, BitflakeError } from "../internal.ts";
import type { ServiceResponse } from "./message.ts";

type Headers = Readonly<Record<string, string>>;

/** Of one object for all: each reply that has headers of its own makes a copy. */
const JSON_HEADERS: Headers = {
  "content-type": "application/json",
  "cache-control": "no-store",
};

/** A reply of JSON that is written already. */
export function rawJsonResponse(body: string, status = 200): ServiceResponse {
  return { status, headers: JSON_HEADERS, body };
}

/** A reply of JSON. */
export function jsonResponse(value: unknown, status = 200): ServiceResponse {
  return rawJsonResponse(JSON.stringify(value), status);
}

/** The reply with more headers. */
export function withHeaders(reply: ServiceResponse, headers: Headers): ServiceResponse {
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** A refusal, to be thrown: the client is told what it says. */
export class HttpError {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly headers: Headers;

  constructor(status: number, code: string, detail: string, headers: Headers = {}) {
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }

  toResponse(): ServiceResponse {
    const headers = { "cache-control": "no-store", ...this.headers, "content-type": PROBLEM_CONTENT_TYPE };
    return { status: this.status, headers, body: problemJson(this.status, this.code, this.detail) };
  }
}

/** When to come again where nobody knows: soon. */
export const RETRY_SOON: Headers = { "retry-after": "1" };

/** Runs what works on values of the client's: what it refuses, the client is told. */
export function toClientError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ArgumentError) throw new HttpError(400, error.code, error.message);
    throw error;
  }
}

/** What a client is told of a failure, none of which is its own. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const code = error instanceof BitflakeError ? error.code : undefined;
  switch (code) {
    // What its client says can have addresses in it.
    case "ERR_BACKEND":
      return new HttpError(503, code, "The store cannot be reached.", RETRY_SOON);
    case "ERR_COUNTER_EXHAUSTED":
      return new HttpError(410, code, "The counter has given out its last value.");
    case "ERR_COUNTER_BACKWARDS":
      return new HttpError(503, code, "The store's counter has gone back below what it had given out.");
    case "ERR_CLOCK_BACKWARDS":
    case "ERR_CLOCK_SKEW":
    case "ERR_CLOCK_STALLED":
    case "ERR_EPOCH":
    case "ERR_LEASE_EXPIRED":
    case "ERR_LEASE_FENCE":
    case "ERR_NO_NODE_AVAILABLE":
    case "ERR_SEQUENCE_EXHAUSTED":
    case "ERR_STORE_CUT_OFF":
    case "ERR_TIMESTAMP_OVERFLOW":
      return new HttpError(503, code, "No ID can be made at the moment.", RETRY_SOON);
    default:
      return new HttpError(500, "ERR_INTERNAL", "Something went wrong on this side.");
  }
}
