// Responses: JSON, and errors as problem documents.

import { PROBLEM_CONTENT_TYPE, problemJson } from "../http/problem.ts";
import { ArgumentError, BitflakeError } from "../internal.ts";
import type { ServiceResponse } from "./message.ts";

type Headers = Readonly<Record<string, string>>;

/** Headers of all responses: none may be cached, or be taken for another media type than its own. */
export const COMMON_HEADERS: Headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Shared by all responses: {@link withHeaders} copies it. */
const JSON_HEADERS: Headers = { "content-type": "application/json", ...COMMON_HEADERS };

/** Headers of a failure that may pass soon, at an unknown time. */
export const RETRY_SOON: Headers = { "retry-after": "1" };

/** Creates a response from JSON text. */
export function rawJsonResponse(body: string, status = 200): ServiceResponse {
  return { status, headers: JSON_HEADERS, body };
}

/** Creates a JSON response. */
export function jsonResponse(value: unknown, status = 200): ServiceResponse {
  return rawJsonResponse(JSON.stringify(value), status);
}

/** Returns the response with more headers. */
export function withHeaders(response: ServiceResponse, headers: Headers): ServiceResponse {
  return { ...response, headers: { ...response.headers, ...headers } };
}

/**
 * An error response that a stage or a handler throws. The client gets its status, code, detail and headers. The class does
 * not extend Error: it is never logged as one, and collecting a stack for each refused request takes about 6 µs.
 */
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
    const headers = { ...COMMON_HEADERS, ...this.headers, "content-type": PROBLEM_CONTENT_TYPE };
    return { status: this.status, headers, body: problemJson(this.status, this.code, this.detail) };
  }
}

/** Runs a function on the client's input: an {@link ArgumentError} becomes a 400 with its message. */
export function rejectInvalidInput<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ArgumentError) throw new HttpError(400, error.code, error.message);
    throw error;
  }
}

/** Returns the HttpError of an error: itself, or a 4xx or 5xx that says no more than the client may know. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const code = error instanceof BitflakeError ? error.code : undefined;
  switch (code) {
    // The message of a store's client can have addresses in it, so it is not sent.
    case "ERR_BACKEND":
      return new HttpError(503, code, "The store cannot be reached.", RETRY_SOON);
    case "ERR_COUNTER_EXHAUSTED":
      return new HttpError(410, code, "The counter has issued its last value.");
    case "ERR_COUNTER_BACKWARDS":
      return new HttpError(503, code, "The store's counter is below a value that it has issued.");
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
      return new HttpError(500, "ERR_INTERNAL", "The service failed unexpectedly. Its log has the error.");
  }
}
