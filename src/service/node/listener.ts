// The adapter for Node's own HTTP server, without a Request or Response in between.

import { concatBytes } from "../../http/body.ts";
import { PROBLEM_CONTENT_TYPE, problemJson } from "../../http/problem.ts";
import { ArgumentError, assertKnownOptions, assertWhole } from "../../internal.ts";
import { createRequestGuard, isLoopback, type RequestGuard } from "../loopbackGuard.ts";
import type { ServiceRequest, ServiceResponse } from "../message.ts";
import type { Service } from "../options.ts";
import { appOf } from "../service.ts";
import { Connection, type NodeHandler, serializePerConnection } from "./connection.ts";
import type { NodeRequest, NodeResponse, NodeSocket } from "./types.ts";

/** A connection of Node's. */
interface Socket extends NodeSocket {
  readonly writable: boolean;
  readonly bytesRead: number;
  end(text: string): unknown;
  destroy(): unknown;
  /** Lets what is written out first. */
  destroySoon(): unknown;
  once(event: "close", listener: () => void): unknown;
}

/** A response that is under way, and whether all of its request is there. */
interface PendingResponse {
  readonly writableEnded: boolean;
  readonly req: { readonly complete: boolean };
}

/** Where a server of Node's listens. */
interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

/** What is used of a server of Node's. */
interface Server {
  on(event: "clientError", listener: (error: Error & { code?: string }, socket: Socket) => void): unknown;
  on(event: "connection", listener: (socket: Socket) => void): unknown;
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

/** What a server of Node's is made with. */
interface ServerOptions {
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
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
function readNodeBody(request: NodeRequest, maxBytes: number): Promise<Uint8Array | undefined> {
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
    request.on("end", () => resolve(concatBytes(chunks, length)));
    request.on("error", reject);
    // After its end, or without one: a client that went away in the middle.
    request.on("close", () => reject(new Error("the body broke off")));
  });
}

/** A request of Node's as a service sees it. A class, for of an object each request would make its functions anew. */
class NodeServiceRequest implements ServiceRequest {
  readonly method: string;
  readonly target: string;
  readonly #request: NodeRequest;
  readonly #guard: RequestGuard | undefined;

  constructor(request: NodeRequest, guard: RequestGuard | undefined) {
    this.#guard = guard;
    const { method = "GET", url = "/" } = request;
    this.method = method;
    // A proxy may ask with the whole address.
    this.target = url.startsWith("/") ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") || "/";
    this.#request = request;
  }

