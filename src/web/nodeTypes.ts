// The members of Node's requests and responses that the adapters use, so that they need neither Node's types nor those of a
// framework.

/** A request of `node:http`, or of a framework on it: Express, Connect, Nest. */
export interface NodeRequest {
  /** In upper case. */
  readonly method?: string | undefined;
  /** Path and query. Mounted routers of Express shorten it. */
  readonly url?: string | undefined;
  /** Path and query as they came, where a framework has changed `url`. */
  readonly originalUrl?: string | undefined;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whether all of the body has arrived. */
  readonly complete?: boolean | undefined;
  /** Whether something has read a part of the body. */
  readonly readableDidRead?: boolean | undefined;
  /** Whether the body has been read to its end. */
  readonly readableEnded?: boolean | undefined;
  /** Whether chunks are emitted as they arrive: `null` if nothing has decided it. */
  readonly readableFlowing?: boolean | null | undefined;
  /** How many bytes wait to be read. */
  readonly readableLength?: number | undefined;
  /** Whether the request is closed. */
  readonly destroyed?: boolean | undefined;
  /** Reads the bytes that wait. */
  read?(): unknown;
  /** Puts bytes back, to be read again. */
  unshift?(chunk: Uint8Array): unknown;
  /** Discards the rest of the body. */
  resume?(): unknown;
  /** Adds a listener. */
  on?(event: "readable" | "end" | "close" | "error", listener: (error: Error) => void): unknown;
  /** Removes a listener. */
  removeListener?(event: "readable" | "end" | "close" | "error", listener: (error: Error) => void): unknown;
  /** Returns how many listeners an event has. */
  listenerCount?(event: string): number;
}

/** The value of a header of a response. */
export type NodeHeader = number | string | readonly string[];

/** A response of `node:http`, or of a framework on it. */
export interface NodeResponse {
  /** The status. */
  statusCode: number;
  /** The reason phrase. `undefined` or empty: that of the status. */
  statusMessage: string;
  /** Whether the head has been sent. */
  readonly headersSent: boolean;
  /** Whether the response was ended. */
  readonly writableEnded: boolean;
  /** Whether all of the response has been handed over to the connection. */
  readonly writableFinished: boolean;
  /** Whether the connection is closed. */
  readonly destroyed: boolean;
  /** Returns a header. */
  getHeader(name: string): number | string | string[] | undefined;
  /** Returns all headers, by names in lower case. */
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>;
  /** Sets a header. */
  setHeader(name: string, value: string | string[]): unknown;
  /** Removes a header. */
  removeHeader(name: string): void;
  /** Sends a part of the body. */
  write(chunk: Uint8Array): boolean;
  /** Ends the response. */
  end(chunk?: Uint8Array): unknown;
  /** Closes the connection. */
  destroy(error?: Error): unknown;
  /** Adds a listener. */
  once(event: "close" | "drain" | "finish", listener: () => void): unknown;
  /** Removes a listener. */
  removeListener(event: "close" | "drain" | "finish", listener: () => void): unknown;
  /** Calls listeners. */
  emit(event: "drain"): boolean;
}

/** Passes a request on: to the next middleware, or with an error to the error handlers. */
export type Next = (error?: unknown) => unknown;
