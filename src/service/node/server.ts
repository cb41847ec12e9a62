// The members of Node's HTTP server that `listen` uses, and the lazy import of `node:http`.

import type { NodeHandler } from "./connection.ts";
import type { NodeSocket } from "./types.ts";

/** A connection of a server. */
export interface ServerSocket extends NodeSocket {
  readonly writable: boolean;
  readonly bytesRead: number;
  end(text: string): unknown;
  destroy(): unknown;
  /** Closes the connection once all of its data is written. */
  destroySoon(): unknown;
  once(event: "close", listener: () => void): unknown;
}

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

export interface Server {
  on(
    event: "clientError",
    listener: (error: Error & { code?: string }, socket: ServerSocket) => void,
  ): unknown;
  on(event: "connection", listener: (socket: ServerSocket) => void): unknown;
  on(event: "request", listener: NodeHandler): unknown;
  listen(port: number, host: string, done: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  address(): ServerAddress | string | null;
  close(done: () => void): unknown;
  closeIdleConnections: () => unknown;
  maxHeadersCount: number | null;
  maxConnections: number;
}

export interface ServerOptions {
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/** Creates a server. */
export async function createServer(options: ServerOptions): Promise<Server> {
  // The name is in a variable, so that bundlers for runtimes without node:http do not resolve it.
  const name = "node:http";
  const http = (await import(name)) as { createServer(options: ServerOptions): Server };
  return http.createServer(options);
}
