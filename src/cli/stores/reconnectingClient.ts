// A client that is replaced by a new one when it stops answering.

import { closeQuietly, NoAnswerError, withTimeout } from "./connection.ts";

/** A client that is being opened. */
export interface OpenedClient<Client> {
  readonly client: Client;
  /** Resolves when the client can be used: at once if it connects at its first call. */
  readonly ready: Promise<unknown>;
  /** Returns whether the client has given up for good. */
  isOver?(): boolean;
  close(): unknown;
}

/** A client that is replaced when it does not answer. */
export interface ReconnectingClient<Client> {
  /** Resolves when the first client can be used. */
  readonly ready: Promise<unknown>;
  /** Calls the current client. Rejects if there is no answer in time. */
  use<T>(call: (client: Client) => PromiseLike<T>): Promise<T>;
  close(): unknown;
}

/**
 * Opens a client, and replaces it when it has given up, could not connect, or does not answer in time. A connection can
 * go silent without an end, because the other machine is gone or a firewall has dropped its state. Clients without a
 * timeout for answers notice that only after many minutes.
 *
 * While a client is replaced, connections of the old one may still be open, so there can be twice as many.
 *
 * @param timeoutMs how long to wait for an answer
 */
export function reconnectingClient<Client>(
  timeoutMs: number,
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
    // Of many calls on one silent client, the first replaces it for all.
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
          timeoutMs,
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
