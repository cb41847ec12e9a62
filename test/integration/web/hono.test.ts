// Hono: validators, headers of other middleware, errors, and bodies around the middleware.

import { Hono } from "hono";
import { compress } from "hono/compress";
import { setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { validator } from "hono/validator";
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { RateLimit } from "../../../src/ratelimit/index.ts";
import { idempotency, rateLimit } from "../../../src/web/hono.ts";

const keyed = (more = {}) => idempotency({ backend: memory(), name: "n", tenant: () => "", ...more });

const post = (
  app: Hono,
  body: BodyInit | undefined = '{"a":1}',
  headers: Readonly<Record<string, string>> = {},
) =>
  app.request("/orders", {
    method: "POST",
    headers: {
      "idempotency-key": "k",
      ...(typeof body === "string" && { "content-type": "application/json" }),
      ...headers,
    },
    body,
  });

describe("bodies", () => {
  const form = (file: string) => {
    const data = new FormData();
    data.set("text", "t");
    data.set("file", new Blob([file]), "a.txt");
    return data;
  };
  test.each<[string, (c: { req: Request | never }) => unknown, () => BodyInit, () => BodyInit]>([
    ["json", (c) => (c.req as never as Request).json(), () => '{"a":1}', () => '{"a":2}'],
    ["text", (c) => (c.req as never as Request).text(), () => "a", () => "b"],
    ["arrayBuffer", (c) => (c.req as never as Request).arrayBuffer(), () => "a", () => "b"],
    ["blob", (c) => (c.req as never as Request).blob(), () => "a", () => "b"],
    ["formData", (c) => (c.req as never as Request).formData(), () => form("a"), () => form("b")],
    [
      "parseBody",
      (c) => (c.req as never as { parseBody(): unknown }).parseBody(),
      () => form("a"),
      () => form("b"),
    ],
  ])("read by %s before the middleware count, and after it are found", async (name, read, one, other) => {
    for (const order of ["before", "after"]) {
      let calls = 0;
      const app = new Hono();
      const parse = async (c: never, next: () => Promise<void>) => {
        expect(await read(c)).toBeTruthy();
        await next();
      };
      if (order === "before") app.use(parse as never);
      app.use(keyed());
      if (order === "after") app.use(parse as never);
      app.post("/orders", (c) => c.text(`call ${++calls}`));
      expect(await (await post(app, one())).text()).toBe("call 1");
      // A form's own boundary differs in each request, so its bytes do.
      const again = await post(app, one());
      if (name === "formData" ? order === "before" : typeof one() === "string")
        expect(await again.text()).toBe("call 1");
      expect((await post(app, other())).status).toBe(422);
    }
  });

  test("read by a validator count by what Hono keeps", async () => {
    const app = new Hono();
    app.post(
      "/orders",
      validator("json", (value: { a: number }) => value),
      keyed(),
      (c) => c.json(c.req.valid("json" as never)),
    );
    expect(await (await post(app, '{"a":1,"b":2}')).json()).toEqual({ a: 1, b: 2 });
    expect((await post(app, '{"a":1,"b":2}')).headers.get("idempotent-replayed")).toBe("true");
    expect((await post(app, '{"a":1,"b":3}')).status).toBe(422);
  });

  test("read from the raw request are an error", async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.raw.text();
      await next();
    });
    app.use(keyed());
    app.post("/orders", (c) => c.text("done"));
    expect(await (await post(app)).json()).toMatchObject({ status: 500, code: "ERR_BODY_NOT_SEEN" });
  });
});

test("headers of middleware outside are those of each request, and are not stored", async () => {
  let requests = 0;
  const app = new Hono();
  app.use(cors({ origin: (origin) => origin }));
  app.use(async (c, next) => {
    c.header("x-before", String(++requests));
    await next();
    c.header("x-after", String(requests));
  });
  app.use(keyed());
  app.post("/orders", (c) => c.json({ a: 1 }, 201, { "x-handler": String(requests) }));
  const of = async (origin: string) => {
    const { status, headers } = await post(app, undefined, { origin });
    return [
      status,
      ...["access-control-allow-origin", "x-before", "x-after", "x-handler"].map((name) => headers.get(name)),
    ];
  };
  expect(await of("https://one.example")).toEqual([201, "https://one.example", "1", "1", "1"]);
  expect(await of("https://two.example")).toEqual([201, "https://two.example", "2", "2", "1"]);
});

