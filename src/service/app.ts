// The house that answers: what becomes of a request on its way to its route, and of the reply on its way back.

import { notifyListener } from "../http/notify.ts";
import { BackendError, BitflakeError, randomString } from "../internal.ts";
import { type Decision, type RateLimit, rateLimitHeaders } from "../ratelimit/index.ts";
import { Authenticator, type Client, clientAddress } from "./auth.ts";
import { Lifecycle } from "./lifecycle.ts";
import { andThen, type MaybePromise, type ServiceRequest, type ServiceResponse } from "./message.ts";
import { Metrics } from "./metrics.ts";
import { accepts } from "./negotiate.ts";
import { writeOpenApi } from "./openapi.ts";
import type { ServiceLogEntry } from "./options.ts";
import { parseQuery } from "./query.ts";
import { HttpError, jsonResponse, toHttpError, withHeaders } from "./response.ts";
import {
  assertMethod,
  createRouter,
  optionsResponse,
  type Route,
  type RouteDeps,
  type RouteMatch,
  type Router,
} from "./route.ts";
import { generateRoutes } from "./routes/generate.ts";
import { inspectRoutes } from "./routes/inspect.ts";
import { observabilityRoutes } from "./routes/observability.ts";
import { openg2pRoutes } from "./routes/openg2p.ts";
import type { ServiceSettings } from "./settings.ts";

/** The longest path with its query. */
const MAX_TARGET = 8192;

/** The most characters of a path or a user agent in the log. */
const MAX_LOGGED = 256;

/** A request ID that is taken over: visible ASCII. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** The length of one that is made. */
const REQUEST_ID_LENGTH = 21;

/** W3C Trace Context, of version 00 and later. */
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(-|$)/;

/** Nobody: of a route that is open. */
const ANYONE: Client = { name: "anyone", owner: "", scopes: new Set() };

/** What is found out about a request, for the log. */
interface Trace {
  readonly beganMs: number;
  route: string;
  client: string;
  isCounted: boolean;
  /** Whether the store behind the route is that of the pools. */
  isOfPools: boolean;
  code?: string;
  error?: unknown;
  /** Why the limit could not be asked, where the request passed all the same. */
  limitError?: unknown;
}

/** Answers requests. */
export class App {
  readonly lifecycle: Lifecycle;
  readonly #settings: ServiceSettings;
  readonly #metrics: Metrics = new Metrics();
  readonly #find: Router;
  readonly #clients: Authenticator;

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
    this.#clients = new Authenticator(settings);
    this.lifecycle = new Lifecycle(settings);
    const means: RouteDeps = { settings, lifecycle: this.lifecycle, metrics: this.#metrics };
    const routes = [
      ...generateRoutes(means),
      ...inspectRoutes(means),
      ...openg2pRoutes(means),
      ...observabilityRoutes(means),
    ];
    // Written with the first request for it, and kept.
    let written: ServiceResponse | undefined;
    const document: Route = {
      method: "GET",
      path: "/openapi.json",
      isPublic: true,
      operation: { summary: "This document.", response: { type: "object" } },
      handle: () => {
        written ??= jsonResponse(writeOpenApi([...routes, document], settings.apiKeys.length > 0));
        return written;
      },
    };
    this.#find = createRouter([...routes, document]);
  }

