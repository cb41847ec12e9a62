// Requests of web pages of other origins.

import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { ArgumentError, createService, listen } from "../../src/service/index.ts";
import { openService } from "./openService.ts";

const APP = "https://app.example.org";
const KEY = "k".repeat(16);

function headersOf(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    headers[name] = value;
  });
  return headers;
}

describe("a service with corsOrigins", () => {
  test("answers the preflight of an allowed origin, without an API key", async () => {
    const { send } = await openService({
      corsOrigins: [APP],
      apiKeys: [KEY],
      types: { farmer: { length: 10 } },
    });
    const headers = { origin: APP, "access-control-request-method": "POST" };
    const response = await send("/v1/idgenerator/farmer/id", { method: "OPTIONS", headers });
    expect(response.status).toBe(204);
    expect(headersOf(response)).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-methods": "POST, OPTIONS",
      "access-control-allow-headers": expect.stringContaining("authorization"),
      "access-control-max-age": "7200",
      vary: "origin",
    });
    expect(response.headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("lets pages of the origin read responses and errors, with their headers", async () => {
    const { send } = await openService({ corsOrigins: [APP], apiKeys: [KEY] });
    for (const [path, given, status] of [
      ["/generate_uuid", { "x-api-key": KEY }, 200],
      ["/generate_uuid", {}, 401],
      ["/generate_uuid?x=1", { "x-api-key": KEY }, 400],
      ["/nowhere", {}, 404],
    ] as const) {
      const response = await send(path, { headers: { ...given, origin: APP } });
      expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([status, APP]);
      expect(response.headers.get("access-control-expose-headers")).toContain("retry-after");
    }
  });

  test.each([
    "https://evil.example.org",
    "http://app.example.org",
    `${APP}:8443`,
    "null",
    "",
    `${APP}.evil.example`,
  ])("does not allow the origin %j, and says that responses depend on it", async (origin) => {
    const { send } = await openService({ corsOrigins: [APP] });
    const { headers } = await send("/generate_uuid", { headers: { origin } });
    expect([headers.has("access-control-allow-origin"), headers.get("vary")]).toEqual([false, "origin"]);
  });

  test("keeps the other headers that a response depends on", async () => {
    const { send } = await openService({ corsOrigins: [APP] });
    expect((await send("/")).headers.get("vary")).toBe("accept, origin");
  });

  test("allows any origin with *, and none without the option", async () => {
    const any = await openService({ corsOrigins: ["*"] });
    const none = await openService();
    const request = { headers: { origin: APP } };
    const { headers } = await any.send("/generate_uuid", request);
    expect([headers.get("access-control-allow-origin"), headers.has("vary")]).toEqual(["*", false]);
    const plain = await none.send("/generate_uuid", request);
    expect(Object.keys(headersOf(plain)).filter((name) => /^access-control|vary/.test(name))).toEqual([]);
  });

  test("is called by pages of allowed origins on a loopback address too, and by no others", async () => {
    const service = createService({ backend: memory(), corsOrigins: [APP] });
    const server = await listen(service, { port: 0 });
    // fetch() of Node sends these headers as they are given.
    const statusFor = async (origin: string) =>
      (await fetch(`${server.url}/generate_uuid`, { headers: { origin, "sec-fetch-site": "cross-site" } }))
        .status;
    expect([await statusFor(APP), await statusFor("https://evil.example.org")]).toEqual([200, 403]);
    await server.close();
    await service.stop();
  });

  test.each([
    [[], "corsOrigins must be an array of at least one origin"],
    ["*", "corsOrigins must be an array of at least one origin"],
    [["https://app.example.org/"], "corsOrigins[0] must be an origin"],
    [[APP, "*"], "corsOrigins[1] must be an origin"],
    [["app.example.org"], "corsOrigins[0] must be an origin"],
    [["null"], "corsOrigins[0] must be an origin"],
    [[7], "corsOrigins[0] must be an origin"],
  ])("refuses %j", (corsOrigins, message) => {
    const create = () => createService({ backend: memory(), corsOrigins: corsOrigins as string[] });
    expect(create).toThrow(ArgumentError);
    expect(create).toThrow(message);
  });
});

test("no response may be taken for another media type than its own", async () => {
  const { send, service } = await openService({ types: { farmer: { length: 10 } } });
  for (const [path, method] of [
    ["/generate_uuid", "GET"],
    ["/generate_uuid", "OPTIONS"],
    ["/generate_uuid", "PUT"],
    ["/nowhere", "GET"],
    ["/metrics", "GET"],
    ["/health", "GET"],
    ["/v1/idgenerator/farmer/id", "POST"],
  ] as const) {
    const { headers } = await send(path, { method });
    expect([path, headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
  }
  await service.stop();
});
