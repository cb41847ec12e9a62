import { memory } from "bitflake/backend";
import { rateLimit } from "bitflake/express";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import express from "express";

const limiter = new RateLimit({ backend: memory(), name: "login", limit: 2, windowMs: 900_000 });
const keyOf = (req: express.Request) => addressKey(req.ip ?? "0.0.0.0");

const app = express();
app.use(rateLimit({ limiter, key: (_, req: express.Request) => keyOf(req) }));
app.use((req, res, next) => {
  const key = keyOf(req); // now, because the address is unknown once the client is gone
  res.on("finish", () => {
    if (res.statusCode < 400) limiter.refund(key).catch(console.error);
  });
  next();
});
app.post("/login/:password", (req, res) => void res.sendStatus(req.params.password === "right" ? 200 : 401));

const server = app.listen(0);
const { port } = server.address() as { port: number };
const statuses: number[] = [];
for (const password of ["right", "right", "right", "wrong", "wrong", "right"]) {
  statuses.push((await fetch(`http://localhost:${port}/login/${password}`, { method: "POST" })).status);
}
statuses; // => [ 200, 200, 200, 401, 401, 429 ]
server.close();
