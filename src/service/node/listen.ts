// listen: serves a service on Node's own HTTP server.

import { ArgumentError } from "../../internal.ts";
import { appOf } from "../appOf.ts";
import type { Service } from "../options.ts";
import { createRequestGuard, isLoopback, type RequestGuard } from "../requestGuard.ts";
import { Connections } from "./connections.ts";
import { createHandler } from "./listener.ts";
import { answerMalformed, MALFORMED_CODE } from "./malformed.ts";
import {
  type CloseOptions,
  type ListenOptions,
  resolveCloseOptions,
  resolveListenOptions,
  resolveTls,
  type TlsOptions,
} from "./options.ts";
import {
  createSecureServer,
  createServer,
  type Server,
  type ServerAddress,
  withPemErrors,
} from "./server.ts";

/** A server that listens. */
export interface Listening {
  /** The address: `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The port, also if the option was 0. */
  readonly port: number;
  /**
   * Accepts no more connections, and resolves when the requests in flight are answered. A client that has not sent the
   * rest of a request within 3 s, or has not read its responses within 15 s, is cut off. The service is not stopped.
   *
   * @param options see {@link CloseOptions}
   * @throws {@link ArgumentError} if an option is invalid or unknown
   */
  close(options?: CloseOptions): Promise<void>;
  /**
   * Replaces certificate and key for new connections, as when the certificate is renewed.
   *
   * @throws {@link ArgumentError} if they are invalid, or the server was started without `tls`. The former ones stay
   */
  setTls(tls: TlsOptions): void;
}

/** Binds a server to its address. */
function bind(server: Server, port: number, host: string): Promise<ServerAddress> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const { address = host, port: boundPort = port } = Object(server.address()) as Partial<ServerAddress>;
      resolve({ address, port: boundPort });
    });
  });
}

/**
 * Serves a service on Node's own HTTP server. On a loopback address, requests of web pages of other origins are refused:
 * by `Sec-Fetch-Site`, except for links to the service's pages and for `corsOrigins`, and by a `Host` that is not this
 * machine's, as after DNS rebinding.
 *
 * @param service made by `createService`
 * @param options see {@link ListenOptions}
 * @throws {@link ArgumentError} if an argument is invalid, or an option is unknown
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
  const { host, port, allowedHosts, tls, maxConnections, server: limits } = resolveListenOptions(options);
  const app = appOf(service);
  const connections = new Connections();
  let guard: RequestGuard | undefined;
  const handler = createHandler(
    service,
    (request) => connections.isLastResponse(request),
    (request) => guard?.(request),
  );
  const secureServer = tls && (await createSecureServer(limits, tls));
  const server = secureServer ?? (await createServer(limits));
  // No limit: Node would drop the headers above it without an error, and an Idempotency-Key may be among them.
  server.maxHeadersCount = 0;
  server.on("clientError", (error, socket) => {
    const { remoteAddress } = socket; // Read first: a closed socket has none.
    const status = answerMalformed(error, socket);
    if (status !== undefined) app.recordMalformed(status, MALFORMED_CODE, error, remoteAddress);
  });
  server.on("connection", (socket) => connections.limit(socket, maxConnections));
  server.on(tls ? "secureConnection" : "connection", (socket) => {
    if (!socket.destroyed) connections.add(socket, handler);
  });
  server.on("request", (request, response) => connections.enqueue(request, response));
  const bound = await bind(server, port, host);
  // Decided by the bound address, because `host` may be a name other than localhost that resolves to a loopback address.
  guard = createRequestGuard(isLoopback(bound.address), allowedHosts);
  return {
    url: `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${bound.port}`,
    port: bound.port,
    close: async (options) => connections.close(server, resolveCloseOptions(options)),
    setTls(tls) {
      if (!secureServer) throw new ArgumentError("tls", "given to listen() first", "none");
      const resolved = resolveTls(tls);
      withPemErrors(() => secureServer.setSecureContext(resolved));
    },
  };
}
