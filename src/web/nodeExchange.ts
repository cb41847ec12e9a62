// One request of a Node framework on its way through idempotent or rateLimited.

import { problemResponse } from "../http/problem.ts";
import { type IdempotentOptions, idempotent } from "../idempotency/index.ts";
import { mergeHeaders } from "../ratelimit/headers.ts";
import { type RateLimitedOptions, rateLimited } from "../ratelimit/index.ts";
import { Capture, type HeaderSnapshot } from "./capture.ts";
import { lazyRequest, type RequestSource, sourceOf } from "./lazyRequest.ts";
import type { NodeRequest, NodeResponse } from "./nodeTypes.ts";
import { type ParsedBody, requestBody, UnseenBodyError } from "./requestBody.ts";
import { sendBody, setHead } from "./send.ts";

/**
 * A request on its way. Each adapter has a class of its own, because an object literal would create its functions for each
 * request.
 */
export abstract class NodeExchange<Context extends object> implements RequestSource {
  /** The framework's own request, which options such as `tenant` get as their second argument. */
  readonly context: Context;
  readonly raw: NodeRequest;
  readonly res: NodeResponse;
  /** The requests with a key, by their context, which the handler of `idempotent` gets. */
  runs: WeakMap<Context, NodeExchange<Context>> | undefined = undefined;
  /** The response of the handlers, once they run. */
  capture: Capture | undefined = undefined;
  /** Whether it was passed on without a key. */
  isPassed = false;
  /** An error that the handlers threw past the framework. */
  thrown: { readonly error: unknown } | undefined = undefined;

  constructor(context: Context, raw: NodeRequest, res: NodeResponse) {
    this.context = context;
    this.raw = raw;
    this.res = res;
  }

  /** Path and query as they came. */
  abstract get target(): string;
  /** Where the framework's parsers leave a body. */
  abstract get parsed(): ParsedBody;
  /** Passes the request on, or an error. */
  abstract next(error?: unknown): unknown;
  /** Returns a header of the response that the handlers are going to send. */
  abstract header(name: string): unknown;
  /** Sets a header of the response that the handlers are going to send. */
  abstract setHeader(name: string, value: string): void;

  /** Called before a response is sent past the framework. */
  takeOver(): void {}

  /** Returns the headers that were set so far. */
  headers(): HeaderSnapshot {
    // Without a prototype, because a header may have the name of a method.
    return Object.assign(Object.create(null), this.res.getHeaders());
  }

  body(): BodyInit | null {
    return requestBody(this.raw, this.parsed);
  }

  signal(): AbortSignal {
    return signalOf(this.res);
  }

  created(): void {
    this.runs?.set(this.context, this);
  }

  /** Passes the request on, and remembers an error that is thrown. */
  run(onThrown: (error: unknown) => void): void {
    const fail = (error: unknown) => {
      this.thrown = { error };
      onThrown(error);
    };
    try {
      const result = this.next();
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Sends a response in place of the handlers'. One that cannot be sent breaks the connection off. */
  async send(response: Response): Promise<void> {
    try {
      await this.#send(response);
    } catch (error) {
      this.res.destroy(error as Error);
    }
  }

  #send(response: Response): Promise<void> {
    const { res, capture } = this;
    if (!capture) {
      // By middleware with a time limit, for example.
      if (res.headersSent) return Promise.resolve();
      this.takeOver();
      setHead(res, response, res.getHeaders());
      return sendBody(res, response);
    }
    capture.release();
    setHead(res, response, capture.outer);
    const write = (chunk: Uint8Array) => capture.send<boolean>("write", chunk);
    const end = (chunk?: Uint8Array) => capture.send("end", chunk);
    return sendBody(res, response, { write, end });
  }
}

/** The headers that have an item for each limit. */
const LISTS = ["ratelimit", "ratelimit-policy"];

/** Returns a signal that is aborted when the client goes away before its response is sent. */
export function signalOf(res: NodeResponse): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort(new Error("the client closed the connection"));
  });
  return controller.signal;
}

