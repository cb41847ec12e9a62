import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/fastify";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import Fastify, { type FastifyRequest } from "fastify";

const backend = memory();
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });

const app = Fastify();
await app.register(rateLimit, { limiter, key: (_, request: FastifyRequest) => addressKey(request.ip) });
await app.register(idempotency, {
  backend,
  name: "shop",
  tenant: (_, request: FastifyRequest) => String(request.headers["x-account"]),
});
let orders = 0;
app.post("/orders", async (_request, reply) => reply.code(201).send({ order: ++orders }));

const headers = { "idempotency-key": "a1", "x-account": "ada" };
const order = async () => (await app.inject({ method: "POST", url: "/orders", headers })).body;
[await order(), await order()]; // => [ '{"order":1}', '{"order":1}' ]
await app.close();
