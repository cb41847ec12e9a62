// bitflake/fastify: idempotency keys and rate limits as plugins of Fastify 4 and 5.

import { problemResponse } from "../http/problem.ts";
import type { IdempotentOptions } from "../idempotency/index.ts";
import { assertOneOf } from "../internal.ts";
import type { RateLimitedOptions } from "../ratelimit/index.ts";
import type { HeaderSnapshot } from "./capture.ts";
import type {
  FastifyContext,
  FastifyInstanceLike,
  FastifyReplyLike,
  FastifyRequestLike,
} from "./fastifyTypes.ts";
import { NodeExchange, nodeIdempotency, nodeRateLimit } from "./nodeExchange.ts";
import type { ParsedBody } from "./requestBody.ts";
import { sendBody, setHead } from "./send.ts";

export type { Backend } from "../backend/ports.ts";
export type { FetchRequest } from "../http/fetchTypes.ts";
export type { IdempotencyOptions } from "../idempotency/index.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export type {
  FastifyContext,
  FastifyInstanceLike,
  FastifyReplyLike,
  FastifyRequestLike,
} from "./fastifyTypes.ts";
export type { NodeHeader, NodeRequest, NodeResponse } from "./nodeTypes.ts";
export type { IdempotentOptions, RateLimitedOptions };

/** Options of the plugin {@link rateLimit}: those of `rateLimited`, and one more. An unknown name is refused. */
export interface RateLimitPluginOptions<Context = unknown> extends RateLimitedOptions<Context> {
  /**
   * When requests are counted. `"onRequest"`, the default: before the body is read. `"preHandler"`: after it was parsed, so that
   * the key may be of the body, such as the account of a login.
   */
  readonly hook?: "onRequest" | "preHandler" | undefined;
}

/** Continues with the next hook, or with an error. */
type Done = (error?: Error) => void;

/** A request of Fastify. */
class FastifyExchange extends NodeExchange<FastifyRequestLike> {
  readonly #reply: FastifyReplyLike;
  readonly #done: Done;
  #isPassed = false;

  constructor(request: FastifyRequestLike, reply: FastifyReplyLike, done: Done) {
    super(request, request.raw, reply.raw);
    this.#reply = reply;
    this.#done = done;
  }

  get target(): string {
    return this.context.originalUrl;
  }

  get parsed(): ParsedBody {
    return this.context;
  }

  next(error?: unknown): void {
    if (!this.#isPassed) {
      this.#isPassed = true;
      this.#done(error as Error | undefined);
      return;
    }
    // Fastify has made its response, which does not count.
    this.context.log.error(error);
    const response = problemResponse(500, "ERR_INTERNAL", "The request failed.");
    setHead(this.res, response, this.res.getHeaders());
    void sendBody(this.res, response);
  }

  header(name: string): unknown {
    return this.#reply.getHeader(name);
  }

  setHeader(name: string, value: string): void {
    this.#reply.header(name, value);
  }

  override headers(): HeaderSnapshot {
    return Object.assign(super.headers(), this.#reply.getHeaders());
  }

  /** Copies the headers that Fastify keeps to the response of Node, which Fastify then leaves to us. */
  override takeOver(): void {
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) {
      if (value !== undefined)
        this.res.setHeader(name, Array.isArray(value) ? value.map(String) : String(value));
    }
    this.#reply.hijack();
  }
}

/**
 * Makes a plugin work for the instance that registers it, and not only for those below: the mark that `fastify-plugin` sets.
 */
function asPlugin<T extends (...parameters: never[]) => Promise<void>>(plugin: T, name: string): T {
  const marks = {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: name,
    [Symbol.for("plugin-meta")]: { name, fastify: "4.x || 5.x" },
  };
  return Object.assign(plugin, marks);
}

/** Adds the hook of idempotency. Asynchronous, because Fastify does not catch errors that a plugin with a callback throws. */
async function addIdempotency(
  instance: FastifyInstanceLike,
  options: IdempotentOptions<FastifyContext>,
): Promise<void> {
  const handle = nodeIdempotency<FastifyRequestLike>(options);
  instance.addHook("preHandler", (request: FastifyRequestLike, reply: FastifyReplyLike, next: Done) =>
    handle(new FastifyExchange(request, reply, next)),
  );
}

