// One attempt of a request: sent, answered and read within its time, or a failure.

import { startTimer } from "../backend/call.ts";
import { readBody } from "../http/body.ts";
import type { ServiceFailure } from "../internal.ts";
import type { ClientFetch, ClientResponse } from "./fetchPort.ts";
import { parseRetryAfter } from "./retryRule.ts";

/** The largest body that is read. The largest answer of a service, 1,000 UUIDs or 65,536 random characters, is a third of it. */
const MAX_BODY_BYTES = 262_144;

/** The longest description of an error that is kept, in characters. */
const MAX_DETAIL = 200;

/** A request to a service. */
export interface ServiceRequest {
  readonly method: "GET" | "POST";
  /** The path and the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A status other than 200 that is not an error. */
  readonly otherStatus?: number;
}

/** The answer to an attempt. */
export interface Answer {
  readonly status: number;
  header(name: string): string | null;
  readonly text: string;
  /** When the attempt was sent, in milliseconds since 1970. */
  readonly sentMs: number;
}

/** The settings of an attempt. */
export interface AttemptSettings {
  readonly fetch: ClientFetch;
  /** The service, without a slash at the end. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
  /** Whether the process may end while the attempt waits. */
  readonly background: boolean;
  /** Ends the attempt, which then rejects with the signal's reason. */
  readonly stop: AbortSignal;
}

/** A failure before it knows its request. */
type Problem = Omit<ServiceFailure, "request" | "url">;

/** Returns whether the result of {@link attempt} is a failure. */
export function isFailure(result: Answer | ServiceFailure): result is ServiceFailure {
  return "reason" in result;
}

/**
 * Sends a request once, and reads the answer.
 *
 * @returns the answer, or the failure
 * @throws the reason of `settings.stop`
 */
export async function attempt(
  request: ServiceRequest,
  settings: AttemptSettings,
): Promise<Answer | ServiceFailure> {
  const { fetch, url, timeoutMs, background, stop } = settings;
  stop.throwIfAborted();
  const controller = new AbortController();
  let cleanUp = () => {};
  const limits = new Promise<Problem>((resolve, reject) => {
    const onStop = () => reject(stop.reason);
    stop.addEventListener("abort", onStop);
    const stopTimer = startTimer(
      () => resolve({ reason: "timeout", what: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
      { background },
    );
    cleanUp = () => {
      stopTimer();
      stop.removeEventListener("abort", onStop);
    };
  });
  const sent = sendAndRead(fetch, request, settings, controller.signal);
  let isAnswered = false;
  try {
    // A race, because a fetch that ignores the signal must not keep the call waiting.
    const result = await Promise.race([sent, limits]);
    isAnswered = !("reason" in result);
    return "reason" in result ? { ...result, request: `${request.method} ${request.path}`, url } : result;
  } finally {
    cleanUp();
    // Closes the connection, whose body may not have been read to its end.
    if (!isAnswered) controller.abort();
  }
}

/** Sends a request, and reads the answer without a limit of time. It never rejects. */
async function sendAndRead(
  fetch: ClientFetch,
  { method, path, headers, otherStatus }: ServiceRequest,
  { url, apiKey }: AttemptSettings,
  signal: AbortSignal,
): Promise<Answer | Problem> {
  const sentMs = Date.now();
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        ...headers,
      },
      redirect: "manual",
      signal,
    });
    const text = await readText(response);
    const { status } = response;
    if (status !== 200 && status !== otherStatus) return statusProblem(response, text ?? "");
    if (text === undefined) {
      return {
        reason: "answer",
        what: `the body is larger than ${MAX_BODY_BYTES} bytes, or not UTF-8`,
        status,
      };
    }
    return { status, header: (name) => response.headers.get(name), text, sentMs };
  } catch (cause) {
    return { reason: "network", what: reasonOf(cause), cause };
  }
}

/** Reads a body as text. Returns `undefined` if it is too large or not UTF-8. */
async function readText({ body }: ClientResponse): Promise<string | undefined> {
  const read = await readBody(body as ReadableStream<Uint8Array> | null, MAX_BODY_BYTES);
  if ("rest" in read) {
    read.rest.cancel().catch(() => {});
    return undefined;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(read.bytes);
  } catch {
    return undefined;
  }
}

/** Returns the failure of an answer with an unexpected status. */
function statusProblem({ status, headers }: ClientResponse, text: string): Problem {
  // In browsers, a redirect that was not followed has the status 0.
  if (status === 0 || (status >= 300 && status < 400)) {
    return { reason: "status", what: `status ${status}: the client follows no redirects`, status };
  }
  const { serviceCode, detail } = parseProblem(text);
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), Date.now());
  const facts = [`status ${status}`, serviceCode, detail].filter((fact) => fact !== undefined);
  return { reason: "status", what: facts.join(": "), status, serviceCode, detail, retryAfterMs };
}

/** Reads code and description of an error from a problem document, or from OpenG2P's envelope. */
function parseProblem(text: string): { readonly serviceCode?: string; readonly detail?: string } {
  try {
    const problem = Object(JSON.parse(text));
    const { errorCode, message } = Object(Object(problem.errors)[0]);
    return {
      serviceCode: printable(problem.code ?? errorCode),
      detail: printable(problem.detail ?? message),
    };
  } catch {
    return {};
  }
}

/** Returns a text from outside as a message may show it; `undefined` if it is none. */
function printable(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return value.slice(0, MAX_DETAIL).replace(/[^\P{C} ]/gu, "?");
}

/** Returns the reason of a failed fetch. Node's own message is "fetch failed", and the cause says why. */
function reasonOf(error: unknown): string {
  try {
    const { message, cause } = Object(error) as { message?: unknown; cause?: unknown };
    const { code, message: causeMessage } = Object(cause) as { code?: unknown; message?: unknown };
    const facts = [message || error, code || causeMessage].filter(
      (fact) => fact !== undefined && fact !== "",
    );
    return facts.map((fact) => String(fact).slice(0, MAX_DETAIL)).join(": ");
  } catch {
    return "the request failed";
  }
}
