// Repeats an issue while enough IDs are available and other processes take them first.

import { startTimer } from "../../backend/call.ts";
import { BackendError } from "../../internal.ts";
import type { Availability, StoreHistory } from "../port.ts";

/** How many times an issue is tried. */
const MAX_ATTEMPTS = 50;

/**
 * Repeats an attempt to take `wanted` IDs until it takes them. Resolves to the reason if it cannot: too few IDs are
 * available, or the store is on another history.
 *
 * @param attempt takes all IDs, or resolves to none. It gets the number of attempts before it. The first attempt for one ID
 *   need not wrap to rank 0
 * @param readOutcome reads the history if it is another one, and otherwise what is available
 */
export async function takeWithRetries(
  wanted: number,
  attempt: (attempts: number) => Promise<readonly string[]>,
  readOutcome: () => Promise<Availability | StoreHistory>,
): Promise<readonly string[] | Availability | StoreHistory> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const started = performance.now();
    const ids = await attempt(attempts);
    const tookMs = performance.now() - started;
    if (ids.length > 0) return ids;
    // The next attempt wraps to rank 0.
    if (attempts === 0 && wanted === 1) continue;
    const outcome = await readOutcome();
    if ("recorded" in outcome || outcome.available < wanted) return outcome;
    // Enough are available: other processes have locked the rows, and perhaps will not take them (their transaction may
    // roll back), so try again. On a busy server the others need longer, so the pause is longer too.
    const pauseMs = Math.random() * Math.max(5 * attempts, tookMs);
    await new Promise<void>((wake) => startTimer(wake, pauseMs));
  }
  throw new BackendError("pool: issue", "failed", `other processes took the IDs, ${MAX_ATTEMPTS} times`);
}

/**
 * Issues an ID for a request: takes one, or finds the one that the request was given before.
 *
 * @param take takes an ID, or resolves to none
 * @param find resolves to the ID of the request, or to none
 */
export async function takeOrFind(
  take: () => Promise<readonly string[]>,
  find: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    const ids = await take();
    return ids.length > 0 ? ids : await find();
  } catch (error) {
    // The ID may exist: of two concurrent issues for one key one violates the unique index, and a statement whose
    // answer was lost may have been committed. After a timeout the store is not queried again, because the caller
    // would wait twice as long.
    if (error instanceof BackendError && error.reason === "timeout") throw error;
    const ids = await find().catch(() => []);
    if (ids.length > 0) return ids;
    throw error;
  }
}
