// The service on Node's own server, asked by fetch and by bytes: whatever comes, it answers, and never with a 5xx.

import { createServer, type IncomingMessage, request as send } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory } from "../../../src/backend/index.ts";
import {
  createService,
  type Listening,
  listen,
  nodeListener,
  type Service,
} from "../../../src/service/index.ts";
import { checker } from "../app.ts";

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

/** Sends bytes as they are; resolves to all that comes back, until the other side ends or nothing more comes. */
function raw(bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1");
    let text = "";
    socket.setTimeout(1000, () => socket.destroy());
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
  test("answers as the function does", async () => {
    const response = await fetch(`${server.url}/decode/911780371413233664?preset=twitter`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ id: "911780371413233664", machineId: 7 });
    const head = await fetch(`${server.url}/generate_uuid`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const options = await fetch(`${server.url}/generate_uuid`, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  });

  test("says where it is, and refuses a port that is taken, or none", async () => {
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

  test("reads a body as far as its limit, and no farther", async () => {
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
    // In pieces, and with a body where none is read.
    const chunked =
      "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n";
    expect(
      await raw(`${chunked}content-type: application/json\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 200 /);
    expect(
      await raw(
        "GET /generate_uuid HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
      ),
    ).toMatch(/^HTTP\/1.1 200 /);
  });

  test("a client that goes away in the middle of its body harms nobody", async () => {
    await raw(
      "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n\r\nhalf",
    );
    expect((await fetch(`${server.url}/generate_uuid`)).status).toBe(200);
  });

  test("what is no request gets a typed error", async () => {
    for (const bytes of [
      "hello\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET /\x01 HTTP/1.1\r\nhost: localhost\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01",
    ]) {
      const answer = await raw(bytes);
      expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
      expect(JSON.parse(answer.split("\r\n\r\n")[1] as string)).toMatchObject({
        status: 400,
        code: "ERR_MALFORMED_REQUEST",
      });
    }
    const large = await raw(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1.1 431 /);
    expect(large).toContain("ERR_MALFORMED_REQUEST");
  });

  test("a whole address in the first line is its path", async () => {
    const answer = await raw(
      "GET http://other.example/decode/1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(await raw("OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 404 /,
    );
  });

  test("nodeListener goes into a server of one's own", async () => {
    const own = createServer(nodeListener(service));
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    const { port } = own.address() as { port: number };
    expect(await (await fetch(`http://127.0.0.1:${port}/generate_uuid`)).json()).toHaveProperty("id");
    await new Promise((resolve) => own.close(resolve));
  });

  test("behind what has read the body, it is not waited for", async () => {
    const listener = nodeListener(service);
    const own = createServer(async (request, response) => {
      for await (const _ of request);
      if (request.url?.endsWith("id")) await new Promise((wake) => setTimeout(wake, 5));
      listener(request, response);
    });
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    const { port } = own.address() as { port: number };
    const init = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/idgenerator/farmer/id`, init);
    expect(answer.status).toBe(200);
    await new Promise((resolve) => own.close(resolve));
  });

  test("an answer that somebody else has given is left alone", async () => {
    const listener = nodeListener(service);
    const own = createServer((request, response) => {
      listener(request, response);
      if (!response.headersSent) response.writeHead(504).end("late");
    });
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    const { port } = own.address() as { port: number };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/idgenerator/farmer/id`, { method: "POST" });
    expect([answer.status, await answer.text()]).toEqual([504, "late"]);
    await new Promise((wake) => setTimeout(wake, 50));
    await new Promise((resolve) => own.close(resolve));
  });

  test.each([
    ["nothing", ""],
    ["half a head", "GET / HTTP/1.1\r\nhost:"],
    [
      "half a body",
      "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf",
    ],
  ])("close() does not wait for ever for a client that has sent %s", async (_, bytes) => {
    const own = createService({ backend: memory(), types: { farmer: { length: 10 } } });
    const listening = await listen(own, { port: 0 });
    const socket = connect(listening.port, "127.0.0.1");
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.on("connect", resolve));
    socket.write(bytes);
    await new Promise((wake) => setTimeout(wake, 50));
    await listening.close();
    await own.stop();
    socket.destroy();
  });

  /** A service whose counter takes its time, and a connection on which nobody reads yet. */
  async function slowly(ms: number) {
    const port = memory();
    const backend: MemoryPort = {
      // The port's types say that a memory answers at once; it may take its time all the same.
      change: ((name: string, change: Parameters<MemoryPort["change"]>[1]) =>
        name.startsWith("counter:")
          ? new Promise((wake) => setTimeout(wake, ms)).then(() => port.change(name, change))
          : port.change(name, change)) as MemoryPort["change"],
    };
    const own = createService({ backend });
    await own.start();
    const listening = await listen(own, { port: 0 });
    const socket = connect(listening.port, "127.0.0.1");
    socket.on("error", () => {});
    const ask = (...paths: string[]) =>
      void socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(""));
    return { own, listening, socket, ask };
  }
  const text = async (socket: ReturnType<typeof connect>) => {
    let all = "";
    for await (const chunk of socket) all += chunk;
    return all;
  };

  test("close() lets all be answered that one connection has asked at once", async () => {
    const { own, listening, socket, ask } = await slowly(3500);
    ask("/generate_counter_id", "/generate_uuid");
    await new Promise((wake) => setTimeout(wake, 200));
    const closed = listening.close();
    const answers = await text(socket);
    await closed;
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answers).toContain('{"id":"1"}');
    await own.stop();
  });

  test("close() waits until a slow reader has its answers", async () => {
    const { own, listening, socket, ask } = await slowly(0);
    ask(...Array.from({ length: 192 }, () => "/generate_random_string/4096?count=16"));
    await new Promise((wake) => setTimeout(wake, 500));
    const closed = listening.close();
    await new Promise((wake) => setTimeout(wake, 500));
    const answers = await text(socket);
    await closed;
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(192);
    expect(answers.length).toBeGreaterThan(192 * 4096 * 16);
    await own.stop();
  });

  test("close() gives up who does not read its answers, and has begun another request", async () => {
    const { own, listening, socket, ask } = await slowly(4500);
    ask(
      ...Array.from({ length: 192 }, () => "/generate_random_string/4096?count=16"),
      "/generate_counter_id",
    );
    socket.write("GET /x HT");
    // Another, in one piece, for Node does not look at what comes when so much is unread: half of a body.
    const other = connect(listening.port, "127.0.0.1");
    other.on("error", () => {});
    const large = "GET /generate_random_string/4096?count=16 HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(192);
    const half =
      "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf";
    other.write(large + half);
    await new Promise((wake) => setTimeout(wake, 1000));
    await listening.close();
    await own.stop();
    socket.destroy();
    other.destroy();
  });

  test("no header is one too many to be seen", async () => {
    const id = async () => {
      const socket = connect(server.port, "127.0.0.1");
      const head = ["POST /v1/idgenerator/farmer/id HTTP/1.1", "host: localhost", "connection: close"];
      socket.write([...head, ...Array(2100).fill("a:"), "idempotency-key: k1", "", ""].join("\r\n"));
      const answer = await text(socket);
      return /"response":\{"id":"(\d+)"/.exec(answer)?.[1];
    };
    const first = await id();
    expect(first).toMatch(/^\d{10}$/);
    expect(await id()).toBe(first);
  });

  test("a reply has its length, also of HEAD", async () => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await fetch(`${server.url}/decode/1`, { method });
      expect(answer.headers.get("transfer-encoding")).toBeNull();
      expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(50);
    }
  });

  test("close() lets those under way finish, and takes no more", async () => {
    let asked = 0;
    let at = 0;
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    // A Redis that answers when it is told to.
    const backend = {
      async eval(): Promise<unknown> {
        asked++;
        await gate;
        return `from ${at++} to ${at}`;
      },
    };
    const own = createService({ backend, machineId: 1, setup: false });
    const listening = await listen(own, { port: 0 });
    const answers = Array.from({ length: 10 }, () => fetch(`${listening.url}/generate_counter_id`));
    await vi.waitFor(() => expect(asked).toBe(10));
    const closed = listening.close();
    go();
    for (const answer of await Promise.all(answers)) expect(await answer.json()).toHaveProperty("id");
    await closed;
    await own.stop();
    await expect(fetch(`${listening.url}/generate_uuid`)).rejects.toThrow();
  });
});