  /** Answers; it neither throws nor rejects. */
  handle(ask: ServiceRequest): MaybePromise<ServiceResponse> {
    const beganMs = performance.now();
    const trace: Trace = { beganMs, route: "", client: "", isCounted: false, isOfPools: false };
    try {
      const reply = this.#reply(ask, trace);
      if (!(reply instanceof Promise)) return this.#done(reply, ask, trace);
      return reply
        .catch((error) => this.#refused(error, trace))
        .then((reply) => this.#done(reply, ask, trace));
    } catch (error) {
      return this.#done(this.#refused(error, trace), ask, trace);
    }
  }

  /** Takes note of what could not be read as a request, and was answered with a status. */
  recordMalformed(status: number, code: string, error: unknown, address = ""): void {
    this.#metrics.countRequest("", status, 0);
    const { log } = this.#settings;
    if (!log) return;
    const what = { method: "", route: "", path: "", status, durationMs: 0, client: "", address };
    const requestId = randomString(REQUEST_ID_LENGTH);
    notifyListener(log, {
      time: new Date().toISOString(),
      level: levelOf(status),
      ...what,
      requestId,
      code,
      error,
    });
  }

  #reply(ask: ServiceRequest, trace: Trace): MaybePromise<ServiceResponse> {
    const { method, target, blockedReason } = ask;
    if (blockedReason !== undefined) throw new HttpError(403, "ERR_FORBIDDEN", blockedReason);
    if (target.length > MAX_TARGET) {
      throw new HttpError(
        414,
        "ERR_URI_TOO_LONG",
        `The path and query must be at most ${MAX_TARGET} characters.`,
      );
    }
    const mark = target.indexOf("?");
    const match = this.#find(mark < 0 ? target : target.slice(0, mark));
    if (!match)
      throw new HttpError(404, "ERR_NOT_FOUND", "There is nothing at this path. See /openapi.json.");
    const { route } = match;
    trace.route = route.path;
    assertMethod(route, method);
    if (method === "OPTIONS") return optionsResponse(route);
    const search = mark < 0 ? "" : target.slice(mark + 1);
    if (route.isPublic) {
      trace.client = ANYONE.name;
      return this.#within(ask, match, search, ANYONE, trace);
    }
    this.lifecycle.admit();
    trace.isCounted = true;
    const { apiKeys, limiter, log } = this.#settings;
    // Where nobody wants to know who asks, it is not found out.
    if (apiKeys.length === 0 && !limiter && !log) return this.#within(ask, match, search, ANYONE, trace);
    return andThen(this.#clients.authenticate(ask), (client) => {
      trace.client = client.name;
      return this.#asClient(ask, match, search, client, trace);
    });
  }

