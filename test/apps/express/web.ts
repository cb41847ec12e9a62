import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/express";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import express from "express";

const backend = memory(); // one process; Redis or PostgreSQL for several
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });

const app = express();
app.use(rateLimit({ limiter, key: (_, req: express.Request) => addressKey(req.ip ?? "0.0.0.0") }));
app.use(
  idempotency({ backend, name: "shop", tenant: (_, req: express.Request) => req.get("x-account") ?? "" }),
);
app.use(express.json());
let orders = 0;
app.post("/orders", (req, res) => {
  res.status(201).json({ order: ++orders, cents: req.body.cents });
});

const server = app.listen(0);
const { port } = server.address() as { port: number };
const order = async () => {
  const headers = { "content-type": "application/json", "idempotency-key": "a1" };
  const response = await fetch(`http://localhost:${port}/orders`, {
    method: "POST",
    headers,
    body: '{"cents":1250}',
  });
  return [response.status, response.headers.get("idempotent-replayed"), await response.text()];
};
await order(); // => [ 201, null, '{"order":1,"cents":1250}' ]
await order(); // => [ 201, 'true', '{"order":1,"cents":1250}' ]
server.close();
