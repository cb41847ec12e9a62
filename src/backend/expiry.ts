// Expiry of entries that are kept for a time: they are deleted as new entries arrive.

import { callStore } from "./call.ts";
import type { Backend, SqlPort } from "./ports.ts";
import { qualifiedTable } from "./storeNames.ts";

/**
 * How far a stored time may be past the latest one that can have been written, before the store's clock is taken to have
 * been set back since. Concurrent statements of PostgreSQL each have their own time.
 */
export const GRACE_MS = 1000;

/**
 * The same where the store has no clock: clocks of processes may disagree by this much, and that is no clock that was set back.
 */
export const MAX_SKEW_MS = 60_000;

/** How many calls there are between two cleanups of a table. */
const CALLS = 200;

/** How many rows one cleanup deletes at most: more than are inserted between two, so that it catches up. */
const ROWS = 1000;

/**
 * Puts an entry into a map, and deletes the oldest entries that have ended. If all entries are kept for the same time,
 * each one is deleted in its turn.
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
 * Returns a function to call with each call of a feature. It deletes ended entries at the first call and then at every 200th,
 * in the background. A cleanup that fails is left to the next one.
 *
 * @param send deletes at most this many entries
 */
export function makeCleaner(
  backend: Backend,
  operation: string,
  send: (rows: number) => Promise<unknown>,
): () => void {
  let calls = 0;
  return () => {
    if (calls++ % CALLS > 0) return;
    callStore(
      backend,
      operation,
      () => send(ROWS),
      () => true,
      { background: true },
    ).catch(() => {});
  };
}

/**
 * Returns a cleaner of a table.
 *
 * @param table a table with the columns `name`, `key` and `ends`
 * @param now SQL for the time, in the unit of `ends`
 */
export function makeRowCleaner(backend: SqlPort, table: string, now: string): () => void {
  const path = qualifiedTable(backend, table);
  // A row that another statement has locked is being renewed.
  const locked = backend.dialect === "postgres" ? "FOR UPDATE SKIP LOCKED" : "";
  return makeCleaner(backend, `${table}: clean`, (rows) => {
    const ended = `SELECT name, key FROM ${path} WHERE ends <= ${now} ORDER BY ends LIMIT ${rows} ${locked}`;
    return backend.query(`DELETE FROM ${path} WHERE (name, key) IN (\n  ${ended}\n)`, []);
  });
}
