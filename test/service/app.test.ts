// The request pipeline: limits, routes and methods, negotiation, bodies, errors.

import { describe, expect, test, vi } from "vitest";
import { BackendError, type MemoryPort } from "../../src/backend/index.ts";
import { openService, statusAndBody } from "./openService.ts";

describe("a request", () => {
  test.each([
    ["GET", "//", 404],
    ["GET", "/generate_uuid/", 404],
    ["GET", "/GENERATE_UUID", 404],
    ["GET", "//generate_uuid", 404],
    ["GET", "/decode", 404],
    ["GET", "/decode/1/2", 404],
    ["GET", "/generate_random_string", 404],
    ["POST", "/generate_uuid", 405],
    ["PUT", "/decode/1", 405],
    ["DELETE", "/health", 405],
    ["GET", "/v1/idgenerator/farmer/id", 405],
    ["HEAD", "/v1/idgenerator/farmer/id", 405],
    ["PATCH", "/v1/idgenerator/farmer/id", 405],
    ["OPTIONS", "/generate_uuid", 204],
    ["OPTIONS", "/nothing", 404],
    ["HEAD", "/generate_uuid", 200],
    ["GET", `/decode/${"1".repeat(8200)}`, 414],
    ["GET", "/generate_random_string/%ff", 400],
    ["GET", "/generate_random_string/%", 400],
  ])("%s %s gets %d", async (method, path, status) => {
    const { send } = await openService({ types: { farmer: { length: 10 } } });
    const response = await send(path, { method });
    expect(response.status).toBe(status);
    if (status === 405 || status === 204) {
      const allow = path.endsWith("/id") ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
      expect(response.headers.get("allow")).toBe(allow);
    }
    if (method === "HEAD" || status === 204) expect(await response.text()).toBe("");
    if (status >= 400 && method !== "HEAD")
      expect(await response.json()).toMatchObject({ status, code: expect.stringMatching(/^ERR_/) });
  });
});

test("a body that ends early gets 400", async () => {
  const { send } = await openService({ types: { farmer: { length: 10 } } });
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  expect(await statusAndBody(await send("/v1/idgenerator/farmer/id", init))).toMatchObject([
    400,
    { code: "ERR_MALFORMED_REQUEST" },
  ]);
});

test("the error of a store is logged, and not sent to the client", async () => {
  const log = vi.fn();
  const error = new BackendError("x", "failed", "secret at 10.0.0.5");
  const backend: MemoryPort = {
    change: () => {
      throw error;
    },
  };
  const { send } = await openService({ backend, log });
  const text = await (await send("/generate_counter_id")).text();
  expect(text).not.toContain("secret");
  expect(log).toHaveBeenLastCalledWith(
    expect.objectContaining({ route: "/generate_counter_id", status: 503, code: "ERR_BACKEND", error }),
  );
});
