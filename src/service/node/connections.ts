// The connections of a server, and its graceful close: requests in flight are answered, stalled clients are cut off.

import { startTimer } from "../../backend/call.ts";
import { Connection, MAX_WAITING, type NodeHandler } from "./connection.ts";
import type { Server, ServerSocket } from "./server.ts";
import type { NodeRequest, NodeResponse, NodeSocket } from "./types.ts";

/** How often the close looks for stalled connections, in milliseconds: how long a client has for the rest of a request. */
const CHECK_MS = 3000;

/** After how many checks a client must have read its responses: 15 s. */
const CHECKS_TO_READ = 5;

/** How often clients that do not read are looked for while the server is open, in milliseconds, and the checks until they are cut off. */
const UNSENT_CHECK_MS = 15_000;
const MAX_UNSENT_CHECKS = 4;

/** How many requests may wait on all connections together, before those with more than {@link MAX_WAITING} are closed: 15 MB of them. */
const MAX_WAITING_IN_ALL = 10_000;

/** A response in progress, and whether all of its request has arrived. */
interface PendingResponse {
  readonly writableEnded: boolean;
  readonly req: { readonly complete: boolean };
}

export class Connections {
  readonly #connections = new Map<NodeSocket, Connection>();
  /** How many are open, also those whose TLS handshake has not ended. */
  #open = 0;
  /** How many requests wait on all of them. */
  #waiting = 0;
  #stopChecks: (() => void) | undefined;
  #isClosing = false;
  /** How many times the close has looked for stalled connections; below 0 it cuts off none. */
  #checks = 0;

  /**
   * Closes a connection if there are as many as allowed. Not by Node's `maxConnections`, because a worker of node:cluster would
   * refuse the connection, and the primary would offer it again and again.
   */
  limit(socket: ServerSocket, most: number): void {
    if (this.#open >= most) {
      socket.destroy();
      return;
    }
    this.#open++;
    socket.once("close", () => this.#open--);
  }

  /**
   * Adds a connection. Once the server closes, it closes itself when its last request is answered; the close destroys idle
   * ones.
   */
  add(socket: ServerSocket, handler: NodeHandler): void {
    const onIdle = () => {
      if (this.#isClosing) socket.destroySoon();
    };
    const onWaiting = (change: number) => {
      this.#waiting += change;
      if (this.#waiting > MAX_WAITING_IN_ALL && connection.waiting.length > MAX_WAITING) socket.destroy();
    };
    const connection = new Connection(socket, handler, onIdle, onWaiting);
    this.#connections.set(socket, connection);
    socket.once("close", () => {
      connection.dropWaiting();
      this.#connections.delete(socket);
    });
    this.#stopChecks ??= startTimer(() => this.#checkUnsent(), UNSENT_CHECK_MS, { background: true });
  }

  /** Handles a request after those before it on its connection. */
  enqueue(request: NodeRequest, response: NodeResponse): void {
    this.#connections.get(request.socket)?.enqueue(request, response);
  }

  /**
   * Destroys connections whose client has not read a response for a minute: Node has no limit for that, and their
   * waiting requests would stay in memory.
   */
  #checkUnsent(): void {
    this.#stopChecks = undefined;
    for (const [socket, connection] of this.#connections as Map<ServerSocket, Connection>) {
      const { current, checked } = connection;
      const { writableEnded } = (current ?? {}) as Partial<PendingResponse>;
      const isUnsent = current === checked && writableEnded === true;
      connection.unsentChecks = isUnsent ? connection.unsentChecks + 1 : 0;
      connection.checked = current;
      if (connection.unsentChecks >= MAX_UNSENT_CHECKS) socket.destroy();
    }
    if (this.#connections.size > 0)
      this.#stopChecks ??= startTimer(() => this.#checkUnsent(), UNSENT_CHECK_MS, { background: true });
  }

  /** Returns whether the response to a request is the last of its connection. */
  isLastResponse({ socket }: NodeRequest): boolean {
    if (!this.#isClosing) return false;
    // Waiting requests are answered too, unless the close has taken too long.
    return this.#checks > CHECKS_TO_READ || this.#connections.get(socket)?.waiting.length === 0;
  }

  /**
   * Closes the server; resolves when all connections are closed.
   *
   * @param idleMs how long an idle connection stays open for one more request, at least. No client is cut off before that
   */
  close(server: Server, idleMs: number): Promise<void> {
    this.#isClosing = true;
    this.#checks = -Math.ceil(idleMs / CHECK_MS);
    return new Promise<void>((resolve) => {
      const timer = setInterval(() => this.#destroyStalled(), CHECK_MS);
      // Node would cut off a client that has not read its response yet.
      server.closeIdleConnections = () => {};
      server.close(() => {
        clearInterval(timer);
        resolve();
      });
      this.#destroyStalled();
    });
  }

  /**
   * Destroys connections that would delay the close for ever, because Node's own timeouts end with it: idle ones, those
   * of half a request, and those whose client does not read.
   */
  #destroyStalled(): void {
    if (this.#checks < 0) {
      this.#checks++;
      return;
    }
    const isFirstCheck = this.#checks === 0;
    for (const [socket, connection] of this.#connections as Map<ServerSocket, Connection>) {
      const { current, bytesReadWhenIdle } = connection;
      const { writableEnded, req } = (current ?? {}) as Partial<PendingResponse>;
      const isIdle = !current && (!isFirstCheck || socket.bytesRead === bytesReadWhenIdle);
      const isHalfRequest = current !== undefined && !isFirstCheck && req?.complete === false;
      const isUnread = this.#checks >= CHECKS_TO_READ && writableEnded;
      if (isIdle || isHalfRequest || isUnread) socket.destroy();
    }
    this.#checks++;
  }
}
