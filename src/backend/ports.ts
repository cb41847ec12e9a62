// The ports: all that the features ask of a store. Whoever has a client without an adapter here writes one.

/** What every port may say of itself. */
export interface PortSettings {
  /** What the names of keys or tables begin with. Default `"bitflake"`. */
  readonly prefix?: string | undefined;
  /** How long to wait for an answer, in milliseconds, before it is a {@link BackendError}. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

/** Redis, or a server that speaks its language: version 5 or later. */
export interface RedisPort extends PortSettings {
  /**
   * Runs a Lua script in one step, as EVAL does; resolves to what it returns. Texts that look like JSON may arrive
   * parsed, as Upstash's client does it, and a script may run twice, for some clients send again after an outage: the
   * features are made for both.
   */
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** A value in a row. The features ask for text, so that no client gets to round a number. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** PostgreSQL 12 or later, or SQLite 3.35 or later. */
export interface SqlPort extends PortSettings {
  /** Which of the two it is. */
  readonly dialect: "postgres" | "sqlite";
  /** The schema of the tables, in PostgreSQL. Default: whichever the connection's `search_path` finds. */
  readonly schema?: string | undefined;
  /** Runs one statement with parameters `$1`, `$2` …; resolves to the rows. No state is kept from call to call. */
  query(text: string, params: readonly string[]): Promise<readonly SqlRow[]>;
}

/** The memory of this process, for tests and for programs of one process. */
export interface MemoryPort extends PortSettings {
  /**
   * Moves a named state on, in one step.
   *
   * @param change gets the state, `undefined` before the first change, and the time; returns the next and a result
   */
  change<State, Result>(
    name: string,
    change: (state: State | undefined, nowMs: number) => readonly [State, Result],
  ): Result;
}

/** A store that the features work on: one of the three kinds of port. */
export type Backend = RedisPort | SqlPort | MemoryPort;
