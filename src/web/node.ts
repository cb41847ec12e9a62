// bitflake/node: a handler of the fetch standard as a listener of node:http, and middleware for listeners of its own style.

import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { problemResponse } from "../http/problem.ts";
import { ArgumentError, assertFunction, assertKnownOptions } from "../internal.ts";
import { createRequest } from "./lazyRequest.ts";
import { signalOf } from "./nodeExchange.ts";
import type { NodeRequest, NodeResponse } from "./nodeTypes.ts";
import { streamOf } from "./requestStream.ts";
import { sendBody, setHead } from "./send.ts";

export type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export { ArgumentError } from "../internal.ts";
export { idempotency, rateLimit } from "./express.ts";
export type { NodeHeader, NodeRequest, NodeResponse } from "./nodeTypes.ts";

/** Options of {@link toNodeListener}. An unknown name is refused. */
export interface NodeListenerOptions {
  /**
   * Gets an error that the handler throws, which is answered with 500. Errors that it throws are ignored. Default:
   * `console.error`.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Turns a handler of the fetch standard into a listener of `node:http`, so that `idempotent` and `rateLimited` serve there too.
 *
 * The handler gets the request, and as its second argument the request of Node, which has the client's address. Its `signal` is
 * aborted when the client goes away before its response is sent. Bodies stream in both directions, as fast as the reader takes
 * them. An error that the handler throws is answered with 500 and the code `ERR_INTERNAL`, and one in the body of its response
 * closes the connection.
 *
 * @param handler gets a request and Node's own request; returns a response
 * @param options `onError`, default `console.error`
 * @throws {@link ArgumentError} if an argument is wrong, or an option is unknown
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { memory } from "bitflake/backend";
 * import { idempotent } from "bitflake/idempotency";
 * import { toNodeListener } from "bitflake/node";
 *
 * const handler = idempotent(() => new Response("done"), { backend: memory(), name: "jobs", tenant: () => "" });
 * const server = createServer(toNodeListener(handler));
 * typeof server.listen; // => 'function'
 * ```
 */
export function toNodeListener<Req extends NodeRequest = NodeRequest>(
  handler: (request: FetchRequest, context: Req) => FetchResponse | Promise<FetchResponse>,
  options: NodeListenerOptions = {},
): (req: Req, res: NodeResponse) => void {
  assertFunction("handler", handler);
  assertKnownOptions(options, ["onError"]);
  const { onError = (error: unknown) => console.error(error) } = options;
  assertFunction("onError", onError);
  const answer = async (req: Req, res: NodeResponse): Promise<Response> => {
    const target = req.originalUrl ?? req.url ?? "/";
    try {
      const request = createRequest({
        raw: req,
        target,
        body: () => (hasBody(req) ? streamOf(req) : null),
        signal: () => signalOf(res),
      });
      const response = await handler(request, req);
      const isResponse = {}.toString.call(response) === "[object Response]";
      // Response.error() has the status 0.
      if (isResponse && !response.bodyUsed && !response.body?.locked && response.status >= 200)
        return response;
      throw new ArgumentError(
        "the handler's result",
        "a Response with a status, whose body has not been read",
        response,
      );
    } catch (error) {
      notifyListener(onError, error);
      return problemResponse(500, "ERR_INTERNAL", "The request failed.");
    }
  };
  return (req, res) => {
    const send = async (response: Response) => {
      if (res.headersSent || res.destroyed) return response.body?.cancel();
      setHead(res, response, res.getHeaders());
      if (req.method !== "HEAD") return sendBody(res, response);
      res.end();
      await response.body?.cancel();
    };
    answer(req, res)
      .then(send)
      .catch((error) => {
        notifyListener(onError, error);
        // After a response of HEAD, which has ended, this does nothing.
        if (!res.writableEnded) res.destroy(error);
      });
  };
}

/** Whether a request has a body: HTTP/1 says it in its headers, and HTTP/2 by the end of its stream. */
function hasBody({ headers, complete }: NodeRequest): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0 || !complete;
}
