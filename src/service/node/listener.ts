// The adapter for the servers of `node:http`, without fetch's Request and Response.

import { appOf } from "../appOf.ts";
import type { ServiceResponse } from "../message.ts";
import type { Service } from "../options.ts";
import type { RequestGuard } from "../requestGuard.ts";
import { type NodeHandler, serializePerConnection } from "./connection.ts";
import { NodeServiceRequest } from "./request.ts";
import type { NodeRequest, NodeResponse } from "./types.ts";

/** Returns the length of a text in UTF-8. Most bodies are ASCII, and encoding a short one costs more than the test. */
function byteLength(text: string): number {
  return /[^\0-\x7f]/.test(text) ? new TextEncoder().encode(text).length : text.length;
}

/**
 * Creates a handler of a service.
 *
 * @param isLastResponse whether the connection must close after the response to this request
 * @throws {@link ArgumentError} if the service was not made by `createService`
 */
export function createHandler(
  service: Service,
  isLastResponse: (request: NodeRequest) => boolean,
  guard?: RequestGuard,
): NodeHandler {
  const app = appOf(service);
  return (request, response) => {
    const send = ({ status, headers, body }: ServiceResponse) => {
      // Another handler has answered, after a timeout of its own.
      if (response.headersSent) return;
      // With a length the response is sent in one piece, and HEAD shows it; without, it is sent in chunks.
      const length = status === 204 ? undefined : { "content-length": String(byteLength(body)) };
      response.writeHead(status, {
        ...headers,
        ...length,
        ...(isLastResponse(request) && { connection: "close" }),
      });
      response.end(status === 204 ? undefined : body);
    };
    const answer = app.handle(new NodeServiceRequest(request, guard));
    if (answer instanceof Promise) void answer.then(send);
    else send(answer);
  };
}

/**
 * Creates a listener for a server of `node:http` that the program makes itself. Pipelined requests are handled one after
 * another: each when the response before it is sent.
 *
 * @param service made by `createService`
 * @throws {@link ArgumentError} if it was not
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
