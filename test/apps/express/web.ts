import { makeGenerator } from "bitflake";
import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/express";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import { writeIds } from "bitflake/text";
import express from "express";

const backend = memory(); // one process; Redis, PostgreSQL or MySQL for several
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });
const ids = makeGenerator("twitter", { machineId: 7 });
const accounts = new Map([["Bearer t-ada", "ada"]]); // your own check of sessions or tokens
const accountOf = (req: express.Request) => accounts.get(req.get("authorization") ?? "");

const app = express();
app.set("json replacer", writeIds); // IDs are text in JSON
app.use(rateLimit({ limiter, key: (_, req: express.Request) => addressKey(req.ip ?? "0.0.0.0") }));
app.use((req, res, next) => {
  if (accountOf(req) === undefined) res.sendStatus(401);
  else next();
});
app.use(idempotency({ backend, name: "shop", tenant: (_, req: express.Request) => `${accountOf(req)}` }));
app.use(express.json());
app.post("/orders", (req, res) => {
  res.status(201).json({ id: ids.nextId(), cents: req.body.cents });
});

const server = app.listen(0);
const { port } = server.address() as { port: number };
const order = async (authorization: string) => {
  const headers = { authorization, "content-type": "application/json", "idempotency-key": "a1" };
  const init = { method: "POST", headers, body: '{"cents":1250}' };
  const response = await fetch(`http://localhost:${port}/orders`, init);
  return [response.status, response.headers.get("idempotent-replayed"), await response.text()];
};
const [status, replayed, text] = await order("Bearer t-ada");
[status, replayed]; // => [ 201, null ]
(await order("Bearer t-ada")).join() === [201, true, text].join(); // => true
(await order("Bearer t-bob"))[0]; // => 401
server.close();
