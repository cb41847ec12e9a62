// rateLimited: allowed and refused requests, responses, failing stores, options and types.

import { describe, expect, expectTypeOf, test } from "vitest";
import { type Backend, memory } from "../../src/backend/index.ts";
import {
  ArgumentError,
  addressKey,
  BackendError,
  RateLimit,
  type RateLimitedOptions,
  type RateLimitOptions,
  type RateLimitProblem,
  rateLimited,
} from "../../src/ratelimit/index.ts";

const limiterOf = (more: Partial<RateLimitOptions> = {}) =>
  new RateLimit({ backend: memory({ clock: () => 0 }), name: "api", limit: 2, windowMs: 60_000, ...more });
const broken: Backend = { eval: () => Promise.reject(new Error("connection refused at 10.0.0.7")) };
const key = () => "ada";
const request = new Request("https://api.example/");

/** Returns all headers by name. */
function headersOf(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    headers[name] = value;
  });
  return headers;
}

describe("a handler", () => {
  test("is called within the limit, and its response has the headers", async () => {
    const handler = rateLimited(() => new Response("hello", { headers: { "x-own": "1" } }), {
      limiter: limiterOf(),
      key,
    });
    const response = await handler(request);
    expect([response.status, await response.text()]).toEqual([200, "hello"]);
    expect(headersOf(response)).toEqual({
      "content-type": "text/plain;charset=UTF-8",
      "x-own": "1",
      "ratelimit-policy": '"api";q=2;w=60',
      ratelimit: '"api";r=1;t=30',
    });
  });

  test("is not called beyond the limit", async () => {
    let calls = 0;
    const limited = rateLimited(() => new Response(String(++calls)), {
      limiter: limiterOf({ limit: 1 }),
      key,
    });
    await limited(request);
    const response = await limited(request);
    expect(calls).toBe(1);
    expect(response.status).toBe(429);
    expect(headersOf(response)).toEqual({
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      "ratelimit-policy": '"api";q=1;w=60',
      ratelimit: '"api";r=0;t=60',
      "retry-after": "60",
    });
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Too Many Requests",
      status: 429,
      detail: "Too many requests. Try again in 60 s.",
      code: "ERR_RATE_LIMITED",
    });
  });

  test("gets the same request and context as the key function", async () => {
    const seen: unknown[] = [];
    const context = { remoteAddr: { hostname: "2001:db8::1" } };
    const limited = rateLimited(
      async (...all: [Request, typeof context]) => {
        seen.push(...all);
        return new Response();
      },
      {
        limiter: limiterOf(),
        key: async (...all) => {
          seen.push(...all);
          return addressKey(all[1].remoteAddr.hostname);
        },
      },
    );
    await limited(request, context);
    expect(seen.length).toBe(4);
    for (const [at, value] of [request, context, request, context].entries()) expect(seen[at]).toBe(value);
  });

  test("that throws rejects the call, which has counted", async () => {
    const limiter = limiterOf();
    const limited = rateLimited(() => Promise.reject(new RangeError("mine")), { limiter, key });
    await expect(limited(request)).rejects.toThrow(new RangeError("mine"));
    expect((await limiter.limit("ada")).remaining).toBe(0);
  });

  test("that returns no Response rejects the call", async () => {
    for (const result of [undefined, null, {}, "hello", { status: 200 }]) {
      const limited = rateLimited(() => result as Response, { limiter: limiterOf(), key });
      await expect(limited(request)).rejects.toBeInstanceOf(ArgumentError);
    }
  });

  test("is not called when the key function throws or returns an invalid key", async () => {
    const handler = () => {
      throw new Error("called");
    };
    const mine = new RangeError("no such client");
    const throwing = () => {
      throw mine;
    };
    for (const onStoreError of ["fail", "allow"] as const) {
      const limiter = limiterOf({ onStoreError });
      await expect(rateLimited(handler, { limiter, key: throwing })(request)).rejects.toBe(mine);
      for (const none of ["", "a".repeat(256), undefined, null]) {
        const limited = rateLimited(handler, { limiter, key: () => none as string });
        await expect(limited(request)).rejects.toBeInstanceOf(ArgumentError);
      }
    }
  });
});

