import cluster from "node:cluster";
import { createServer } from "node:http";
import { makeGeneratorFromEnv } from "bitflake";

if (cluster.isPrimary) {
  const start = (slot: number) => {
    cluster.fork({ FLAKEID_MACHINE_ID: String(slot) }).once("exit", () => start(slot));
  };
  for (let slot = 0; slot < 4; slot++) start(slot);
} else {
  const ids = makeGeneratorFromEnv("single_dc", { required: true });
  const server = createServer((_request, response) => response.end(String(ids.nextId())));
  server.listen(Number(process.env.PORT ?? 3000));
}
