// The log stage: one entry per request, and its request ID.

import { notifyListener } from "../http/notify.ts";
import { BitflakeError } from "../internal.ts";
import { clientAddress } from "./auth.ts";
import type { Exchange } from "./exchange.ts";
import type { ServiceResponse } from "./message.ts";
import type { ServiceLogEntry } from "./options.ts";
import { RequestIds } from "./requestIds.ts";
import { withHeaders } from "./response.ts";
import type { ServiceSettings } from "./settings.ts";

/** The longest path and user agent in the log. */
const MAX_LOGGED = 256;

/** A client's request ID that is used: visible ASCII. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** The header of W3C Trace Context, version 00 or later. Its first 55 characters are those of version 00. */
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(-|$)/;

const TRACEPARENT_LENGTH = 55;

/** @param failure an error or a code: a failure in MOSIP's envelope has the status 200 */
function levelOf(status: number, failure?: unknown): ServiceLogEntry["level"] {
  if (status >= 500) return "error";
  return status >= 400 || failure !== undefined ? "warn" : "info";
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

export class AccessLog {
  readonly #log: ((entry: ServiceLogEntry) => void) | undefined;
  readonly #proxies: number;
  readonly #requestIds = new RequestIds();

  constructor({ log, proxies }: Pick<ServiceSettings, "log" | "proxies">) {
    this.#log = log;
    this.#proxies = proxies;
  }

  /** Logs an answered request, and returns the response with the request ID. */
  record(exchange: Exchange, response: ServiceResponse, durationMs: number): ServiceResponse {
    const given = exchange.request.header("x-request-id");
    const isValid = given !== undefined && REQUEST_ID.test(given);
    // Without a log, a new ID would lead nowhere.
    if (!isValid && !this.#log) return response;
    const requestId = isValid ? given : this.#requestIds.next();
    if (this.#log) notifyListener(this.#log, this.#entry(exchange, response, durationMs, requestId));
    return withHeaders(response, { "x-request-id": requestId });
  }

  /** Logs bytes that could not be parsed as a request, and were answered with a status. */
  recordMalformed(status: number, code: string, error: unknown, address: string): void {
    if (!this.#log) return;
    notifyListener(this.#log, {
      time: new Date().toISOString(),
      level: levelOf(status),
      method: "",
      route: "",
      path: "",
      status,
      durationMs: 0,
      client: "",
      address,
      requestId: this.#requestIds.next(),
      code,
      error,
    });
  }

  #entry(
    exchange: Exchange,
    response: ServiceResponse,
    durationMs: number,
    requestId: string,
  ): ServiceLogEntry {
    const { request, route, client } = exchange;
    const { status } = response;
    const error = exchange.error ?? exchange.rateLimitError;
    // The error's own code first: the client may get ERR_INTERNAL, which does not say what failed.
    const code = error instanceof BitflakeError ? error.code : (exchange.code ?? response.code);
    const { target } = request;
    const queryStart = target.indexOf("?");
    const path = queryStart < 0 ? target : target.slice(0, queryStart);
    const entry: Mutable<ServiceLogEntry> = {
      time: new Date(Date.now() - durationMs).toISOString(),
      level: levelOf(status, error ?? code),
      method: request.method,
      route: route?.path ?? "",
      path: path.slice(0, MAX_LOGGED),
      status,
      durationMs: Math.round(durationMs * 1000) / 1000,
      client: client.name,
      address: clientAddress(request, this.#proxies),
      requestId,
    };
    const traceparent = request.header("traceparent");
    if (traceparent !== undefined && TRACEPARENT.test(traceparent)) {
      entry.traceparent = traceparent.slice(0, TRACEPARENT_LENGTH);
    }
    const userAgent = request.header("user-agent");
    if (userAgent !== undefined) entry.userAgent = userAgent.slice(0, MAX_LOGGED);
    if (code !== undefined) entry.code = code;
    if (error !== undefined) entry.error = error;
    return entry;
  }
}
