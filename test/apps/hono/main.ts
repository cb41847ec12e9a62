import { InvalidIdError, makeGeneratorFromEnv, parseId } from "bitflake";
import { Hono } from "hono";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID
const app = new Hono();
app.post("/orders", (c) => c.json({ id: String(ids.nextId()) }, 201));
app.get("/orders/:id", (c) => c.json({ id: String(parseId(c.req.param("id"))) }));
app.onError((error, c) => {
  if (error instanceof InvalidIdError) return c.json({ error: error.message }, 400);
  throw error;
});
export default app;
