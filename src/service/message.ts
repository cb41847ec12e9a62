// Requests and responses as plain data, the same for every runtime.

/** Why a server refuses a request. */
export interface Refusal {
  readonly reason: string;
  /** Whether the only reason is that a page of another origin sent the request: `corsOrigins` may allow that origin. */
  readonly isCrossOrigin: boolean;
}

/** A request. Headers and body are read only when a stage of the pipeline needs them. */
export interface ServiceRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The address of the connection's other side, if the runtime knows it. */
  readonly address: string | undefined;
  /** Why the server refuses the request with 403, if it does: see `createRequestGuard`. */
  readonly blocked?: Refusal | undefined;
  /** @param name in lower case */
  header(name: string): string | undefined;
  /** Reads the body. Resolves to `undefined` if it is larger than `maxBytes`. */
  body(maxBytes: number): Promise<Uint8Array | undefined>;
}

/** A response. */
export interface ServiceResponse {
  readonly status: number;
  /** Header names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * The code in the body of a failure, for the log. If the log entry has an error (`error`, or else the exchange's
   * `rateLimitError`), that error's code takes precedence.
   */
  readonly code?: string;
  /** The error behind the response, for the log and the health checks: it is not sent. */
  readonly error?: unknown;
}

/** A value, or a promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Calls `next` with a value, at once unless the value is a promise: a promise per step costs more than most routes.
 * The name is not `then`, because a module that exports `then` is taken for a promise by `import()`.
 */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
