// What is used of Node's requests and responses, so that its types are not needed.

/** What is used of the connection of a request. */
export interface NodeSocket {
  /** The address of the other side. */
  readonly remoteAddress?: string | undefined;
  /** Whether it is closed. */
  readonly destroyed?: boolean | undefined;
  /** Whether answers can still be written. */
  readonly writable?: boolean | undefined;
  /** How much has been read. */
  readonly bytesRead?: number | undefined;
  /** Reads no more for now. */
  pause?(): unknown;
  /** Reads on. */
  resume?(): unknown;
  /** Emitted when it is read on. */
  on?(event: "resume", listener: () => void): unknown;
}

/** What is used of a request of Node's. */
export interface NodeRequest {
  /** In capitals. */
  readonly method?: string | undefined;
  /** Path and query; behind some proxies, the whole address. */
  readonly url?: string | undefined;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The connection it came on. */
  readonly socket: NodeSocket;
  /** Whether somebody has read the body to its end. */
  readonly readableEnded?: boolean | undefined;
  /** Whether nothing more comes. */
  readonly destroyed?: boolean | undefined;
  /** Emitted for each chunk of the body. */
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  /** Emitted at the end of the body, and at the end of the request, which may come without the first. */
  on(event: "end" | "close", listener: () => void): unknown;
  /** Emitted if the body breaks off. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Hears no more of the body. */
  removeAllListeners(event: "data"): unknown;
  /** Lets the rest of the body go by. */
  resume(): unknown;
}

/** What is used of a response of Node's. */
export interface NodeResponse {
  /** Whether somebody has answered. */
  readonly headersSent?: boolean | undefined;
  /** Sends status and headers. */
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  /** Sends the body, and ends the response. */
  end(body?: string): unknown;
  /** Emitted when all of it is sent, or its connection is closed. */
  on?(event: "close", listener: () => void): unknown;
}
