// Calls to a store: each one ends within its time limit, and a failure of the client or the store is a BackendError.
// Other errors of this package pass unchanged, such as the ArgumentError of a memory's clock.

import { BackendError, BitflakeError } from "../internal.ts";
import { reportCall } from "./observeCalls.ts";
import type { Backend } from "./ports.ts";

/** The longest timer in every runtime. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** Limits of one call. */
export interface CallOptions {
  /** The longest wait for an answer, if it is less than the backend's own limit. */
  readonly maxWaitMs?: number;
  /** Whether the process may end while it waits. */
  readonly background?: boolean;
}

/** Limits of one call, and a callback for its late answer. */
export interface AnswerOptions<T> extends CallOptions {
  /** Gets the result of an answer that arrives after the call has timed out. */
  readonly onLateAnswer?: (answer: T) => void;
}

/**
 * Starts a timer.
 *
 * @param options.background whether the process may end while the timer runs. Default `false`
 * @returns a function that stops it
 */
export function startTimer(
  wake: () => void,
  ms: number,
  { background = false }: { readonly background?: boolean } = {},
): () => void {
  // Node and Bun return an object, Deno and browsers a number. Without @types/node only the number is known.
  const timer: unknown = setTimeout(wake, ms);
  if (background) {
    const { Deno } = globalThis as { Deno?: { unrefTimer?: (timer: unknown) => void } };
    if (typeof timer === "object") (timer as { unref?: () => void } | null)?.unref?.();
    else Deno?.unrefTimer?.(timer);
  }
  return () => clearTimeout(timer as number);
}

/**
 * Returns a function for the limits of calls that are sent one after the other and share one limit: each call gets the time
 * that is left.
 */
export function limitsUntil({ maxWaitMs = Infinity, ...options }: CallOptions): () => CallOptions {
  const end = performance.now() + maxWaitMs;
  return () => ({ ...options, maxWaitMs: Math.ceil(end - performance.now()) });
}

/**
 * Calls a store and parses its answer.
 *
 * @param operation the operation's name in errors, such as `"lease: acquire"`
 * @param call sends the request. It gets a function that returns how much is left of the time limit
 * @param parse returns the result of an answer; `undefined` or a throw means that the answer is not valid
 * @throws {@link BackendError} if the call fails, has no answer in time, or has an answer that is not valid
 */
export async function callStore<T>(
  backend: Backend,
  operation: string,
  call: (leftMs: () => number) => Promise<unknown>,
  parse: (answer: unknown) => T | undefined,
  { maxWaitMs = Infinity, background = false, onLateAnswer }: AnswerOptions<T> = {},
): Promise<T> {
  const limitMs = Math.max(1, Math.min(backend.timeoutMs ?? 5000, maxWaitMs));
  let stopTimer = () => {};
  let isTimedOut = false;
  const started = performance.now();
  // By the clock, because the timer of a process that was paused is late.
  const leftMs = () => (isTimedOut ? 0 : Math.max(0, limitMs - (performance.now() - started)));
  const timeout = new Promise<never>((_, reject) => {
    const note = limitMs === maxWaitMs ? ", the limit of this call" : "";
    const timeOut = () => {
      isTimedOut = true;
      reject(new BackendError(operation, "timeout", `no answer within ${limitMs} ms${note}`));
    };
    stopTimer = startTimer(timeOut, limitMs, { background });
  });
  // Wrapped, because a client may throw instead of rejecting.
  const sent = new Promise((resolve) => resolve(call(leftMs)));
  let answer: unknown;
  try {
    answer = await Promise.race([sent, timeout]);
  } catch (cause) {
    const parseLate = (late: unknown) => {
      const result = parse(late);
      if (result !== undefined) onLateAnswer?.(result);
    };
    // The caller has its error already, so a late failure is ignored.
    if (isTimedOut && onLateAnswer) sent.then(parseLate).catch(() => {});
    const error =
      cause instanceof BitflakeError
        ? cause
        : new BackendError(operation, "failed", messageOf(cause), { cause });
    reportCall(backend, operation, performance.now() - started, error);
    throw error;
  } finally {
    stopTimer();
  }
  return parseAnswer(backend, operation, started, answer, parse);
}

/**
 * Runs a step of a memory as a call to a store. It answers at once, so there is no timer. A memory that a user wrote may return
 * a promise all the same.
 *
 * @throws {@link BackendError} as {@link callStore}
 */
export async function callMemory<T>(
  backend: Backend,
  operation: string,
  step: () => unknown,
  parse: (answer: unknown) => T | undefined,
  options?: AnswerOptions<T>,
): Promise<T> {
  const started = performance.now();
  let answer: unknown;
  try {
    answer = step();
  } catch (error) {
    return callStore(backend, operation, () => Promise.reject(error), parse, options);
  }
  const isThenable = typeof (answer as { then?: unknown } | null | undefined)?.then === "function";
  if (isThenable) return callStore(backend, operation, () => Promise.resolve(answer), parse, options);
  return parseAnswer(backend, operation, started, answer, parse);
}

/** Parses an answer, and reports its call. */
function parseAnswer<T>(
  backend: Backend,
  operation: string,
  started: number,
  answer: unknown,
  parse: (answer: unknown) => T | undefined,
): T {
  let result: T | undefined;
  let cause = answer;
  try {
    result = parse(answer);
  } catch (error) {
    cause = error;
  }
  const error =
    result === undefined
      ? new BackendError(operation, "answer", "unexpected response", { cause })
      : undefined;
  reportCall(backend, operation, performance.now() - started, error);
  if (error) throw error;
  return result as T;
}

/** Returns the message of a client's error, or its code: an AggregateError of refused connections has only a code. */
function messageOf(cause: unknown): string {
  try {
    const { message, code } = Object(cause) as { message?: unknown; code?: unknown };
    const text = String(message || code || cause);
    // "Undefined table" in PostgreSQL and MySQL, in any language, and in SQLite.
    const isMissing = code === "42P01" || code === "ER_NO_SUCH_TABLE" || /no such table/.test(text);
    return isMissing ? `has setup() been run? ${text}` : text;
  } catch {
    return "an error that cannot be read";
  }
}
