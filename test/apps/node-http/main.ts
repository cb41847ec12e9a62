import { createServer, type IncomingMessage } from "node:http";
import { memory } from "bitflake/backend";
import { idempotent } from "bitflake/idempotency";
import { toNodeListener } from "bitflake/node";
import { addressKey, RateLimit, rateLimited } from "bitflake/ratelimit";

const backend = memory();
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });
let orders = 0;
const pay = idempotent(() => Response.json({ order: ++orders }, { status: 201 }), {
  backend,
  name: "shop",
  tenant: () => "",
});
const handler = rateLimited((request) => pay(request), {
  limiter,
  key: (_, req: IncomingMessage) => addressKey(req.socket.remoteAddress ?? "0.0.0.0"),
});
const server = createServer(toNodeListener(handler)).listen(0);
const { port } = server.address() as { port: number };
const init = { method: "POST", headers: { "idempotency-key": "a1" } };
await (await fetch(`http://localhost:${port}/orders`, init)).text(); // => '{"order":1}'
await (await fetch(`http://localhost:${port}/orders`, init)).text(); // => '{"order":1}'
server.close();
