// idempotent: options, requests, responses, and failing stores.

import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { BackendError, type MemoryPort, memory } from "../../src/backend/index.ts";
import {
  ArgumentError,
  Idempotency,
  type IdempotentOptions,
  idempotent,
  type RequestKey,
  type RequestProblem,
  storedKey,
} from "../../src/idempotency/index.ts";

type Fields = Readonly<Record<string, string>>;

const request = (headers: Fields = { "idempotency-key": "k" }, init: RequestInit = {}, path = "/orders") =>
  new Request(`https://shop.example${path}`, { method: "POST", body: "{}", headers, ...init });

const base = () => ({ backend: memory(), name: "n", tenant: () => "" });

/** A store in memory that fails. */
const failing: MemoryPort = {
  change: () => {
    throw new Error("connection to 10.0.0.5 lost");
  },
};

describe("options", () => {
  test.each<[string, object]>([
    ["tenant", { tenant: undefined }],
    ["tenant", { tenant: "one" }],
    ["required", { required: "yes" }],
    ["methods", { methods: "POST" }],
    ["methods", { methods: ["post"] }],
    ["methods", { methods: [1] }],
    ["keeps", { keeps: [200] }],
    ["maxRequestBytes", { maxRequestBytes: -1 }],
    ["documentation", { documentation: "" }],
    ["documentation", { documentation: "/docs/keys" }],
    ["documentation", { documentation: "javascript:alert(1)" }],
    ["documentation", { documentation: new URL("https://shop.example/") }],
    ["onError", { onError: 5 }],
    ["methods", { methods: Array(1) }],
    ["ttlMs", { ttlMs: 0 }],
    ["header", { header: "" }],
    ["header", { header: "a b" }],
    ["header", { header: ["a"] }],
    ["fingerprint", { fingerprint: "body" }],
    ["fingerprint", { fingerprint: null }],
    ["errorResponse", { errorResponse: new Response() }],
    ["maxKeyLength", { maxKeyLength: 0 }],
    ["maxKeyLength", { maxKeyLength: 256 }],
    ["inFlight", { inFlight: true }],
    ["waitMs", { waitMs: 1 }],
    ["onHit", { onHit: 1 }],
    ["option", { tenants: () => "" }],
  ])("a wrong %s is refused: %o", (field, wrong) => {
    const options = { ...base(), ...wrong } as IdempotentOptions;
    expect(() => idempotent(() => new Response(), options)).toThrow(expect.objectContaining({ field }));
  });

  test("a value that is not a handler is refused", () => {
    expect(() => idempotent({} as () => Response, base())).toThrow(ArgumentError);
  });

  test("types: the context is inferred from the handler, the tenant function or the call", async () => {
    interface Info {
      readonly id: string;
    }
    const both = idempotent((_: Request, info: Info) => new Response(info.id), {
      ...base(),
      tenant: (_, info) => info.id,
    });
    expectTypeOf(both).parameters.toEqualTypeOf<[Request, context: Info]>();
    expect(await (await both(request(), { id: "a" })).text()).toBe("a");
    const one = idempotent(() => new Response(), { ...base(), tenant: (_: Request, { id }: Info) => id });
    expectTypeOf(one).parameters.toEqualTypeOf<[Request, context: Info]>();
    const none = idempotent(() => new Response(), base());
    expectTypeOf(none).parameters.toEqualTypeOf<[Request, context?: unknown]>();
  });
});

