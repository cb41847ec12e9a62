// The service on Node's own server, by fetch and by bytes: every request is answered, and never with a 5xx.

import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, type Listening, listen, type Service } from "../../../src/service/index.ts";
import { assertResponseOf } from "../openService.ts";
import { openConnection, readAll } from "./httpServer.ts";

let service: Service;
let server: Listening;

beforeAll(async () => {
  service = createService({ backend: memory(), types: { farmer: { length: 10 } }, maxBodyBytes: 1000 });
  await service.start();
  server = await listen(service, { port: 0 });
});

afterAll(async () => {
  await server.close();
  await service.stop();
});

/** Sends bytes as they are. Resolves to the answer, at the end of the connection or when it is silent. */
function sendRaw(bytes: string | Uint8Array, silentMs = 60_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1");
    let text = "";
    socket.setTimeout(silentMs, () => socket.destroy());
    socket.on("data", (data) => {
      text += data.toString("latin1");
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (error: Error & { code?: string }) =>
      error.code === "ECONNRESET" ? resolve(text) : reject(error),
    );
    socket.end(bytes);
  });
}

describe("listen", () => {
  test("answers as the fetch handler does", async () => {
    const response = await fetch(`${server.url}/decode/911780371413233664?preset=twitter`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ id: "911780371413233664", machineId: 7 });
    const head = await fetch(`${server.url}/generate_uuid`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const options = await fetch(`${server.url}/generate_uuid`, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  });

  test("has its URL, and rejects if a port is taken or an option is invalid", async () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    await expect(listen(service, { port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    for (const port of [-1, 65_536, 1.5, "3000"]) {
      await expect(listen(service, { port: port as number })).rejects.toMatchObject({ field: "port" });
    }
    await expect(listen(service, { host: "" })).rejects.toMatchObject({ field: "host" });
    await expect(listen(service, { hostname: "::" } as object)).rejects.toMatchObject({ field: "option" });
    await expect(listen(service, null as unknown as object)).rejects.toMatchObject({ field: "options" });
    await expect(listen((() => {}) as unknown as Service)).rejects.toMatchObject({ field: "service" });
    const six = await listen(service, { host: "::1", port: 0 }).catch(() => undefined);
    if (six) expect(six.url).toBe(`http://[::1]:${six.port}`);
    await six?.close();
  });

  test("refuses a body above maxBodyBytes with 413, and reads no more of it", async () => {
    const post = (body: BodyInit) =>
      fetch(`${server.url}/v1/idgenerator/farmer/id`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
    expect((await post(JSON.stringify("x".repeat(998)))).status).toBe(200);
    const large = await post(JSON.stringify("x".repeat(999)));
    expect([large.status, large.headers.get("connection")]).toEqual([413, "close"]);
    expect((await post("x".repeat(5_000_000)).catch(() => ({ status: 413 }))).status).toBe(413);
    // In chunks, and a body of a GET, which is not read.
    const chunked =
      "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n";
    expect(
      await sendRaw(`${chunked}content-type: application/json\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 200 /);
    expect(
      await sendRaw(
        "GET /generate_uuid HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
      ),
    ).toMatch(/^HTTP\/1.1 200 /);
  });

  test("keeps working when a client closes its connection in the middle of a body", async () => {
    await sendRaw(
      "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n\r\nhalf",
      1000,
    );
    expect((await fetch(`${server.url}/generate_uuid`)).status).toBe(200);
  });

  test("answers bytes that are not a request with a problem document", async () => {
    for (const bytes of [
      "hello\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET /\x01 HTTP/1.1\r\nhost: localhost\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01",
    ]) {
      const answer = await sendRaw(bytes);
      expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
      expect(JSON.parse(answer.split("\r\n\r\n")[1] as string)).toMatchObject({
        status: 400,
        code: "ERR_MALFORMED_REQUEST",
      });
    }
    const large = await sendRaw(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1.1 431 /);
    expect(large).toContain("ERR_MALFORMED_REQUEST");
  });

  test("takes the path of an absolute URL in the request line", async () => {
    const answer = await sendRaw(
      "GET http://other.example/decode/1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(await sendRaw("OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 404 /,
    );
  });

  test("reads an Idempotency-Key after 2,100 other headers", async () => {
    const id = async () => {
      const socket = await openConnection(server.port);
      const head = ["POST /v1/idgenerator/farmer/id HTTP/1.1", "host: localhost", "connection: close"];
      socket.write([...head, ...Array(2100).fill("a:"), "idempotency-key: k1", "", ""].join("\r\n"));
      const answer = await readAll(socket);
      return /"response":\{"id":"(\d+)"/.exec(answer)?.[1];
    };
    const first = await id();
    expect(first).toMatch(/^\d{10}$/);
    expect(await id()).toBe(first);
  });

  test("sends the length of a response, also of HEAD", async () => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await fetch(`${server.url}/decode/1`, { method });
      expect(answer.headers.get("transfer-encoding")).toBeNull();
      expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(50);
    }
  });
});

describe("any request", () => {
  const segment = fc.oneof(
    fc.constantFrom(
      "generate_uuid",
      "decode",
      "v1",
      "idgenerator",
      "farmer",
      "id",
      "validate",
      "capacity",
      "health",
      "..",
      ".",
      "",
      "%2e%2e",
      "__proto__",
      "generate_random_string",
      "10",
      "8349257232",
      "%00",
      "%ff",
      "openapi.json",
    ),
    fc.string({ unit: "grapheme-ascii", maxLength: 20 }).map((text) => text.replace(/[\s#]/g, "")),
    fc.webSegment(),
  );
  const route = fc.constantFrom(
    "/generate_uuid",
    "/generate_timestamp_id",
    "/generate_counter_id",
    "/generate_snowflake_id",
    "/generate_random_string/8",
    "/decode/911780371413233664",
    "/capacity",
    "/v1/idgenerator/farmer/id",
    "/v1/idgenerator/farmer/id/validate/1",
    "/v1/idgenerator/config",
    "/health",
    "/metrics",
  );
  const path = fc.oneof(
    route,
    fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => `/${segments.join("/")}`),
  );
  const query = fc.oneof(
    { weight: 2, arbitrary: fc.constant("") },
    fc.constantFrom(
      "?count=5",
      "?version=7",
      "?preset=minimal",
      "?count=0",
      "?count=5&count=5",
      "?",
      "?&&",
      "?=",
      "?%ff=%",
      "?__proto__=1",
    ),
    fc.webQueryParameters().map((text) => `?${text}`),
  );
  const text = fc.string({
    unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  });
  const headers = fc.dictionary(
    fc.constantFrom(
      "accept",
      "content-type",
      "authorization",
      "x-api-key",
      "idempotency-key",
      "x-idempotency-key",
      "x-forwarded-for",
      "accept-encoding",
      "range",
      "if-none-match",
      "cookie",
      "forwarded",
      "x-http-method-override",
      "te",
    ),
    fc.oneof(
      text,
      fc.constantFrom(
        "application/json",
        "*/*",
        "text/html;q=0",
        "bytes=0-1",
        "gzip",
        "k",
        '"k"',
        "1.1.1.1, 2.2.2.2",
      ),
    ),
    { maxKeys: 4 },
  );
  const method = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("GET", "POST", "HEAD", "OPTIONS") },
    fc.constantFrom("PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "MKCOL", "PURGE"),
  );
  const body = fc.oneof(
    fc.constant(""),
    fc.json(),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    fc.constant("x".repeat(2000)),
  );

  test("gets a response below 500 that is as the OpenAPI document says", async () => {
    const assertResponse = await assertResponseOf(service);
    const sendRequest = (facts: {
      method: string;
      path: string;
      headers: Record<string, string>;
      body: string | Buffer;
    }) =>
      new Promise<[IncomingMessage, string]>((resolve, reject) => {
        // Explicit, because Node's client sends a GET's body without a length, and the server would parse it as a request.
        const length = { "content-length": facts.method === "TRACE" ? 0 : Buffer.byteLength(facts.body) };
        const headers = { ...facts.headers, ...length };
        const options = { host: "127.0.0.1", port: server.port, ...facts, headers, agent: false };
        const request = httpRequest(options, (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () => resolve([answer, Buffer.concat(chunks).toString()]));
        });
        request.on("error", reject);
        request.end(facts.method === "TRACE" ? undefined : facts.body);
      });
    let responses = 0;
    await fc.assert(
      fc.asyncProperty(method, path, query, headers, body, async (method, path, query, headers, body) => {
        const target = encodeURI(path + query).replace(/%25/g, "%");
        let answer: IncomingMessage;
        let text: string;
        try {
          [answer, text] = await sendRequest({ method, path: target, headers, body });
        } catch (error) {
          // Node's client refuses to send it, or the server has closed the connection before the end of the body.
          expect((error as { code?: string }).code).toMatch(
            /^(ERR_INVALID_CHAR|ERR_HTTP_INVALID_HEADER_VALUE|ERR_UNESCAPED_CHARACTERS|ECONNRESET|EPIPE)$/,
          );
          return;
        }
        responses++;
        const { statusCode: status = 0 } = answer;
        expect(status).toBeLessThan(500);
        const type = answer.headers["content-type"];
        const response = new Response(method === "HEAD" || status === 204 ? null : text, {
          status,
          headers: type === undefined ? {} : { "content-type": type },
        });
        await assertResponse(method, target.split("?")[0] as string, response);
        if (status >= 400 && method !== "HEAD") expect(JSON.parse(text)).toBeTypeOf("object");
      }),
      { numRuns: Math.min(2000, fc.readConfigureGlobal().numRuns as number) },
    );
    expect(responses).toBeGreaterThan(50);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  test("of any bytes gets a status below 500 or none, and the server keeps working", async () => {
    const line = fc.oneof(
      fc.constantFrom(
        "GET / HTTP/1.1",
        "POST /v1/idgenerator/farmer/id HTTP/1.1",
        "host: localhost",
        "content-length: 5",
        "content-length: -1",
        "transfer-encoding: chunked",
        "expect: 100-continue",
        "upgrade: websocket",
        "connection: upgrade",
        "PRI * HTTP/2.0",
        "",
      ),
      fc.string({ unit: "binary-ascii", maxLength: 30 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
        // It may be the beginning of a request, which gets no answer.
        const answer = await sendRaw(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), 1000);
        if (answer !== "") expect(answer).toMatch(/^HTTP\/1\.1 [1-4]\d\d /);
      }),
      { numRuns: Math.min(300, fc.readConfigureGlobal().numRuns as number) },
    );
    expect((await fetch(`${server.url}/generate_uuid`)).status).toBe(200);
  });
});
