// Connections of clients: made in time or not at all, replaced when they go silent, and ended in any case.

import type { Backend } from "../../backend/index.ts";

/** A client that is connected. */
export interface Connection {
  readonly backend: Backend;
  close(): unknown;
}

/** How long to wait for a client to say goodbye, in milliseconds. */
const CLOSE_MS = 2000;

/** No answer came in time. */
class NoAnswerError extends Error {}

/** Waits for a promise, but not for ever. */
async function withTimeout<T>(ms: number, promise: PromiseLike<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a connection. A client that cannot end in order ends with the process. */
export async function closeQuietly({ close }: Pick<Connection, "close">): Promise<void> {
  await withTimeout(CLOSE_MS, new Promise((resolve) => resolve(close()))).catch(() => {});
}

/**
 * Waits for a connection; one that cannot be had is ended.
 *
 * @param connecting resolves when it stands
 * @param lastError what the client has told its listeners: "Connection is closed" says less than why
 */
export async function waitUntilConnected(
  ms: number,
  connecting: Promise<unknown>,
  connection: Connection,
  lastError: () => unknown = () => undefined,
): Promise<Connection> {
  try {
    await withTimeout(ms, connecting);
    return connection;
  } catch (error) {
    await closeQuietly(connection);
    throw lastError() ?? error;
  }
}

/** A client as it is opened. */
export interface OpenedClient<Client> {
  readonly client: Client;
  /** Resolves when it can be used; a client that connects by itself when it is used can be at once. */
  readonly ready: Promise<unknown>;
  /** Whether it has given up for good. */
  isOver?(): boolean;
  close(): unknown;
}

/** A client that is replaced by a new one when it does not answer. */
export interface ReconnectingClient<Client> {
  /** Resolves when the first client can be used. */
  readonly ready: Promise<unknown>;
  /** Uses the client; rejects when no answer comes in time. */
  use<T>(call: (client: Client) => PromiseLike<T>): Promise<T>;
  close(): unknown;
}

/**
 * Opens a client, and a new one in its place when it has given up, could not connect or does not answer in time. A
 * connection can go silent without an end: the other machine is gone, or a firewall has forgotten the connection. Then no
 * client notices for many minutes unless it counts the time, and not every client can.
 *
 * @param ms how long to wait for an answer
 */
export function reconnectingClient<Client>(
  ms: number,
  open: () => OpenedClient<Client>,
): ReconnectingClient<Client> {
  const start = () => {
    const opened = open();
    const state = { opened, hasFailed: false };
    opened.ready.catch(() => {
      state.hasFailed = true;
    });
    return state;
  };
  let current = start();
  let isClosed = false;
  const replace = (used: typeof current) => {
    // The first of many calls on the same silent client replaces it for all.
    if (used !== current || isClosed) return;
    current = start();
    void closeQuietly(used.opened);
  };
  return {
    ready: current.opened.ready,
    async use(call) {
      if (isClosed) throw new Error("the connection is closed");
      if (current.hasFailed || current.opened.isOver?.()) replace(current);
      const used = current;
      const { client, ready } = used.opened;
      try {
        return await withTimeout(
          ms,
          ready.then(() => call(client)),
        );
      } catch (error) {
        if (error instanceof NoAnswerError) replace(used);
        throw error;
      }
    },
    close() {
      isClosed = true;
      return current.opened.close();
    },
  };
}
