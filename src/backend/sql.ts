// SQL shared by features: sends a statement as text and parses its rows; the server's clock.

import { type AnswerOptions, callStore } from "./call.ts";
import type { SqlPort, SqlRow } from "./ports.ts";

/**
 * Sends a statement with all parameters as text, and parses its rows.
 *
 * @param parse returns the result of the rows; `undefined` or a throw means that they are not a valid answer
 * @throws {@link BackendError}
 */
export function queryRows<T>(
  backend: SqlPort,
  operation: string,
  text: string,
  params: readonly unknown[],
  parse: (rows: readonly SqlRow[]) => T | undefined,
  options?: AnswerOptions<T>,
): Promise<T> {
  const call = () => backend.query(text, params.map(String));
  // A backend that a user wrote may return anything.
  const parseRows = (rows: unknown) => (Array.isArray(rows) ? parse(rows) : undefined);
  return callStore(backend, operation, call, parseRows, options);
}

/** Returns SQL for the server's clock in milliseconds since 1970. It is constant within a statement, so an index can be searched by it. */
export function nowMsSql(isPostgres: boolean): string {
  const ms = isPostgres
    ? "FLOOR(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000)"
    : "ROUND((JULIANDAY('now') - 2440587.5) * 86400000)";
  return `CAST(${ms} AS BIGINT)`;
}