  get address(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  get blockedReason(): string | undefined {
    return this.#guard?.(this);
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  body(maxBytes: number): Promise<Uint8Array | undefined> {
    return readNodeBody(this.#request, maxBytes);
  }
}

/**
 * Makes a listener for the servers of `node:http`, for those who make the server themselves. Of requests that one
 * connection sends without waiting for answers, each is handled when the answer before it has left.
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
  return serializePerConnection(createHandler(service, () => false));
}

/** @param isLast whether a connection is to end with the response */
function createHandler(
  service: Service,
  isLast: (request: NodeRequest, response: NodeResponse) => boolean,
  guard?: RequestGuard,
): NodeHandler {
  const house = appOf(service);
  const encoder = new TextEncoder();
  return (request, response) => {
    const send = ({ status, headers, body }: ServiceResponse) => {
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
    const reply = house.handle(new NodeServiceRequest(request, guard));
    if (reply instanceof Promise) void reply.then(send);
    else send(reply);
  };
}

/** What a client is told whose request is none. */
const MALFORMED: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The headers are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not come in time."],
};

/** Answers what could not be read as a request; returns the status, or nothing if nobody is there to be answered. */
function answerMalformed({ code = "" }: { code?: string }, socket: Socket): number | undefined {
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return undefined;
  }
  const [status, detail] = MALFORMED[code] ?? [400, "This is no HTTP request."];
  const body = problemJson(status, MALFORMED_CODE, detail);
  const { title } = JSON.parse(body) as { title: string };
  const headers = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_CONTENT_TYPE}`,
    `content-length: ${body.length}`,
    "connection: close",
  ];
  socket.end(`${headers.join("\r\n")}\r\n\r\n${body}`);
  return status;
}

/** The code of what could not be read as a request. */
const MALFORMED_CODE = "ERR_MALFORMED_REQUEST";

/** The longest timer there is, in every runtime. */
const MAX_TIMER = 2 ** 31 - 1;

/** How often Node looks for connections that have been too slow, in milliseconds, unless a limit is shorter. */
const CHECK_MS = 30_000;

/** What {@link listen} takes. Each may be left out; an unknown name is refused. */
export interface ListenOptions {
  /** The address or name to listen on. Default `"127.0.0.1"`: this machine alone. */
  readonly host?: string | undefined;
  /** The port. Default 3000; 0 takes a free one. */
  readonly port?: number | undefined;
  /**
   * The names, without ports, that requests may have in their `Host` header. Default: on a loopback address
   * `localhost` and loopback addresses, which are always allowed there; elsewhere any.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * How long a connection may be idle before it is closed, in milliseconds. Default 65 000, longer than the 60 s after
   * which most balancers close theirs: a balancer that is the second to close would send a request into nothing.
   */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** How long the headers of a request may take to come, in milliseconds. Default 66 000. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a whole request may take to come, in milliseconds. Default 120 000; not less than `headersTimeoutMs`. */
  readonly requestTimeoutMs?: number | undefined;
  /** How many connections there may be at once; further ones are closed. Default 10 000. */
  readonly maxConnections?: number | undefined;
}

/** A name or an IPv4 address, or an IPv6 address without brackets. */
const HOST = /^([\w.-]+|[\da-f:.]*:[\da-f:.]*:[\da-f:.]*)$/i;

/** Asserts that names of hosts are a list of names without ports; returns them in small letters. */
function resolveAllowedHosts(allowedHosts: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (allowedHosts === undefined) return undefined;
  if (!Array.isArray(allowedHosts) || allowedHosts.length === 0) {
    throw new ArgumentError("allowedHosts", "an array of at least one name", allowedHosts);
  }
  const names = (allowedHosts as readonly unknown[]).map((host, at) => {
    if (typeof host === "string" && HOST.test(host)) return host.toLowerCase();
    throw new ArgumentError(`allowedHosts[${at}]`, "a name or an address, without a port", host);
  });
  return new Set(names);
}

/** Validates the options. */
function resolveListenOptions(options: ListenOptions) {
  assertKnownOptions(options, [
    "host",
    "port",
    "allowedHosts",
    "keepAliveTimeoutMs",
    "headersTimeoutMs",
    "requestTimeoutMs",
    "maxConnections",
  ]);
  const { host = "127.0.0.1", port = 3000, allowedHosts } = options;
  const { keepAliveTimeoutMs = 65_000, headersTimeoutMs = 66_000, maxConnections = 10_000 } = options;
  const { requestTimeoutMs = Math.max(120_000, Number(headersTimeoutMs) || 0) } = options;
  if (typeof host !== "string" || host === "") throw new ArgumentError("host", "an address or a name", host);
  assertWhole("headersTimeoutMs", headersTimeoutMs, 1, MAX_TIMER);
  assertWhole(
    "requestTimeoutMs",
    requestTimeoutMs,
    headersTimeoutMs,
    MAX_TIMER,
    ", not less than headersTimeoutMs",
  );
  const server: ServerOptions = {
    keepAliveTimeout: assertWhole("keepAliveTimeoutMs", keepAliveTimeoutMs, 1, MAX_TIMER),
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersTimeoutMs),
  };
  return {
    host,
    port: assertWhole("port", port, 0, 65_535),
    hosts: resolveAllowedHosts(allowedHosts),
    maxConnections: assertWhole("maxConnections", maxConnections, 1, MAX_TIMER),
    server,
  };
}

/**
 * Serves on Node's own HTTP server. On a loopback address, requests of web pages of other origins are refused: by
 * `Sec-Fetch-Site`, and by a `Host` that is not this machine's, as after DNS rebinding.
 *
 * @param service made by `createService`
 * @param options see {@link ListenOptions}
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
export async function listen(service: Service, options: ListenOptions = {}): Promise<Listening> {
  const { host, port, hosts, maxConnections, server: limits } = resolveListenOptions(options);
  let isClosing = false;
  let looks = 0;
  const connections = new Map<NodeSocket, Connection>();
  // Not while others wait on the same connection for answers of their own, unless they have waited for long.
  const isLast = ({ socket }: NodeRequest) =>
    isClosing && (looks > READS || connections.get(socket)?.waiting.length === 0);
  // By the address that it has, for there are more names for this machine than one would think of.
  let guard: RequestGuard | undefined;
  const handler = createHandler(service, isLast, (ask) => guard?.(ask));
  // By a variable, so that bundlers for runtimes without it leave it alone.
  const name = "node:http";
  const { createServer } = (await import(name)) as { createServer(options: ServerOptions): Server };
  const server = createServer(limits);
  // Beyond a count Node drops headers, and says nothing: one of them may be the key of the request.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  const house = appOf(service);
  server.on("clientError", (error, socket) => {
    const address = socket.remoteAddress;
    const status = answerMalformed(error, socket);
    if (status !== undefined) house.recordMalformed(status, MALFORMED_CODE, error, address);
  });
  server.on("connection", (socket) => {
    const onIdle = () => {
      if (isClosing) socket.destroySoon();
    };
    connections.set(socket, new Connection(socket, handler, onIdle));
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", (request, response) => connections.get(request.socket)?.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port: actual = port, address = host } = Object(server.address()) as Partial<ServerAddress>;
  guard = createRequestGuard(isLoopback(address), hosts);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}`,
    port: actual,
    close: () =>
      new Promise<void>((resolve) => {
        isClosing = true;
        // Node gives up nobody any more once it closes: who sends nothing, half a request, or does not read, would hold
        // it up for ever.
        const look = () => {
          for (const [socket, { current, readBefore }] of connections as Map<Socket, Connection>) {
            const { writableEnded, req } = (current ?? {}) as Partial<PendingResponse>;
            const isIdle = !current && (looks > 0 || socket.bytesRead === readBefore);
            const isHalf = current !== undefined && looks > 0 && req?.complete === false;
            // Answered, and not read.
            const isUnread = looks >= READS && writableEnded;
            if (isIdle || isHalf || isUnread) socket.destroy();
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
