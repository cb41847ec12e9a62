// The members of Node's HTTP server that `listen` uses, and the lazy import of `node:http`.

import { ArgumentError } from "../../internal.ts";
import type { NodeHandler } from "./connection.ts";
import type { ServerOptions, TlsOptions } from "./options.ts";
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
  /** `secureConnection` has the decrypted socket, which is that of the requests. */
  on(event: "connection" | "secureConnection", listener: (socket: ServerSocket) => void): unknown;
  on(event: "request", listener: NodeHandler): unknown;
  listen(port: number, host: string, done: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  address(): ServerAddress | string | null;
  close(done: () => void): unknown;
  closeIdleConnections: () => unknown;
  maxHeadersCount: number | null;
}

/** A server of `node:https`. */
export interface SecureServer extends Server {
  setSecureContext(tls: TlsOptions): void;
}

/** How long a client has for the TLS handshake, in milliseconds. A close waits as long for those that have not begun it. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Creates a server. */
export async function createServer(options: ServerOptions): Promise<Server> {
  // The name is in a variable, so that bundlers for runtimes without node:http do not resolve it.
  const name = "node:http";
  const http = (await import(name)) as { createServer(options: ServerOptions): Server };
  return http.createServer(options);
}

/** Creates a server with TLS. */
export async function createSecureServer(options: ServerOptions, tls: TlsOptions): Promise<SecureServer> {
  const name = "node:https";
  const https = (await import(name)) as { createServer(options: object): SecureServer };
  return withPemErrors(() =>
    https.createServer({ ...options, ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }),
  );
}

/** Runs a function that reads PEM. Its error becomes an ArgumentError, which has neither the certificate nor the key. */
export function withPemErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new ArgumentError(
      "tls",
      "a certificate chain and its private key, in PEM",
      (error as Error).message,
    );
  }
}
