// The server of the playground, which serves the page alone; and the page on another static host.

import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { button, home, made, serve, visit, widths } from "./visit.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Requests a path unchanged; fetch would normalize it. */
async function get(path: string, method = "GET") {
  const { hostname, port } = new URL(home());
  const sent = request({ hostname, port, path, method }).end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode as number, type: response.headers["content-type"] as string, body };
}

describe("the server", () => {
  test.each([
    ["/docs/playground/", "text/html"],
    ["/docs/playground/?from=somewhere", "text/html"],
    ["/docs/playground/style.css", "text/css"],
    ["/docs/playground/page.mjs", "text/javascript"],
    ["/docs/diagram.mjs", "text/javascript"],
    ["/dist/index.js", "text/javascript"],
    ["/dist/internal.js.map", "application/json"],
  ])("serves %s as %s", async (path, type) => {
    const got = await get(path);
    expect(got).toMatchObject({ status: 200, type: `${type}; charset=utf-8` });
    const file = path.replace(/\?.*/, "").replace(/\/$/, "/index.html");
    expect(got.body).toBe(readFileSync(join(root, file), "utf8"));
  });

  test.each(["/", "/docs/playground"])("redirects from %s to the page", async (path) => {
    expect((await get(path)).status).toBe(302);
  });

  test.each([
    "/package.json",
    "/README.md",
    "/src/index.ts",
    "/docs/demo.mjs",
    "/docs/",
    "/dist",
    "/dist/",
    "/docs/playground/../../package.json",
    "/docs/playground/../demo.mjs",
    "/docs/playground/..%2f..%2fpackage.json",
    "/docs/playground/%2e%2e/demo.mjs",
    "/dist/..\\package.json",
    "/dist/../tsup.config.ts",
    "//etc/passwd",
    "/dist/%00.js",
    "/dist/%E0%A4%A.js",
    "/docs/diagram.mjs/",
    "/docs/diagram.mjs.js",
    "/docs/playground/missing.mjs",
    "/favicon.ico",
    "http://elsewhere.test/docs/playground/",
  ])("does not serve %s", async (path) => {
    expect(await get(path)).toMatchObject({ status: 404, body: "Not found.\n" });
  });

  test("answers GET and HEAD only", async () => {
    expect((await get("/docs/playground/", "POST")).status).toBe(405);
    expect(await get("/docs/playground/", "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  test("listens on the given port, and exits with an error if it is in use or invalid", async () => {
    const { port } = new URL(home());
    for (const [argument, output] of [
      [port, /EADDRINUSE/],
      ["65536", /^the port must be a whole number from 0 to 65535, got "65536"$/],
      ["http", /^the port must be a whole number from 0 to 65535, got "http"$/],
    ] as const) {
      const second = await serve(argument);
      expect(second.output).toMatch(output);
      const [code] =
        second.process.exitCode === null ? await once(second.process, "exit") : [second.process.exitCode];
      expect(code).toBe(1);
    }
  });
});

test("the page works on any static host, under any path", async () => {
  const site = mkdtempSync(join(tmpdir(), "bitflake-site-"));
  for (const part of ["docs/playground", "docs/diagram.mjs", "dist"])
    cpSync(join(root, part), join(site, part), { recursive: true });
  const types: Record<string, string> = { ".html": "text/html", ".css": "text/css" };
  const host = createServer(({ url = "" }, response) => {
    const file = join(site, url.replace("/some/where", "").replace(/\/$/, "/index.html"));
    const there = url.startsWith("/some/where/") && existsSync(file);
    response.writeHead(there ? 200 : 404, { "content-type": types[extname(file)] ?? "text/javascript" });
    response.end(there ? readFileSync(file) : "");
  }).listen(0, "127.0.0.1");
  await once(host, "listening");
  const { port } = host.address() as AddressInfo;
  const page = await visit(`http://127.0.0.1:${port}/some/where/docs/playground/`);
  await button(page, "single_dc").click();
  await button(page, "Generate").click();
  expect(await widths(page)).toBe("41·0·10·12");
  expect((await made(page)).length).toBe(5);
  host.close();
  rmSync(site, { recursive: true });
});
