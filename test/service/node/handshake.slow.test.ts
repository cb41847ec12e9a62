// A client that begins no TLS handshake, against a real timer of Node, which cannot be stepped.

import { connect } from "node:net";
import { expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, listen } from "../../../src/service/index.ts";
import { first } from "./certificates.ts";

test("is closed when its time is over, and a close of the server ends with it", {
  timeout: 300_000,
}, async () => {
  const service = createService({ backend: memory() });
  const server = await listen(service, { port: 0, tls: first });
  const client = connect(server.port, "127.0.0.1");
  const received: Buffer[] = [];
  client.on("error", () => {});
  client.on("data", (chunk) => received.push(chunk));
  await new Promise((ready) => client.once("connect", ready));
  const gone = new Promise<void>((closed) => client.once("close", () => closed()));
  await server.close();
  await gone;
  expect(received).toEqual([]);
  await service.stop();
});
