import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/hono";
import { RateLimit } from "bitflake/ratelimit";
import { Hono } from "hono";

const backend = memory();
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });

const app = new Hono();
const account = (request: Request) => `${request.headers.get("x-account")}`; // set by your own proxy, for each request
app.use(rateLimit({ limiter, key: account }), idempotency({ backend, name: "shop", tenant: account }));
let orders = 0;
app.post("/orders", (c) => c.json({ order: ++orders }, 201));

const headers = { "x-account": "ada", "idempotency-key": "a1" };
const order = async () => (await app.request("/orders", { method: "POST", headers })).text();
[await order(), await order()]; // => [ '{"order":1}', '{"order":1}' ]
