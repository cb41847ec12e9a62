// The adapter for Node's own HTTP server, without a Request or Response in between.

import { onlyKnown } from "../backend/settings.ts";
import { ArgumentError, whole } from "../core.ts";
import { joined } from "../http/body.ts";
import { PROBLEM, writeProblem } from "../http/problem.ts";
import type { Ask, Reply } from "./exchange.ts";
import type { Service } from "./options.ts";
import { answerOf } from "./service.ts";

/** What is used of the connection of a request. */
export interface NodeSocket {
  /** The address of the other side. */
  readonly remoteAddress?: string | undefined;
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
  /** Hears of each piece of the body. */
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  /** Hears of the end of the body, and of that of the request, which may come without it. */
  on(event: "end" | "close", listener: () => void): unknown;
  /** Hears of a body that breaks off. */
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
}

/** What is used of a socket of Node's. */
interface Socket {
  readonly writable: boolean;
  end(text: string): unknown;
  destroy(): unknown;
}

/** What is used of a server of Node's. */
interface Server {
  on(event: "clientError", listener: (error: Error & { code?: string }, socket: Socket) => void): unknown;
  on(event: "connection", listener: (socket: ServerSocket) => void): unknown;
  on(event: "request", listener: (request: NodeRequest, response: NodeResponse & Answering) => void): unknown;
  listen(port: number, host: string, done: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  address(): { readonly port: number } | string | null;
  close(done: () => void): unknown;
  closeIdleConnections: () => unknown;
  maxHeadersCount: number | null;
}

/** A connection to it. */
interface ServerSocket extends Socket {
  readonly bytesRead: number;
  /** Lets what is written out first. */
  destroySoon(): unknown;
  once(event: "close", listener: () => void): unknown;
}

/** A response that is under way, and whether all of its request is there. */
interface Answering {
  readonly writableEnded: boolean;
  readonly req: { readonly complete: boolean; readonly socket: ServerSocket };
  on(event: "close", listener: (this: Answering) => void): unknown;
}

/** What is known of a connection. */
interface Connection {
  /** The responses that are not wholly sent; of a client that does not wait for answers there are several. */
  readonly open: Set<unknown>;
  /** How much had been read when there was last nothing under way: what came since is part of a request. */
  readBefore: number;
}

/** How long a client may take for the rest of its request once the server closes, in milliseconds. */
const REST_MS = 3000;

/** How many times as long it may take to read what it has been answered. */
const READS = 5;

/** A server that listens. */
export interface Listening {
  /** Where: `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The port, also where 0 was asked for. */
  readonly port: number;
  /**
   * Takes no more connections, and resolves when the requests under way are answered. Who has not sent the rest of one
   * within 3 s is cut off, and so is who has not read its answers within 15. It does not stop the service.
   */
  close(): Promise<void>;
}

/** Reads a body to its end, or until it is too large. One that another has read to its end is empty. */
function bodyOf(request: NodeRequest, maxBytes: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    // Both would be waited for in vain: they are past.
    if (request.readableEnded) return resolve(new Uint8Array(0));
    if (request.destroyed) return reject(new Error("the body broke off"));
    const chunks: Uint8Array[] = [];
    let length = 0;
    request.on("data", (chunk) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= maxBytes) return;
      // What still comes is let go: the answer is known.
      request.removeAllListeners("data");
      request.resume();
      resolve(undefined);
    });
    request.on("end", () => resolve(joined(chunks, length)));
    request.on("error", reject);
    // After its end, or without one: a client that went away in the middle.
    request.on("close", () => reject(new Error("the body broke off")));
  });
}

/** A request of Node's as a service sees it. A class, for of an object each request would make its functions anew. */
class NodeAsk implements Ask {
  readonly method: string;
  readonly target: string;
  readonly #request: NodeRequest;

  constructor(request: NodeRequest) {
    const { method = "GET", url = "/" } = request;
    this.method = method;
    // A proxy may ask with the whole address.
    this.target = url.startsWith("/") ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") || "/";
    this.#request = request;
  }

