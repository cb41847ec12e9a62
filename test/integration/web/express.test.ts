// Express and Connect: what apps do with a request and a response around the middleware.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request as send } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import compression from "compression";
import connect from "connect";
import express5 from "express";
import session from "express-session";
import express4 from "express4";
import multer from "multer";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import type { IdempotentOptions } from "../../../src/idempotency/index.ts";
import { RateLimit } from "../../../src/ratelimit/index.ts";
import { idempotency, rateLimit } from "../../../src/web/express.ts";
import { listen, type Running } from "./frameworks.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-web-"));
writeFileSync(join(folder, "file.txt"), "x".repeat(100_000));
writeFileSync(join(folder, "other.txt"), "other");
afterAll(() => rmSync(folder, { recursive: true }));

const running: Running[] = [];
afterEach(async () => {
  for (const site of running.splice(0)) await site.close();
});

const keyed = (options: Partial<IdempotentOptions> = {}) =>
  idempotency({ backend: memory(), name: "n", tenant: () => "", ...options });

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly reason: string | undefined;
}

/** Sends a request. Its body is sent in the given chunks. */
function call(
  url: string,
  {
    headers = {},
    method = "POST",
    chunks = [],
    agent,
  }: {
    headers?: Readonly<Record<string, string>>;
    method?: string;
    chunks?: readonly (string | Uint8Array)[];
    agent?: Agent;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = send(url, {
      method,
      headers: { "idempotency-key": "k", ...headers },
      ...(agent && { agent }),
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const { statusCode: status, statusMessage: reason, headers } = response;
      buffer(response).then((body) => resolve({ status, reason, headers, body }), reject);
    });
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
  });
}

const json = { "content-type": "application/json" };

