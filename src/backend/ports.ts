// Backends: a store as a user passes it, as one of three kinds of port. An adapter makes one of a client; for a client
// without an adapter the user writes an object with one of these interfaces. A backend knows no feature: each feature has
// an interface of its own to a store, such as `LeasePort`, which its `openPort.ts` makes from a backend.

/** Settings of every backend. */
export interface PortSettings {
  /** The prefix of keys or tables. Default `"bitflake"`. */
  readonly prefix?: string | undefined;
  /** How long to wait for an answer, in milliseconds, before it is a {@link BackendError}. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

/** Redis 5 or later, or a compatible server. */
export interface RedisPort extends PortSettings {
  /**
   * Runs a Lua script atomically, as EVAL does, and resolves to its result. Features tolerate a client that parses text
   * that looks like JSON, as Upstash's does, and one that sends a script again after an outage.
   */
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** A row by column. Features select text, so that no client rounds a number. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** PostgreSQL 12 or later, or SQLite 3.35 or later. */
export interface SqlPort extends PortSettings {
  /** The SQL dialect. */
  readonly dialect: "postgres" | "sqlite";
  /** The schema of the tables, in PostgreSQL. Default: the one that the connection's `search_path` finds. */
  readonly schema?: string | undefined;
  /** Runs one statement with parameters `$1`, `$2` … and resolves to its rows. No state is kept between calls. */
  query(text: string, params: readonly string[]): Promise<readonly SqlRow[]>;
}

/** Memory of this process, for tests and for programs with one process. */
export interface MemoryPort extends PortSettings {
  /**
   * Replaces a named state, in one step.
   *
   * @param change gets the state, `undefined` before the first change, and the time; returns the next state and a result
   */
  change<State, Result>(
    name: string,
    change: (state: State | undefined, nowMs: number) => readonly [State, Result],
  ): Result;
}

/** A store for features: one of the three kinds. */
export type Backend = RedisPort | SqlPort | MemoryPort;
