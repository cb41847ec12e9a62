// The console and the API reference: which client gets them, and their policy.

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { fetchOpenApi, openService } from "../openService.ts";

const CHROME =
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

async function opened(options = {}) {
  const { service } = await openService(options);
  return (path: string, accept?: string) =>
    service(new Request(`http://localhost${path}`, { headers: accept === undefined ? {} : { accept } }));
}

/** Returns the directives of a response's policy. */
function policyOf(response: Response): Record<string, string> {
  const policy = response.headers.get("content-security-policy") ?? "";
  return Object.fromEntries(policy.split("; ").map((directive) => directive.split(/ (.*)/).slice(0, 2)));
}

const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

test.each([
  [CHROME, "text/html"],
  ["text/html", "text/html"],
  ["text/html, application/json;q=0.9", "text/html"],
  [undefined, "application/json"],
  ["*/*", "application/json"],
  ["application/json", "application/json"],
  ["application/json, text/html", "application/json"],
  ["application/json, text/html;q=0.9", "application/json"],
  ["application/json;q=0.1, text/html;q=0.01", "application/json"],
  ["text/*;q=0.9, application/json;q=0.5", "text/html"],
])("GET / with Accept: %s gets %s", async (accept, type) => {
  const get = await opened();
  const response = await get("/", accept);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")?.split(";")[0]).toBe(type);
  expect(response.headers.get("vary")).toBe("accept");
});

test("GET / answers other clients with links", async () => {
  const { send } = await openService();
  expect(await (await send("/")).json()).toEqual({
    name: "bitflake",
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    docs: "/docs",
    openapi: "/openapi.json",
    health: "/health",
  });
  expect((await send("/", { headers: { accept: "image/png" } })).status).toBe(406);
  expect((await send("/", { method: "HEAD" })).status).toBe(200);
  expect((await send("/", { method: "POST" })).status).toBe(405);
  expect((await send("/?lang=en")).status).toBe(400);
});

test("the console loads nothing, and its policy allows its own script and style alone", async () => {
  const get = await opened();
  const response = await get("/", CHROME);
  const html = await response.text();
  const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? "";
  const script = /<script type="module">(.*)<\/script>/s.exec(html)?.[1] ?? "";
  expect([style.length, script.length].every((length) => length > 5000)).toBe(true);
  expect(policyOf(response)).toEqual({
    "default-src": "'none'",
    "style-src": sha256(style),
    "script-src": sha256(script),
    "connect-src": "'self'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  });
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(html.match(/<(script|style|link|img|iframe|object)\b/g)).toEqual(["<link", "<style", "<script"]);
  expect(html).not.toMatch(/\b(?:src|href)="(?:https?:)?\/\//);
  // Neither a policy of hashes nor a reader of the source has use for handlers in attributes.
  expect(html).not.toMatch(/<[^>]+ (?:on\w+|style)=/);
});

test("the pages need no API key, and the data does", async () => {
  const get = await opened({ apiKeys: ["an-example-of-a-key"] });
  expect((await get("/", CHROME)).status).toBe(200);
  expect((await get("/docs", CHROME)).status).toBe(200);
  expect((await get("/status")).status).toBe(401);
});

test("the reference has every operation, parameter and status of the document, and no script", async () => {
  const { service } = await openService({ types: { uin: { length: 10 } } });
  const { paths } = await fetchOpenApi(service);
  const response = await service(new Request("http://localhost/docs"));
  const html = await response.text();
  expect(html).not.toContain("<script");
  expect(policyOf(response)["script-src"]).toBeUndefined();
  expect(policyOf(response)["connect-src"]).toBeUndefined();
  const articles = html.split("<article ").slice(1);
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(articles.length).toBe(operations.length);
  for (const [index, { path, method, operation }] of operations.entries()) {
    expect(articles[index]).toContain(`${method.toUpperCase()}</span> <code>${path}</code>`);
    for (const { name } of (operation as unknown as { parameters: { name: string }[] }).parameters) {
      expect(articles[index]).toContain(`<code>${name}</code>`);
    }
    for (const status of Object.keys(operation.responses)) {
      expect(articles[index]).toContain(`<strong>${status}</strong>`);
    }
  }
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
});

test("without the console, / has links for every client, and /docs is not found", async () => {
  const { send, service } = await openService({ console: false });
  const response = await send("/", { headers: { accept: CHROME } });
  expect(await response.json()).toEqual({
    name: "bitflake",
    version: expect.any(String),
    openapi: "/openapi.json",
    health: "/health",
  });
  expect((await send("/docs")).status).toBe(404);
  expect((await send("/", { headers: { accept: "text/html" } })).status).toBe(406);
  expect(Object.keys((await fetchOpenApi(service)).paths)).not.toContain("/docs");
  expect((await send("/status")).status).toBe(200);
});

test("the option console is true or false", async () => {
  await expect(openService({ console: "no" as never })).rejects.toThrow(/console must be one of true, false/);
});
