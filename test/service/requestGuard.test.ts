// The guard of a server on a loopback address: no web page of another origin may call it.

import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import {
  createService,
  type Listening,
  type ListenOptions,
  listen,
  type Service,
  type ServiceLogEntry,
} from "../../src/service/index.ts";

const entries: ServiceLogEntry[] = [];
let service: Service;
const servers: Listening[] = [];
beforeAll(() => {
  service = createService({ backend: memory(), log: (entry) => void entries.push(entry) });
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await service.stop();
});

/** Resolves to the status of a request with headers that fetch does not send. */
async function statusOf(
  options: ListenOptions,
  headers: Record<string, string>,
  path = "/generate_uuid",
  method = "GET",
): Promise<number> {
  const server = await listen(service, { port: 0, ...options });
  servers.push(server);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port: server.port, path, method, headers, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on("error", reject);
    request.end();
  });
}

describe("on a loopback address", () => {
  test.each<[Record<string, string>, number]>([
    [{ host: "localhost" }, 200],
    [{ host: "LOCALHOST:3000" }, 200],
    [{ host: "127.0.0.1:3000" }, 200],
    [{ host: "127.8.9.1" }, 200],
    [{ host: "[::1]:3000" }, 200],
    [{ host: "" }, 200],
    [{ host: "evil.example" }, 403],
    [{ host: "evil.example:3000" }, 403],
    [{ host: "localhost.evil.example" }, 403],
    [{ host: "127.0.0.1.evil.example" }, 403],
    [{ host: "192.168.0.7" }, 403],
    [{ host: "[2001:db8::1]" }, 403],
    [{ "sec-fetch-site": "none" }, 200],
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "cross-site", host: "localhost" }, 403],
  ])("a request with %j gets %d", async (headers, status) => {
    expect(await statusOf({}, headers)).toBe(status);
    if (status === 403)
      expect(entries.at(-1)).toMatchObject({ code: "ERR_FORBIDDEN", path: "/generate_uuid" });
  });

  test("a link on a page of another origin opens the pages of the service, and nothing else", async () => {
    const link = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    expect(await statusOf({}, link, "/")).toBe(200);
    expect(await statusOf({}, link, "/docs")).toBe(200);
    for (const path of ["/generate_uuid", "/docs/..", "//docs", "/metrics", "/v1/idgenerator/uin"])
      expect(await statusOf({}, link, path)).toBe(403);
    expect(await statusOf({}, link, "/", "POST")).toBe(403);
    expect(await statusOf({}, { ...link, "sec-fetch-dest": "iframe" }, "/")).toBe(403);
    expect(await statusOf({}, { ...link, "sec-fetch-mode": "cors" }, "/")).toBe(403);
    expect(await statusOf({}, { ...link, host: "evil.example" }, "/")).toBe(403);
  });

  test("the address decides, not the name that was given for it", async () => {
    expect(await statusOf({ host: "127.1" }, { host: "evil.example" })).toBe(403);
  });

  test("names of allowedHosts pass too", async () => {
    const allowedHosts = ["ids.internal", "2001:db8::1"];
    for (const host of ["ids.internal:80", "IDS.internal", "[2001:db8::1]:3000", "localhost"]) {
      expect(await statusOf({ allowedHosts }, { host })).toBe(200);
    }
    expect(await statusOf({ allowedHosts }, { host: "other.internal" })).toBe(403);
  });
});

describe("on another address", () => {
  test("any name passes, or with allowedHosts only those", async () => {
    const host = "0.0.0.0";
    expect(await statusOf({ host }, { host: "evil.example", "sec-fetch-site": "cross-site" })).toBe(200);
    const allowedHosts = ["ids.example"];
    expect(await statusOf({ host, allowedHosts }, { host: "ids.example" })).toBe(200);
    expect(await statusOf({ host, allowedHosts }, { host: "evil.example" })).toBe(403);
    expect(await statusOf({ host, allowedHosts }, { host: "localhost" })).toBe(403);
  });

  test.each([["a.example:3000"], ["http://a.example"], [""], [5]])(
    "allowedHosts of %j is refused",
    async (name) => {
      const options = { allowedHosts: [name] } as ListenOptions;
      await expect(listen(service, options)).rejects.toMatchObject({ field: "allowedHosts[0]" });
    },
  );
});
