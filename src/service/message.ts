// Requests and replies as plain data: what a service works with, whichever runtime carries them.

/** A request, of which only as much is looked at as is needed. */
export interface ServiceRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The address that the connection comes from. */
  readonly address: string | undefined;
  /** Why the request must not be answered, if it must not: it is another web page's, say. */
  readonly blockedReason?: string | undefined;
  /** @param name in small letters */
  header(name: string): string | undefined;
  /** Reads the body; resolves to nothing if it is larger. */
  body(maxBytes: number): Promise<Uint8Array | undefined>;
}

/** What is sent back. */
export interface ServiceResponse {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What went wrong on this side, for the log alone. */
  readonly error?: unknown;
}

/** A value, now or later. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Goes on with a value at once, if it is there: a promise would cost more than most of what is done here. Its name is
 * not `then`, or whoever imports this file would take it for a promise.
 */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
