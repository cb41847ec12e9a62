// Idempotency keys on each framework, before and after its body parser, on memory, Redis and PostgreSQL.

import { request as send } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backend/index.ts";
import type { IdempotentOptions } from "../../../src/idempotency/index.ts";
import { featureStores, onStore } from "../stores.ts";
import { frameworks, type Reply, type Running, type Site } from "./frameworks.ts";

const prefix = `web_${process.pid}`;
const stores = featureStores(prefix).filter(
  ({ engine, isRepresentative }) => isRepresentative && ["memory", "redis", "postgres"].includes(engine),
);

type Fields = Readonly<Record<string, string>>;

/** What a client can see of a response. */
async function seen(response: Response) {
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    replayed: response.headers.get("idempotent-replayed"),
    body: Buffer.from(await response.arrayBuffer()).toString("latin1"),
  };
}

const running: Running[] = [];
afterEach(async () => {
  for (const site of running.splice(0)) await site.close();
});

let names = 0;

describe.each(stores)("idempotency on $name", ({ open }) => {
  let backend: Backend;
  onStore(open, ["idempotency"], (opened) => {
    backend = opened;
  });

  describe.each(frameworks)("$name", ({ start }) => {
    describe.each(["before", "after"] as const)("with the parser %s it", (parser) => {
      /** Starts a site. Returns a client, and the bodies that its handler got. */
      const open = async (
        handle: (body: unknown) => Reply | Promise<Reply>,
        options: Partial<IdempotentOptions> = {},
      ) => {
        const bodies: unknown[] = [];
        const tenant = (request: Request) => request.headers.get("x-tenant") ?? "";
        const site: Site = {
          idempotency: { backend, name: `site ${names++}`, tenant, ...options },
          parser,
          handle: (body) => {
            bodies.push(body);
            return handle(body);
          },
        };
        const server = await start(site);
        running.push(server);
        const post = (
          body: unknown = { cents: 1250 },
          headers: Fields = { "idempotency-key": "k" },
          path = "/orders",
          method = "POST",
        ) =>
          fetch(server.url + path, {
            method,
            headers: { ...(method === "GET" ? {} : { "content-type": "application/json" }), ...headers },
            body: method === "GET" ? undefined : typeof body === "string" ? body : JSON.stringify(body),
          });
        return { post, bodies, url: server.url };
      };
      const created = (body = '{"order":1}'): Reply => ({
        status: 201,
        headers: { "content-type": "application/json; charset=utf-8", "x-order": "1" },
        body,
      });

      test("runs the first call, and replays status, headers and body", async () => {
        const { post, bodies } = await open(() => created());
        const first = await post();
        expect(first.headers.get("x-order")).toBe("1");
        expect(await seen(first)).toEqual({
          status: 201,
          type: "application/json; charset=utf-8",
          replayed: null,
          body: '{"order":1}',
        });
        const again = await post();
        expect(again.headers.get("x-order")).toBe("1");
        expect(await seen(again)).toMatchObject({ status: 201, replayed: "true", body: '{"order":1}' });
        expect(again.headers.get("content-type")).toBe("application/json; charset=utf-8");
        expect(bodies).toEqual([{ cents: 1250 }]);
      });

      test("runs one of many calls at once, and refuses the rest", async () => {
        let finish = () => {};
        const waiting = new Promise<void>((wake) => {
          finish = wake;
        });
        const { post, bodies } = await open(async () => {
          await waiting;
          return created();
        });
        const first = post();
        await expect.poll(() => bodies.length, { timeout: 60_000 }).toBe(1);
        const others = await Promise.all(Array.from({ length: 10 }, () => post()));
        finish();
        expect((await first).status).toBe(201);
        expect(others.map(({ status }) => status)).toEqual(Array(10).fill(409));
        expect(others[0]?.headers.get("retry-after")).toBe("1");
        expect(others[0]?.headers.get("content-type")).toMatch(/^application\/problem\+json/);
        expect(bodies).toHaveLength(1);
      });

      test("refuses another body with the key while the first is in progress, and after it", async () => {
        let finish = () => {};
        const waiting = new Promise<void>((wake) => {
          finish = wake;
        });
        const { post, bodies } = await open(async () => {
          await waiting;
          return created();
        });
        const first = post();
        await expect.poll(() => bodies.length, { timeout: 60_000 }).toBe(1);
        expect((await post({ cents: 9900 })).status).toBe(422);
        finish();
        expect((await first).status).toBe(201);
        const after = await post({ cents: 9900 });
        expect(await after.json()).toMatchObject({ status: 422, code: "ERR_FINGERPRINT" });
        expect((await post({ cents: 1250 }, undefined, "/orders?draft=1")).status).toBe(422);
      });

      test.each<[string, Fields]>([
        ["missing", {}],
        ["empty", { "idempotency-key": "" }],
        ["too long", { "idempotency-key": "x".repeat(256) }],
        ["malformed", { "idempotency-key": "a b" }],
        ["ambiguous", { "idempotency-key": "k", "x-idempotency-key": "l" }],
      ])("refuses a key that is %s", async (_, headers) => {
        const { post, bodies } = await open(() => created());
        const response = await post({}, headers);
        expect(await response.json()).toMatchObject({ status: 400, code: "ERR_IDEMPOTENCY_KEY" });
        expect(response.headers.get("link")).toContain('rel="describedby"');
        expect(bodies).toEqual([]);
      });

      test("takes a quoted key for the bare one", async () => {
        const { post, bodies } = await open(() => created());
        await post();
        expect((await seen(await post(undefined, { "idempotency-key": '"k"' }))).replayed).toBe("true");
        expect(bodies).toHaveLength(1);
      });

      test("keeps tenants, routes, mounts and methods apart", async () => {
        const { post, bodies } = await open(() => created());
        await post();
        await post(undefined, { "idempotency-key": "k", "x-tenant": "ada" });
        await post(undefined, undefined, "/other");
        await post(undefined, undefined, "/mounted/orders");
        await post(undefined, undefined, "/orders", "PATCH");
        expect(bodies).toHaveLength(5);
        expect((await seen(await post(undefined, undefined, "/mounted/orders"))).replayed).toBe("true");
      });

      test("runs the handler again if it threw", async () => {
        let calls = 0;
        const { post } = await open(() => {
          if (++calls === 1) throw new Error("failed");
          return created();
        });
        expect((await post()).status).toBe(500);
        expect(await seen(await post())).toMatchObject({ status: 201, replayed: null });
        expect(await seen(await post())).toMatchObject({ status: 201, replayed: "true" });
      });

      test.each([500, 503, 401, 403, 429])("does not store a %d", async (status) => {
        const { post, bodies } = await open(() => ({ status, body: "no" }));
        expect((await post()).status).toBe(status);
        expect(await seen(await post())).toMatchObject({ status, replayed: null, body: "no" });
        expect(bodies).toHaveLength(2);
      });

      test.each([400, 404, 409, 422])("stores a %d", async (status) => {
        const { post, bodies } = await open(() => ({ status, body: "no" }));
        await post();
        expect(await seen(await post())).toMatchObject({ status, replayed: "true", body: "no" });
        expect(bodies).toHaveLength(1);
      });

      test.each<[string, Reply]>([
        ["an empty body", { status: 200 }],
        ["no content", { status: 204 }],
        ["bytes", { status: 200, body: Uint8Array.from({ length: 256 }, (_, byte) => byte) }],
        ["a redirect", { status: 303, headers: { location: "/orders/1" } }],
        ["a large body", { status: 200, body: "x".repeat(300_000) }],
      ])("replays %s", async (_, reply) => {
        const { url } = await open(() => reply);
        const get = async () => {
          const response = await fetch(`${url}/orders`, {
            method: "POST",
            headers: { "idempotency-key": "k" },
            redirect: "manual",
          });
          return { ...(await seen(response)), location: response.headers.get("location") };
        };
        const first = await get();
        expect(first.status).toBe(reply.status);
        expect(await get()).toEqual({ ...first, replayed: "true" });
      });

      test("does not replay Set-Cookie", async () => {
        const { post } = await open(() => ({ ...created(), headers: { "set-cookie": ["a=1", "b=2"] } }));
        expect((await post()).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
        expect((await post()).headers.getSetCookie()).toEqual([]);
      });

      test("refuses a replay of a response that was too large, and a request that is", async () => {
        const { post } = await open(() => ({ status: 200, body: "x".repeat(200_000) }), {
          maxBytes: 100_000,
          maxRequestBytes: 1000,
        });
        expect((await seen(await post())).body).toBe("x".repeat(200_000));
        expect(await (await post()).json()).toMatchObject({ status: 409, code: "ERR_NOT_KEPT" });
        const large = await post({ text: "x".repeat(1000) }, { "idempotency-key": "l" });
        expect(await large.json()).toMatchObject({ status: 413, code: "ERR_CONTENT_TOO_LARGE" });
      });

      test("passes on requests of other methods, and without a key if it is not required", async () => {
        const { post, bodies } = await open(() => created(), { required: false });
        await post(undefined, { "idempotency-key": "k" }, "/orders", "GET");
        await post(undefined, { "idempotency-key": "k" }, "/orders", "GET");
        await post({ n: 1 }, {});
        await post({ n: 1 }, {});
        expect(bodies).toHaveLength(4);
        expect(bodies.slice(2)).toEqual([{ n: 1 }, { n: 1 }]);
      });

      test("replays to a client whose first connection broke while the handler ran", async () => {
        let finish = () => {};
        const waiting = new Promise<void>((wake) => {
          finish = wake;
        });
        const { post, bodies, url } = await open(async () => {
          await waiting;
          return created();
        });
        const headers = { "content-type": "application/json", "idempotency-key": "k" };
        const broken = send(`${url}/orders`, { method: "POST", headers });
        broken.on("error", () => {});
        broken.end('{"cents":1250}');
        await expect.poll(() => bodies.length, { timeout: 60_000 }).toBe(1);
        broken.destroy();
        await new Promise((resolve) => broken.on("close", resolve));
        finish();
        await expect
          .poll(async () => seen(await post()), { timeout: 60_000 })
          .toMatchObject({ status: 201, replayed: "true", body: '{"order":1}' });
        expect(bodies).toHaveLength(1);
      });

      test("serves many requests on one connection", async () => {
        const { url } = await open(() => created(), { required: false });
        for (let call = 0; call < 20; call++) {
          const response = await fetch(`${url}/orders`, {
            method: "POST",
            headers: { "idempotency-key": `k${call >> 1}`, "content-type": "application/json" },
            body: JSON.stringify({ call: call >> 1 }),
          });
          expect((await seen(response)).replayed).toBe(call % 2 ? "true" : null);
        }
      });
    });
  });
});

describe.each(frameworks)("$name, while the store is down,", ({ start }) => {
  const down: Backend = { change: () => Promise.reject(new Error("down")) as never };
  test.each(["fail", "allow"] as const)('does as configured: "%s"', async (onStoreError) => {
    const errors: unknown[] = [];
    const server = await start({
      idempotency: {
        backend: down,
        name: "n",
        tenant: () => "",
        onStoreError,
        onError: (error) => errors.push(error),
      },
      parser: "after",
      handle: () => ({ status: 201, body: "done" }),
    });
    running.push(server);
    const response = await fetch(`${server.url}/orders`, {
      method: "POST",
      headers: { "idempotency-key": "k" },
    });
    expect(response.status).toBe(onStoreError === "fail" ? 503 : 201);
    expect(errors).toHaveLength(1);
    if (onStoreError === "fail") expect(response.headers.get("retry-after")).toBe("1");
    else expect(await response.text()).toBe("done");
  });
});
