// nodeListener: the service in a server that the program makes itself.

import { expect, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, nodeListener, type Service } from "../../../src/service/index.ts";
import { startHttpServer } from "./httpServer.ts";

const ISSUE = "/v1/idgenerator/farmer/id";

function serviceWithTypes(log?: () => void): Service {
  return createService({ backend: memory(), types: { farmer: { length: 10 } }, log });
}

test("answers the requests of a server", async () => {
  const port = await startHttpServer(nodeListener(serviceWithTypes()));
  expect(await (await fetch(`http://127.0.0.1:${port}/generate_uuid`)).json()).toHaveProperty("id");
});

test("answers a request whose body another listener has read, before and after the request is closed", async () => {
  const service = serviceWithTypes();
  const listener = nodeListener(service);
  for (const isClosed of [false, true]) {
    const port = await startHttpServer(async (request, response) => {
      for await (const _ of request);
      while (isClosed && !request.destroyed) await new Promise((wake) => setImmediate(wake));
      listener(request, response);
    });
    const init = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expect((await fetch(`http://127.0.0.1:${port}${ISSUE}`, init)).status).toBe(200);
  }
  await service.stop();
});

test("leaves a response alone that another listener has sent", async () => {
  const log = vi.fn();
  const service = serviceWithTypes(log);
  const listener = nodeListener(service);
  const port = await startHttpServer((request, response) => {
    listener(request, response);
    if (!response.headersSent) response.writeHead(504).end("late");
  });
  const response = await fetch(`http://127.0.0.1:${port}${ISSUE}`, { method: "POST" });
  expect([response.status, await response.text()]).toEqual([504, "late"]);
  await vi.waitFor(() => expect(log).toHaveBeenCalledOnce(), 60_000);
  // An error of the second response would be an unhandled rejection in this turn.
  await new Promise((wake) => setImmediate(wake));
  await service.stop();
});
