import { makeGeneratorFromEnv } from "bitflake";
import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/express";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import { writeIds } from "bitflake/text";
import express, { type Request } from "express";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID
const backend = memory(); // one process; Redis or PostgreSQL for several
const limiter = new RateLimit({ backend, name: "api", limit: 5, windowMs: 3_600_000 });

const app = express();
app.set("json replacer", writeIds);
app.use(rateLimit({ limiter, key: (_, req: Request) => addressKey(req.ip ?? "0.0.0.0") }));
app.use(express.json());
app.post("/payments", idempotency({ backend, name: "payments", tenant: () => "" }), (req, res) => {
  res.status(201).json({ id: ids.nextId(), cents: req.body.cents });
});
app.listen(Number(process.env.PORT ?? 3000));
