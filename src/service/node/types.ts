// The members of Node's requests and responses that the adapter uses, so that it does not need Node's types.

/** The connection of a request. */
export interface NodeSocket {
  /** The address of the other side. */
  readonly remoteAddress?: string | undefined;
  /** Whether the connection is closed. */
  readonly destroyed?: boolean | undefined;
  /** Whether responses can still be written. */
  readonly writable?: boolean | undefined;
  /** How many bytes have been read. */
  readonly bytesRead?: number | undefined;
  /** Stops reading. */
  pause?(): unknown;
  /** Reads again. */
  resume?(): unknown;
  /** Emitted when reading resumes. */
  on?(event: "resume", listener: () => void): unknown;
}

/** A request of `node:http`. */
export interface NodeRequest {
  /** In upper case. */
  readonly method?: string | undefined;
  /** Path and query; from some proxies, an absolute URL. */
  readonly url?: string | undefined;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The connection. */
  readonly socket: NodeSocket;
  /** Whether the body has been read to its end. */
  readonly readableEnded?: boolean | undefined;
  /** Whether the request is closed. */
  readonly destroyed?: boolean | undefined;
  /** Emitted for each chunk of the body. */
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  /** Emitted at the end of the body, and when the request is closed, which may happen without an end. */
  on(event: "end" | "close", listener: () => void): unknown;
  /** Emitted if the body ends early. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Removes the listeners of the body's chunks. */
  removeAllListeners(event: "data"): unknown;
  /** Discards the rest of the body. */
  resume(): unknown;
}

/** A response of `node:http`. */
export interface NodeResponse {
  /** Whether the head has been sent. */
  readonly headersSent?: boolean | undefined;
  /** Sends status and headers. */
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  /** Sends the body, and ends the response. */
  end(body?: string): unknown;
  /** Emitted when all of the response is sent, or its connection is closed. */
  on?(event: "close", listener: () => void): unknown;
}