describe("whatever is asked", () => {
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
    fc.json().map((json) => json),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    fc.constant("x".repeat(2000)),
  );

  test("is answered, never by a 5xx, and as the document says", async () => {
    const check = await checker(service);
    const ask = (facts: {
      method: string;
      path: string;
      headers: Record<string, string>;
      body: string | Buffer;
    }) =>
      new Promise<[IncomingMessage, string]>((resolve, reject) => {
        // Said, for Node's client says it of a GET's body to nobody, who would take it for the next request.
        const length = { "content-length": facts.method === "TRACE" ? 0 : Buffer.byteLength(facts.body) };
        const headers = { ...facts.headers, ...length };
        const options = { host: "127.0.0.1", port: server.port, ...facts, headers, agent: false };
        const request = send(options, (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () => resolve([answer, Buffer.concat(chunks).toString()]));
        });
        request.on("error", reject);
        request.end(facts.method === "TRACE" ? undefined : facts.body);
      });
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(method, path, query, headers, body, async (method, path, query, headers, body) => {
        const target = encodeURI(path + query).replace(/%25/g, "%");
        let answer: IncomingMessage;
        let text: string;
        try {
          [answer, text] = await ask({ method, path: target, headers, body });
        } catch (error) {
          // What Node's own client does not send, and a body of which the rest was not wanted.
          expect((error as { code?: string }).code).toMatch(
            /^(ERR_INVALID_CHAR|ERR_HTTP_INVALID_HEADER_VALUE|ERR_UNESCAPED_CHARACTERS|ECONNRESET|EPIPE)$/,
          );
          return;
        }
        seen++;
        const { statusCode: status = 0 } = answer;
        expect(status).toBeLessThan(500);
        const type = answer.headers["content-type"];
        const response = new Response(method === "HEAD" || status === 204 ? null : text, {
          status,
          headers: type === undefined ? {} : { "content-type": type },
        });
        await check(method, target.split("?")[0] as string, response);
        if (status >= 400 && method !== "HEAD") expect(JSON.parse(text)).toBeTypeOf("object");
      }),
      { numRuns: Math.min(2000, fc.readConfigureGlobal().numRuns as number) },
    );
    expect(seen).toBeGreaterThan(50);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  test("bytes of any kind do not end it", async () => {
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
        const answer = await raw(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
        if (answer !== "") expect(answer).toMatch(/^HTTP\/1\.1 [1-4]\d\d /);
      }),
      { numRuns: Math.min(300, fc.readConfigureGlobal().numRuns as number) },
    );
    expect((await fetch(`${server.url}/generate_uuid`)).status).toBe(200);
  });
});