test("headers that middleware outside has prepared are those of replays and refusals too", async () => {
  let requests = 0;
  const app = new Hono();
  app.use(requestId({ generator: () => `r${++requests}` }));
  app.use(async (c, next) => {
    c.header("vary", "Origin");
    c.header("x-frame-options", "DENY");
    setCookie(c, "seen", String(requests));
    await next();
  });
  const limiter = new RateLimit({ backend: memory(), name: "r", limit: 3, windowMs: 600_000 });
  app.use(rateLimit({ limiter, key: () => "all" }), keyed());
  app.post("/orders", (c) => {
    c.header("vary", "Accept", { append: true });
    return c.json({ a: 1 }, 201, { "cache-control": "private" });
  });
  const of = async (body: string) => {
    const { status, headers } = await post(app, body);
    const names = ["x-request-id", "x-frame-options", "vary", "cache-control"];
    return [status, ...names.map((name) => headers.get(name)), headers.getSetCookie().join()];
  };
  expect(await of('{"a":1}')).toEqual([201, "r1", "DENY", "Origin, Accept", "private", "seen=1; Path=/"]);
  expect(await of('{"a":1}')).toEqual([201, "r2", "DENY", "Origin, Accept", "private", "seen=2; Path=/"]);
  expect(await of('{"a":2}')).toEqual([422, "r3", "DENY", "Origin", "no-store", "seen=3; Path=/"]);
  expect(await of('{"a":1}')).toEqual([429, "r4", "DENY", "Origin", "no-store", "seen=4; Path=/"]);
});

test("headers and cookies of middleware outside are those of the first response too, also after one that reads the response", async () => {
  const app = new Hono();
  app.use(async (c, next) => {
    c.res.headers.set("vary", "Origin");
    setCookie(c, "seen", "1");
    await next();
  });
  app.use(keyed());
  app.post("/orders", (c) => {
    c.header("vary", "Accept", { append: true });
    return c.json({ a: 1 }, 201);
  });
  for (const replayed of [null, "true"]) {
    const { headers } = await post(app);
    expect([headers.get("vary"), headers.getSetCookie(), headers.get("idempotent-replayed")]).toEqual([
      "Origin, Accept",
      ["seen=1; Path=/"],
      replayed,
    ]);
  }
});

test("a header of the handler has precedence over the same one of middleware outside, as without the middleware", async () => {
  const cacheControl = async (inside: (app: Hono) => unknown, body: BodyInit) => {
    const app = new Hono();
    app.use(async (c, next) => {
      c.header("cache-control", "no-store");
      c.header("x-before", "1");
      await next();
    });
    inside(app);
    app.post("/orders", async (c) =>
      (await c.req.text()) === "json"
        ? c.json({ a: 1 }, 201, { "cache-control": "private" })
        : new Response("text", { headers: { "cache-control": "private" } }),
    );
    await post(app, body);
    const { headers } = await post(app, body);
    return [headers.get("cache-control"), headers.get("x-before"), headers.get("idempotent-replayed")];
  };
  for (const body of ["json", "text"]) {
    expect((await cacheControl(() => {}, body))[0]).toBe("private");
    expect(await cacheControl((app) => app.use(keyed()), body)).toEqual(["private", "1", "true"]);
  }
});

test.each<[string, unknown, number, number]>([
  ["an error", new Error("no"), 500, 2],
  ["a refusal of the client", new HTTPException(422), 422, 1],
  ["a login that is missing", new HTTPException(401), 401, 2],
])("%s of a handler", async (_, error, status, runs) => {
  let calls = 0;
  const app = new Hono();
  app.use(keyed());
  app.onError((thrown) =>
    thrown instanceof HTTPException ? thrown.getResponse() : new Response("error", { status: 500 }),
  );
  app.post("/orders", () => {
    calls++;
    throw error;
  });
  expect((await post(app)).status).toBe(status);
  expect((await post(app)).status).toBe(status);
  expect(calls).toBe(runs);
});

test("a handler that is not found, and compression outside", async () => {
  const app = new Hono();
  app.use(compress({ threshold: 0 }));
  app.use(keyed());
  app.post("/orders", (c) => c.text("compress me ".repeat(500)));
  expect((await app.request("/none", { method: "POST", headers: { "idempotency-key": "k" } })).status).toBe(
    404,
  );
  for (const replayed of [null, "true"]) {
    const response = await post(app, undefined, { "accept-encoding": "gzip" });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("idempotent-replayed")).toBe(replayed);
  }
});

test("options get the context, and a limit and a key work together", async () => {
  const seen: unknown[] = [];
  const limiter = new RateLimit({ backend: memory(), name: "r", limit: 2, windowMs: 600_000 });
  const app = new Hono();
  app.use(rateLimit({ limiter, key: (_, c) => (c as never as { req: { path: string } }).req.path }));
  app.use(
    keyed({ tenant: (_: Request, c: { req: { path: string } }) => String(seen.push(c.req.path) && "") }),
  );
  app.post("/orders", (c) => c.text("done"));
  const responses = [await post(app), await post(app), await post(app)];
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(responses.map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true", null]);
  expect(responses[1]?.headers.get("ratelimit")).toMatch(/^"r";r=0;t=(2\d\d|300)$/);
  expect(seen).toEqual(["/orders", "/orders"]);
});
