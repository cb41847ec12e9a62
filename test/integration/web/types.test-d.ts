// The middleware with the types of the frameworks' own packages: every valid line compiles, and the others do not. Compiled by
// backend/types.test.ts, never run.

import { createServer } from "node:http";
import { memory } from "bitflake/backend";
import * as onExpress from "bitflake/express";
import * as onFastify from "bitflake/fastify";
import * as onHono from "bitflake/hono";
import { idempotent } from "bitflake/idempotency";
import * as onNode from "bitflake/node";
import { addressKey, RateLimit, rateLimited } from "bitflake/ratelimit";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import Fastify5, { type FastifyRequest } from "fastify";
import Fastify4, { type FastifyRequest as FastifyRequest4 } from "fastify4";
import { type Context, Hono, type MiddlewareHandler } from "hono";

const limiter = new RateLimit({ backend: memory(), name: "api", limit: 1, windowMs: 1000 });
const options = { backend: memory(), name: "orders", tenant: () => "" };

// Express 5
const app5 = express5();
app5.use(onExpress.idempotency(options));
app5.use(onExpress.idempotency({ ...options, tenant: (_, req: express5.Request) => req.ip ?? "" }));
app5.post("/:id", onExpress.idempotency(options), (req, res) => void res.send(req.params.id));
app5.use(onExpress.rateLimit({ limiter, key: (_, req: express5.Request) => addressKey(req.ip ?? "") }));
app5.use(onExpress.rateLimit({ limiter, key: (request) => request.headers.get("x-account") ?? "" }));
const handler5: express5.RequestHandler = onExpress.idempotency(options);
express5.Router().use(handler5, onExpress.rateLimit({ limiter, key: () => "" }));

// Express 4
const app4 = express4();
app4.use(onExpress.idempotency(options));
app4.use(onExpress.rateLimit({ limiter, key: (_, req: express4.Request) => addressKey(req.ip ?? "") }));
app4.post("/:id", onExpress.idempotency(options), (req, res) => void res.send(req.params.id));

// Connect and node:http
connect()
  .use(onExpress.idempotency(options))
  .use(onExpress.rateLimit({ limiter, key: () => "" }));
createServer((req, res) => onNode.idempotency(options)(req, res, () => res.end()));
createServer(onNode.toNodeListener(idempotent(() => new Response(), options)));
createServer(onNode.toNodeListener(() => new Response(), { onError: (error) => console.error(error) }));
createServer(
  onNode.toNodeListener(
    rateLimited(() => new Response(), {
      limiter,
      key: (_, req: onNode.NodeRequest & { socket: { remoteAddress?: string } }) =>
        addressKey(req.socket.remoteAddress ?? ""),
    }),
  ),
);

// Fastify 5 and 4
const fastify5 = Fastify5();
void fastify5.register(onFastify.idempotency, options);
void fastify5.register(onFastify.idempotency, {
  ...options,
  tenant: (_, request: FastifyRequest) => request.ip,
});
void fastify5.register(onFastify.rateLimit, { limiter, key: () => "", hook: "preHandler" });
void fastify5.register(onFastify.rateLimit, {
  limiter,
  key: (_, request: FastifyRequest) => addressKey(request.ip),
});
const fastify4 = Fastify4();
void fastify4.register(onFastify.idempotency, options);
void fastify4.register(onFastify.rateLimit, {
  limiter,
  key: (_, request: FastifyRequest4) => addressKey(request.ip),
});

// Hono
type Variables = { Variables: { user: { id: string } } };
const hono = new Hono<Variables>();
hono.use(onHono.idempotency(options));
hono.use(onHono.idempotency({ ...options, tenant: (_, c: Context<Variables>) => c.get("user").id }));
hono.use("/orders/*", onHono.rateLimit({ limiter, key: (_, c: Context<Variables>) => c.var.user.id }));
hono.post("/orders/:id", onHono.idempotency(options), (c) => c.text(c.req.param("id")));
const middleware: MiddlewareHandler = onHono.rateLimit({ limiter, key: () => "" });
void middleware;

// @ts-expect-error: no tenant
onExpress.idempotency({ backend: memory(), name: "orders" });
// @ts-expect-error: an unknown option
onExpress.idempotency({ ...options, tenants: 1 });
// @ts-expect-error: no limiter
onHono.rateLimit({ key: () => "" });
// @ts-expect-error: an unknown hook
void fastify5.register(onFastify.rateLimit, { limiter, key: () => "", hook: "onSend" });
// @ts-expect-error: no Response
onNode.toNodeListener(() => "text");
