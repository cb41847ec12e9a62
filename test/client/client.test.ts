// The calls of a client, on a service in this process; and their requests, retries and refusals, with answers by hand.

import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import {
  BitflakeClient,
  type ClientFetch,
  type ClientOptions,
  ServiceError,
} from "../../src/client/index.ts";
import { capacity, decode } from "../../src/index.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import { createService, type Service } from "../../src/service/index.ts";
import { advance, FAKES, flushEvents, ManualFetch, observe } from "./manualFetch.ts";

const KEY = "an-example-of-a-key";

describe("on a service", () => {
  let service: Service;
  let client: BitflakeClient;
  const sent: string[] = [];

  const open = (options: Partial<ClientOptions> = {}): BitflakeClient =>
    new BitflakeClient({
      url: "http://ids.internal/",
      apiKey: KEY,
      fetch: (url, init) => {
        sent.push(`${init.method} ${url}`);
        return service(new Request(url, init as RequestInit));
      },
      ...options,
    });

  beforeEach(async () => {
    sent.length = 0;
    service = createService({
      backend: memory(),
      apiKeys: [{ name: "orders", keys: [KEY] }],
      types: { farmer: { length: 10 } },
    });
    await service.start();
    client = open();
  });
  afterEach(async () => {
    await client.close();
    await service.stop();
  });

  test("nextId and nextIds give increasing IDs of the service's node", async () => {
    const ids = [await client.nextId(), ...(await client.nextIds(2500)), await client.nextId()];
    expect(ids).toHaveLength(2502);
    expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] as bigint))).toBe(true);
    expect(Date.now() - decode(ids[0] as bigint, "twitter").timestampMs).toBeLessThan(60_000);
  });

  test("counter values are those of the service, in order", async () => {
    expect(await client.nextCounterValue()).toBe(1n);
    expect(await client.nextCounterValues(3)).toEqual([2n, 3n, 4n]);
    expect(await client.nextCounterValues(1000)).toHaveLength(1000);
    expect(await client.nextCounterValue()).toBe(1005n);
  });

  test("uuid makes version 4, or version 7", async () => {
    expect(await client.uuid()).toMatch(/^[\da-f-]{14}4/);
    expect(await client.uuid({ version: 7 })).toMatch(/^[\da-f-]{14}7/);
  });

  test("randomString has the length, 21 by default", async () => {
    expect(await client.randomString()).toMatch(/^[\w-]{21}$/);
    expect(await client.randomString(4096)).toHaveLength(4096);
  });

  test("issueNumericId makes a request key, and one that comes again gets the same ID", async () => {
    const first = await client.issueNumericId("farmer");
    expect(first.isReplay).toBe(false);
    expect(first.requestKey).toMatch(/^[\da-f-]{36}$/);
    const again = await client.issueNumericId("farmer", { requestKey: first.requestKey });
    expect(again).toEqual({ ...first, isReplay: true });
    const other = await client.issueNumericId("farmer");
    expect(other.id).not.toBe(first.id);
    expect(new NumericIdType({ name: "farmer", length: 10 }).validate(first.id).valid).toBe(true);
  });

  test("issueNumericId sends any printable key unchanged", async () => {
    const requestKey = 'a "quoted", \\ key';
    const { id } = await client.issueNumericId("farmer", { requestKey });
    const headers = {
      authorization: `Bearer ${KEY}`,
      "idempotency-key": '"a \\"quoted\\", \\\\ key"',
    };
    const request = new Request("http://a/v1/idgenerator/farmer/id", { method: "POST", headers });
    expect((await (await service(request)).json()).response).toEqual({ id });
  });

  test("issueNumericIds gets the same IDs for a key, and the rest after a failure half-way", async () => {
    const first = await client.issueNumericIds("farmer", 5);
    expect(first.ids).toHaveLength(5);
    expect(first.isReplay).toBe(false);
    const { requestKey } = first;
    expect(await client.issueNumericIds("farmer", 5, { requestKey })).toEqual({ ...first, isReplay: true });
    expect((await client.issueNumericIds("farmer", 2, { requestKey })).ids).toEqual(first.ids.slice(0, 2));
    const more = await client.issueNumericIds("farmer", 7, { requestKey });
    expect(more.ids.slice(0, 5)).toEqual(first.ids);
    expect(more.isReplay).toBe(false);
    // One ID for a key is the first of several.
    expect((await client.issueNumericId("farmer", { requestKey })).id).toBe(first.ids[0]);
    expect((await client.issueNumericIds("farmer", 1000)).ids).toHaveLength(1000);
  });

  test("validateNumericId says whether an ID keeps the rules", async () => {
    const { id } = await client.issueNumericId("farmer");
    expect(await client.validateNumericId("farmer", id)).toBe(true);
    expect(await client.validateNumericId("farmer", "1111111111")).toBe(false);
    sent.length = 0;
    expect(await client.validateNumericId("farmer", "abc")).toBe(false);
    expect(await client.validateNumericId("farmer", "1".repeat(33))).toBe(false);
    expect(sent).toEqual([]);
  });

  test("decode returns the fields, with the ID as a bigint that JSON can write", async () => {
    const id = await client.nextId();
    const decoded = await client.decode(id);
    expect(decoded).toEqual(decode(id, "twitter"));
    expect(JSON.parse(JSON.stringify(decoded)).id).toBe(String(id));
    expect((await client.decode("175928847299117063", "discord")).generatedAt).toBe(
      "2016-04-30T11:18:25.796Z",
    );
  });

  test("capacity is that of the service's layout, or of a preset", async () => {
    expect(await client.capacity()).toEqual(capacity("twitter"));
    expect(await client.capacity("safe_integer")).toEqual(capacity("safe_integer"));
  });

  test("health is a result also when the service is not ready", async () => {
    expect(await client.health()).toEqual({
      status: "ok",
      backend: { status: "ok" },
      generator: { status: "ok" },
      lease: { status: "ok", node: 0, until: expect.any(Date) },
      pools: { farmer: { status: "ok", available: expect.any(Number) } },
    });
    await service.stop();
    expect((await client.health()).status).toBe("stopping");
  });

  test("a service that refuses is an error with its code, its description and no key", async () => {
    const stranger = open({ apiKey: "another-key-of-somebody" });
    for (const call of [stranger.nextId(), stranger.uuid(), stranger.issueNumericId("farmer")]) {
      const error = await call.catch((error) => error);
      expect(error).toBeInstanceOf(ServiceError);
      expect(error).toMatchObject({
        code: "ERR_SERVICE",
        reason: "status",
        status: 401,
        serviceCode: "ERR_UNAUTHORIZED",
        detail: "A valid API key is needed, as Authorization: Bearer or X-API-Key.",
        url: "http://ids.internal",
        attempts: 1,
      });
      expect(inspect(error, { depth: 9 })).not.toContain("another-key");
    }
    const error = await stranger.nextId().catch((error) => error);
    expect(error.message).toBe(
      "GET /generate_snowflake_id?count=1 at http://ids.internal: status 401: ERR_UNAUTHORIZED: A valid API key is needed, as Authorization: Bearer or X-API-Key.",
    );
    await stranger.close();
  });

  test("a type that does not exist is an error with OpenG2P's code, and with the request key", async () => {
    const call = client.issueNumericId("goat", { requestKey: "k" });
    await expect(call).rejects.toMatchObject({
      status: 404,
      serviceCode: "IDG-003",
      detail: "Unknown ID type 'goat'",
      requestKey: "k",
    });
    await expect(client.validateNumericId("goat", "123")).rejects.toMatchObject({ serviceCode: "IDG-003" });
    await expect(client.validateNumericId("Goat/..", "123")).rejects.toMatchObject({ status: 422 });
  });

  test.each<[string, (client: BitflakeClient) => Promise<unknown>, string]>([
    ["an unknown option", (client) => client.nextId({ timeout: 5 } as object), "option"],
    ["options that are no object", (client) => client.nextId(5 as unknown as object), "options"],
    [
      "a signal that is none",
      (client) => client.uuid({ signal: {} as AbortSignal }),
      "signal.throwIfAborted",
    ],
    ["another version", (client) => client.uuid({ version: 1 as 4 }), "version"],
    ["too long a string", (client) => client.randomString(4097), "length"],
    ["too many values", (client) => client.nextCounterValues(1001), "count"],
    ["an empty request key", (client) => client.issueNumericId("farmer", { requestKey: "" }), "requestKey"],
    ["a request key with é", (client) => client.issueNumericId("farmer", { requestKey: "é" }), "requestKey"],
    [
      "a long request key",
      (client) => client.issueNumericId("farmer", { requestKey: "k".repeat(256) }),
      "requestKey",
    ],
    ["no IDs", (client) => client.issueNumericIds("farmer", 0), "count"],
    ["1,001 numeric IDs", (client) => client.issueNumericIds("farmer", 1001), "count"],
    [
      "an empty request key for several IDs",
      (client) => client.issueNumericIds("farmer", 2, { requestKey: "" }),
      "requestKey",
    ],
    ["a type without a name", (client) => client.issueNumericId(""), "type"],
    [
      "a number as a numeric ID",
      (client) => client.validateNumericId("farmer", 5 as unknown as string),
      "id",
    ],
    ["no ID", (client) => client.decode("x"), "id"],
    ["an unknown preset", (client) => client.capacity("twiter" as "twitter"), "preset"],
    ["an unknown preset to decode", (client) => client.decode(5n, "twiter" as "twitter"), "preset"],
  ])("%s: refused before anything is sent", async (_title, call, field) => {
    await expect(call(client)).rejects.toMatchObject({ field });
    expect(sent).toEqual([]);
  });
});

