// Middleware with the signature of Connect: for Express, Connect, Nest on Express, and plain node:http.

import type { IdempotentOptions } from "../idempotency/index.ts";
import type { RateLimitedOptions } from "../ratelimit/index.ts";
import { NodeExchange, nodeIdempotency, nodeRateLimit } from "./nodeExchange.ts";
import type { Next, NodeRequest, NodeResponse } from "./nodeTypes.ts";
import type { ParsedBody } from "./requestBody.ts";

/** Middleware of Express and Connect. */
export type Middleware<Req extends NodeRequest = NodeRequest> = (
  req: Req,
  res: NodeResponse,
  next: Next,
) => void;

/** A request of Connect. */
class ConnectExchange<Req extends NodeRequest> extends NodeExchange<Req> {
  readonly #next: Next;

  constructor(req: Req, res: NodeResponse, next: Next) {
    super(req, req, res);
    this.#next = next;
  }

  get target(): string {
    // Mounted routers shorten the URL, and a key belongs to the whole path.
    return this.raw.originalUrl ?? this.raw.url ?? "/";
  }

  get parsed(): ParsedBody {
    return this.raw as ParsedBody;
  }

  next(error?: unknown): unknown {
    // Express takes any argument for an error.
    return error === undefined ? this.#next() : this.#next(error);
  }

  header(name: string): unknown {
    return this.res.getHeader(name);
  }

  setHeader(name: string, value: string): void {
    this.res.setHeader(name, value);
  }
}

/** Creates middleware of `idempotent`. */
export function connectIdempotency<Req extends NodeRequest>(
  options: IdempotentOptions<Req>,
): Middleware<Req> {
  const handle = nodeIdempotency<Req>(options);
  return (req, res, next) => handle(new ConnectExchange(req, res, next));
}

/** Creates middleware of `rateLimited`. */
export function connectRateLimit<Req extends NodeRequest>(options: RateLimitedOptions<Req>): Middleware<Req> {
  const handle = nodeRateLimit<Req>(options);
  return (req, res, next) => handle(new ConnectExchange(req, res, next));
}