describe("a response", () => {
  const pass = (response: Response) => rateLimited(() => response, { limiter: limiterOf(), key })(request);

  test.each([
    ["a redirect, whose headers cannot be changed", () => Response.redirect("https://api.example/b", 303)],
    ["no content", () => new Response(null, { status: 204 })],
    ["reset content", () => new Response(null, { status: 205 })],
    ["not modified", () => new Response(null, { status: 304, headers: { etag: '"a"' } })],
    ["an error status", () => Response.json({ a: 1 }, { status: 500, statusText: "Oh" })],
    ["an empty text", () => new Response("")],
  ])("gets the headers: %s", async (_, make) => {
    const [before, after] = [make(), await pass(make())];
    expect([after.status, after.statusText]).toEqual([before.status, before.statusText]);
    expect(await after.text()).toBe(await before.text());
    expect(headersOf(after)).toMatchObject(headersOf(before));
    expect(after.headers.get("ratelimit")).toBe('"api";r=1;t=30');
    expect(Response.redirect("https://a.example").headers.get("ratelimit")).toBe(null);
  });

  test("that was fetched gets the headers too", async () => {
    const fetched = await fetch("data:text/plain,hello");
    expect(() => fetched.headers.set("a", "b")).toThrow();
    const response = await pass(fetched);
    expect([await response.text(), response.headers.get("ratelimit")]).toEqual(["hello", '"api";r=1;t=30']);
  });

  test("keeps all of its cookies", async () => {
    const response = new Response();
    for (const cookie of ["a=1", "b=2; Path=/"]) response.headers.append("set-cookie", cookie);
    expect((await pass(response)).headers.getSetCookie()).toEqual(["a=1", "b=2; Path=/"]);
  });

  test("is passed on unread", async () => {
    let pulled = 0;
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(new Uint8Array([++pulled]));
        },
        cancel(reason) {
          cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    const response = await pass(new Response(body));
    expect(pulled).toBe(0);
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value).toEqual(new Uint8Array([1]));
    expect(pulled).toBe(1);
    await reader?.cancel("enough");
    expect(cancelled).toBe("enough");
  });

  test("that cannot be constructed again is passed on as it is", async () => {
    const failed = Response.error();
    expect(await pass(failed)).toBe(failed);
    const switched = Object.defineProperty(new Response(), "status", { value: 101 });
    expect(await pass(switched)).toBe(switched);
  });

  test("has the headers of each of several limits", async () => {
    const [inner, outer] = [limiterOf(), limiterOf({ name: "all", limit: 1, windowMs: 10_000 })];
    const limited = rateLimited(
      rateLimited(() => new Response(), { limiter: inner, key }),
      {
        limiter: outer,
        key,
      },
    );
    const { headers } = await limited(request);
    expect(headers.get("ratelimit-policy")).toBe('"api";q=2;w=60, "all";q=1;w=10');
    expect(headers.get("ratelimit")).toBe('"api";r=1;t=30, "all";r=0;t=10');
    const denied = await limited(request);
    expect([denied.status, denied.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(denied.headers.get("ratelimit")).toBe('"all";r=0;t=10');
  });
});

describe("the headers", () => {
  const call = (headers: "draft" | "legacy" | "both" | undefined) =>
    rateLimited(() => new Response(), { limiter: limiterOf(), key, headers })(request);

  test.each([undefined, "draft"] as const)("are those of the draft if headers is %s", async (headers) => {
    const names = Object.keys(headersOf(await call(headers)));
    expect(names).toEqual(["ratelimit", "ratelimit-policy"]);
  });

  test("are the legacy ones, or both, if headers says so", async () => {
    const legacy = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    expect(Object.keys(headersOf(await call("legacy")))).toEqual(legacy);
    expect(Object.keys(headersOf(await call("both")))).toEqual(["ratelimit", "ratelimit-policy", ...legacy]);
    const limited = rateLimited(() => new Response(), {
      limiter: limiterOf({ limit: 1 }),
      key,
      headers: "legacy",
    });
    await limited(request);
    const denied = await limited(request);
    expect(denied.headers.get("x-ratelimit-remaining")).toBe("0");
    expect(denied.headers.get("retry-after")).toBe("60");
  });

  test("of several wrapped limits are, in the legacy form, those of the strictest", async () => {
    for (const [inner, outer, remaining] of [
      [5, 9, "4"],
      [9, 5, "4"],
    ] as const) {
      const wrap = (handler: () => Response | Promise<Response>, limit: number) =>
        rateLimited(handler, { limiter: limiterOf({ limit }), key, headers: "legacy" });
      const wrapped = wrap(() => new Response(), inner);
      const response = await wrap(() => wrapped(request), outer)(request);
      expect(response.headers.get("x-ratelimit-remaining")).toBe(remaining);
      expect(response.headers.get("x-ratelimit-limit")).toBe("5");
    }
  });

  test("of a limit with shadow are none", async () => {
    const limited = rateLimited(() => new Response(), {
      limiter: limiterOf({ limit: 1, shadow: true }),
      key,
      headers: "both",
    });
    await limited(request);
    const response = await limited(request);
    expect([response.status, headersOf(response)]).toEqual([200, {}]);
  });
});

describe("several limits", () => {
  const backend = memory({ clock: () => 0 });
  const byAddress = limiterOf({ backend, name: "address", limit: 10 });
  const byAccount = limiterOf({ backend, name: "account", limit: 2 });
  const handler = () => new Response();

  test("count a request together, and the strictest one speaks", async () => {
    const seen: unknown[] = [];
    const limited = rateLimited(handler, {
      limiter: [byAddress, byAccount],
      key: () => ["192.0.2.7", "ada"],
      onDenied: ({ limiter, key, decision }) => void seen.push(limiter.name, key, decision.retryAfterMs),
    });
    const { headers } = await limited(request);
    expect(headers.get("ratelimit-policy")).toBe('"account";q=2;w=60');
    expect(headers.get("ratelimit")).toBe('"account";r=1;t=30');
    await limited(request);
    expect(seen).toEqual([]);
    const denied = await limited(request);
    expect([denied.status, denied.headers.get("retry-after")]).toEqual([429, "30"]);
    expect(seen).toEqual(["account", "ada", 30_000]);
    expect((await byAddress.peek("192.0.2.7")).remaining).toBe(8);
  });

  test("may share one key", async () => {
    const limited = rateLimited(handler, { limiter: [byAddress, byAccount], key: async () => "bob" });
    await limited(request);
    expect((await byAddress.peek("bob")).remaining).toBe(9);
    expect((await byAccount.peek("bob")).remaining).toBe(1);
  });

  test("need one key or as many as there are limits", async () => {
    for (const keys of [[], ["a"], ["a", "b", "c"]]) {
      const limited = rateLimited(handler, { limiter: [byAddress, byAccount], key: () => keys });
      await expect(limited(request)).rejects.toMatchObject({ field: "the key function's result" });
    }
    const single = rateLimited(handler, { limiter: byAddress, key: () => ["carol"] });
    expect((await single(request)).status).toBe(200);
    expect(() => rateLimited(handler, { limiter: [], key })).toThrow(
      expect.objectContaining({ field: "limiter" }),
    );
  });

  test("whose store fails are 503, and onError gets each error", async () => {
    const heard: unknown[] = [];
    const onError = (error: BackendError) => void heard.push(error.reason);
    const both = (onStoreError: "fail" | "allow") => [
      limiterOf({ backend: broken, name: "one", onStoreError }),
      limiterOf({ backend: broken, name: "two", onStoreError }),
    ];
    expect((await rateLimited(handler, { limiter: both("fail"), key, onError })(request)).status).toBe(503);
    expect(heard).toEqual(["failed"]);
    expect((await rateLimited(handler, { limiter: both("allow"), key, onError })(request)).status).toBe(200);
    expect(heard).toEqual(["failed", "failed", "failed"]);
  });
});

describe("onDenied", () => {
  test("gets each denial with its request, and its errors are ignored", async () => {
    const seen: unknown[] = [];
    const limiter = limiterOf({ limit: 1 });
    const onDenied = (denial: unknown) => {
      seen.push(denial);
      throw new Error("mine");
    };
    const limited = rateLimited(() => new Response(), { limiter, key, onDenied });
    await limited(request);
    expect(seen).toEqual([]);
    expect((await limited(request)).status).toBe(429);
    const decision = expect.objectContaining({ allowed: false });
    expect(seen).toEqual([{ request, limiter, key: "ada", decision }]);
    expect((seen[0] as { readonly request: unknown }).request).toBe(request);
  });

  test("gets what a limit with shadow would deny", async () => {
    const seen: unknown[] = [];
    const limited = rateLimited(() => new Response("hello"), {
      limiter: limiterOf({ limit: 1, shadow: true }),
      key,
      onDenied: ({ decision }) => seen.push(decision.wouldDeny),
    });
    await limited(request);
    const response = await limited(request);
    expect([response.status, await response.text(), seen]).toEqual([200, "hello", [true]]);
  });
});

test("a denial by an insurance is 429 with retry-after", async () => {
  const insurance = limiterOf({ limit: 1 });
  const heard: unknown[] = [];
  const limited = rateLimited(() => new Response(), {
    limiter: limiterOf({ backend: broken, insurance }),
    key,
    onError: (error) => heard.push(error.reason),
  });
  expect((await limited(request)).status).toBe(200);
  const denied = await limited(request);
  expect([denied.status, denied.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(heard).toEqual(["failed", "failed"]);
});

describe("a store that fails", () => {
  test("is 503 without the store's message by default, and onError gets the error", async () => {
    const heard: unknown[] = [];
    let isCalled = false;
    const limited = rateLimited(
      () => {
        isCalled = true;
        return new Response();
      },
      { limiter: limiterOf({ backend: broken }), key, onError: (error) => heard.push(error) },
    );
    const response = await limited(request);
    expect(isCalled).toBe(false);
    expect(response.status).toBe(503);
    expect(headersOf(response)).toEqual({
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      "retry-after": "1",
    });
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "The store of the rate limits cannot be reached.",
      code: "ERR_BACKEND",
    });
    expect(heard).toEqual([expect.any(BackendError)]);
    const quiet = rateLimited(() => new Response(), { limiter: limiterOf({ backend: broken }), key });
    expect((await quiet(request)).status).toBe(503);
  });

  test("lets the handler run if onStoreError is allow, and onError gets the error", async () => {
    const heard: unknown[] = [];
    const limiter = limiterOf({ backend: broken, onStoreError: "allow" });
    const onError = (error: BackendError) => void heard.push(error.reason);
    const limited = rateLimited(() => new Response("hello"), { limiter, key, onError });
    const response = await limited(request);
    expect([response.status, await response.text()]).toEqual([200, "hello"]);
    expect(response.headers.get("ratelimit-policy")).toBe('"api";q=2;w=60');
    expect(response.headers.get("ratelimit")).toBe(null);
    expect(heard).toEqual(["failed"]);
    expect((await rateLimited(() => new Response(), { limiter, key })(request)).status).toBe(200);
  });

  test("does not include other errors of the limit", async () => {
    const limiter = limiterOf({ backend: memory({ clock: () => Number.NaN }), onStoreError: "allow" });
    const limited = rateLimited(() => new Response(), { limiter, key });
    await expect(limited(request)).rejects.toBeInstanceOf(ArgumentError);
  });
});

describe("errorResponse", () => {
  test("makes the response of each refusal, and is not called for others", async () => {
    const seen: unknown[] = [];
    const errorResponse = async (problem: RateLimitProblem, ...rest: unknown[]) => {
      seen.push([problem, ...rest]);
      return new Response("slow down", { status: 503, headers: problem.headers });
    };
    const handler = (_request: Request, _context: string) => new Response("hello");
    const limited = rateLimited(handler, { limiter: limiterOf({ limit: 1 }), key, errorResponse });
    expect((await limited(request, "c")).status).toBe(200);
    expect(seen).toEqual([]);
    const denied = await limited(request, "c");
    expect([denied.status, await denied.text(), denied.headers.get("retry-after")]).toEqual([
      503,
      "slow down",
      "60",
    ]);
    const down = rateLimited(handler, { limiter: limiterOf({ backend: broken }), key, errorResponse });
    expect(await (await down(request, "d")).text()).toBe("slow down");
    const detail = "Too many requests. Try again in 60 s.";
    const headers = {
      "ratelimit-policy": '"api";q=1;w=60',
      ratelimit: '"api";r=0;t=60',
      "retry-after": "60",
    };
    expect(seen).toEqual([
      [{ status: 429, code: "ERR_RATE_LIMITED", detail, headers }, request, "c"],
      [
        {
          status: 503,
          code: "ERR_BACKEND",
          detail: "The store of the rate limits cannot be reached.",
          headers: { "retry-after": "1" },
        },
        request,
        "d",
      ],
    ]);
  });

  test("that throws or returns no response is an error, and the handler does not run", async () => {
    let calls = 0;
    const limiter = limiterOf({ limit: 1 });
    await limiter.limit("ada");
    const handler = () => new Response(String(++calls));
    const error = new Error("no");
    const throwing = () => {
      throw error;
    };
    await expect(rateLimited(handler, { limiter, key, errorResponse: throwing })(request)).rejects.toBe(
      error,
    );
    for (const result of ["no", undefined, {}]) {
      const limited = rateLimited(handler, { limiter, key, errorResponse: () => result as Response });
      await expect(limited(request)).rejects.toMatchObject({ field: "the result of errorResponse" });
    }
    expect(calls).toBe(0);
  });
});

describe("options", () => {
  const good = { limiter: limiterOf(), key };
  const handler = () => new Response();

  test.each<[string, unknown, unknown]>([
    ["handler", undefined, good],
    ["handler", "GET", good],
    ["key", handler, { limiter: good.limiter }],
    ["key", handler, { ...good, key: "ip" }],
    ["onError", handler, { ...good, onError: null }],
    ["onError", handler, { ...good, onError: "log" }],
    ["onDenied", handler, { ...good, onDenied: {} }],
    ["onDenied", handler, { ...good, onDenied: null }],
    ["errorResponse", handler, { ...good, errorResponse: new Response() }],
    ["errorResponse", handler, { ...good, errorResponse: null }],
    ["headers", handler, { ...good, headers: true }],
    ["headers", handler, { ...good, headers: "ietf" }],
    ["limiter.limit", handler, { ...good, limiter: [good.limiter, {}] }],
    ["limiter.limit", handler, { key }],
    ["limiter.limit", handler, { ...good, limiter: null }],
    ["limiter.limit", handler, { ...good, limiter: {} }],
    ["option", handler, { ...good, keys: key }],
    ["options", handler, undefined],
    ["options", handler, []],
  ])("with a wrong %s are refused", (field, given, options) => {
    const make = () => rateLimited(given as typeof handler, options as RateLimitedOptions);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(expect.objectContaining({ field }));
  });

  test("may leave out onError", () => {
    expect(rateLimited(handler, { ...good, onError: undefined })).toBeInstanceOf(Function);
  });
});

test("types: the context is inferred from the handler, the key function or the call", () => {
  interface Info {
    readonly remoteAddr: { readonly hostname: string };
  }
  type Plain = (request: Request, context?: unknown) => Promise<Response>;
  type Informed = (request: Request, context: Info) => Promise<Response>;
  const serve = (handler: (request: Request, info: Info) => Response | Promise<Response>) => handler;
  const limiter = limiterOf();
  const hello = () => new Response();

  const plain = rateLimited(hello, { limiter, key });
  expectTypeOf(plain).toEqualTypeOf<Plain>();
  serve(plain);
  expectTypeOf(
    rateLimited((_request, _info: Info) => new Response(), { limiter, key }),
  ).toEqualTypeOf<Informed>();
  expectTypeOf(
    rateLimited(hello, { limiter, key: (_request, info: Info) => info.remoteAddr.hostname }),
  ).toEqualTypeOf<Informed>();
  serve(rateLimited(hello, { limiter, key: (_request, info) => addressKey(info.remoteAddr.hostname) }));
  serve(rateLimited((_request, info) => new Response(info.remoteAddr.hostname), { limiter, key }));
  // @ts-expect-error the handler needs its context
  void rateLimited((_request, _info: Info) => new Response(), { limiter, key })(request);
});
