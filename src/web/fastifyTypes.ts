// The members of Fastify's objects that the adapter uses, so that it does not need Fastify's types.

import type { NodeRequest, NodeResponse } from "./nodeTypes.ts";

/** A request of Fastify. */
export interface FastifyRequestLike {
  /** The request of Node. */
  readonly raw: NodeRequest;
  /** The body as the parser of its content type returned it. */
  readonly body: unknown;
  /** Path and query as they came. */
  readonly originalUrl: string;
  /** The log of the request. */
  readonly log: {
    /** Logs an error. */
    error(error: unknown): void;
  };
}

/**
 * The request that functions among the options get, of the type that their author names: `(_, request: FastifyRequest) => …`.
 */
// biome-ignore lint/suspicious/noExplicitAny: `register` does not pass the type of the instance's requests to a plugin.
export type FastifyContext = any;

/** A reply of Fastify. */
export interface FastifyReplyLike {
  /** The response of Node. */
  readonly raw: NodeResponse;
  /** Leaves the response to another sender. */
  hijack(): unknown;
  /** Sets a header. */
  header(name: string, value: string): unknown;
  /** Returns a header. */
  getHeader(name: string): unknown;
  /** Returns all headers that were set so far. */
  getHeaders(): object;
}

/** An instance of Fastify. */
export interface FastifyInstanceLike {
  /** Adds a hook. Its parameters are those of the instance's own types. */
  addHook(
    name: "onRequest" | "preHandler",
    hook: (request: never, reply: never, done: (error?: Error) => void) => void,
  ): unknown;
}