describe.each([
  ["Express 4", express4 as unknown as typeof express5],
  ["Express 5", express5],
])("%s", (_name, express) => {
  /** Starts an app. Returns its URL. */
  const start = async (build: (app: express5.Express) => void): Promise<string> => {
    const app = express();
    app.set("env", "test");
    build(app);
    const site = await listen(app);
    running.push(site);
    return site.url;
  };

  /** Calls twice, and expects that the second answer is a replay of the first. */
  const replays = async (url: string, options: Parameters<typeof call>[1] = {}): Promise<Answer> => {
    const first = await call(url, options);
    const again = await call(url, options);
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect([again.status, again.body.toString("latin1")]).toEqual([
      first.status,
      first.body.toString("latin1"),
    ]);
    return first;
  };

  describe("a response", () => {
    const ways: Record<string, (res: express5.Response, req: express5.Request) => void> = {
      "end()": (res) => void res.end(),
      "end(string)": (res) => void res.end("ü"),
      "end(string, encoding)": (res) => void res.end("fc", "hex"),
      "end(bytes)": (res) => void res.end(new Uint8Array([1, 255])),
      "end(callback)": (res) => void res.end(() => {}),
      "end(chunk, callback)": (res) => void res.end("a", () => {}),
      "end(chunk, encoding, callback)": (res) => void res.end("a", "latin1", () => {}),
      "end(null)": (res) =>
        void (res as unknown as { end(chunk: null, encoding: null, callback: null): void }).end(
          null,
          null,
          null,
        ),
      "write(chunk) and end()": (res) => {
        res.write("a");
        res.write(Buffer.from("b"));
        res.write("\u00fc", "latin1");
        res.end("c");
      },
      "write with callbacks": (res) => {
        res.write("a", () => {
          res.write("b", "utf8", () => res.end("c"));
        });
      },
      "writeHead(status)": (res) => void res.writeHead(202).end("a"),
      "writeHead(status, reason)": (res) => void res.writeHead(202, "Fine").end("a"),
      "writeHead(status, headers)": (res) =>
        void res.writeHead(202, { "X-One": "1", "x-two": ["2", "3"] }).end("a"),
      "writeHead(status, reason, flat headers)": (res) => {
        res.writeHead(202, "Fine", ["x-one", "1", "x-two", "2"] as never).end("a");
      },
      "flushHeaders()": (res) => {
        res.status(202).flushHeaders();
        setTimeout(() => res.end("late"), 5);
      },
      "json()": (res) => void res.status(201).json({ a: 1 }),
      "send(text)": (res) => void res.send("text"),
      "send(buffer)": (res) => void res.send(Buffer.from([0, 200])),
      "sendStatus()": (res) => void res.sendStatus(202),
      "redirect()": (res) => void res.redirect(303, "/orders/1"),
      "status 204": (res) => void res.status(204).end(),
      "status 205": (res) => void res.status(205).end(),
      "status 304": (res) => void res.status(304).end(),
      attachment: (res) => void res.attachment("a.txt").send("a"),
      "sendFile()": (res) => {
        res.sendFile(join(folder, "file.txt"));
      },
      "download() with a callback": (res) => {
        res.download(join(folder, "other.txt"), () => {});
      },
      "a piped stream": (res) => void Readable.from(["a", "b", "c"]).pipe(res),
      "a long piped stream": (res) => {
        const pieces = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(20_000));
        Readable.from(pieces).pipe(res);
      },
      "pipeline()": (res) => void pipeline(Readable.from(["a", "b"]), res, () => {}),
      "the request's own body": (res, req) => void req.pipe(res),
    };
    test.each(Object.entries(ways))("that is made by %s is replayed", async (_, answer) => {
      let calls = 0;
      const url = await start((app) => {
        app.post("/", keyed(), (req, res) => {
          calls++;
          answer(res, req);
        });
        app.post("/bare", (req, res) => answer(res, req));
      });
      const first = await replays(`${url}/`, { chunks: ["bo", "dy"] });
      expect(calls).toBe(1);
      const bare = await call(`${url}/bare`, { chunks: ["bo", "dy"] });
      expect([first.status, first.reason, first.body]).toEqual([bare.status, bare.reason, bare.body]);
      const shown = ({
        headers: { date, connection, "transfer-encoding": _encoding, "content-length": _length, ...rest },
      }: Answer) => rest;
      expect(shown(first)).toEqual(shown(bare));
    });

    test("calls the callbacks of write and end, and emits finish once", async () => {
      const events: string[] = [];
      const url = await start((app) => {
        app.use((_req, res, next) => {
          res.on("finish", () => events.push(`finish ${res.statusCode}`));
          next();
        });
        app.post("/", keyed(), (_req, res) => {
          res.status(201).write("a", () => events.push("write"));
          res.end("b", () => events.push("end"));
          events.push(`sent ${res.headersSent} ${res.writableEnded}`);
        });
      });
      await call(url);
      expect(events[0]).toBe("sent true true");
      expect([...events].sort()).toEqual(["end", "finish 201", "sent true true", "write"]);
    });

    test("is sent once if the handler answers twice", async () => {
      const url = await start((app) => {
        app.post("/", keyed(), (_req, res) => {
          res.json({ n: 1 });
          res.end("two");
        });
      });
      expect(String((await replays(url)).body)).toBe('{"n":1}');
    });

    test("above maxBytes streams to a slow client, and is not replayed", async () => {
      const pieces = Array.from({ length: 200 }, (_, index) => String(index % 10).repeat(10_000));
      const url = await start((app) => {
        app.post("/", keyed({ maxBytes: 1000 }), (_req, res) => void Readable.from(pieces).pipe(res));
      });
      const body = await new Promise<Buffer>((resolve, reject) => {
        const sent = send(url, { method: "POST", headers: { "idempotency-key": "k" } }, (response) => {
          response.pause();
          setTimeout(() => buffer(response).then(resolve, reject), 50);
        });
        sent.on("error", reject).end();
      });
      expect(body.toString()).toBe(pieces.join(""));
      expect(JSON.parse(String((await call(url)).body))).toMatchObject({ code: "ERR_NOT_KEPT" });
    });

    test("has the headers of middleware outside from this request, and those of handlers from the first", async () => {
      let requests = 0;
      const url = await start((app) => {
        app.use((_req, res, next) => {
          res.set({ "x-request": String(++requests), "x-removed": "1", "x-changed": "outside" });
          next();
        });
        app.post("/", keyed(), (_req, res) => {
          res.removeHeader("x-removed");
          res.set({ "x-changed": "inside", "x-handler": String(requests) }).end();
        });
      });
      const [first, again] = [await call(url), await call(url)];
      expect(first.headers).toMatchObject({ "x-request": "1", "x-changed": "inside", "x-handler": "1" });
      expect(first.headers["x-removed"]).toBeUndefined();
      expect(again.headers).toMatchObject({ "x-request": "2", "x-changed": "inside", "x-handler": "1" });
    });

    test("a HEAD or OPTIONS request passes, and a HEAD with a key is replayed if the method is listed", async () => {
      let calls = 0;
      const url = await start((app) => {
        app.use("/listed", keyed({ methods: ["HEAD"] }));
        app.use("/orders", keyed());
        app.all(["/listed", "/orders"], (_req, res) => void res.send(`call ${++calls}`));
      });
      for (const method of ["HEAD", "OPTIONS", "GET"]) await call(`${url}/orders`, { method });
      expect(calls).toBe(3);
      const first = await replays(`${url}/listed`, { method: "HEAD" });
      expect([calls, first.headers["content-length"], first.body.length]).toEqual([4, "6", 0]);
    });
  });

  describe("compression", () => {
    const text = "compress me ".repeat(1000);
    test.each(["before", "after"] as const)("%s the middleware", async (order) => {
      const url = await start((app) => {
        if (order === "before") app.use(compression());
        app.use(keyed());
        if (order === "after") app.use(compression());
        app.post("/send", (_req, res) => void res.type("text").send(text));
        app.post("/stream", (_req, res) => {
          res.type("text");
          Readable.from(["compress me ".repeat(500), "compress me ".repeat(500)]).pipe(res);
        });
      });
      for (const path of ["/send", "/stream"]) {
        const headers = { "accept-encoding": "gzip" };
        const [first, again] = [await call(url + path, { headers }), await call(url + path, { headers })];
        for (const { headers: got, body } of [first, again]) {
          expect(got["content-encoding"]).toBe("gzip");
          expect(gunzipSync(body).toString()).toBe(text);
        }
        expect(again.headers["idempotent-replayed"]).toBe("true");
        if (order === "after") continue;
        // Each response is compressed for its own client.
        const plain = await call(url + path);
        expect([plain.headers["content-encoding"], String(plain.body)]).toEqual([undefined, text]);
      }
    });
  });

  test.each(["before", "after"] as const)("a session %s the middleware", async (order) => {
    const store = session({ secret: "s", resave: true, saveUninitialized: true, rolling: true });
    const url = await start((app) => {
      if (order === "before") app.use(store);
      app.use(keyed());
      if (order === "after") app.use(store);
      app.post("/", (_req, res) => void res.status(201).json({ a: 1 }));
    });
    const first = await replays(url);
    expect(first.headers["set-cookie"]).toHaveLength(1);
    const { headers } = await call(url);
    // A session outside sets the cookie of this request, and one inside has set that of the first.
    expect(headers["set-cookie"]?.length).toBe(order === "before" ? 1 : undefined);
  });

  describe("an error", () => {
    const failing = (fail: (res: express5.Response, next: express5.NextFunction) => void) =>
      start((app) => {
        let calls = 0;
        app.post("/", keyed(), (_req, res, next) => {
          if (++calls === 1) fail(res, next);
          else res.send(`call ${calls}`);
        });
      });

    test.each<[string, (res: express5.Response, next: express5.NextFunction) => void]>([
      [
        "that is thrown",
        () => {
          throw new Error("thrown");
        },
      ],
      ["that is passed on", (_res, next) => next(new Error("passed"))],
      ["that comes later", (_res, next) => void setTimeout(() => next(new Error("late")), 2)],
    ])("%s is a 500, and the key is free", async (_, fail) => {
      const url = await failing(fail);
      expect((await call(url)).status).toBe(500);
      expect(String((await call(url)).body)).toBe("call 2");
      expect(String((await call(url)).body)).toBe("call 2");
    });

    test("of an error handler is its response", async () => {
      let calls = 0;
      const url = await start((app) => {
        app.use(keyed());
        app.post("/", (_req, _res, next) => {
          calls++;
          next(Object.assign(new Error("no"), { status: 422 }));
        });
        app.use(((error, _req, res, _next) => {
          res.status(error.status).json({ message: error.message });
        }) satisfies express5.ErrorRequestHandler);
      });
      const first = await replays(url);
      expect([first.status, String(first.body), calls]).toEqual([422, '{"message":"no"}', 1]);
    });

    test("after the head closes the connection, and the key is free", async () => {
      const url = await failing((res, next) => {
        res.write("half");
        next(new Error("half-way"));
      });
      await expect(call(url)).rejects.toThrow();
      await expect.poll(async () => String((await call(url)).body), { timeout: 60_000 }).toBe("call 2");
    });

    test("of a stream that breaks off closes the connection, and the key is free", async () => {
      const url = await failing((res) => {
        const source = new Readable({ read() {} });
        source.push("half");
        pipeline(source, res, () => {});
        setTimeout(() => source.destroy(new Error("broken")), 5);
      });
      await expect(call(url)).rejects.toThrow();
      await expect.poll(async () => String((await call(url)).body), { timeout: 60_000 }).toBe("call 2");
    });

    test("of the tenant goes to the error handlers", async () => {
      const url = await start((app) => {
        app.use(
          keyed({
            tenant: () => {
              throw new Error("no tenant");
            },
          }),
        );
        app.post("/", (_req, res) => void res.end());
        app.use(
          ((error, _req, res, _next) =>
            void res.status(500).send(error.message)) satisfies express5.ErrorRequestHandler,
        );
      });
      expect(String((await call(url)).body)).toBe("no tenant");
    });

    test("of keeps goes to them after the handler, without its headers, and later calls get 409", async () => {
      const url = await start((app) => {
        app.use(
          keyed({
            keeps: () => {
              throw new Error("no rule");
            },
          }),
        );
        app.post("/", (_req, res) => void res.set("x-handler", "1").status(201).json({ a: 1 }));
        app.use(
          ((error, _req, res, _next) =>
            void res.status(500).send(error.message)) satisfies express5.ErrorRequestHandler,
        );
      });
      const first = await call(url);
      expect([first.status, String(first.body), first.headers["x-handler"]]).toEqual([
        500,
        "no rule",
        undefined,
      ]);
      expect((await call(url)).status).toBe(409);
    });
  });

  describe("a request body", () => {
    /** An app that echoes what its parser has made of the body, and a count of its calls. */
    const echo = (...between: express5.RequestHandler[]) =>
      start((app) => {
        let calls = 0;
        app.use(...(between as [express5.RequestHandler]));
        app.post("/", (req, res) => {
          const { body, rawBody, file, files } = req as unknown as Record<string, unknown>;
          const buffer = (file as { buffer?: Buffer } | undefined)?.buffer;
          res.json({
            call: ++calls,
            body,
            rawBody: rawBody && String(rawBody),
            file: buffer && String(buffer),
            files,
          });
        });
      });
    const parse = ({ body }: Answer) => JSON.parse(String(body));

    test.each<[string, () => express5.RequestHandler, string, readonly (string | Uint8Array)[], unknown]>([
      ["json()", () => express.json(), "application/json", ['{"a":', "1}"], { a: 1 }],
      ["text()", () => express.text(), "text/plain", ["te", "xt"], "text"],
      [
        "urlencoded()",
        () => express.urlencoded({ extended: true }),
        "application/x-www-form-urlencoded",
        ["a=1&b[]=2"],
        { a: "1", b: ["2"] },
      ],
      [
        "raw()",
        () => express.raw(),
        "application/octet-stream",
        [new Uint8Array([1, 2])],
        { type: "Buffer", data: [1, 2] },
      ],
      [
        "json() of a large body",
        () => express.json({ limit: "1mb" }),
        "application/json",
        [`["${"x".repeat(400_000)}"]`],
        ["x".repeat(400_000)],
      ],
    ])(
      "is found by %s after the middleware, and counts after it too",
      async (_, parser, type, chunks, body) => {
        for (const order of [
          [keyed(), parser()],
          [parser(), keyed()],
        ]) {
          const url = await echo(...order);
          const headers = { "content-type": type };
          expect(parse(await call(url, { headers, chunks })).body).toEqual(body);
          expect(parse(await call(url, { headers, chunks })).call).toBe(1);
          const other = type === "application/json" ? ['{"other":1}'] : ["other"];
          expect((await call(url, { headers, chunks: other })).status).toBe(422);
        }
      },
    );

    test("that is compressed is found by a parser after the middleware", async () => {
      const url = await echo(keyed(), express.json());
      const headers = { ...json, "content-encoding": "gzip" };
      expect(parse(await call(url, { headers, chunks: [gzipSync('{"a":1}')] })).body).toEqual({ a: 1 });
    });

    test("is verified by express.json after the middleware, and counts by its bytes before it", async () => {
      const parser = () =>
        express.json({ verify: (req, _res, bytes) => Object.assign(req, { rawBody: Buffer.from(bytes) }) });
      const after = await echo(keyed(), parser());
      expect(parse(await call(after, { headers: json, chunks: ['{ "a": 1 }'] })).rawBody).toBe('{ "a": 1 }');
      const before = await echo(parser(), keyed());
      await call(before, { headers: json, chunks: ['{ "a": 1 }'] });
      expect((await call(before, { headers: json, chunks: ['{"a":1}'] })).status).toBe(422);
    });

    test("after a parser, the order of its keys does not count, and bigints do", async () => {
      const url = await echo(
        express.json({ reviver: (_key, value) => (value === 7 ? 911780371413233664n : value) }),
        keyed(),
        (req, _res, next) => {
          req.body = String(req.body.a);
          next();
        },
      );
      const post = (body: string) => call(url, { headers: json, chunks: [body] });
      expect(parse(await post('{"a":7,"b":{"d":[1,"x"],"c":null}}')).body).toBe("911780371413233664");
      expect(parse(await post('{"b":{"c":null,"d":[1,"x"]},"a":7}')).call).toBe(1);
      for (const other of [
        '{"a":8,"b":{"d":[1,"x"],"c":null}}',
        '{"a":7,"b":{"d":["x",1],"c":null}}',
        '{"a":7}',
      ]) {
        expect((await post(other)).status).toBe(422);
      }
    });

    test.each(["{}", "[]"])("that is %s is one, after each parser and before it", async (body) => {
      for (const order of [
        [keyed(), express.json()],
        [express.json(), keyed()],
      ]) {
        const url = await echo(...order);
        expect(parse(await call(url, { headers: json, chunks: [body] })).body).toEqual(JSON.parse(body));
        expect(parse(await call(url, { headers: json, chunks: [body] })).call).toBe(1);
        expect((await call(url, { headers: json, chunks: ['{"a":1}'] })).status).toBe(422);
      }
    });

    test.each<[string, Readonly<Record<string, string>>]>([
      ["has a length of 0", { ...json, "content-length": "0" }],
      ["is chunked and empty", { ...json, "transfer-encoding": "chunked" }],
      ["has no length", {}],
    ])("that %s does not hang a parser", async (_, headers) => {
      for (const order of [
        [keyed(), express.json()],
        [express.json(), keyed()],
        [keyed(), express.text({ type: "*/*" })],
      ]) {
        const url = await echo(...order);
        expect((await call(url, { headers })).status).toBe(200);
        expect(parse(await call(url, { headers })).call).toBe(1);
      }
    });

    test("reaches two middlewares and a parser after them", async () => {
      const url = await echo(keyed({ name: "one" }), keyed({ name: "two" }), express.json());
      expect(parse(await call(url, { headers: json, chunks: ['{"a":1}'] })).body).toEqual({ a: 1 });
      expect(parse(await call(url, { headers: json, chunks: ['{"a":1}'] })).call).toBe(1);
      expect((await call(url, { headers: json, chunks: ['{"a":2}'] })).status).toBe(422);
    });

    const form = (text: string, file: string) => {
      const part = (head: string, body: string) =>
        `--line\r\ncontent-disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
      return [`${part('name="text"', text)}${part('name="file"; filename="a.txt"', file)}--line--\r\n`];
    };
    const multipart = { "content-type": "multipart/form-data; boundary=line" };

    test.each(["before", "after"] as const)(
      "of multipart is found by multer %s the middleware",
      async (order) => {
        const upload = multer({ storage: multer.memoryStorage() }).single("file") as express5.RequestHandler;
        const url = await echo(...(order === "before" ? [upload, keyed()] : [keyed(), upload]));
        const post = (text: string, file: string) =>
          call(url, { headers: multipart, chunks: form(text, file) });
        expect(parse(await post("t", "f"))).toMatchObject({ call: 1, body: { text: "t" }, file: "f" });
        expect(parse(await post("t", "f")).call).toBe(1);
        expect((await post("t", "other")).status).toBe(422);
        expect((await post("other", "f")).status).toBe(422);
      },
    );

    test.each<[string, () => express5.RequestHandler[], Readonly<Record<string, string>>, readonly string[]]>(
      [
        [
          "was read and left nowhere",
          () => [(req, _res, next) => void req.on("data", () => {}).on("end", () => next())],
          json,
          ['{"a":1}'],
        ],
        [
          "is being read",
          () => [
            (req, _res, next) => {
              req.on("data", () => {});
              next();
            },
          ],
          json,
          ['{"a":1}'],
        ],
        [
          "another parser has passed over",
          () => [express.json(), (req, _res, next) => void req.on("data", () => {}).on("end", () => next())],
          { "content-type": "text/csv" },
          ["a,b"],
        ],
        [
          "multer has written to a disk",
          () => [multer({ dest: folder }).single("file") as express5.RequestHandler],
          multipart,
          form("t", "f"),
        ],
        [
          "is a Map",
          () => [
            express.json(),
            (req, _res, next) => {
              req.body = new Map([["a", 1]]);
              next();
            },
          ],
          json,
          ['{"a":1}'],
        ],
      ],
    )("that %s is an error", async (_, before, headers, chunks) => {
      let calls = 0;
      const url = await start((app) => {
        app.use(...(before() as [express5.RequestHandler]), keyed());
        app.post("/", (_req, res) => void res.json({ call: ++calls }));
      });
      const answer = await call(url, { headers, chunks });
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      expect(parse(answer)).toMatchObject({
        status: 500,
        code: "ERR_BODY_NOT_SEEN",
        detail: expect.stringContaining("register idempotency before"),
      });
      expect(calls).toBe(0);
    });

    test("that is too large is refused on a connection that goes on", async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const url = await echo(keyed({ maxRequestBytes: 1000 }));
      const chunks = Array.from({ length: 30 }, () => "x".repeat(100_000));
      expect((await call(url, { chunks, agent })).status).toBe(413);
      expect((await call(url, { chunks: ["x"], agent })).status).toBe(200);
      agent.destroy();
    });

    test("that breaks off runs nothing", async () => {
      let calls = 0;
      const url = await start((app) => {
        app.use(keyed());
        app.post("/", (_req, res) => void res.json({ call: ++calls }));
        app.use(
          ((_error, _req, res, _next) => void res.status(400).end()) satisfies express5.ErrorRequestHandler,
        );
      });
      const headers = { "idempotency-key": "k", "content-length": "100" };
      const broken = send(url, { method: "POST", headers });
      broken.on("error", () => {});
      broken.write("half");
      await new Promise((wake) => setTimeout(wake, 20));
      broken.destroy();
      expect(parse(await call(url, { chunks: ["half"] })).call).toBe(1);
    });
  });

  test("a client that goes away in a stream frees the key", async () => {
    let calls = 0;
    const url = await start((app) => {
      app.post("/", keyed({ maxBytes: 10 }), (_req, res) => {
        if (++calls > 1) return void res.send(`call ${calls}`);
        const source = new Readable({
          read() {
            setTimeout(() => this.push("x".repeat(1000)), 1);
          },
        });
        source.pipe(res);
        res.on("close", () => source.destroy());
      });
    });
    await new Promise<void>((resolve) => {
      const sent = send(url, { method: "POST", headers: { "idempotency-key": "k" } }, (response) => {
        response.once("data", () => {
          sent.destroy();
          resolve();
        });
        response.on("error", () => {});
      });
      sent.on("error", () => {}).end();
    });
    await expect
      .poll(async () => String((await call(url)).body), { timeout: 60_000 })
      .toMatch(/call 2|ERR_NOT_KEPT/);
  });

  test("options get the request of Express, and the path of a key is that before mounts", async () => {
    const seen: unknown[] = [];
    const url = await start((app) => {
      const router = express.Router();
      router.post(
        "/orders",
        keyed({
          tenant: (request, req) => {
            const { ip, originalUrl } = req as express5.Request;
            seen.push([
              ip,
              originalUrl,
              request.url,
              request instanceof Request,
              request.headers.has("host"),
            ]);
            return "";
          },
        }),
        (_req, res) => void res.end(),
      );
      app.use("/shop", router);
    });
    await call(`${url}/shop/orders?a=1`);
    expect(seen).toEqual([["127.0.0.1", "/shop/orders?a=1", `${url}/shop/orders?a=1`, true, true]]);
  });

  describe("a request that middleware outside answers while it waits", () => {
    /** Answers a request with 503 in place of its handlers, as a time limit does. */
    const timeLimits: (() => void)[] = [];
    const timeLimit: express5.RequestHandler = (_req, res, next) => {
      timeLimits.push(() => void res.status(503).end("too late"));
      next();
    };

    test("for its key: its work is not done, and the next call does it", async () => {
      timeLimits.length = 0;
      let [calls, misses] = [0, 0];
      const answers: express5.Response[] = [];
      const onMiss = () => void misses++;
      const url = await start((app) => {
        app.use(timeLimit, keyed({ inFlight: "wait", waitMs: 60_000, onMiss }));
        app.post("/", (_req, res) => {
          calls++;
          answers.push(res);
        });
      });
      const first = call(url);
      await expect.poll(() => answers.length, { timeout: 60_000 }).toBe(1);
      const waiting = call(url);
      await expect.poll(() => timeLimits.length, { timeout: 60_000 }).toBe(2);
      timeLimits[1]?.();
      expect((await waiting).status).toBe(503);
      // A failure frees the key for the one that waits.
      answers[0]?.status(500).end();
      expect((await first).status).toBe(500);
      await expect.poll(() => misses, { timeout: 60_000 }).toBe(2);
      const last = call(url);
      await expect.poll(() => answers.length, { timeout: 60_000 }).toBe(2);
      answers[1]?.end("done");
      expect(String((await last).body)).toBe("done");
      expect(calls).toBe(2);
    });

    test("for the store of a limit: its handler does not run, and nothing fails", async () => {
      timeLimits.length = 0;
      const limiter = new RateLimit({ backend: memory(), name: "r", limit: 2, windowMs: 600_000 });
      const { limit } = limiter;
      let answerOf = () => {};
      limiter.limit = async function (this: RateLimit, ...given) {
        await new Promise<void>((resolve) => {
          answerOf = resolve;
        });
        return limit.apply(limiter, given);
      };
      let calls = 0;
      const url = await start((app) => {
        app.use(timeLimit, rateLimit({ limiter, key: () => "all" }));
        app.post("/", (_req, res) => void res.end(`call ${++calls}`));
      });
      const late = call(url);
      await expect.poll(() => timeLimits.length, { timeout: 60_000 }).toBe(1);
      timeLimits[0]?.();
      expect((await late).status).toBe(503);
      answerOf();
      const next = call(url);
      await expect.poll(() => timeLimits.length, { timeout: 60_000 }).toBe(2);
      answerOf();
      expect(String((await next).body)).toBe("call 1");
    });
  });

  test("an error of keeps() in the middle of a response is answered, and nothing hangs", async () => {
    const url = await start((app) => {
      app.use(
        keyed({
          keeps: () => {
            throw new Error("keeps");
          },
        }),
      );
      app.post("/", (_req, res) => void res.write("begun"));
      const onError: express5.ErrorRequestHandler = (error, _req, res, _next) =>
        void res.status(500).end(`error: ${error.message}`);
      app.use(onError);
    });
    const { status, body } = await call(url);
    expect([status, String(body)]).toEqual([500, "error: keeps"]);
  });

  test("a rate limit and idempotency work together, and a denied request frees no key", async () => {
    const limiter = new RateLimit({ backend: memory(), name: "r", limit: 2, windowMs: 600_000 });
    let calls = 0;
    const url = await start((app) => {
      app.use(rateLimit({ limiter, key: () => "all" }), keyed());
      app.post("/", (_req, res) => void res.json({ call: ++calls }));
    });
    const answers = [await call(url), await call(url), await call(url)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.map(({ headers }) => headers.ratelimit)).toEqual([
      expect.stringMatching(/^"r";r=1;t=(299|300)$/),
      expect.stringMatching(/^"r";r=0;t=(2\d\d|300)$/),
      expect.stringContaining('"r";r=0'),
    ]);
    expect(calls).toBe(1);
  });
});

test("Connect", async () => {
  let calls = 0;
  const app = connect();
  app.use(keyed());
  app.use((_req: unknown, res: { end(text: string): void }) => res.end(`call ${++calls}`));
  const site = await listen(app);
  running.push(site);
  expect(String((await call(site.url, { chunks: ["a"] })).body)).toBe("call 1");
  expect(String((await call(site.url, { chunks: ["a"] })).body)).toBe("call 1");
  expect((await call(site.url, { chunks: ["b"] })).status).toBe(422);
});
