// The frameworks, each as a server with the same routes, so that one suite runs on all of them.

import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { serve } from "@hono/node-server";
import express5 from "express";
import express4 from "express4";
import fastify5, { type FastifyInstance } from "fastify";
import fastify4 from "fastify4";
import { Hono } from "hono";
import { type IdempotentOptions, idempotent } from "../../../src/idempotency/index.ts";
import { type RateLimitedOptions, rateLimited } from "../../../src/ratelimit/index.ts";
import * as forExpress from "../../../src/web/express.ts";
import * as forFastify from "../../../src/web/fastify.ts";
import * as forHono from "../../../src/web/hono.ts";
import * as forNode from "../../../src/web/node.ts";

/** The response of a test's handler. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

/** What a test serves at `/orders` and below `/mounted`. */
export interface Site {
  readonly idempotency?: IdempotentOptions;
  readonly limits?: readonly RateLimitedOptions[];
  /** Whether the body is parsed as JSON before the middleware, or after it. */
  readonly parser: "before" | "after";
  /** Gets the parsed body. */
  handle(body: unknown): Reply | Promise<Reply>;
}

/** A server that runs. */
export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

/** A framework. */
export interface Framework {
  readonly name: string;
  start(site: Site): Promise<Running>;
}

/** Starts a listener on a free port. */
export async function listen(listener: RequestListener): Promise<Running> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return running(server);
}

function running(server: Server): Running {
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, close };
}

/** Returns the response of a reply. */
function responseOf({ status, headers = {}, body }: Reply): Response {
  const list = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((item): [string, string] => [name, item]),
  );
  return new Response(body === undefined ? null : (body as BodyInit), { status, headers: list });
}

const isJson = (request: { headers: Readonly<Record<string, unknown>> }) =>
  String(request.headers["content-type"]).startsWith("application/json");

function expressApp(name: string, express: typeof express5): Framework {
  return {
    name,
    async start({ idempotency, limits = [], parser, handle }) {
      const app = express();
      app.set("env", "test");
      if (parser === "before") app.use(express.json());
      for (const limit of limits) app.use(forExpress.rateLimit(limit));
      if (idempotency) app.use(forExpress.idempotency(idempotency));
      if (parser === "after") app.use(express.json());
      const answer: express5.RequestHandler = async (request, response, next) => {
        try {
          const { status, headers = {}, body } = await handle(request.body);
          response.status(status).set(headers);
          if (body === undefined) response.end();
          else if (typeof body === "string") response.send(body);
          else response.end(Buffer.from(body));
        } catch (error) {
          next(error);
        }
      };
      const router = express.Router();
      router.all(["/orders", "/other"], answer);
      app.use(router);
      app.use("/mounted", router);
      return listen(app);
    },
  };
}

function fastifyApp(name: string, fastify: typeof fastify5): Framework {
  return {
    name,
    async start({ idempotency, limits = [], parser, handle }) {
      const app = fastify();
      if (parser === "after") {
        // A parser that leaves the body to the handler, as that of @fastify/multipart does.
        app.removeAllContentTypeParsers();
        app.addContentTypeParser("*", (_request, _payload, done) => done(null));
      }
      for (const limit of limits) await app.register(forFastify.rateLimit, limit);
      if (idempotency) await app.register(forFastify.idempotency, idempotency);
      const routes = async (instance: FastifyInstance) => {
        for (const url of ["/orders", "/other"]) {
          instance.route({
            method: ["GET", "POST", "PATCH", "DELETE"],
            url,
            handler: async (request, reply) => {
              const sent = parser === "after" ? await text(request.raw) : undefined;
              const body = sent ? JSON.parse(sent) : request.body;
              const { status, headers = {}, body: answer } = await handle(body);
              reply.code(status).headers(headers);
              return reply.send(answer instanceof Uint8Array ? Buffer.from(answer) : answer);
            },
          });
        }
      };
      await app.register(routes);
      await app.register(routes, { prefix: "/mounted" });
      const url = await app.listen({ port: 0, host: "127.0.0.1" });
      return { url, close: () => app.close() };
    },
  };
}

const hono: Framework = {
  name: "Hono",
  async start({ idempotency, limits = [], parser, handle }) {
    const app = new Hono();
    if (parser === "before") {
      app.use(async (c, next) => {
        if (isJson({ headers: c.req.header() })) await c.req.json();
        await next();
      });
    }
    for (const limit of limits) app.use(forHono.rateLimit(limit));
    if (idempotency) app.use(forHono.idempotency(idempotency));
    const routes = new Hono();
    for (const path of ["/orders", "/other"]) {
      routes.all(path, async (c) => {
        const body = isJson({ headers: c.req.header() }) ? await c.req.json() : undefined;
        return responseOf(await handle(body));
      });
    }
    app.route("/", routes);
    app.route("/mounted", routes);
    app.onError(() => new Response("error", { status: 500 }));
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () =>
        resolve(running(server as Server)),
      );
    });
  },
};

const nodeListener: Framework = {
  name: "toNodeListener",
  async start({ idempotency, limits = [], handle }) {
    let handler = async (request: Request): Promise<Response> => {
      const sent = await request.text();
      const isObject = request.headers.get("content-type")?.startsWith("application/json");
      return responseOf(await handle(isObject ? JSON.parse(sent) : undefined));
    };
    if (idempotency) handler = idempotent(handler, idempotency);
    for (const limit of [...limits].reverse()) handler = rateLimited(handler, limit);
    return listen(forNode.toNodeListener(handler, { onError: () => {} }));
  },
};

const nodeMiddleware: Framework = {
  name: "node:http",
  async start({ idempotency, limits = [], parser, handle }) {
    const parse: forExpress.Middleware = async (request, _response, next) => {
      const sent = await text(request as never);
      if (isJson(request)) Object.assign(request, { body: JSON.parse(sent) });
      else Object.assign(request, { rawBody: sent });
      next();
    };
    const middleware = [
      ...(parser === "before" ? [parse] : []),
      ...limits.map((limit) => forNode.rateLimit(limit)),
      ...(idempotency ? [forNode.idempotency(idempotency)] : []),
      ...(parser === "after" ? [parse] : []),
    ];
    return listen((request, response) => {
      const onError = () => response.writeHead(500).end();
      const run = (index: number): void => {
        const next = (error?: unknown) => (error ? onError() : run(index + 1));
        const current = middleware[index];
        if (current) {
          current(request, response, next);
          return;
        }
        const { body } = request as { body?: unknown };
        Promise.resolve()
          .then(() => handle(body))
          .then(
            ({ status, headers, body: answer }) => response.writeHead(status, headers).end(answer),
            onError,
          );
      };
      run(0);
    });
  },
};

/** The frameworks. */
export const frameworks: readonly Framework[] = [
  expressApp("Express 4", express4 as unknown as typeof express5),
  expressApp("Express 5", express5),
  fastifyApp("Fastify 4", fastify4 as unknown as typeof fastify5),
  fastifyApp("Fastify 5", fastify5),
  hono,
  nodeListener,
  nodeMiddleware,
];