describe("requests", () => {
  test.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])(
    "a %s goes to the handler as it is",
    async (method) => {
      const seen: Request[] = [];
      const handler = idempotent((given) => {
        seen.push(given);
        return new Response();
      }, base());
      const given = request({ "idempotency-key": "k" }, { method, body: undefined });
      await handler(given);
      await handler(given);
      expect(seen).toEqual([given, given]);
      expect(seen[0]).toBe(given);
    },
  );

  test("methods can be set", async () => {
    const run = vi.fn(() => new Response());
    const handler = idempotent(run, { ...base(), methods: ["PUT"] });
    for (const method of ["PUT", "PUT", "POST", "POST"])
      await handler(request({ "idempotency-key": "k" }, { method }));
    expect(run).toHaveBeenCalledTimes(3);
  });

  test("the handler gets the method, URL, headers and body of the request", async () => {
    const handler = idempotent(
      async (given) =>
        Response.json([
          given.method,
          given.url,
          given.headers.get("x-a"),
          await given.text(),
          given.bodyUsed,
        ]),
      base(),
    );
    const response = await handler(
      request({ "idempotency-key": "k", "x-a": "1" }, { body: "ü" }, "/orders?x=1"),
    );
    expect(await response.json()).toEqual(["POST", "https://shop.example/orders?x=1", "1", "ü", true]);
  });

  test("a request without a body has none in the handler", async () => {
    const handler = idempotent(async (given) => new Response(String(given.body)), base());
    expect(await (await handler(request(undefined, { body: undefined }))).text()).toBe("null");
  });

  test.each<[string, Fields]>([
    ["missing", {}],
    ["empty", { "idempotency-key": "" }],
    ["malformed", { "idempotency-key": "a b" }],
    ["too long", { "idempotency-key": "x".repeat(256) }],
    ["ambiguous", { "idempotency-key": "k", "x-idempotency-key": "l" }],
  ])("a key that is %s is 400", async (_, headers) => {
    const run = vi.fn(() => new Response());
    const response = await idempotent(run, base())(request(headers));
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      code: "ERR_IDEMPOTENCY_KEY",
      detail: expect.stringMatching(/idempotency-key/),
    });
    expect(run).not.toHaveBeenCalled();
  });

  const DRAFT = "https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/";
  test.each<[string, string | undefined, string]>([
    ["that of the draft by default", undefined, DRAFT],
    ["a custom URL", "https://shop.example/docs/keys", "https://shop.example/docs/keys"],
    ["a URL that needs encoding", "https://shop.example/a b>c", "https://shop.example/a%20b%3Ec"],
  ])("every refusal has a link to documentation: %s", async (_, documentation, url) => {
    const options = { ...base(), documentation, maxRequestBytes: 100, maxBytes: 5 };
    const rejecting = { change: () => Promise.reject(new Error("down")) as never };
    let finish = () => {};
    const waiting = new Promise<void>((wake) => {
      finish = wake;
    });
    let start = () => {};
    const started = new Promise<void>((wake) => {
      start = wake;
    });
    const handler = idempotent(async () => {
      start();
      await waiting;
      return new Response("too long to keep");
    }, options);
    const given = { "idempotency-key": "k" };
    const first = handler(request(given));
    // The digests of two requests may end in either order.
    await started;
    const refusals = [
      await handler(request(given)),
      await handler(request(given, { body: "other" })),
      await handler(request({})),
      await handler(request({ "idempotency-key": "a b" })),
      await handler(request({ "idempotency-key": "l" }, { body: "x".repeat(101) })),
      await idempotent(() => new Response(), { ...options, backend: rejecting })(request(given)),
    ];
    finish();
    expect((await first).headers.get("link")).toBeNull();
    refusals.push(await handler(request(given)));
    expect(refusals.map(({ status }) => status)).toEqual([409, 422, 400, 400, 413, 503, 409]);
    for (const { headers } of refusals) {
      expect(headers.get("link")).toBe(`<${url}>; rel="describedby"; type="text/html"`);
    }
  });

  test("a quoted key with parameters is the same key", async () => {
    const run = vi.fn(() => new Response());
    const handler = idempotent(run, base());
    for (const key of ["k", '"k"', '"k";a=1', '"k"; b="c;d"']) {
      expect((await handler(request({ "idempotency-key": key }))).status).toBe(200);
    }
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("with required false, a request without a key goes through, and a malformed key is 400", async () => {
    const run = vi.fn(() => new Response());
    const handler = idempotent(run, { ...base(), required: false });
    const given = request({});
    expect((await handler(given)).status).toBe(200);
    expect(run).toHaveBeenCalledExactlyOnceWith(given, undefined);
    expect((await handler(request({ "idempotency-key": "" }))).status).toBe(400);
  });

  test("a body above maxRequestBytes is 413, and one of that size is not", async () => {
    const run = vi.fn(() => new Response());
    const handler = idempotent(run, { ...base(), maxRequestBytes: 10 });
    expect((await handler(request({ "idempotency-key": "k" }, { body: "x".repeat(10) }))).status).toBe(200);
    const refused = await handler(request({ "idempotency-key": "l" }, { body: "x".repeat(11) }));
    expect(await refused.json()).toMatchObject({ status: 413, code: "ERR_CONTENT_TOO_LARGE" });
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("an endless body is read only up to maxRequestBytes", async () => {
    let chunks = 0;
    let isCancelled = false;
    const body = new ReadableStream({
      pull: (controller) => {
        chunks++;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    const handler = idempotent(() => new Response(), { ...base(), maxRequestBytes: 5000 });
    const init = { body, duplex: "half" } as RequestInit;
    expect((await handler(request({ "idempotency-key": "k" }, init))).status).toBe(413);
    expect(chunks).toBeLessThan(10);
    expect(isCancelled).toBe(true);
  });

  test("a tenant that is not a string is an error", async () => {
    const handler = idempotent(() => new Response(), { ...base(), tenant: () => undefined as never });
    await expect(handler(request())).rejects.toMatchObject({ field: "the tenant" });
  });

  test("a client that disconnects aborts the handler's signal", async () => {
    const controller = new AbortController();
    const handler = idempotent(
      (given) =>
        new Promise<Response>((_, reject) => {
          given.signal.addEventListener("abort", () => reject(given.signal.reason));
          controller.abort(new Error("gone"));
        }),
      base(),
    );
    const call = handler(request(undefined, { signal: controller.signal }));
    await expect(call).rejects.toThrow("gone");
  });
});

describe("responses", () => {
  const used = new Response("used");
  test.each<[string, () => unknown]>([
    ["a string", () => "done"],
    ["undefined", () => undefined],
    ["a response that was read", () => used],
    [
      "a response with a locked body",
      () => {
        const response = new Response("done");
        response.body?.getReader();
        return response;
      },
    ],
  ])("a handler that returns %s is an error, and does not run again", async (_, respond) => {
    await used.text().catch(() => {});
    let runs = 0;
    const handler = idempotent(() => {
      runs++;
      return respond() as Response;
    }, base());
    await expect(handler(request())).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(await (await handler(request())).json()).toMatchObject({ status: 409, code: "ERR_NOT_KEPT" });
    expect(runs).toBe(1);
  });

  test("a body of strings is an error of the handler, and nothing is sent", async () => {
    const texts = new ReadableStream({
      start: (controller) => {
        controller.enqueue("hello");
        controller.close();
      },
    });
    const handler = idempotent(() => new Response(texts), base());
    await expect(handler(request())).rejects.toThrow("Uint8Array");
  });

  test("only replays are marked, whatever headers the handler sets", async () => {
    const headers = { "idempotent-replayed": "true" };
    const handler = idempotent(() => new Response("done", { headers }), base());
    expect((await handler(request())).headers.get("idempotent-replayed")).toBeNull();
    expect((await handler(request())).headers.get("idempotent-replayed")).toBe("true");
  });

  test("a body that breaks off is an error of the handler, which runs again", async () => {
    let runs = 0;
    const broken = () =>
      new ReadableStream({
        pull: (controller) => controller.error(new Error("broken")),
      });
    const handler = idempotent(() => new Response(++runs === 1 ? broken() : "done"), base());
    await expect(handler(request())).rejects.toThrow("broken");
    expect(await (await handler(request())).text()).toBe("done");
  });

  test("an error response is passed on", async () => {
    const handler = idempotent(() => Response.error(), base());
    expect((await handler(request())).type).toBe("error");
  });

  test("a response above maxBytes streams to its client, and can be cancelled", async () => {
    let chunks = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(1000).fill(++chunks));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    const handler = idempotent(() => new Response(endless), { ...base(), maxBytes: 2500 });
    const reader = ((await handler(request())).body as ReadableStream<Uint8Array>).getReader();
    for (let at = 1; at <= 10; at++) expect((await reader.read()).value?.[0]).toBe(at);
    await reader.cancel();
    expect(isCancelled).toBe(true);
  });

  test("a response above maxBytes is sent whole", async () => {
    const text = "x".repeat(100_000);
    const handler = idempotent(() => new Response(new Blob([text]).stream()), { ...base(), maxBytes: 10 });
    expect(await (await handler(request())).text()).toBe(text);
  });
});

describe("the header", () => {
  test("has another name, and the default names are no longer read", async () => {
    const run = vi.fn(() => new Response("done"));
    const handler = idempotent(run, { ...base(), header: "X-Request-Key" });
    expect((await handler(request({ "x-request-key": '"k"' }))).status).toBe(200);
    const again = await handler(request({ "X-REQUEST-KEY": "k", "idempotency-key": "other" }));
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const missing = await handler(request({ "idempotency-key": "k" }));
    expect(await missing.json()).toMatchObject({ detail: "The header x-request-key is missing." });
    expect(await (await handler(request({ "x-request-key": "a b" }))).json()).toMatchObject({
      detail: expect.stringMatching(/^x-request-key must be/),
    });
    expect(run).toHaveBeenCalledTimes(1);
  });
});

describe("the fingerprint", () => {
  const json = (body: BodyInit, type = "application/json", path?: string) =>
    request({ "idempotency-key": "k", "content-type": type }, { body }, path);

  test.each([
    ["white space and the order of keys", '{ "a": 1,\n"b": [2] }', "application/json; charset=utf-8"],
    ["notation", '{"\\u0062":[2.0],"a":1e0}', "application/json"],
    ["the JSON type", '{"b":[2],"a":1}', 'Application/Vnd.shop+JSON; v="1"'],
  ])("of JSON does not depend on %s", async (_, body, type) => {
    const handler = idempotent(async (given) => new Response(await given.text()), {
      ...base(),
      fingerprint: "json",
    });
    expect(await (await handler(json('{"a":1,"b":[2]}'))).text()).toBe('{"a":1,"b":[2]}');
    const again = await handler(json(body, type));
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await again.text()).toBe('{"a":1,"b":[2]}');
  });

  test.each<[string, BodyInit, BodyInit, string?]>([
    ["a value", '{"a":1}', '{"a":2}'],
    ["a large integer", "9007199254740993", "9007199254740992"],
    ["the sign of a zero", "-0", "0"],
    ["the order of an array", "[1,2]", "[2,1]"],
    ["__proto__", '{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
    ["a missing __proto__", '{"__proto__":1}', "{}"],
    ["the order of duplicate keys", '{"a":1,"a":2}', '{"a":2,"a":1}'],
    ["white space beside duplicate keys", '{"a":1,"a":2}', '{"a":1, "a":2}'],
    ["a comma at the end", "[1]", "[1,]"],
    ["white space in text", "1", " 1", "text/plain"],
    ["white space in a form", "a=1", "a=1 ", "application/x-www-form-urlencoded"],
    ["white space that is no JSON", "a", " a"],
    ["white space alone", " ", "  "],
    ["invalid bytes", Uint8Array.of(0x22, 0xff, 0x22), Uint8Array.of(0x22, 0xfe, 0x22)],
  ])("of JSON depends on %s", async (_, one, other, type) => {
    const handler = idempotent(() => new Response("done"), { ...base(), fingerprint: "json" });
    expect((await handler(json(one, type))).status).toBe(200);
    expect((await handler(json(other, type))).status).toBe(422);
    expect((await handler(json(one, type))).headers.get("idempotent-replayed")).toBe("true");
  });

  test("of JSON depends on the query, and on the bytes without a JSON type", async () => {
    const handler = idempotent(() => new Response("done"), { ...base(), fingerprint: "json" });
    await handler(json("{}"));
    expect((await handler(json("{}", "application/json", "/orders?a=1"))).status).toBe(422);
    expect((await handler(json("{ }", "application/jsonp"))).status).toBe(422);
    expect((await handler(request({ "idempotency-key": "k" }, { body: "{ }" }))).status).toBe(422);
  });

  test("of bytes depends on white space in JSON", async () => {
    const handler = idempotent(() => new Response("done"), { ...base(), fingerprint: "bytes" });
    await handler(json("{}"));
    expect((await handler(json("{ }"))).status).toBe(422);
  });

  test("is the text that a function returns, and the body and the query no longer count", async () => {
    const handler = idempotent(async (given, user: string) => new Response(`${await given.text()} ${user}`), {
      ...base(),
      tenant: (_, user) => user,
      fingerprint: async (given: Request, user) => `${JSON.parse(await given.text()).cents} ${user}`,
    });
    expect(await (await handler(json('{"cents":5,"at":1}'), "ada")).text()).toBe('{"cents":5,"at":1} ada');
    const again = await handler(json('{"cents":5,"at":2}', "text/plain", "/orders?retry=1"), "ada");
    expect(await again.text()).toBe('{"cents":5,"at":1} ada');
    expect((await handler(json('{"cents":6,"at":1}'), "ada")).status).toBe(422);
  });

  test.each(["", "\ud800", "x".repeat(100_000)])("may be any text: %#", async (text) => {
    const handler = idempotent(() => new Response("done"), { ...base(), fingerprint: () => text });
    await handler(json("1"));
    expect((await handler(json("2"))).headers.get("idempotent-replayed")).toBe("true");
  });

  test("of a function that throws or returns no text is an error, and nothing runs", async () => {
    const run = vi.fn(() => new Response());
    const error = new Error("no");
    const throwing = () => {
      throw error;
    };
    await expect(idempotent(run, { ...base(), fingerprint: throwing })(request())).rejects.toBe(error);
    const empty = idempotent(run, { ...base(), fingerprint: () => undefined as never });
    await expect(empty(request())).rejects.toMatchObject({ field: "the fingerprint" });
    expect(run).not.toHaveBeenCalled();
  });

  test("of a function gets a request without a body as it is", async () => {
    const bodies: unknown[] = [];
    const fingerprint = (given: Request) => {
      bodies.push(given.body);
      return "";
    };
    const handler = idempotent(() => new Response("done"), { ...base(), fingerprint });
    expect((await handler(request(undefined, { body: undefined }))).status).toBe(200);
    expect(bodies).toEqual([null]);
  });
});

test("a key may have maxKeyLength characters, without its quotes", async () => {
  const handler = idempotent(() => new Response(), { ...base(), maxKeyLength: 3 });
  const call = async (key: string) => {
    const response = await handler(request({ "idempotency-key": key }));
    return [response.status, response.status === 400 && (await response.json()).detail];
  };
  expect(await call("abc")).toEqual([200, false]);
  expect(await call('"a\\"c"')).toEqual([200, false]);
  expect(await call("abcd")).toEqual([400, expect.stringContaining("must be 1 to 3 characters")]);
  expect(await call('"abcd"')).toEqual([400, expect.stringContaining("must be 1 to 3 characters")]);
});

describe("errorResponse", () => {
  const errorResponse = vi.fn((problem: RequestProblem) =>
    Response.json({ error: problem.code }, { status: problem.status + 50, headers: problem.headers }),
  );

  test("makes the response of each refusal", async () => {
    const down = { change: () => Promise.reject(new Error("down")) as never };
    const options = { ...base(), errorResponse, maxRequestBytes: 100, maxBytes: 2 };
    const handler = idempotent((given: Request, _: string) => new Response(given.url), options);
    const given = { "idempotency-key": "k" };
    await handler(request(given), "c");
    const call = async (headers: Fields, init: RequestInit = {}, run = handler) => {
      const response = await run(request(headers, init), "c");
      return [response.status, (await response.json()).error, response.headers.get("retry-after")];
    };
    expect(await call({})).toEqual([450, "ERR_IDEMPOTENCY_KEY", null]);
    expect(await call({ "idempotency-key": "a b" })).toEqual([450, "ERR_IDEMPOTENCY_KEY", null]);
    expect(await call(given, { body: "other" })).toEqual([472, "ERR_FINGERPRINT", null]);
    expect(await call(given)).toEqual([459, "ERR_NOT_KEPT", null]);
    expect(await call(given, { body: "x".repeat(101) })).toEqual([463, "ERR_CONTENT_TOO_LARGE", null]);
    const broken = idempotent((_: Request, __: string) => new Response(), { ...options, backend: down });
    expect(await call(given, {}, broken)).toEqual([553, "ERR_BACKEND", "1"]);
    expect(errorResponse).toHaveBeenLastCalledWith(
      {
        status: 503,
        code: "ERR_BACKEND",
        detail: "The store of the keys cannot be reached.",
        headers: { "retry-after": "1", link: expect.stringContaining('rel="describedby"') },
      },
      expect.any(Request),
      "c",
    );
  });

  test("that throws or returns no response is an error, and the handler does not run", async () => {
    const run = vi.fn(() => new Response());
    const error = new Error("no");
    const throwing = async () => {
      throw error;
    };
    const refused = request({});
    await expect(idempotent(run, { ...base(), errorResponse: throwing })(refused)).rejects.toBe(error);
    for (const result of ["no", undefined, {}]) {
      const handler = idempotent(run, { ...base(), errorResponse: () => result as unknown as Response });
      await expect(handler(refused)).rejects.toMatchObject({ field: "the result of errorResponse" });
    }
    expect(run).not.toHaveBeenCalled();
  });
});

describe("storedKey", () => {
  test("finds the key of a request", async () => {
    const options = { backend: memory(), name: "n" };
    const run = vi.fn(() => new Response("done"));
    const handler = idempotent(run, { ...options, tenant: () => "ü" });
    const call = () =>
      handler(request({ "idempotency-key": '"a\\"b"' }, { method: "PATCH" }, "/a%20b/ü?x=1"));
    await call();
    const key = await storedKey({ tenant: "ü", method: "PATCH", path: "/a%20b/%C3%BC", key: 'a"b' });
    const keys = new Idempotency(options);
    expect(await keys.peek(key)).toMatchObject({ state: "completed", isKept: true });
    expect(await keys.forget(key)).toBe(true);
    expect((await call()).headers.get("idempotent-replayed")).toBeNull();
    expect(run).toHaveBeenCalledTimes(2);
  });

  test.each(["tenant", "method", "path", "key"])("refuses a %s that is not a string", async (field) => {
    const fields = { tenant: "", method: "POST", path: "/", key: "k", [field]: undefined };
    expect(() => storedKey(fields as RequestKey)).toThrow(expect.objectContaining({ field }));
  });
});

describe("a handler that has run does not run again if", () => {
  test.each<[string, () => Response, object]>([
    ["it returns no response", () => "done" as unknown as Response, {}],
    [
      "`keeps` throws",
      () => new Response(),
      {
        keeps: () => {
          throw new Error("broken");
        },
      },
    ],
  ])("%s", async (_, respond, options) => {
    const run = vi.fn(respond);
    const handler = idempotent(run, { ...base(), ...options });
    await expect(handler(request())).rejects.toThrow();
    expect(await (await handler(request())).json()).toMatchObject({ status: 409, code: "ERR_NOT_KEPT" });
    expect(run).toHaveBeenCalledOnce();
  });
});

describe("a store that fails", () => {
  test("is 503 without the store's message, and onError gets the error", async () => {
    const run = vi.fn(() => new Response());
    const onError = vi.fn();
    const handler = idempotent(run, { ...base(), backend: failing, onError });
    const response = await handler(request());
    expect(response.headers.get("retry-after")).toBe("1");
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ status: 503, code: "ERR_BACKEND" });
    expect(text).not.toContain("10.0.0.5");
    expect(run).not.toHaveBeenCalled();
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.any(BackendError));
  });

  test("an onError that throws changes no response", async () => {
    const onError = () => {
      throw new Error("listener");
    };
    const options = { ...base(), backend: failing, onError } as const;
    expect((await idempotent(() => new Response(), options)(request())).status).toBe(503);
    for (const option of [{ onStoreError: "allow" }, { onFailure: "bypass" }] as const) {
      const allowing = idempotent(() => new Response("done"), { ...options, ...option });
      expect(await (await allowing(request())).text()).toBe("done");
    }
  });

  test("lets the handler run each time if onStoreError is allow", async () => {
    let runs = 0;
    const onError = vi.fn();
    const options = { ...base(), backend: failing, onStoreError: "allow", onError } as const;
    const handler = idempotent(async (given) => new Response(`${await given.text()} ${++runs}`), options);
    expect(await (await handler(request())).text()).toBe("{} 1");
    expect(await (await handler(request())).text()).toBe("{} 2");
    expect(onError).toHaveBeenCalledTimes(2);
    // Also if its response would not be stored.
    const erring = idempotent(() => new Response("no", { status: 500 }), options);
    expect((await erring(request())).status).toBe(500);
    expect(onError).toHaveBeenCalledTimes(3);
  });
});
