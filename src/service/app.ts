// The request pipeline: guard, length of the target, route, method, admission, authentication, scope, rate limit, negotiation,
// query, body, handler; then metrics, health, CORS, log.

import { AccessLog } from "./accessLog.ts";
import { SCOPES } from "./apiKeys.ts";
import { Authenticator, type Client } from "./auth.ts";
import { readAndCheckBody } from "./body.ts";
import { Cors } from "./cors.ts";
import { readCounts } from "./counts.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { MaybePromise, ServiceRequest, ServiceResponse } from "./message.ts";
import { Metrics } from "./metrics.ts";
import { accepts } from "./negotiate.ts";
import { Peers, type ProcessReport, type ReadPeers } from "./peers.ts";
import { parseQuery } from "./query.ts";
import { RequestLimiter } from "./rateLimit.ts";
import { HttpError, toHttpError, withHeaders } from "./response.ts";
import type { Route, RouteDeps } from "./route.ts";
import { assertMethod, createRouter, optionsResponse, type Router } from "./router.ts";
import { createRoutes } from "./routes/index.ts";
import { readFamilies } from "./routes/metrics.ts";
import type { ServiceSettings } from "./settings.ts";

/** The longest path and query, in characters. */
const MAX_TARGET = 8192;

/** How long a report to peers waits for the states of stores, in milliseconds. The supervisor waits a second for it (`cli/serve/workers/peerReads.ts`). */
const MAX_STATES_MS = 500;

/** The client of public routes, and of every request if nothing depends on the client. */
const ANYONE: Client = { name: "anyone", requestKeyOwner: "", scopes: new Set(SCOPES) };

/** Answers requests. */
export class App {
  readonly lifecycle: Lifecycle;
  readonly #metrics: Metrics;
  readonly #deps: RouteDeps;
  readonly #findRoute: Router;
  readonly #authenticator: Authenticator;
  /** Whether anything depends on the client: API keys, a rate limit or the log. */
  readonly #needsClient: boolean;
  readonly #limiter: RequestLimiter | undefined;
  readonly #cors: Cors | undefined;
  readonly #maxBodyBytes: number;
  readonly #accessLog: AccessLog;

  constructor(settings: ServiceSettings) {
    const { apiKeys, rateLimit, corsOrigins, maxBodyBytes, log } = settings;
    this.#metrics = new Metrics(settings);
    this.lifecycle = new Lifecycle(settings, this.#metrics);
    this.#deps = { settings, lifecycle: this.lifecycle, metrics: this.#metrics, peers: new Peers() };
    this.#findRoute = createRouter(createRoutes(this.#deps));
    this.#authenticator = new Authenticator(settings);
    this.#needsClient = apiKeys.length > 0 || rateLimit !== undefined || log !== undefined;
    this.#limiter = rateLimit && new RequestLimiter(rateLimit, this.lifecycle);
    this.#cors = corsOrigins && new Cors(corsOrigins);
    this.#maxBodyBytes = maxBodyBytes;
    this.#accessLog = new AccessLog(settings);
  }

  /** Answers a request. It neither throws nor rejects. Without a promise in a stage, it returns at once. */
  handle(request: ServiceRequest): MaybePromise<ServiceResponse> {
    const exchange = createExchange(request);
    try {
      const response = this.#run(exchange);
      if (!(response instanceof Promise)) return this.#finish(exchange, response);
      return response
        .catch((error) => errorResponse(exchange, error))
        .then((response) => this.#finish(exchange, response));
    } catch (error) {
      return this.#finish(exchange, errorResponse(exchange, error));
    }
  }

  /** Counts and logs bytes that could not be parsed as a request, and were answered with a status. */
  recordMalformed(status: number, code: string, error: unknown, address = ""): void {
    this.#metrics.countRequest("", status, 0);
    this.#accessLog.recordMalformed(status, code, error, address);
  }

  /** From now on, /metrics and /status include the other processes that listen on the same TCP port. */
  joinPeers(read: ReadPeers): void {
    this.#deps.peers.join(read);
  }

  /** Resolves to the report of this process for its peers. */
  async report(): Promise<ProcessReport> {
    const { metrics, lifecycle } = this.#deps;
    // In time for a peer that waits for it, also while a store does not answer.
    const families = await readFamilies(this.#deps, MAX_STATES_MS);
    return { families, counts: readCounts(metrics, lifecycle) };
  }

  /** Runs the stages in order. A stage that refuses the request throws an error, mostly an {@link HttpError}. */
  #run(exchange: Exchange): MaybePromise<ServiceResponse> {
    refuseEarly(exchange.request, this.#cors);
    const route = this.#route(exchange);
    if (exchange.request.method === "OPTIONS") return optionsResponse(route);
    if (!route.isPublic) this.#admit(exchange);
    const authenticated = this.#authenticate(exchange, route);
    if (authenticated) return authenticated.then(() => this.#runForClient(exchange, route));
    return this.#runForClient(exchange, route);
  }

  /** Runs the stages after authentication. */
  #runForClient(exchange: Exchange, route: Route): MaybePromise<ServiceResponse> {
    if (route.isPublic) return this.#runHandler(exchange, route);
    authorize(exchange, route);
    if (this.#limiter && !route.isUnlimited) return this.#runWithinLimit(exchange, route, this.#limiter);
    return this.#runHandler(exchange, route);
  }

  /**
   * Runs the rate limit and the stages after it. All their responses have the headers of the limit. If the limit could not
   * be checked, they have `ratelimit-policy` alone with `onStoreError: "allow"`; with `"fail"` the response is an error that
   * has none of the headers.
   */
  async #runWithinLimit(exchange: Exchange, route: Route, limiter: RequestLimiter): Promise<ServiceResponse> {
    const headers = await limiter.limit(exchange, route.cost ? route.cost(exchange.search) : 1);
    let response: ServiceResponse;
    try {
      response = await this.#runHandler(exchange, route);
    } catch (error) {
      response = errorResponse(exchange, error);
    }
    return withHeaders(response, headers);
  }

  /** Runs the stages after the rate limit: negotiation, query, body, handler. */
  #runHandler(exchange: Exchange, route: Route): MaybePromise<ServiceResponse> {
    exchange.usesPoolBackend = route.usesPoolBackend ?? false;
    negotiate(exchange.request, route);
    exchange.query = parseQuery(exchange.search, route.operation.query, route.isLenient);
    if (route.method === "GET") return route.handler(exchange);
    return readAndCheckBody(exchange.request, this.#maxBodyBytes).then(() => route.handler(exchange));
  }

  /** Finds the route, and asserts that it answers the method. */
  #route(exchange: Exchange): Route {
    const { method, target } = exchange.request;
    const queryStart = target.indexOf("?");
    const match = this.#findRoute(queryStart < 0 ? target : target.slice(0, queryStart));
    if (!match)
      throw new HttpError(404, "ERR_NOT_FOUND", "There is nothing at this path. See /openapi.json.");
    const { route, params } = match;
    exchange.route = route;
    exchange.params = params;
    exchange.search = queryStart < 0 ? "" : target.slice(queryStart + 1);
    assertMethod(route, method);
    return route;
  }

  /**
   * Counts the request as in flight, or refuses it if the service is stopping. Not for public routes: a health probe must
   * neither be refused by a stop nor delay it.
   */
  #admit(exchange: Exchange): void {
    this.lifecycle.admitRequest();
    exchange.isAdmitted = true;
  }

  /** Finds the client of the request. Returns a promise only if that is asynchronous. */
  #authenticate(exchange: Exchange, route: Route): Promise<void> | undefined {
    if (route.isPublic || !this.#needsClient) {
      exchange.client = ANYONE;
      return undefined;
    }
    const client = this.#authenticator.authenticate(exchange.request);
    if (client instanceof Promise) {
      return client.then((client) => {
        exchange.client = client;
      });
    }
    exchange.client = client;
    return undefined;
  }

