// Backends: a store as a user passes it, as one of four kinds of port; a `MysqlPort` is a `CellPort` with statements. An adapter
// makes one of a client; for a client without an adapter the user writes an object with one of these interfaces. A backend
// knows no feature: each feature has an interface of its own to a store, such as `LeasePort`, which its `openPort.ts` makes from a
// backend.

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

/** Memory of this process, for tests and for programs with one process. The command line has one in files, which its processes share. */
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

/** What a store has under a key. */
export interface Cell {
  /** The value, which is any text without U+0000 and lone surrogates, also the empty one; `undefined` if there is none. */
  readonly value: string | undefined;
  /**
   * Names this write of the key: no two writes of a key may ever have the same version, also if the store is restored from a
   * backup in between. `""` if there is no value.
   */
  readonly version: string;
  /** The store's time in milliseconds since 1970; left out by a store without a clock. */
  readonly nowMs?: number | undefined;
}

/** The answer to a swap: whether it wrote, and the cell afterwards. */
export interface SwapResult extends Cell {
  /** Whether it wrote the value. */
  readonly swapped: boolean;
}

/** A cell of a list. */
export interface ListedCell extends Cell {
  /** The key under which the cell is. */
  readonly key: string;
}

/**
 * Any store with compare-and-set. Features run their rules over it. docs/ports.md shows how to write one, and `runConformance` of
 * `bitflake/testing` tests it.
 *
 * Keys are `prefix:feature:name` or `prefix:feature:name:key`: texts of up to 2,640 bytes in UTF-8, without U+0000 and lone
 * surrogates. Two keys that differ in any way, such as in case or in a space, are two keys.
 */
export interface CellPort extends PortSettings {
  /** Reads the cell of a key. It must see every write that was answered before. */
  read(key: string): Promise<Cell>;
  /**
   * Writes a value if the key still has this version, as one atomic step. Resolves to the cell after that: the new one, or the
   * present one if the version is another. A swap that rejects may have written.
   *
   * @param version the version that the key must have; `""` means that it must have no value
   * @param keepMs how long the store has to keep the value; it may delete it after that, and then {@link CellPort.read} and
   *   this method agree on it. `undefined` means for ever, also over a value that had an end
   */
  swap(key: string, version: string, value: string, keepMs?: number): Promise<SwapResult>;
  /** Lists all cells whose keys begin with a prefix, in any order. Only leases need it. */
  list?(prefix: string): Promise<readonly ListedCell[]>;
  /** Creates what the store needs, such as a table, if it is missing. Resolves to what was run, such as its SQL; empty if nothing was needed. */
  setup?(): Promise<string>;
}

/** The result of a statement in MySQL or MariaDB. */
export interface MysqlResult {
  /** The rows by column, with each value as text; empty if the statement returns none. */
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  /** How many rows the statement changed or, if the client asks the server for that, found. */
  readonly affectedRows: number;
}

/** Runs one statement of plain text. */
export type MysqlStatement = (sql: string) => Promise<MysqlResult>;

/** MySQL 8 or later, or MariaDB 10.6 or later: cells, and statements for pools of numeric IDs. */
export interface MysqlPort extends CellPort {
  /** The SQL dialect. */
  readonly dialect: "mysql";
  /** Runs one statement that commits by itself. It is sent again after a deadlock, for as long as a call may take. */
  readonly statement: MysqlStatement;
  /**
   * Runs statements in a transaction of isolation level READ COMMITTED on a connection of its own, and commits if `body`
   * resolves. After a deadlock it runs `body` again. Left out by a client that has one connection; only pools need it.
   */
  transaction?<T>(body: (statement: MysqlStatement) => Promise<T>): Promise<T>;
}

/** A store for features: one of the four kinds of port. */
export type Backend = RedisPort | SqlPort | MemoryPort | CellPort | MysqlPort;

/** Returns whether a backend is MySQL or MariaDB. */
export function isMysqlPort(backend: Backend): backend is MysqlPort {
  return "swap" in backend && "dialect" in backend && backend.dialect === "mysql";
}