test("the fetch of the runtime is read at each request, and a Request and a Response fit the option", async () => {
  expectTypeOf(globalThis.fetch).toExtend<ClientFetch>();
  const client = new BitflakeClient({ url: "http://ids.internal/base/" });
  const fetch = vi.spyOn(globalThis, "fetch").mockResolvedValue(Response.json({ id: "abc" }));
  expect(await client.randomString(3)).toBe("abc");
  expect(fetch).toHaveBeenCalledWith("http://ids.internal/base/generate_random_string/3", {
    method: "GET",
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: expect.any(AbortSignal),
  });
  fetch.mockRestore();
});

describe("with answers by hand", () => {
  let service: ManualFetch;
  let client: BitflakeClient;

  beforeEach(() => {
    vi.useFakeTimers({ ...FAKES, now: Date.UTC(2026, 10, 27, 12) });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    service = new ManualFetch();
    client = new BitflakeClient({ url: "http://a", fetch: service.fetch });
  });
  afterEach(async () => {
    await client.close();
    await flushEvents();
    expect(vi.getTimerCount()).toBe(0);
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  const openWith = (options: Partial<ClientOptions>) => {
    client = new BitflakeClient({
      url: ["http://a", "http://b", "http://c"],
      fetch: service.fetch,
      ...options,
    });
  };
  const urls = () => service.sent.map(({ url }) => new URL(url).host).join("");

  describe("an answer that is not the service's", () => {
    const page = "<!DOCTYPE html><title>Maintenance</title>";
    const envelope = (response: unknown) => ({ id: "openg2p.idgenerator", response, errors: [] });
    const decoded = { id: "5", timestampMs: 1, generatedAt: "x", datacenterId: 0, machineId: 0, sequence: 5 };
    const health = {
      status: "ok",
      backend: { status: "ok" },
      generator: { status: "ok" },
      lease: null,
      pools: {},
    };
    const lease = { status: "ok", node: 1, until: "2026-11-27T12:00:00Z" };

    test.each<[string, unknown, (client: BitflakeClient) => Promise<unknown>]>([
      ["a page", page, (client) => client.nextIds(3)],
      ["no body", "", (client) => client.nextIds(3)],
      ["cut off", '{"ids":["1","2","3"', (client) => client.nextIds(3)],
      ["no object", "[]", (client) => client.nextIds(3)],
      ["null", "null", (client) => client.nextIds(3)],
      ["one ID instead of three", { id: "1" }, (client) => client.nextIds(3)],
      ["too few IDs", { ids: ["1", "2"] }, (client) => client.nextIds(3)],
      ["too many IDs", { ids: ["1", "2", "3", "4"] }, (client) => client.nextIds(3)],
      ["numbers", { ids: [1, 2, 3] }, (client) => client.nextIds(3)],
      ["a sign", { ids: ["1", "2", "+3"] }, (client) => client.nextIds(3)],
      ["a leading zero", { ids: ["01", "2", "3"] }, (client) => client.nextIds(3)],
      ["64 bits", { ids: ["1", "2", "9223372036854775808"] }, (client) => client.nextIds(3)],
      ["an ID twice", { ids: ["1", "2", "2"] }, (client) => client.nextIds(3)],
      ["IDs that go back", { ids: ["2", "1", "3"] }, (client) => client.nextIds(3)],
      ["counter values twice", { ids: ["1", "1"] }, (client) => client.nextCounterValues(2)],
      [
        "another version of UUID",
        { id: "9bfaaa0c-892b-4f93-b0f1-c4dc504b94f5" },
        (client) => client.uuid({ version: 7 }),
      ],
      ["no UUID", { id: "1" }, (client) => client.uuid()],
      ["a shorter string", { id: "abc" }, (client) => client.randomString(4)],
      ["a string with a space", { id: "ab d" }, (client) => client.randomString(4)],
      ["a numeric ID with a letter", envelope({ id: "12a" }), (client) => client.issueNumericId("farmer")],
      ["too few IDs", envelope({ ids: ["12"] }), (client) => client.issueNumericIds("farmer", 2)],
      ["an ID twice", envelope({ ids: ["12", "12"] }), (client) => client.issueNumericIds("farmer", 2)],
      ["no list", envelope({ ids: "12" }), (client) => client.issueNumericIds("farmer", 2)],
      ["a number", envelope({ ids: ["12", 13] }), (client) => client.issueNumericIds("farmer", 2)],
      ["no numeric ID", envelope({}), (client) => client.issueNumericId("farmer")],
      ["no response", envelope(null), (client) => client.issueNumericId("farmer")],
      [
        "about another ID",
        envelope({ id: "124", valid: true }),
        (client) => client.validateNumericId("farmer", "123"),
      ],
      ["no verdict", envelope({ id: "123" }), (client) => client.validateNumericId("farmer", "123")],
      ["another decoded ID", decoded, (client) => client.decode(6n)],
      ["no sequence", { ...decoded, sequence: undefined }, (client) => client.decode(5n)],
      ["no time", { ...decoded, generatedAt: 7 }, (client) => client.decode(5n)],
      ["no capacity", { years: "69" }, (client) => client.capacity()],
      ["an unknown status", { ...health, status: "fine" }, (client) => client.health()],
      ["an unknown state", { ...health, backend: { status: "fine" } }, (client) => client.health()],
      ["no pools", { ...health, pools: [] }, (client) => client.health()],
      [
        "a lease without an end",
        { ...health, lease: { ...lease, until: "soon" } },
        (client) => client.health(),
      ],
    ])("%s: an error, and never a value", async (_title, body, call) => {
      client = new BitflakeClient({ url: "http://a", fetch: service.fetch, retry: false });
      const outcome: Promise<ServiceError> = call(client).then(
        () => expect.unreachable(),
        (error) => error,
      );
      await flushEvents();
      service.only().answer(body);
      const error = await outcome;
      expect(error).toMatchObject({ code: "ERR_SERVICE", reason: "answer", status: 200, attempts: 1 });
      expect(error.message).toMatch(/ at http:\/\/a: unexpected answer: /);
    });

    test("health in full", async () => {
      const call = client.health();
      await flushEvents();
      const pools = { farmer: { status: "failing", available: null, more: 1 } };
      service.only().answer({ ...health, status: "degraded", lease, pools, more: 1 }, 503);
      expect(await call).toEqual({
        ...health,
        status: "degraded",
        lease: { ...lease, until: new Date("2026-11-27T12:00:00Z") },
        pools: { farmer: { status: "failing", available: null } },
      });
    });

    test("a body without end is an error at its limit, and the rest is not read", async () => {
      let chunks = 0;
      const body = new ReadableStream({
        pull: (controller) => {
          chunks++;
          controller.enqueue(new Uint8Array(65_536));
        },
      });
      client = new BitflakeClient({ url: "http://a", fetch: async () => new Response(body), retry: false });
      const error = await client.uuid().catch((error) => error);
      expect(error).toMatchObject({ reason: "answer", status: 200 });
      expect(error.message).toContain("the body is larger than 262144 bytes, or not UTF-8");
      expect(chunks).toBeLessThan(10);
    });

    test("bytes that are not UTF-8 are an error", async () => {
      const fetch: ClientFetch = async () => new Response(new Uint8Array([123, 255, 125]));
      client = new BitflakeClient({ url: "http://a", fetch, retry: false });
      await expect(client.uuid()).rejects.toMatchObject({ reason: "answer" });
    });

    test("an answer of a cache is an error, and one that a proxy has only passed on is none", async () => {
      client = new BitflakeClient({ url: "http://a", fetch: service.fetch, retry: false });
      const cached = client.randomString(1).catch((error) => error);
      await flushEvents();
      service.only().answer({ id: "a" }, 200, { age: "7" });
      expect((await cached).message).toContain("unexpected answer: it comes from a cache");
      const passed = client.randomString(1);
      await flushEvents();
      service.only().answer({ id: "a" }, 200, { age: "0" });
      expect(await passed).toBe("a");
    });

    test("a block that comes again is an error", async () => {
      client = new BitflakeClient({ url: "http://a", fetch: service.fetch, retry: false });
      const first = client.nextId();
      await flushEvents();
      service.only().answer({ ids: ["5"] });
      expect(await first).toBe(5n);
      const second = client.nextId().catch((error) => error);
      await flushEvents();
      service.only().answer({ ids: ["5"] });
      expect((await second).message).toContain("unexpected answer: an earlier answer came again");
    });

    test.each([301, 302, 307, 308, 304])(
      "a redirect (%i) is not followed, and not repeated",
      async (status) => {
        const call = client.uuid().catch((error) => error);
        await flushEvents();
        service.only().answer("", status, { location: "http://elsewhere" });
        expect(await call).toMatchObject({ reason: "status", status, attempts: 1 });
        expect(service.sent).toHaveLength(1);
      },
    );

    test("an error page is an error without a code, and the text of a problem is cut and printable", async () => {
      const call = client.uuid().catch((error) => error);
      await flushEvents();
      service.only().answer(page, 404);
      expect(await call).toMatchObject({ status: 404, serviceCode: undefined, detail: undefined });
      const other = client.uuid().catch((error) => error);
      await flushEvents();
      service.only().answer({ code: 7, detail: `\u001b[31m${"x".repeat(300)}` }, 400);
      expect(await other).toMatchObject({ serviceCode: undefined, detail: `?[31m${"x".repeat(195)}` });
    });
  });

  describe("a retry", () => {
    test("goes to the next service at once, stays there, and returns only after a failure", async () => {
      openWith({});
      const first = client.uuid();
      service.only().fail();
      await flushEvents();
      service.only().answer({ id: "9bfaaa0c-892b-4f93-b0f1-c4dc504b94f5" });
      await first;
      const second = client.randomString(1);
      service.only().answer("<html>", 502);
      await flushEvents();
      service.only().answer("cut off");
      await flushEvents();
      service.only().answer({ id: "a" });
      await second;
      expect(urls()).toBe("abbca");
    });

    test("waits after a round of all services, longer each time, and at most as long as the call may take", async () => {
      openWith({ timeoutMs: 300 });
      const call = observe(client.uuid());
      for (const at of [0, 25, 75, 175]) {
        expect(Date.now() - Date.UTC(2026, 10, 27, 12)).toBe(at);
        for (let each = 0; each < 3; each++) {
          expect(call.outcome).toBe("waits");
          service.only().fail();
          await flushEvents();
        }
        if (at < 175) await advance(at === 0 ? 25 : at === 25 ? 50 : 100);
      }
      // The next pause would end after the time.
      expect(call.outcome).toBe("network");
      expect(urls()).toBe("abcabcabcabc");
    });

    test.each(["2", "Fri, 27 Nov 2026 12:00:02 GMT"])(
      "waits as long as Retry-After says: %s",
      async (text) => {
        const call = client.randomString(1);
        service.only().answer({}, 503, { "retry-after": text });
        await advance(2024);
        expect(service.pending).toHaveLength(0);
        await advance(1);
        service.only().answer({ id: "a" });
        expect(await call).toBe("a");
      },
    );

    test("is not made if Retry-After lasts longer than the call may take", async () => {
      const call = client.uuid().catch((error) => error);
      service
        .only()
        .answer({ code: "ERR_RATE_LIMITED", detail: "Too many requests." }, 429, { "retry-after": "60" });
      expect(await call).toMatchObject({
        status: 429,
        serviceCode: "ERR_RATE_LIMITED",
        retryAfterMs: 60_000,
        attempts: 1,
      });
    });

    test("after a 429 waits, because all services share the limit", async () => {
      openWith({});
      const call = client.randomString(1);
      service.only().answer({}, 429, { "retry-after": "1" });
      await flushEvents();
      expect(service.pending).toHaveLength(0);
      await advance(1025);
      service.only().answer({ id: "a" });
      expect(await call).toBe("a");
      expect(urls()).toBe("ab");
    });

    test("follows an attempt without an answer, whose late answer is ignored", async () => {
      service = new ManualFetch(false);
      openWith({ attemptTimeoutMs: 500 });
      const call = client.randomString(1);
      const late = service.only();
      await advance(500);
      expect(late.signal.aborted).toBe(true);
      const [, next] = service.pending;
      late.answer({ id: "x" });
      await flushEvents();
      next?.answer({ id: "a" });
      expect(await call).toBe("a");
    });

    test("of a numeric issue has the same key, and says that the ID was issued before", async () => {
      openWith({});
      const call = client.issueNumericId("farmer");
      await flushEvents();
      service.only().fail();
      await flushEvents();
      const response = { response: { id: "123" } };
      service.only().answer(response, 200, { "idempotent-replayed": "true" });
      const { id, requestKey, isReplay } = await call;
      expect([id, isReplay]).toEqual(["123", true]);
      expect(service.sent.map(({ method, headers }) => [method, headers["idempotency-key"]])).toEqual([
        ["POST", `"${requestKey}"`],
        ["POST", `"${requestKey}"`],
      ]);
    });

    test("is not made with retry: false", async () => {
      openWith({ retry: false });
      const call = observe(client.uuid());
      service.only().fail();
      await flushEvents();
      expect(call.outcome).toBe("network");
      expect(urls()).toBe("a");
    });

    test("leaves no listener on the signal of the call", async () => {
      const { signal } = new AbortController();
      const added = vi.spyOn(signal, "addEventListener");
      const removed = vi.spyOn(signal, "removeEventListener");
      const call = client.randomString(1, { signal });
      service.only().fail();
      await advance(25);
      service.only().answer({ id: "a" });
      await call;
      expect(removed.mock.calls).toEqual(added.mock.calls);
      expect(added).toHaveBeenCalledTimes(1);
    });

    test("ends when the call is aborted, in an attempt and in a pause", async () => {
      for (const isInPause of [false, true]) {
        const aborter = new AbortController();
        const call = observe(client.uuid({ signal: aborter.signal }));
        await flushEvents();
        if (isInPause) service.only().fail();
        await flushEvents();
        aborter.abort("enough");
        await flushEvents();
        expect(call.outcome).toBe("enough");
        expect(service.pending).toHaveLength(0);
        expect(vi.getTimerCount()).toBe(0);
      }
    });
  });

  test("a failed attempt has the reason of the runtime in its message, and its error as the cause", async () => {
    client = new BitflakeClient({ url: "http://a", fetch: service.fetch, retry: false });
    const call = client.uuid().catch((error) => error);
    service.only().fail();
    const error = await call;
    expect(error.message).toBe("GET /generate_uuid?version=4 at http://a: fetch failed: ECONNRESET");
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  test.each([
    undefined,
    null,
    "down",
    {
      get message() {
        throw new Error("no");
      },
    },
  ])("a fetch that rejects with something odd is an error too", async (odd) => {
    const fetch: ClientFetch = () => Promise.reject(odd);
    client = new BitflakeClient({ url: "http://a", fetch, retry: false });
    await expect(client.uuid()).rejects.toMatchObject({ reason: "network" });
  });
});
