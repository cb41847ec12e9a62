// Runs work once for a key inside a transaction of the caller, which stores the record together with the work.

import type { Backend, SqlPort } from "../backend/ports.ts";
import { queryRows } from "../backend/sql.ts";
import { ArgumentError, BackendError, freshToken, LockLostError } from "../internal.ts";
import { acquireOrWait } from "./acquireLock.ts";
import { reportResult } from "./hooks.ts";
import { sqlOncePort } from "./native/sql.ts";
import type { IdempotencySettings } from "./options.ts";
import { eventOf, type KeyCall, type RunResult, type WorkResult } from "./runOnce.ts";

/** Returns the settings that two ports must have in common to reach the same table. */
const tableOf = ({ dialect, prefix = "bitflake", schema }: SqlPort) =>
  JSON.stringify({ dialect, prefix, ...(schema !== undefined && { schema }) });

/** Asserts that a transaction belongs to the tables of a backend. */
export function assertTransaction(backend: Backend, transaction: SqlPort): SqlPort {
  if (!("query" in backend)) {
    throw new ArgumentError(
      "transaction",
      "left out, because the backend is not PostgreSQL or SQLite",
      transaction,
    );
  }
  const isPort = typeof (Object(transaction) as Partial<SqlPort>).query === "function";
  const table = isPort ? tableOf(transaction) : transaction;
  if (table !== tableOf(backend)) {
    throw new ArgumentError(
      "transaction",
      `an adapter's result such as fromPg(client), with the settings of the backend, ${tableOf(backend)}`,
      table,
    );
  }
  return transaction;
}

/** Whether PostgreSQL is in a transaction that has written. Outside of one, this statement is a transaction of its own. */
const IS_INSIDE = "SELECT CASE WHEN txid_current_if_assigned() IS NULL THEN 'no' ELSE 'yes' END AS inside";

/**
 * Runs work once for a key. The record and the changes of the work are committed together, or not at all. The lock is not kept
 * alive, because the transaction holds the row until it ends.
 *
 * @throws {@link BackendError} if the store fails, also if `onStoreError` is `"allow"`: PostgreSQL then runs no more statements
 */
export async function runInTransaction<T>(
  { name, lockMs, keepMs, ttlMs, waitMs, hooks }: IdempotencySettings,
  transaction: SqlPort,
  call: KeyCall,
  work: (signal: AbortSignal) => Promise<WorkResult<T>>,
): Promise<RunResult<T>> {
  const store = sqlOncePort(transaction, name, { isInTransaction: true });
  const { key, fingerprint } = call;
  const owner = freshToken();
  const request = { owner, fingerprint, lockMs, keepMs };
  // If it fails, the transaction has failed before.
  const release = () => store.release(key, owner).catch(() => {});
  const acquire = () => store.acquire(key, request);
  const acquired = await acquireOrWait(acquire, () => store.peek(key), waitMs, call.signal);
  if (acquired instanceof BackendError) return { outcome: "down", error: acquired };
  if (acquired.outcome === "acquired" && !(await isInside(transaction))) {
    await release();
    throw new ArgumentError(
      "transaction",
      "a client after BEGIN, and not a pool",
      "a port without a transaction",
    );
  }
  reportResult(name, hooks, eventOf(call), acquired);
  if (acquired.outcome !== "acquired") return acquired;
  let result: WorkResult<T>;
  try {
    result = await work(new AbortController().signal);
  } catch (error) {
    await release();
    throw error;
  }
  const { value, stored = null } = result;
  if (!(await store.complete(key, { owner, keepMs: ttlMs }, stored))) throw new LockLostError(call.name);
  return { outcome: "ran", value };
}

/** Whether the port is in a transaction. For SQLite, which has no function for it, this is always true. */
async function isInside(transaction: SqlPort): Promise<boolean> {
  if (transaction.dialect === "sqlite") return true;
  return queryRows(
    transaction,
    "idempotency: transaction",
    IS_INSIDE,
    [],
    ([row]) => row?.["inside"] === "yes",
  );
}
