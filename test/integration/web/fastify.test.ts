// Fastify: hooks, streams, hijacked replies, multipart, compression, and errors around the plugins.

import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import fastifyCompress from "@fastify/compress";
import fastifyMultipart from "@fastify/multipart";
import fastify5, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import fastify4 from "fastify4";
import { afterEach, describe, expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { RateLimit } from "../../../src/ratelimit/index.ts";
import { idempotency, rateLimit } from "../../../src/web/fastify.ts";

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const options = (more = {}) => ({ backend: memory(), name: "n", tenant: () => "", ...more });
const headers = { "idempotency-key": "k" };

describe.each([
  ["Fastify 4", fastify4 as unknown as typeof fastify5],
  ["Fastify 5", fastify5],
])("%s", (name, fastify) => {
  const create = () => {
    const app = fastify();
    apps.push(app);
    return app;
  };
  const post = (app: FastifyInstance, payload: string | object = { a: 1 }, more = {}) =>
    app.inject({ method: "POST", url: "/", headers: { ...headers, ...more }, payload });

  const ways: Record<string, (reply: FastifyReply) => unknown> = {
    "an object": () => ({ a: 1 }),
    "send(text)": (reply) => reply.code(201).send("text"),
    "send(buffer)": (reply) => reply.type("application/octet-stream").send(Buffer.from([0, 200])),
    "send(stream)": (reply) => reply.send(Readable.from(["a", "b"])),
    "send() of nothing": (reply) => reply.code(204).send(),
    "a redirect": (reply) => reply.code(303).header("location", "/orders/1").send(),
    "reply.raw": (reply) => {
      reply.hijack();
      reply.raw.writeHead(202, { "x-raw": "1" }).end("raw");
    },
    "a later send": (reply) => {
      setTimeout(() => reply.send("late"), 2);
      return reply;
    },
  };
  test.each(Object.entries(ways))("replays %s", async (_, answer) => {
    let calls = 0;
    const app = create();
    await app.register(idempotency, options());
    app.post("/", async (_request, reply) => {
      calls++;
      return answer(reply);
    });
    const [first, again] = [await post(app), await post(app)];
    expect(calls).toBe(1);
    expect([again.statusCode, again.body]).toEqual([first.statusCode, first.body]);
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    expect(again.headers).toMatchObject({ "idempotent-replayed": "true" });
    for (const name of ["content-type", "location", "x-raw"])
      expect(again.headers[name]).toBe(first.headers[name]);
  });

  test("runs onSend once and onResponse each time, and keeps headers of onRequest to their request", async () => {
    const events: string[] = [];
    let requests = 0;
    const app = create();
    app.addHook("onRequest", async (_request, reply) => {
      reply.header("x-request", String(++requests));
    });
    app.addHook("onSend", async (_request, reply, payload) => {
      events.push("send");
      reply.header("set-cookie", "a=1");
      return payload;
    });
    app.addHook("onResponse", async (_request, reply) => {
      events.push(`response ${reply.raw.statusCode}`);
    });
    await app.register(idempotency, options());
    app.post("/", async (_request, reply) => reply.code(201).send({ a: 1 }));
    const [first, again] = [await post(app), await post(app)];
    expect([first.headers["x-request"], again.headers["x-request"]]).toEqual(["1", "2"]);
    expect([first.headers["set-cookie"], again.headers["set-cookie"]]).toEqual(["a=1", undefined]);
    expect(events).toEqual(["send", "response 201", "response 201"]);
  });

  test("is limited to the plugin that registers it", async () => {
    let calls = 0;
    const app = create();
    await app.register(async (orders) => {
      await orders.register(idempotency, options());
      orders.post("/orders", async () => ++calls);
    });
    app.post("/", async () => ++calls);
    for (const url of ["/orders", "/orders", "/", "/"]) await app.inject({ method: "POST", url, headers });
    expect(calls).toBe(3);
  });

  test("an error of a handler is answered by the error handler, and frees the key unless it is the client's", async () => {
    let calls = 0;
    const app = create();
    await app.register(idempotency, options());
    app.post("/", async (request) => {
      calls++;
      throw Object.assign(new Error("no"), { statusCode: (request.body as { status: number }).status });
    });
    for (const status of [500, 422]) {
      const key = { "idempotency-key": `k${status}` };
      expect((await post(app, { status }, key)).statusCode).toBe(status);
      expect((await post(app, { status }, key)).statusCode).toBe(status);
    }
    expect(calls).toBe(3);
  });

  test("an error of keeps after the handler is a 500, and later calls get 409", async () => {
    const app = create();
    await app.register(
      idempotency,
      options({
        keeps: () => {
          throw new Error("no rule");
        },
      }),
    );
    app.post("/", async () => "done");
    const first = await post(app);
    expect([first.statusCode, first.json().code]).toEqual([500, "ERR_INTERNAL"]);
    expect((await post(app)).statusCode).toBe(409);
  });

  test("an error of the tenant goes to the error handler", async () => {
    const app = create();
    await app.register(
      idempotency,
      options({
        tenant: () => {
          throw new Error("no tenant");
        },
      }),
    );
    app.post("/", async () => "done");
    app.setErrorHandler((error, _request, reply) => reply.code(500).send((error as Error).message));
    expect((await post(app)).body).toBe("no tenant");
  });

  test("a body that a hook has used up is an error", async () => {
    const app = create();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload, done) => {
      payload.on("data", () => {}).on("end", () => done(null));
    });
    await app.register(idempotency, options());
    app.post("/", async () => "done");
    const answer = await post(app, "text", { "content-type": "text/plain" });
    expect(answer.json()).toMatchObject({ status: 500, code: "ERR_BODY_NOT_SEEN" });
  });

  test("an unknown option is refused by register", async () => {
    const app = create();
    app.register(idempotency, options({ tenants: 1 }));
    await expect(app.ready()).rejects.toThrow("option must be one of");
    const other = create();
    other.register(rateLimit, { limiter: {}, key: () => "", hook: "onSend" } as never);
    await expect(other.ready()).rejects.toThrow("hook must be one of onRequest, preHandler");
  });

  test("options get the request of Fastify, and a limit after the parser sees the body", async () => {
    const app = create();
    const limiter = new RateLimit({ backend: memory(), name: "r", limit: 1, windowMs: 600_000 });
    const key = (_: Request, request: FastifyRequest) => (request.body as { account: string }).account;
    await app.register(rateLimit, { limiter, key, hook: "preHandler" });
    app.post("/", async () => "done");
    const statuses = [];
    for (const account of ["ada", "ada", "bob"]) statuses.push((await post(app, { account })).statusCode);
    expect(statuses).toEqual([200, 429, 200]);
  });

  if (name === "Fastify 4") return;
  test("@fastify/multipart finds the body unread, and files count", async () => {
    const app = create();
    await app.register(fastifyMultipart);
    await app.register(idempotency, options());
    let calls = 0;
    app.post("/", async (request) => {
      const file = await request.file();
      return { call: ++calls, text: String(await file?.toBuffer()) };
    });
    const form = (text: string) =>
      `--line\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\n\r\n${text}\r\n--line--\r\n`;
    const type = { "content-type": "multipart/form-data; boundary=line" };
    expect((await post(app, form("one"), type)).json()).toEqual({ call: 1, text: "one" });
    expect((await post(app, form("one"), type)).json()).toEqual({ call: 1, text: "one" });
    expect((await post(app, form("two"), type)).statusCode).toBe(422);
  });

  test("@fastify/multipart, which gives each request functions for files, and a body of JSON", async () => {
    const app = create();
    await app.register(fastifyMultipart);
    await app.register(idempotency, options());
    let calls = 0;
    app.post("/", async () => ({ call: ++calls }));
    for (let tries = 0; tries < 2; tries++) expect((await post(app)).json()).toEqual({ call: 1 });
    expect((await post(app, { a: 2 })).statusCode).toBe(422);
  });

  test.each(["before", "after"])("@fastify/compress %s the plugin", async (order) => {
    const app = create();
    if (order === "before") await app.register(fastifyCompress, { threshold: 0 });
    await app.register(idempotency, options());
    if (order === "after") await app.register(fastifyCompress, { threshold: 0 });
    app.post("/", async (_request, reply) => reply.type("text/plain").send("compress me ".repeat(500)));
    for (const replayed of [undefined, "true"]) {
      const answer = await post(app, { a: 1 }, { "accept-encoding": "gzip" });
      expect(answer.headers["idempotent-replayed"]).toBe(replayed);
      expect(gunzipSync(answer.rawPayload).toString()).toBe("compress me ".repeat(500));
    }
  });
});