  /** Counts the answered request, reports its error to the health checks, and logs it. */
  #finish(exchange: Exchange, response: ServiceResponse): ServiceResponse {
    const { health } = this.lifecycle;
    const durationMs = performance.now() - exchange.startedAtMs;
    if (exchange.isAdmitted) this.lifecycle.finishRequest();
    this.#metrics.countRequest(exchange.route?.path ?? "", response.status, durationMs / 1000);
    if (exchange.error === undefined) exchange.error = response.error;
    if (exchange.error !== undefined) {
      health.reportError(
        exchange.error,
        exchange.usesPoolBackend ? health.poolBackendDependency : health.backendDependency,
      );
    }
    const exposed = this.#cors ? this.#cors.expose(exchange.request, response) : response;
    return this.#accessLog.record(exchange, exposed, durationMs);
  }
}

/** Refuses a request that the server's guard blocks, and one whose path and query are too long. */
function refuseEarly(request: ServiceRequest, cors: Cors | undefined): void {
  const { target, blocked } = request;
  if (blocked && !(blocked.isCrossOrigin && cors?.allows(request))) {
    throw new HttpError(403, "ERR_FORBIDDEN", blocked.reason);
  }
  if (target.length > MAX_TARGET) {
    const rule = `The path and query must be at most ${MAX_TARGET} characters.`;
    throw new HttpError(414, "ERR_URI_TOO_LONG", rule);
  }
}

/** Asserts that the client has the scope of the route. */
function authorize({ client }: Exchange, { scope }: Route): void {
  if (scope && !client.scopes.has(scope)) {
    throw new HttpError(403, "ERR_FORBIDDEN", `The API key must have the scope ${scope}.`);
  }
}

/** Asserts that the client accepts a media type of the route. */
function negotiate(
  request: ServiceRequest,
  { contentType = "application/json", otherContentType }: Route,
): void {
  const header = request.header("accept");
  if (accepts(header, contentType)) return;
  if (otherContentType === undefined) {
    throw new HttpError(406, "ERR_NOT_ACCEPTABLE", `The route answers ${contentType} only.`);
  }
  if (!accepts(header, otherContentType)) {
    const rule = `The route answers ${contentType} or ${otherContentType}.`;
    throw new HttpError(406, "ERR_NOT_ACCEPTABLE", rule);
  }
}

/** Returns the response of an error, and notes the error for the log. */
function errorResponse(exchange: Exchange, error: unknown): ServiceResponse {
  const httpError = toHttpError(error);
  exchange.code = httpError.code;
  if (httpError !== error) exchange.error = error;
  return httpError.toResponse();
}
