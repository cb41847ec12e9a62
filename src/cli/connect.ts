// Connections of clients: had in time or not at all, and ended in any case.

import type { Backend } from "../backend/index.ts";

/** A client that is connected. */
export interface Connection {
  readonly backend: Backend;
  close(): unknown;
}

/** How long to wait for a client to say goodbye, in milliseconds. */
const CLOSE_MS = 2000;

/** Waits for a promise, but not for ever. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a connection. A client that cannot end in order ends with the process. */
export async function ended({ close }: Pick<Connection, "close">): Promise<void> {
  await within(CLOSE_MS, new Promise((resolve) => resolve(close()))).catch(() => {});
}

/**
 * Waits for a connection; one that cannot be had is ended.
 *
 * @param connecting resolves when it stands
 * @param lastError what the client has told its listeners: "Connection is closed" says less than why
 */
export async function established(
  ms: number,
  connecting: Promise<unknown>,
  connection: Connection,
  lastError: () => unknown = () => undefined,
): Promise<Connection> {
  try {
    await within(ms, connecting);
    return connection;
  } catch (error) {
    await ended(connection);
    throw lastError() ?? error;
  }
}
