// One connection of a Node server: its next request starts when the response before it is sent.
//
// Node emits all requests of a packet at once. Handled like that, a packet of a thousand requests would delay all other
// clients, and its responses would all be in memory before the first is sent.

import type { NodeRequest, NodeResponse, NodeSocket } from "./types.ts";

/** How many requests may wait before the connection is no longer read. The requests of one packet can be more: all wait. */
export const MAX_WAITING = 16;

export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** Runs a function after the requests that have arrived on other connections by now. */
function afterOtherConnections(run: () => void): void {
  const { setImmediate } = globalThis as unknown as { setImmediate(run: () => void): unknown };
  setImmediate(run);
}

/** The requests of one connection, in order. */
export class Connection {
  /** The response in progress. */
  current: NodeResponse | undefined;
  /** The requests that wait for it. */
  readonly waiting: (readonly [NodeRequest, NodeResponse])[] = [];
  /** At how many checks in a row the response in progress was ended, and not sent: see `Connections`. */
  unsentChecks = 0;
  /** The response of the last check. */
  checked: NodeResponse | undefined;
  /** How many bytes had been read when the connection was last idle. Bytes read since are part of a request. */
  bytesReadWhenIdle = 0;
  readonly #socket: NodeSocket;
  readonly #handler: NodeHandler;
  readonly #onIdle: () => void;
  readonly #onWaiting: (change: number) => void;
  /** Shared by all responses: a closure for each costs measurable time. */
  readonly #onSent = (): void => this.#startNext();

  /**
   * @param onIdle called when all requests are answered
   * @param onWaiting called with how many more requests wait, or fewer
   */
  constructor(
    socket: NodeSocket,
    handler: NodeHandler,
    onIdle: () => void = () => {},
    onWaiting: (change: number) => void = () => {},
  ) {
    this.#socket = socket;
    this.#handler = handler;
    this.#onIdle = onIdle;
    this.#onWaiting = onWaiting;
    // Node resumes reading after each response, because it does not know of the waiting requests.
    socket.on?.("resume", () => {
      if (this.waiting.length >= MAX_WAITING) socket.pause?.();
    });
  }

  /** Handles a request at once, or after those before it. */
  enqueue(request: NodeRequest, response: NodeResponse): void {
    if (!this.current) {
      this.#start(request, response);
      return;
    }
    this.waiting.push([request, response]);
    this.#onWaiting(1);
    if (this.waiting.length >= MAX_WAITING) this.#socket.pause?.();
  }

  /** Drops the requests that wait, because the connection is closed. */
  dropWaiting(): void {
    this.#onWaiting(-this.waiting.length);
    this.waiting.length = 0;
  }

  #start(request: NodeRequest, response: NodeResponse): void {
    this.current = response;
    // A program can pass an object without events as the response, such as a mock. Then no next request is started.
    response.on?.("close", this.#onSent);
    this.#handler(request, response);
  }

  /** Starts the next request, after a response is sent or its connection is closed. */
  #startNext(): void {
    const next = this.waiting.shift();
    this.current = next?.[1];
    if (!next) {
      this.bytesReadWhenIdle = this.#socket.bytesRead ?? 0;
      this.#onIdle();
      return;
    }
    this.#onWaiting(-1);
    if (this.waiting.length === MAX_WAITING - 1) this.#socket.resume?.();
    afterOtherConnections(() => {
      const { destroyed, writable } = this.#socket;
      if (destroyed || writable === false) this.dropWaiting();
      else this.#start(...next);
    });
  }
}

/** Returns a handler that handles the requests of each connection one after another. */
export function serializePerConnection(handler: NodeHandler): NodeHandler {
  const connections = new WeakMap<NodeSocket, Connection>();
  return (request, response) => {
    const { socket } = request;
    let connection = connections.get(socket);
    if (!connection) {
      connection = new Connection(socket, handler);
      connections.set(socket, connection);
    }
    connection.enqueue(request, response);
  };
}
