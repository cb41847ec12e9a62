// Connections to stores: opened within a time limit, and closed in any case.

import type { Backend } from "../../backend/index.ts";
import { formatDuration } from "../terminal/formatDuration.ts";

/** An open connection. */
export interface Connection {
  readonly backend: Backend;
  close(): unknown;
}

/** How a store is used. */
export interface ConnectionOptions {
  readonly prefix: string;
  readonly timeoutMs: number;
  /** The maximum number of connections of a client that can have several. */
  readonly poolSize: number;
}

/** How long to wait for a client to close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

/** The error of a call without an answer in time. */
export class NoAnswerError extends Error {}

/**
 * Waits for a promise for a limited time.
 *
 * @throws {@link NoAnswerError} after that time
 */
export async function withTimeout<T>(timeoutMs: number, promise: PromiseLike<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new NoAnswerError(`no answer within ${formatDuration(timeoutMs)}`);
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes a connection. It never rejects. A client that does not close in time is left to the end of the process. */
export async function closeQuietly({ close }: Pick<Connection, "close">): Promise<void> {
  await withTimeout(CLOSE_TIMEOUT_MS, new Promise((resolve) => resolve(close()))).catch(() => {});
}

/**
 * Waits until a connection is open, and closes it if it does not open in time.
 *
 * @param connecting resolves when it is open
 * @param lastError returns the last error that the client emitted. It has the reason, where the rejection may only say
 *   "Connection is closed"
 */
export async function waitUntilConnected(
  timeoutMs: number,
  connecting: Promise<unknown>,
  connection: Connection,
  lastError: () => unknown = () => undefined,
): Promise<Connection> {
  try {
    await withTimeout(timeoutMs, connecting);
    return connection;
  } catch (error) {
    await closeQuietly(connection);
    throw lastError() ?? error;
  }
}
