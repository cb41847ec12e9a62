// Rate limits on each framework, on memory, Redis and PostgreSQL.

import { afterEach, describe, expect, test } from "vitest";
import { type Backend, memory } from "../../../src/backend/index.ts";
import { RateLimit, type RateLimitedOptions, type RateLimitProblem } from "../../../src/ratelimit/index.ts";
import { featureStores, onStore } from "../stores.ts";
import { frameworks, type Running } from "./frameworks.ts";

const prefix = `weblimit_${process.pid}`;
const stores = featureStores(prefix).filter(
  ({ engine, isRepresentative }) => isRepresentative && ["memory", "redis", "postgres"].includes(engine),
);

const running: Running[] = [];
afterEach(async () => {
  for (const site of running.splice(0)) await site.close();
});

let names = 0;
const key = (request: Request) => request.headers.get("x-client") ?? "anonymous";

describe.each(stores)("rate limits on $name", ({ open }) => {
  let backend: Backend;
  onStore(open, ["ratelimit"], (opened) => {
    backend = opened;
  });

  describe.each(frameworks)("$name", ({ start }) => {
    const site = async (...limits: RateLimit[]) => {
      let calls = 0;
      const server = await start({
        limits: limits.map((limiter) => ({ limiter, key })),
        parser: "after",
        handle: () => ({ status: 200, headers: { "x-handled": "1" }, body: String(++calls) }),
      });
      running.push(server);
      const get = (client = "ada") => fetch(`${server.url}/orders`, { headers: { "x-client": client } });
      return { get, calls: () => calls };
    };
    const limitOf = (limit: number, name = `limit ${names++}`) =>
      new RateLimit({ backend, name, limit, windowMs: 600_000 });

    test("lets exactly 10 of 200 calls at once pass", async () => {
      const { get, calls } = await site(limitOf(10));
      const responses = await Promise.all(Array.from({ length: 200 }, () => get()));
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(10);
      expect(statuses.filter((status) => status === 429)).toHaveLength(190);
      expect(calls()).toBe(10);
    });

    test("sends the headers of the limit with both kinds of response", async () => {
      const limiter = limitOf(1);
      const { get } = await site(limiter);
      const passed = await get();
      expect(passed.headers.get("ratelimit-policy")).toBe(`"${limiter.name}";q=1;w=600`);
      expect(passed.headers.get("ratelimit")).toBe(`"${limiter.name}";r=0;t=600`);
      expect(passed.headers.get("x-handled")).toBe("1");
      expect(await passed.text()).toBe("1");
      const denied = await get();
      expect(denied.status).toBe(429);
      expect(Number(denied.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(denied.headers.get("content-type")).toBe("application/problem+json");
      expect(await denied.json()).toMatchObject({ status: 429, code: "ERR_RATE_LIMITED" });
      expect((await get("bob")).status).toBe(200);
    });

    test("describes several limits in the same headers", async () => {
      const [one, other] = [limitOf(5), limitOf(1)];
      const { get } = await site(one, other);
      const names = ({ headers }: Response) =>
        [...String(headers.get("ratelimit")).matchAll(/"([^"]*)"/g)].map((match) => match[1]).sort();
      const expected = [one.name, other.name].sort();
      const passed = await get();
      expect(passed.status).toBe(200);
      expect(names(passed)).toEqual(expected);
      const denied = await get();
      expect(denied.status).toBe(429);
      expect(names(denied)).toEqual(expected);
    });

    test("answers 500 if the key throws, and does not call the handler", async () => {
      let calls = 0;
      const server = await start({
        limits: [
          {
            limiter: limitOf(10),
            key: () => {
              throw new Error("no key");
            },
          },
        ],
        parser: "after",
        handle: () => ({ status: 200, body: String(++calls) }),
      });
      running.push(server);
      expect((await fetch(`${server.url}/orders`)).status).toBe(500);
      expect(calls).toBe(0);
    });
  });
});

describe.each(frameworks)("$name, while the store is down,", ({ start }) => {
  const down: Backend = {
    change() {
      throw new Error("down");
    },
  };
  test.each(["fail", "allow"] as const)('does as configured: "%s"', async (onStoreError) => {
    const errors: unknown[] = [];
    const limiter = new RateLimit({ backend: down, name: "n", limit: 1, windowMs: 1000, onStoreError });
    const server = await start({
      limits: [{ limiter, key, onError: (error) => errors.push(error) }],
      parser: "after",
      handle: () => ({ status: 200, body: "done" }),
    });
    running.push(server);
    const response = await fetch(`${server.url}/orders`);
    expect(response.status).toBe(onStoreError === "fail" ? 503 : 200);
    expect(errors).toHaveLength(1);
  });
});

describe.each(frameworks)("$name", ({ start }) => {
  const limitOf = (name: string, limit: number) =>
    new RateLimit({ backend: memory(), name, limit, windowMs: 60_000 });
  const serve = async (...limits: readonly RateLimitedOptions[]) => {
    const server = await start({ limits, parser: "after", handle: () => ({ status: 200, body: "done" }) });
    running.push(server);
    return () => fetch(`${server.url}/orders`);
  };

  test("sends the response that errorResponse makes", async () => {
    const errorResponse = ({ status, headers }: RateLimitProblem) =>
      new Response("slow down", {
        status: status - 9,
        headers: { ...headers, "content-type": "text/x-own" },
      });
    const get = await serve({ limiter: limitOf("one", 1), key, errorResponse });
    expect((await get()).status).toBe(200);
    const denied = await get();
    expect([denied.status, await denied.text()]).toEqual([420, "slow down"]);
    expect(denied.headers.get("content-type")).toBe("text/x-own");
    expect(denied.headers.get("retry-after")).toMatch(/^([1-5]\d|60)$/);
  });

  test.each([
    [5, 9],
    [9, 5],
  ])("with two legacy limits, of %d and of %d, sends the headers of the stricter one", async (...limits) => {
    const get = await serve(
      ...limits.map((limit) => ({ limiter: limitOf(`of ${limit}`, limit), key, headers: "legacy" as const })),
    );
    const { status, headers } = await get();
    expect([status, headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")]).toEqual([
      200,
      "5",
      "4",
    ]);
  });
});