/** Calls a handler with its context, which its type makes optional for some. */
function call<Context>(handle: unknown, request: Request, context: Context): Promise<Response> {
  return (handle as (request: Request, context: Context) => Promise<Response>)(request, context);
}

/**
 * Creates the idempotency of a Node framework.
 *
 * @param options those of {@link idempotent}
 * @returns a function that handles a request
 */
export function nodeIdempotency<Context extends object>(
  options: IdempotentOptions<Context>,
): (exchange: NodeExchange<Context>) => void {
  type Exchange = NodeExchange<Context>;
  const runs = new WeakMap<Context, Exchange>();
  /** Stands for the response of a request that was passed on. */
  let passed: Response | undefined;

  const handle = idempotent<Context>((request, context) => {
    // The request that idempotent was given, and not one with the signal of a lock, needs no key.
    const exchange = sourceOf(request) as Exchange | undefined;
    if (exchange) {
      exchange.isPassed = true;
      exchange.next();
      passed ??= new Response();
      return passed;
    }
    const run = runs.get(context) as Exchange;
    // By middleware with a time limit, while the request waited for its turn: its work would be done without a response.
    if (run.res.headersSent) throw new Error("the request was answered before its handler began");
    const capture = new Capture(run.res, run.headers(), run.raw.method);
    run.capture = capture;
    run.run(capture.fail);
    return capture.response;
  }, options);

  const fail = async (exchange: Exchange, error: unknown): Promise<void> => {
    const { capture, isPassed, res, thrown } = exchange;
    // Of a response that has not ended, so that it can be replaced.
    capture?.fail(error);
    capture?.release();
    // As if there were no middleware: the framework does not know of it.
    if (thrown) throw thrown.error;
    if (isPassed) throw error;
    if (error instanceof UnseenBodyError) {
      await exchange.send(problemResponse(500, "ERR_BODY_NOT_SEEN", `${error.message}.`));
    } else if (capture && (res.destroyed || res.headersSent)) {
      // The response broke off, so the connection does too.
      res.destroy();
    } else if (!res.headersSent) {
      if (capture) setHead(res, new Response(), capture.outer);
      exchange.next(error);
    }
  };

  return (exchange) => {
    exchange.runs = runs;
    const answer = call(handle, lazyRequest(exchange), exchange.context);
    // Most requests have no key, and a promise without listeners costs them less.
    if (exchange.isPassed) return;
    answer.then(
      (response) => {
        if (response !== passed) void exchange.send(response);
      },
      (error) => void fail(exchange, error),
    );
  };
}

/**
 * Creates the rate limit of a Node framework.
 *
 * @param options those of {@link rateLimited}
 * @returns a function that handles a request
 */
export function nodeRateLimit<Context extends object>(
  options: RateLimitedOptions<Context>,
): (exchange: NodeExchange<Context>) => void {
  /** The requests that pass. */
  const passed = new WeakSet<Request>();
  const handle = rateLimited<Context>((request) => {
    passed.add(request);
    return new Response();
  }, options);

  const addHeaders = (exchange: NodeExchange<Context>, { headers }: Response, isPassed: boolean) => {
    const outer = (name: string) => exchange.header(name);
    if (isPassed) {
      const own: Record<string, string> = {};
      headers.forEach((value, name) => {
        own[name] = value;
      });
      const merged = mergeHeaders(outer, own);
      for (const [name, value] of Object.entries(merged)) exchange.setHeader(name, value);
      return;
    }
    // Those of a limit outside are in the same headers.
    for (const name of LISTS) {
      const own = headers.get(name);
      const merged = own === null ? {} : mergeHeaders(outer, { [name]: own });
      for (const [each, value] of Object.entries(merged)) headers.set(each, value);
    }
  };

  return (exchange) => {
    const request = lazyRequest(exchange);
    call(handle, request, exchange.context).then(
      (response) => {
        // By middleware with a time limit, while the limit waited for its store.
        if (exchange.res.headersSent) return;
        const isPassed = passed.has(request);
        addHeaders(exchange, response, isPassed);
        if (isPassed) exchange.next();
        else void exchange.send(response);
      },
      (error) => {
        if (!exchange.res.headersSent) exchange.next(error);
      },
    );
  };
}
