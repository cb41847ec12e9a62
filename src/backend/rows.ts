// What SQL answers.

import { type CallOptions, callStore } from "./call.ts";
import type { SqlPort, SqlRow } from "./ports.ts";

/**
 * Sends a statement, all of its parameters as texts, and makes sense of its rows: `undefined`, or what `read` throws,
 * says that they make none.
 *
 * @throws {@link BackendError}
 */
export function queryRows<T>(
  port: SqlPort,
  operation: string,
  text: string,
  params: readonly unknown[],
  read: (rows: readonly SqlRow[]) => T | undefined,
  asking?: CallOptions & { readonly late?: (meaning: T) => void },
): Promise<T> {
  const call = () => port.query(text, params.map(String));
  // The port may be one that the user wrote.
  return callStore(port, operation, call, (rows) => (Array.isArray(rows) ? read(rows) : undefined), asking);
}
