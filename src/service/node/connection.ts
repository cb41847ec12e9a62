// Connections of Node's server: the next request of one starts when its last answer has left.
//
// Node hands over every request of a packet at once. Answered like that, a packet of a thousand requests would hold up
// all other clients, and its answers would all be in memory before the first has left.

import type { NodeRequest, NodeResponse, NodeSocket } from "./types.ts";

/** How many requests may wait before no more of the connection is read. What one packet brings waits all the same. */
const MAX_WAITING = 16;

/** Handles a request. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** Runs something after what has come on other connections by now. */
function afterOthers(run: () => void): void {
  const { setImmediate } = globalThis as unknown as { setImmediate(run: () => void): unknown };
  setImmediate(run);
}

/** The requests of one connection, in their order. */
export class Connection {
  /** The response that is under way. */
  current: NodeResponse | undefined;
  /** The requests that wait for it. */
  readonly waiting: (readonly [NodeRequest, NodeResponse])[] = [];
  /** How much had been read when there was last nothing under way: what came since is part of a request. */
  readBefore = 0;
  readonly #socket: NodeSocket;
  readonly #handler: NodeHandler;
  readonly #onIdle: () => void;
  /** One for all responses: a function for each would be felt. */
  readonly #onSent = (): void => this.#next();

  /** @param onIdle called when all that was asked is answered */
  constructor(socket: NodeSocket, handler: NodeHandler, onIdle: () => void = () => {}) {
    this.#socket = socket;
    this.#handler = handler;
    this.#onIdle = onIdle;
    // Node reads on after each answer, and does not know of the requests that wait.
    socket.on?.("resume", () => {
      if (this.waiting.length >= MAX_WAITING) socket.pause?.();
    });
  }

  /** Handles a request, now or when it is its turn. */
  handle(request: NodeRequest, response: NodeResponse): void {
    if (!this.current) {
      this.#begin(request, response);
      return;
    }
    this.waiting.push([request, response]);
    if (this.waiting.length >= MAX_WAITING) this.#socket.pause?.();
  }

  #begin(request: NodeRequest, response: NodeResponse): void {
    this.current = response;
    // A response that cannot say when it is sent is a stand-in for one, and its connection has no next request.
    response.on?.("close", this.#onSent);
    this.#handler(request, response);
  }

  /** Goes on after an answer that has left, or whose connection is closed. */
  #next(): void {
    const next = this.waiting.shift();
    this.current = next?.[1];
    if (!next) {
      this.readBefore = this.#socket.bytesRead ?? 0;
      this.#onIdle();
      return;
    }
    if (this.waiting.length === MAX_WAITING - 1) this.#socket.resume?.();
    afterOthers(() => {
      const { destroyed, writable } = this.#socket;
      if (destroyed || writable === false) this.waiting.length = 0;
      else this.#begin(...next);
    });
  }
}

/** Makes a handler take the requests of each connection one after another. */
export function serializePerConnection(handler: NodeHandler): NodeHandler {
  const connections = new WeakMap<NodeSocket, Connection>();
  return (request, response) => {
    const { socket } = request;
    let connection = connections.get(socket);
    if (!connection) {
      connection = new Connection(socket, handler);
      connections.set(socket, connection);
    }
    connection.handle(request, response);
  };
}
