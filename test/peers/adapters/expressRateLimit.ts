// express-rate-limit's interface on bitflake/express. It translates names and composes middleware, and implements no limit.

import { memory } from "bitflake/backend";
import { type Middleware, rateLimit as middleware } from "bitflake/express";
import { addressKey, RateLimit } from "bitflake/ratelimit";

interface Req {
  readonly ip?: string;
  readonly url?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
interface Res {
  readonly statusCode: number;
  once(event: "finish" | "close", listener: () => void): unknown;
}
type Next = (error?: unknown) => void;
type OfRequest<T> = (req: Req, res: Res) => T | Promise<T>;

/** The response that a handler of the peer writes to. */
class Written {
  #status = 429;
  #body = "";
  status(status: number): this {
    this.#status = status;
    return this;
  }
  end(body: string): void {
    this.#body = body;
  }
  send(body: string): void {
    this.#body = body;
  }
  response(): Response {
    return new Response(this.#body, { status: this.#status });
  }
}

interface Options {
  readonly windowMs?: number;
  readonly limit?: number | OfRequest<number>;
  readonly max?: number | OfRequest<number>;
  readonly message?: unknown;
  readonly statusCode?: number;
  readonly legacyHeaders?: boolean;
  readonly standardHeaders?: boolean | string;
  readonly identifier?: string;
  readonly skipFailedRequests?: boolean;
  readonly skipSuccessfulRequests?: boolean;
  readonly keyGenerator?: OfRequest<string>;
  readonly handler?: (req: Req, res: Written) => void;
  readonly skip?: OfRequest<boolean>;
  readonly requestWasSuccessful?: OfRequest<boolean>;
  readonly store?: unknown;
}

/** Returns the response of a denial as the options of the peer describe it. */
async function denied({ handler, message, statusCode = 429 }: Options, req: Req): Promise<Response> {
  if (handler) {
    const written = new Written();
    handler(req, written);
    return written.response();
  }
  const body = typeof message === "function" ? await message(req) : message;
  if (typeof body === "object") return Response.json(body, { status: statusCode });
  return new Response(String(body ?? "Too many requests"), { status: statusCode });
}

export default function rateLimit(options: Options = {}) {
  const { windowMs = 60_000, limit = options.max ?? 5, identifier = "peer", skip, store } = options;
  if (store) throw new Error("a store by the peer's interface is no backend of bitflake");
  const backend = memory();
  const keyOf = options.keyGenerator ?? ((req) => addressKey(req.ip ?? "0.0.0.0"));
  const isDraft = options.standardHeaders === "draft-8";
  const isLegacy = options.legacyHeaders ?? !isDraft;
  const hasResponse = "message" in options || "handler" in options || "statusCode" in options;
  const limiters = new Map<number, RateLimit>();
  const limiterOf = (calls: number) => {
    const known = limiters.get(calls) ?? new RateLimit({ backend, name: identifier, limit: calls, windowMs });
    limiters.set(calls, known);
    return known;
  };
  const handlers = new Map<number, Middleware<never>>();
  const handlerOf = (calls: number) => {
    const options_ = {
      limiter: limiterOf(calls),
      key: (_: Request, req: Req & { res: Res }) => keyOf(req, req.res),
      headers: isLegacy ? (isDraft ? "both" : "legacy") : "draft",
      ...(hasResponse && { errorResponse: (_: unknown, __: Request, req: Req) => denied(options, req) }),
    };
    const known = handlers.get(calls) ?? middleware<never>(options_ as never);
    handlers.set(calls, known);
    return known;
  };
  if (typeof limit === "number") handlerOf(limit);
  const handle = async (req: Req, res: Res, next: Next) => {
    try {
      if (await skip?.(req, res)) return next();
      const calls = typeof limit === "function" ? await limit(req, res) : limit;
      handlerOf(calls)(req as never, res as never, next);
    } catch (error) {
      next(error);
    }
  };
  return Object.assign(handle, {
    resetKey: (key: string) => limiterOf(limit as number).reset(key),
  });
}

export function ipKeyGenerator(address: string, subnet: number | false = 56): string {
  if (!address.includes(":")) return addressKey(address);
  if (subnet === false) throw new Error("a key for each address would be a quota for each of 2^64");
  return addressKey(address, { ipv6Bits: subnet });
}