  /** What a client that is known is answered, within its scopes and its limit. */
  #asClient(
    ask: ServiceRequest,
    match: RouteMatch,
    search: string,
    client: Client,
    trace: Trace,
  ): MaybePromise<ServiceResponse> {
    const { scope, cost = () => 1 } = match.route;
    if (scope && !client.scopes.has(scope)) {
      throw new HttpError(403, "ERR_FORBIDDEN", `The API key must have the scope ${scope}.`);
    }
    const { limiter } = this.#settings;
    if (!limiter) return this.#within(ask, match, search, client, trace);
    const wanted = cost(search);
    // What can never pass counts as one, so that asking for it is limited as well.
    const isTooMuch = wanted > limiter.quota;
    return this.#decide(limiter, client.name, isTooMuch ? 1 : wanted).then(async (decision) => {
      const headers = rateLimitHeaders(limiter, decision);
      trace.limitError = decision.error;
      if (!decision.allowed) throw new HttpError(429, "ERR_RATE_LIMITED", "Too many requests.", headers);
      if (isTooMuch) {
        const rule = `count must be at most ${limiter.quota}, the rate limit, got ${wanted}.`;
        throw new HttpError(400, "ERR_ARGUMENT", rule, headers);
      }
      const reply = await Promise.resolve()
        .then(() => this.#within(ask, match, search, client, trace))
        .catch((error) => this.#refused(error, trace));
      return withHeaders(reply, headers);
    });
  }

  /** What the limit says. Its table is made by the start, so that a limit that fails before it must begin it. */
  async #decide(limiter: RateLimit, key: string, cost: number): Promise<Decision> {
    const { lifecycle } = this;
    const begin = async () => lifecycle.ensureStarted();
    const { failure, reportedError = failure } = lifecycle.backend;
    if (this.#settings.allowsOnStoreError && reportedError instanceof BackendError) {
      // A store that has just failed would be waited for by each request, only to let it through.
      if (!lifecycle.resources) begin().catch(() => {});
      return { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error: reportedError };
    }
    try {
      const decision = await limiter.limit(key, cost);
      if (!decision.error) return decision;
      lifecycle.backend.reportError(decision.error);
      if (!lifecycle.resources) begin().catch(() => {});
      return decision;
    } catch (error) {
      if (lifecycle.resources || !(error instanceof BackendError)) throw error;
      await begin();
      return limiter.limit(key, cost);
    }
  }

  /** What the route answers, once it is known that the client may ask. */
  #within(
    ask: ServiceRequest,
    { route, params }: RouteMatch,
    search: string,
    client: Client,
    trace: Trace,
  ): MaybePromise<ServiceResponse> {
    trace.isOfPools = route.usesPoolBackend ?? false;
    const { contentType = "application/json", operation } = route;
    if (!accepts(ask.header("accept"), contentType)) {
      throw new HttpError(406, "ERR_NOT_ACCEPTABLE", `There is only ${contentType}.`);
    }
    const call = {
      request: ask,
      client,
      params,
      query: parseQuery(search, operation.query, route.isLenient),
    };
    if (route.method === "GET") return route.handle(call);
    return this.#checkBody(ask).then(() => route.handle(call));
  }

  /** Nobody needs a body here; one that is there must be JSON all the same, as whoever sends it believes. */
  async #checkBody(ask: ServiceRequest): Promise<void> {
    const { maxBodyBytes } = this.#settings;
    const bytes = await ask.body(maxBodyBytes).catch(() => {
      throw new HttpError(400, "ERR_MALFORMED_REQUEST", "The body broke off.");
    });
    if (bytes === undefined) {
      const rule = `The body must be at most ${maxBodyBytes} bytes.`;
      throw new HttpError(413, "ERR_CONTENT_TOO_LARGE", rule, { connection: "close" });
    }
    if (bytes.length === 0) return;
    const type = ask.header("content-type") ?? "";
    if (!/^application\/([\w.+-]+\+)?json *(;|$)/i.test(type)) {
      throw new HttpError(415, "ERR_UNSUPPORTED_MEDIA_TYPE", "A body must be application/json.");
    }
    try {
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new HttpError(400, "ERR_ARGUMENT", "The body must be JSON, in UTF-8.");
    }
  }

  #refused(error: unknown, trace: Trace): ServiceResponse {
    const refusal = toHttpError(error);
    trace.code = refusal.code;
    if (refusal !== error) trace.error = error;
    return refusal.toResponse();
  }

  #done(reply: ServiceResponse, ask: ServiceRequest, trace: Trace): ServiceResponse {
    const { route, client, beganMs } = trace;
    const { status } = reply;
    const durationMs = performance.now() - beganMs;
    // Those who watch hold nobody up.
    if (trace.isCounted) this.lifecycle.leave();
    this.#metrics.countRequest(route, status, durationMs / 1000);
    const { error: cause = reply.error, limitError } = trace;
    if (cause !== undefined) {
      this.lifecycle.note(cause, trace.isOfPools ? this.lifecycle.poolBackend : this.lifecycle.backend);
    }
    const error = cause ?? limitError;
    const { log, proxies } = this.#settings;
    const given = ask.header("x-request-id");
    const isTaken = given !== undefined && REQUEST_ID.test(given);
    // Without a log nobody could look for one that was made.
    if (!isTaken && !log) return reply;
    const requestId = isTaken ? given : randomString(REQUEST_ID_LENGTH);
    if (log) {
      const code = trace.code ?? (error instanceof BitflakeError ? error.code : undefined);
      const { method, target } = ask;
      const [path = ""] = target.split("?", 1);
      const traceparent = ask.header("traceparent") ?? "";
      const userAgent = ask.header("user-agent");
      notifyListener(log, {
        time: new Date(Date.now() - durationMs).toISOString(),
        level: levelOf(status, error),
        method,
        route,
        path: path.slice(0, MAX_LOGGED),
        status,
        durationMs: Math.round(durationMs * 1000) / 1000,
        client,
        address: clientAddress(ask, proxies),
        requestId,
        ...(TRACEPARENT.test(traceparent) && { traceparent: traceparent.slice(0, 55) }),
        ...(userAgent !== undefined && { userAgent: userAgent.slice(0, MAX_LOGGED) }),
        ...(code !== undefined && { code }),
        ...(error !== undefined && { error }),
      });
    }
    return withHeaders(reply, { "x-request-id": requestId });
  }
}

function levelOf(status: number, error?: unknown): ServiceLogEntry["level"] {
  if (status >= 500) return "error";
  return status >= 400 || error !== undefined ? "warn" : "info";
}
