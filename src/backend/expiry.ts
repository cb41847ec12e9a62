// What is kept for a time only: nobody asks for it again, so it goes as others come.

import { callStore } from "./call.ts";
import type { SqlPort } from "./ports.ts";
import { qualifiedTable } from "./storeNames.ts";

/**
 * How far a time in a store may be beyond what can have been written, before it is taken for one of a clock that was set
 * back since. Statements of PostgreSQL that run at once do not agree on the time, and each takes its own for now.
 */
export const GRACE_MS = 1000;

/** How many calls there are from one cleaning of a table to the next. */
const CALLS = 200;

/** How many rows one cleaning takes away at most: more than come in between, so that it catches up. */
const ROWS = 1000;

/**
 * Puts an entry into a map, and takes out those that have ended and were put there before: where all are kept for
 * equally long, each of them in its turn.
 */
export function putExpiring<T extends { readonly ends: number }>(
  map: Map<string, T>,
  key: string,
  entry: T,
  now: number,
): void {
  map.delete(key);
  map.set(key, entry);
  for (const [other, { ends }] of map) {
    if (ends > now) break;
    map.delete(other);
  }
}

/**
 * Makes what is called with each call of a feature, and cleans its table with the first of them and then now and then.
 * In the background: a cleaning that fails is one that comes later.
 *
 * @param table has the columns `name`, `key` and `ends`
 * @param now SQL for the time, in the unit of `ends`
 */
export function makeRowCleaner(port: SqlPort, table: string, now: string): () => void {
  const path = qualifiedTable(port, table);
  // Those that somebody works on at the moment are no longer at their end.
  const locked = port.dialect === "postgres" ? "FOR UPDATE SKIP LOCKED" : "";
  const sql = `DELETE FROM ${path} WHERE (name, key) IN (
  SELECT name, key FROM ${path} WHERE ends <= ${now} ORDER BY ends LIMIT ${ROWS} ${locked}
)`;
  let calls = 0;
  return () => {
    if (calls++ % CALLS > 0) return;
    const send = () => port.query(sql, []);
    callStore(port, `${table}: clean`, send, () => true, { background: true }).catch(() => {});
  };
}
