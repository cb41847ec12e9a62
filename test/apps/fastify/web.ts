import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/fastify";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import Fastify, { type FastifyRequest } from "fastify";

const backend = memory();
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });

const app = Fastify();
await app.register(rateLimit, { limiter, key: (_, request: FastifyRequest) => addressKey(request.ip) });
const accounts = new Map([["Bearer t-ada", "ada"]]); // your own check of sessions or tokens
const accountOf = (request: FastifyRequest) => accounts.get(request.headers.authorization ?? "");
app.addHook("onRequest", async (request, reply) => {
  if (accountOf(request) === undefined) return reply.code(401).send();
});
await app.register(idempotency, {
  backend,
  name: "shop",
  tenant: (_, request: FastifyRequest) => `${accountOf(request)}`,
});
let orders = 0;
app.post("/orders", async (_request, reply) => reply.code(201).send({ order: ++orders }));

const order = (authorization: string) => {
  const headers = { authorization, "idempotency-key": "a1" };
  return app.inject({ method: "POST", url: "/orders", headers });
};
[(await order("Bearer t-ada")).body, (await order("Bearer t-ada")).body]; // => [ '{"order":1}', '{"order":1}' ]
(await order("Bearer t-bob")).statusCode; // => 401
await app.close();
