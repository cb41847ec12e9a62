// The texts of SQL that each dialect has.

/** SQL texts that `sqlFunctions` returns. */
export interface SqlFunctions {
  /**
   * Creates the functions and their state. It may be run again, which keeps the state and refuses another layout, epoch, tick
   * or node. One statement in PostgreSQL, a script of several elsewhere.
   */
  readonly install: string;
  /** Removes the functions and their state, and releases a node that was leased. Columns must not use them any more. */
  readonly uninstall: string;
  /** In PostgreSQL and MariaDB the expression that makes an ID. In SQLite the statement that returns one as `id`. */
  readonly nextId: string;
  /** The query that takes the ID of its parameter apart. */
  readonly decodeId: string;
  /**
   * The query for the smallest and largest ID of a span of time. Its parameters are the first moment and the first one after the
   * span: in PostgreSQL a `timestamptz`, elsewhere milliseconds since 1970.
   */
  readonly idRange: string;
  /**
   * Returns the SQL that gives new rows of a table an ID: a default in PostgreSQL, elsewhere a trigger for rows without one.
   *
   * @param table a table of the same schema, in SQLite of the main database or a TEMP table; without a schema before it
   * @param column its column for the ID, default `"id"`
   * @throws {@link ArgumentError} if a name is not 1 to 100 characters of one line, without braces
   */
  columnDefault(table: string, column?: string): string;
}
