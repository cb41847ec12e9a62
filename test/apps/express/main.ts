import { InvalidIdError, makeGeneratorFromEnv, parseId } from "bitflake";
import { writeIds } from "bitflake/text";
import express, { type ErrorRequestHandler } from "express";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID
const app = express();
app.set("json replacer", writeIds);

app.post("/orders", (_request, response) => {
  response.status(201).json({ id: ids.nextId() });
});
app.get("/orders/:id", (request, response) => {
  response.json({ id: parseId(request.params.id) });
});

const onError: ErrorRequestHandler = (error, _request, response, next) => {
  if (error instanceof InvalidIdError) response.status(400).json({ error: error.message });
  else next(error);
};
app.use(onError);
app.listen(Number(process.env.PORT ?? 3000));