/** Adds the hook of a rate limit. */
async function addRateLimit(
  instance: FastifyInstanceLike,
  { hook = "onRequest", ...options }: RateLimitPluginOptions<FastifyContext>,
): Promise<void> {
  assertOneOf("hook", hook, ["onRequest", "preHandler"]);
  const handle = nodeRateLimit<FastifyRequestLike>(options);
  instance.addHook(hook, (request: FastifyRequestLike, reply: FastifyReplyLike, next: Done) =>
    handle(new FastifyExchange(request, reply, next)),
  );
}

/**
 * A plugin that runs the handlers of the instance's routes once for each key of the header `Idempotency-Key`, by the rules of
 * `idempotent` of `bitflake/idempotency`: the same options, the same refusals, the same store. For Fastify 4 and 5.
 *
 * It works in the hook `preHandler`, so authentication belongs in `onRequest`, or in a `preHandler` that is added before it. To
 * leave out routes, register it in a plugin of your own.
 *
 * - **Options that are functions**, such as `tenant`, get a `Request` of the fetch standard, and as their second argument the
 *   request of Fastify: `tenant: (_, request) => request.user.id`. The first is created only when it is read.
 * - **The body** counts by the parsed value, in which the order of keys does not matter; one that no parser has read, such as
 *   that of `@fastify/multipart`, by its bytes, and the handler finds it unread. A body that was read and left nowhere is
 *   answered with 500 and the code `ERR_BODY_NOT_SEEN`.
 * - **The response** is stored as it is after all `onSend` hooks, also if it is written to `reply.raw`, without the headers that
 *   were set before the plugin, such as CORS headers. A replay runs no `onSend` hook.
 * - **An error** is answered by the error handler, and that response counts: one of 500 and above is not stored, and the key is
 *   free again.
 *
 * @example
 * ```ts fastify
 * import Fastify from "fastify";
 * import { memory } from "bitflake/backend";
 * import { idempotency } from "bitflake/fastify";
 *
 * const app = Fastify();
 * await app.register(idempotency, { backend: memory(), name: "orders", tenant: () => "" });
 * let orders = 0;
 * app.post("/orders", async (_request, reply) => reply.code(201).send({ order: ++orders }));
 *
 * const headers = { "idempotency-key": "a1" };
 * const order = async () => (await app.inject({ method: "POST", url: "/orders", headers })).body;
 * [await order(), await order()]; // => [ '{"order":1}', '{"order":1}' ]
 * ```
 */
export const idempotency: (
  instance: FastifyInstanceLike,
  options: IdempotentOptions<FastifyContext>,
) => Promise<void> = /* @__PURE__ */ asPlugin(addIdempotency, "bitflake-idempotency");

/**
 * A plugin that refuses requests beyond a limit, by the rules of `rateLimited` of `bitflake/ratelimit`: the same options, the
 * same headers, the same refusals. For Fastify 4 and 5. It works in the hook `onRequest`, or in the one of the option `hook`.
 *
 * The option `key` gets a `Request` of the fetch standard, which is created only when it is read, and as its second argument
 * the request of Fastify: `key: (_, request) => addressKey(request.ip)`. If it throws, the error handler gets the error.
 *
 * @example
 * ```ts fastify
 * import Fastify from "fastify";
 * import { memory } from "bitflake/backend";
 * import { rateLimit } from "bitflake/fastify";
 * import { RateLimit } from "bitflake/ratelimit";
 *
 * const app = Fastify();
 * const limiter = new RateLimit({ backend: memory(), name: "api", limit: 1, windowMs: 60_000 });
 * await app.register(rateLimit, { limiter, key: () => "everybody" });
 * app.get("/", async () => "hello");
 *
 * const get = async () => (await app.inject("/")).statusCode;
 * [await get(), await get()]; // => [ 200, 429 ]
 * ```
 */
export const rateLimit: (
  instance: FastifyInstanceLike,
  options: RateLimitPluginOptions<FastifyContext>,
) => Promise<void> = /* @__PURE__ */ asPlugin(addRateLimit, "bitflake-rate-limit");
