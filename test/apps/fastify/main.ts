import { InvalidIdError, makeGeneratorFromEnv, parseId } from "bitflake";
import { writeIds } from "bitflake/text";
import Fastify from "fastify";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID
const app = Fastify();
app.setReplySerializer((payload) => JSON.stringify(payload, writeIds));

app.post("/orders", async (_request, reply) => reply.code(201).send({ id: ids.nextId() }));
app.get<{ Params: { id: string } }>("/orders/:id", async (request) => ({ id: parseId(request.params.id) }));

app.setErrorHandler((error, _request, reply) => {
  if (error instanceof InvalidIdError) reply.code(400).send({ error: error.message });
  else reply.send(error);
});
await app.listen({ port: Number(process.env.PORT ?? 3000) });