  get address(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  body(maxBytes: number): Promise<Uint8Array | undefined> {
    return bodyOf(this.#request, maxBytes);
  }
}

/**
 * Makes a listener for the servers of `node:http`, for those who make the server themselves.
 *
 * @param service made by `createService`
 * @throws {@link ArgumentError} if it is none
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { memory } from "bitflake/backend";
 * import { createService, nodeListener } from "bitflake/service";
 *
 * const service = createService({ backend: memory() });
 * const server = createServer(nodeListener(service));
 * typeof server.listen; // => 'function'
 * ```
 */
export function nodeListener(service: Service): (request: NodeRequest, response: NodeResponse) => void {
  return listenerOf(service, () => false);
}

/** @param isLast whether a connection is to end with the response */
function listenerOf(
  service: Service,
  isLast: (request: NodeRequest, response: NodeResponse) => boolean,
): (request: NodeRequest, response: NodeResponse) => void {
  const answer = answerOf(service);
  const encoder = new TextEncoder();
  return (request, response) => {
    const send = ({ status, headers, body }: Reply) => {
      // Somebody else has lost patience, and answered.
      if (response.headersSent) return;
      // With its length a reply is sent in one piece, and HEAD says it too; without, it is sent in chunks.
      const length = status === 204 ? undefined : { "content-length": String(encoder.encode(body).length) };
      response.writeHead(status, {
        ...headers,
        ...length,
        ...(isLast(request, response) && { connection: "close" }),
      });
      response.end(status === 204 ? undefined : body);
    };
    const reply = answer(new NodeAsk(request));
    if (reply instanceof Promise) void reply.then(send);
    else send(reply);
  };
}

/** What a client is told whose request is none. */
const MALFORMED: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The headers are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not come in time."],
};

/** Answers what could not be read as a request. */
function answerMalformed({ code = "" }: { code?: string }, socket: Socket): void {
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, detail] = MALFORMED[code] ?? [400, "This is no HTTP request."];
  const body = writeProblem(status, "ERR_MALFORMED_REQUEST", detail);
  const { title } = JSON.parse(body) as { title: string };
  const headers = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM}`,
    `content-length: ${body.length}`,
    "connection: close",
  ];
  socket.end(`${headers.join("\r\n")}\r\n\r\n${body}`);
}

/**
 * Serves on Node's own HTTP server.
 *
 * @param service made by `createService`
 * @param options.host default `"127.0.0.1"`: this machine alone
 * @param options.port default 3000; 0 takes a free one
 * @throws {@link ArgumentError} if an argument is wrong, or an option is unknown
 * @throws the runtime's own error, if the port is taken
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { createService, listen } from "bitflake/service";
 *
 * const service = createService({ backend: memory() });
 * const server = await listen(service, { port: 0 });
 * const { id } = await (await fetch(`${server.url}/generate_snowflake_id`)).json();
 * typeof id; // => 'string'
 * await server.close();
 * await service.stop();
 * ```
 */
export async function listen(
  service: Service,
  options: { readonly host?: string | undefined; readonly port?: number | undefined } = {},
): Promise<Listening> {
  onlyKnown(options, ["host", "port"]);
  const { host = "127.0.0.1", port = 3000 } = options;
  whole("port", port, 0, 65_535);
  if (typeof host !== "string" || host === "") throw new ArgumentError("host", "an address or a name", host);
  let isClosing = false;
  const connections = new Map<unknown, Connection>();
  // Not while others wait on the same connection for answers of their own.
  const listener = listenerOf(service, ({ socket }) => isClosing && connections.get(socket)?.open.size === 1);
  // By a variable, so that bundlers for runtimes without it leave it alone.
  const name = "node:http";
  const { createServer } = (await import(name)) as { createServer(): Server };
  const server = createServer();
  // Beyond a count Node drops headers, and says nothing: one of them may be the key of the request.
  server.maxHeadersCount = 0;
  server.on("clientError", answerMalformed);
  server.on("connection", (socket) => {
    connections.set(socket, { open: new Set(), readBefore: 0 });
    socket.once("close", () => connections.delete(socket));
  });
  // One for all: a function for each request would be felt.
  const sent = function (this: Answering) {
    const { socket } = this.req;
    const connection = connections.get(socket);
    connection?.open.delete(this);
    if (!connection || connection.open.size > 0) return;
    connection.readBefore = socket.bytesRead;
    if (isClosing) socket.destroySoon();
  };
  server.on("request", (request, response) => {
    connections.get(request.socket)?.open.add(response);
    response.on("close", sent);
    listener(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}`,
    port: actual,
    close: () =>
      new Promise<void>((resolve) => {
        isClosing = true;
        let looks = 0;
        // Node gives up nobody any more once it closes: who sends nothing, half a request, or does not read, would hold
        // it up for ever.
        const look = () => {
          for (const [socket, { open, readBefore }] of connections as Map<ServerSocket, Connection>) {
            const responses = [...open] as Answering[];
            const isIdle = responses.length === 0 && (looks > 0 || socket.bytesRead === readBefore);
            const isHalf = looks > 0 && responses.length > 0 && responses.every(({ req }) => !req.complete);
            // Answered, and not read; behind that there may be half a request, too.
            const isWaiting = responses.every(({ writableEnded, req }) => writableEnded || !req.complete);
            if (isIdle || isHalf || (looks >= READS && isWaiting)) socket.destroy();
          }
          looks++;
        };
        const timer = setInterval(look, REST_MS);
        // It would cut off whoever has not read an answer yet.
        server.closeIdleConnections = () => {};
        server.close(() => {
          clearInterval(timer);
          resolve();
        });
        look();
      }),
  };
}
