// Every call to a store goes through here: it ends in time, and what goes wrong is a BackendError.

import { BackendError, BitflakeError } from "../internal.ts";
import type { Backend } from "./ports.ts";

/** What is known of a call besides what it asks. */
export interface CallOptions {
  /** The longest that this call waits for an answer, if that is less than the port's own limit. */
  readonly maxWaitMs?: number;
  /** Whether the wait lets the process end. */
  readonly background?: boolean;
}

/** Starts a timer; in the background, one that does not keep the process alive. */
export function startTimer(wake: () => void, ms: number, background = false): () => void {
  // Node and Bun give an object, Deno and browsers a number; without @types/node only the latter is known.
  const timer: unknown = setTimeout(wake, ms);
  if (background) {
    const { Deno } = globalThis as { Deno?: { unrefTimer?: (timer: unknown) => void } };
    if (typeof timer === "object") (timer as { unref?: () => void } | null)?.unref?.();
    else Deno?.unrefTimer?.(timer);
  }
  return () => clearTimeout(timer as number);
}

/**
 * Asks a store.
 *
 * @param operation what is asked, for the error: `"lease: acquire"`
 * @param call sends it
 * @param read makes sense of the answer; what it throws, or `undefined`, says that there is none
 * @param asking.late gets the answer that comes when it is no longer waited for
 * @throws {@link BackendError}
 */
export async function callStore<T>(
  backend: Backend,
  operation: string,
  call: () => Promise<unknown>,
  read: (answer: unknown) => T | undefined,
  {
    maxWaitMs = Infinity,
    background = false,
    late,
  }: CallOptions & { readonly late?: (meaning: T) => void } = {},
): Promise<T> {
  const limitMs = Math.max(1, Math.min(backend.timeoutMs ?? 5000, maxWaitMs));
  let stop = () => {};
  let isOver = false;
  const over = new Promise<never>((_, reject) => {
    const why = limitMs === maxWaitMs ? ", all the time there was" : "";
    const refuse = () => {
      isOver = true;
      reject(new BackendError(operation, "timeout", `no answer within ${limitMs} ms${why}`));
    };
    stop = startTimer(refuse, limitMs, background);
  });
  // Wrapped, for a client that throws at once instead of rejecting is a failure all the same.
  const sent = new Promise((resolve) => resolve(call()));
  let answer: unknown;
  try {
    answer = await Promise.race([sent, over]);
  } catch (cause) {
    const tell = (tardy: unknown) => {
      const meaning = read(tardy);
      if (meaning !== undefined) late?.(meaning);
    };
    if (isOver && late) sent.then(tell).catch(() => {}); // Whoever asked has heard of a failure already.
    throw cause instanceof BitflakeError
      ? cause
      : new BackendError(operation, "failed", saying(cause), { cause });
  } finally {
    stop();
  }
  let meaning: T | undefined;
  let cause = answer;
  try {
    meaning = read(answer);
  } catch (error) {
    cause = error;
  }
  if (meaning === undefined)
    throw new BackendError(operation, "answer", "the answer makes no sense", { cause });
  return meaning;
}

/** What a client says went wrong. Some, as an AggregateError of refused connections, say it with a code alone. */
function saying(cause: unknown): string {
  try {
    const { message, code } = Object(cause) as { message?: unknown; code?: unknown };
    const text = String(message || code || cause);
    // PostgreSQL's "undefined table", in whichever language it speaks, and SQLite's.
    return code === "42P01" || /no such table/.test(text) ? `has setup() been run? ${text}` : text;
  } catch {
    return "an error that cannot be read";
  }
}
