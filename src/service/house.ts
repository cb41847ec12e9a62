// The house that answers: what becomes of a request on its way to its route, and of the reply on its way back.

import { BackendError, BitflakeError } from "../core.ts";
import { tell } from "../http/tell.ts";
import { type Decision, type RateLimit, rateLimitHeaders } from "../ratelimit/index.ts";
import { accepts } from "./accept.ts";
import { type Client, clientOf } from "./client.ts";
import type { Ask, Reply, Soon } from "./exchange.ts";
import { generateRoutes } from "./generate.ts";
import { Life } from "./life.ts";
import { Metrics } from "./metrics.ts";
import { numericRoutes } from "./numeric.ts";
import { documentOf } from "./openapi.ts";
import { queryOf } from "./query.ts";
import { readRoutes } from "./read.ts";
import { json, Refusal, refusalOf, withHeaders } from "./reply.ts";
import { checkMethod, type Match, type Means, optionsOf, type Route, type Router, router } from "./route.ts";
import type { Settings } from "./settings.ts";
import { watchRoutes } from "./watch.ts";

/** The longest path with its query. */
const MAX_TARGET = 8192;

/** Nobody: of a route that is open. */
const ANYONE: Client = { name: "anyone", limitKey: "", apiKey: "" };

/** What is found out about a request, for the log. */
interface Trace {
  readonly beganMs: number;
  route: string;
  client: string;
  isCounted: boolean;
  code?: string;
  error?: unknown;
}

/** Answers requests. */
export class House {
  readonly life: Life;
  readonly #settings: Settings;
  readonly #metrics: Metrics = new Metrics();
  readonly #find: Router;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.life = new Life(settings);
    const means: Means = { settings, life: this.life, metrics: this.#metrics };
    const routes = [
      ...generateRoutes(means),
      ...readRoutes(means),
      ...numericRoutes(means),
      ...watchRoutes(means),
    ];
    const document: Route = {
      method: "GET",
      path: "/openapi.json",
      isOpen: true,
      operation: { summary: "This document.", reply: { type: "object" } },
      answer: () => json(written),
    };
    const written = documentOf([...routes, document], settings.apiKeys.length > 0);
    this.#find = router([...routes, document]);
  }

  /** Answers; it neither throws nor rejects. */
  answer(ask: Ask): Soon<Reply> {
    const trace: Trace = { beganMs: performance.now(), route: "", client: "", isCounted: false };
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

  #reply(ask: Ask, trace: Trace): Soon<Reply> {
    const { method, target } = ask;
    if (target.length > MAX_TARGET) {
      throw new Refusal(
        414,
        "ERR_URI_TOO_LONG",
        `The path and query must be at most ${MAX_TARGET} characters.`,
      );
    }
    const mark = target.indexOf("?");
    const match = this.#find(mark < 0 ? target : target.slice(0, mark));
    if (!match) throw new Refusal(404, "ERR_NOT_FOUND", "There is nothing at this path. See /openapi.json.");
    const { route } = match;
    trace.route = route.path;
    checkMethod(route, method);
    if (method === "OPTIONS") return optionsOf(route);
    const search = mark < 0 ? "" : target.slice(mark + 1);
    if (route.isOpen) {
      trace.client = ANYONE.name;
      return this.#within(ask, match, search, ANYONE);
    }
    this.life.admit();
    trace.isCounted = true;
    const { apiKeys, proxies, limiter, log } = this.#settings;
    // Where nobody wants to know who asks, it is not found out.
    const isAsked = apiKeys.length > 0 || limiter !== undefined || log !== undefined;
    const client = isAsked ? clientOf(ask, apiKeys, proxies) : ANYONE;
    trace.client = client.name;
    if (!limiter) return this.#within(ask, match, search, client);
    return this.#decide(limiter, client.limitKey).then(async (decision) => {
      const headers = rateLimitHeaders(limiter, decision);
      if (decision.error) trace.error = decision.error;
      if (!decision.allowed) throw new Refusal(429, "ERR_RATE_LIMITED", "Too many requests.", headers);
      const reply = await Promise.resolve()
        .then(() => this.#within(ask, match, search, client))
        .catch((error) => this.#refused(error, trace));
      return withHeaders(reply, headers);
    });
  }

  /** What the limit says. Its table is made by the start, so that a limit that fails before it must begin it. */
  async #decide(limiter: RateLimit, key: string): Promise<Decision> {
    const { life } = this;
    const begin = async () => life.need();
    try {
      const decision = await limiter.limit(key);
      if (decision.error && !life.parts) begin().catch(() => {});
      return decision;
    } catch (error) {
      if (life.parts || !(error instanceof BackendError)) throw error;
      await begin();
      return limiter.limit(key);
    }
  }

  /** What the route answers, once it is known that the client may ask. */
  #within(ask: Ask, { route, params }: Match, search: string, client: Client): Soon<Reply> {
    const { type = "application/json", operation } = route;
    if (!accepts(ask.header("accept"), type)) {
      throw new Refusal(406, "ERR_NOT_ACCEPTABLE", `There is only ${type}.`);
    }
    const call = { ask, client, params, query: queryOf(search, operation.query) };
    if (route.method === "GET") return route.answer(call);
    return this.#checkBody(ask).then(() => route.answer(call));
  }

  /** Nobody needs a body here; one that is there must be JSON all the same, as whoever sends it believes. */
  async #checkBody(ask: Ask): Promise<void> {
    const { maxBodyBytes } = this.#settings;
    const bytes = await ask.body(maxBodyBytes).catch(() => {
      throw new Refusal(400, "ERR_MALFORMED_REQUEST", "The body broke off.");
    });
    if (bytes === undefined) {
      const rule = `The body must be at most ${maxBodyBytes} bytes.`;
      throw new Refusal(413, "ERR_CONTENT_TOO_LARGE", rule, { connection: "close" });
    }
    if (bytes.length === 0) return;
    const type = ask.header("content-type") ?? "";
    if (!/^application\/([\w.+-]+\+)?json *(;|$)/i.test(type)) {
      throw new Refusal(415, "ERR_UNSUPPORTED_MEDIA_TYPE", "A body must be application/json.");
    }
    try {
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new Refusal(400, "ERR_ARGUMENT", "The body must be JSON, in UTF-8.");
    }
  }

  #refused(error: unknown, trace: Trace): Reply {
    const refusal = refusalOf(error);
    trace.code = refusal.code;
    if (refusal !== error) trace.error = error;
    return refusal.reply();
  }

  #done(reply: Reply, { method }: Ask, trace: Trace): Reply {
    const { route, client, beganMs } = trace;
    const { status } = reply;
    const durationMs = performance.now() - beganMs;
    // Those who watch hold nobody up.
    if (trace.isCounted) this.life.leave();
    this.#metrics.request(route, status, durationMs / 1000);
    const { log } = this.#settings;
    if (log) {
      const { error = reply.error } = trace;
      const code = trace.code ?? (error instanceof BitflakeError ? error.code : undefined);
      const time = new Date(Date.now() - durationMs).toISOString();
      const facts = { time, method, route, status, durationMs, client };
      tell(log, { ...facts, ...(code !== undefined && { code }), ...(error !== undefined && { error }) });
    }
    return reply;
  }
}
