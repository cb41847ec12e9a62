// Routes for numeric IDs: requests of clients of OpenG2P and of MOSIP, retries and replays.

import { afterEach, describe, expect, test, vi } from "vitest";
import { BackendError, type MemoryPort, memory } from "../../../src/backend/index.ts";
import { IdPool, IdPoolHistoryError, NumericIdType } from "../../../src/numeric/index.ts";
import { VERSION } from "../../../src/version.ts";
import { openService, statusAndBody, UnreliableMemory } from "../openService.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const types = { farmer_id: { length: 10 }, uin: { length: 10, rules: "mosip" } } as const;
const type = new NumericIdType({ name: "farmer_id", length: 10 });
const BASE = "/v1/idgenerator";
const responseOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return ((await response.json()) as { response: unknown }).response;
};

describe("the routes for numeric IDs", () => {
  const types = { farmer_id: { length: 10 }, household: { length: 8, rules: { extends: "mosip" } } } as const;
  const farmer = new NumericIdType({ name: "farmer_id", ...types.farmer_id });
  const issue = "/v1/idgenerator/farmer_id/id";
  const envelope = (response: unknown, errors: unknown[] = []) => ({
    id: "openg2p.idgenerator",
    version: "1.0",
    responsetime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    response,
    errors,
  });
  const fault = (errorCode: string) => envelope(null, [{ errorCode, message: expect.any(String) }]);

  test("issue each ID once", async () => {
    const { send, service } = await openService({ types });
    const ids = new Set<string>();
    for (let call = 0; call < 20; call++) {
      const [status, body] = await statusAndBody(await send(issue, { method: "POST" }));
      expect(status).toBe(200);
      expect(body).toEqual(envelope({ id: expect.any(String) }));
      const { id } = (body as { response: { id: string } }).response;
      expect(farmer.validate(id).valid).toBe(true);
      ids.add(id);
    }
    expect(ids.size).toBe(20);
    await service.stop();
  });

  test("issue up to 1,000 IDs at once with count, all or none", async () => {
    const { send, service } = await openService({ types });
    const issueMany = async (count: string) => send(`${issue}?count=${count}`, { method: "POST" });
    const { ids } = (await responseOf(await issueMany("1000"))) as { ids: string[] };
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => farmer.validate(id).valid)).toBe(true);
    expect(await responseOf(await issueMany("1"))).toEqual({ ids: [expect.any(String)] });
    for (const count of ["0", "1001", "-1", "x", ""]) {
      const [status, body] = await statusAndBody(await issueMany(count));
      expect([status, body]).toMatchObject([400, { detail: expect.stringContaining("from 1 to 1000") }]);
    }
    const metrics = await (await send("/metrics")).text();
    expect(metrics).toContain('bitflake_ids_total{kind="numeric"} 1001');
    await service.stop();
  });

  test("count each ID of a batch in the rate limit", async () => {
    const { send, service } = await openService({ types, rateLimit: { limit: 10 } });
    const issueMany = async (count: number) => send(`${issue}?count=${count}`, { method: "POST" });
    expect((await issueMany(8)).status).toBe(200);
    expect((await issueMany(8)).status).toBe(429);
    expect((await issueMany(2)).status).toBe(200);
    await service.stop();
  });

  test("issue the same IDs again for a key and a count, and the rest after a failure half-way", async () => {
    const { send, service } = await openService({ types });
    const headers = { "idempotency-key": "batch-1" };
    const issueMany = async (search: string) => {
      const response = await send(`${issue}${search}`, { method: "POST", headers });
      const body = (await response.clone().json()) as { response: { id?: string; ids?: string[] } | null };
      return { response, ids: body.response?.ids ?? [body.response?.id] };
    };
    const { issue: issueOne } = IdPool.prototype;
    let calls = 0;
    const failing = vi.spyOn(IdPool.prototype, "issue").mockImplementation(function (this: IdPool, options) {
      calls++;
      return calls === 21
        ? Promise.reject(new BackendError("pool: issue", "failed", "lost"))
        : issueOne.call(this, options);
    });
    expect((await issueMany("?count=40")).response.status).toBe(503);
    failing.mockRestore();
    const { response, ids } = await issueMany("?count=40");
    expect(response.headers.has("idempotent-replayed")).toBe(false);
    expect(new Set(ids).size).toBe(40);
    const metrics = await (await send("/metrics")).text();
    // Each once: 31 of them were issued before the failure, or at the same time.
    expect(metrics).toContain('bitflake_ids_total{kind="numeric"} 40');
    const again = await issueMany("?count=40");
    expect(again.ids).toEqual(ids);
    expect(again.response.headers.get("idempotent-replayed")).toBe("true");
    // A request for one ID has the key of the first.
    expect((await issueMany("")).ids).toEqual(ids.slice(0, 1));
    expect((await issueMany("?count=3")).ids).toEqual(ids.slice(0, 3));
    await service.stop();
  });

  test("say whether an ID was issued, to clients that may watch", async () => {
    const apiKeys = [
      { name: "orders", keys: ["a".repeat(16)], scopes: ["issue"] },
      { name: "audit", keys: ["b".repeat(16)], scopes: ["watch"] },
    ] as const;
    const { send, service } = await openService({ types, apiKeys });
    const as = (key: string) => ({ headers: { "x-api-key": key.repeat(16) } });
    const { id } = (await responseOf(await send(issue, { method: "POST", ...as("a") }))) as { id: string };
    const lookUp = (text: string, key = "b", name = "farmer_id") =>
      send(`${BASE}/${name}/id/issued/${text}`, as(key));
    expect(await responseOf(await lookUp(id))).toEqual({ id, issued: true });
    const other = id === "8349257232" ? "3029384756" : "8349257232";
    expect(await responseOf(await lookUp(other))).toEqual({ id: other, issued: false });
    expect(await responseOf(await lookUp("1"))).toEqual({ id: "1", issued: false });
    expect((await lookUp(id, "a")).status).toBe(403);
    expect((await lookUp("x1")).status).toBe(422);
    expect((await lookUp(id, "b", "goat")).status).toBe(404);
    await service.stop();
  });

  test("issue the same ID for a request key of the same client and type, and other IDs for others", async () => {
    const apiKeys = ["a".repeat(16), "b".repeat(16)];
    const { send, service } = await openService({ types, apiKeys });
    const idOf = async (client: number, key: string, path = issue) => {
      const headers = { "x-api-key": apiKeys[client] as string, "idempotency-key": key };
      const { response } = (await (await send(path, { method: "POST", headers })).json()) as {
        response: { id: string };
      };
      return response.id;
    };
    const first = await idOf(0, "form 17".replace(" ", "-"));
    expect(await idOf(0, '"form-17"')).toBe(first);
    expect(await idOf(1, "form-17")).not.toBe(first);
    expect(await idOf(0, "form-18")).not.toBe(first);
    expect(await idOf(0, "form-17", "/v1/idgenerator/household/id")).not.toBe(first);
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => idOf(0, "at-once")))).size).toBe(1);
    const headers = { "x-api-key": apiKeys[0] as string, "idempotency-key": "a b" };
    expect(await statusAndBody(await send(issue, { method: "POST", headers }))).toMatchObject([
      400,
      { code: "ERR_IDEMPOTENCY_KEY" },
    ]);
    await service.stop();
  });

  test("accept a JSON body or none, and refuse another body", async () => {
    const { send, service } = await openService({ types });
    const post = (body: BodyInit, type: string) =>
      send(issue, { method: "POST", body, headers: { "content-type": type } });
    expect((await post("{}", "application/json")).status).toBe(200);
    expect((await post('{"request":{}}', "application/json; charset=utf-8")).status).toBe(200);
    expect((await post("", "text/plain")).status).toBe(200);
    expect(await statusAndBody(await post("{}", "text/plain"))).toMatchObject([
      415,
      { code: "ERR_UNSUPPORTED_MEDIA_TYPE" },
    ]);
    expect(await statusAndBody(await post("{", "application/json"))).toMatchObject([400, {}]);
    expect(
      await statusAndBody(await post(new Uint8Array([0x22, 0xff, 0x22]), "application/json")),
    ).toMatchObject([400, {}]);
    expect(await statusAndBody(await post(`"${"x".repeat(65_535)}"`, "application/json"))).toMatchObject([
      413,
      { code: "ERR_CONTENT_TOO_LARGE" },
    ]);
    await service.stop();
  });

  test("validate an ID with status 200, valid or not", async () => {
    const { send } = await openService({ types });
    const valid = async (id: string, type = "farmer_id") =>
      statusAndBody(await send(`/v1/idgenerator/${type}/id/validate/${id}`));
    expect(await valid("8349257232")).toEqual([200, envelope({ id: "8349257232", valid: true })]);
    expect(await valid("8349257233")).toEqual([200, envelope({ id: "8349257233", valid: false })]);
    expect(await valid("1")).toEqual([200, envelope({ id: "1", valid: false })]);
    expect(await valid("8349257232", "cat")).toEqual([404, fault("IDG-003")]);
    for (const id of ["x", "1".repeat(33), "%31x", "8349257232%20"]) expect((await valid(id))[0]).toBe(422);
    for (const type of ["Farmer", "1", "x".repeat(65)]) expect((await valid("1", type))[0]).toBe(422);
  });

  test("answer 404 with IDG-003 for an unknown type, and 422 for an invalid type name", async () => {
    const log = vi.fn();
    const { send } = await openService({ types, log });
    expect(await statusAndBody(await send("/v1/idgenerator/cat/id", { method: "POST" }))).toEqual([
      404,
      fault("IDG-003"),
    ]);
    expect(log.mock.lastCall?.[0]).toMatchObject({ status: 404, level: "warn", code: "IDG-003" });
    expect(log.mock.lastCall?.[0]).not.toHaveProperty("error");
    // Names of properties that every object has.
    for (const name of ["constructor", "to_string", "__proto__", "toString"]) {
      const { status } = await send(`/v1/idgenerator/${name}/id`, { method: "POST" });
      expect(status).toBe(/^[a-z][a-z0-9_]+$/.test(name) ? 404 : 422);
    }
  });

  test("answer 410 with IDG-002 when all IDs of a type are issued", async () => {
    // The shortest type has the fewest IDs.
    const tiny = new NumericIdType({ name: "tiny", length: 2 });
    const log = vi.fn();
    const { send, service } = await openService({ types: { tiny: { length: 2 } }, log });
    const count = Number(tiny.capacity().ids);
    for (let call = 0; call < count; call++) {
      expect((await send("/v1/idgenerator/tiny/id", { method: "POST" })).status).toBe(200);
    }
    expect(await statusAndBody(await send("/v1/idgenerator/tiny/id", { method: "POST" }))).toEqual([
      410,
      fault("IDG-002"),
    ]);
    expect(log).toHaveBeenLastCalledWith(
      expect.objectContaining({ status: 410, level: "warn", code: "ERR_ID_POOL_EXHAUSTED" }),
    );
    expect(await (await send("/health")).json()).toMatchObject({ pools: { tiny: { status: "failing" } } });
    await service.stop();
  });

  test("answer 503 with IDG-005 if the start fails, and log the error", async () => {
    const backend = memory();
    const first = await openService({ backend, types: { farmer: { length: 10 } } });
    await first.send("/v1/idgenerator/farmer/id", { method: "POST" });
    await first.service.stop();
    const log = vi.fn();
    const { send } = await openService({ backend, types: { farmer: { length: 12 } }, log });
    for (const path of ["/v1/idgenerator/farmer/id", "/v1/idgenerator/farmer/id"]) {
      expect(await statusAndBody(await send(path, { method: "POST" }))).toEqual([503, fault("IDG-005")]);
      expect(log).toHaveBeenLastCalledWith(
        expect.objectContaining({ status: 503, code: "ERR_NAMESPACE", error: expect.any(Error) }),
      );
    }
    expect(await statusAndBody(await send("/health"))).toMatchObject([503, { status: "failing" }]);
  });

  test("answer 503 with IDG-005 if the stop begins while a request arrives, and log the code alone", async () => {
    for (const [path, method, status, code] of [
      [issue, "POST", 503, "IDG-005"],
      ["/v1/idgenerator/uin", "GET", 200, "KER-UIG-005"],
    ] as const) {
      const log = vi.fn();
      const { send, service } = await openService({ types: { ...types, uin: { length: 10 } }, log });
      const response = send(path, { method });
      const stopped = service.stop();
      expect(await statusAndBody(await response)).toMatchObject([status, { errors: [{ errorCode: code }] }]);
      expect(log.mock.lastCall?.[0]).toMatchObject({
        status,
        code,
        level: status === 503 ? "error" : "warn",
      });
      expect(log.mock.lastCall?.[0]).not.toHaveProperty("error");
      await stopped;
    }
  });

  test("answer 503 with IDG-006 if the database is down, and with IDG-005 if it was down at the start", async () => {
    const backend = new UnreliableMemory();
    backend.isDown = true;
    const { send, service } = await openService({ backend, types });
    const response = await send(issue, { method: "POST" });
    expect(await statusAndBody(response)).toEqual([503, fault("IDG-005")]);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await statusAndBody(await send("/v1/idgenerator/health"))).toEqual([503, fault("IDG-005")]);
    expect(await statusAndBody(await send("/generate_counter_id"))).toMatchObject([
      503,
      { code: "ERR_BACKEND" },
    ]);
    expect(await (await send("/generate_uuid")).json()).toHaveProperty("id");
    backend.isDown = false;
    // A request starts the service at most once a second.
    const now = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => now() + 1000);
    expect((await send(issue, { method: "POST" })).status).toBe(200);
    backend.isDown = true;
    const down = await (await send(issue, { method: "POST" })).text();
    expect(JSON.parse(down)).toEqual(fault("IDG-006"));
    expect(down).not.toContain("10.0.0.5");
    backend.isDown = false;
    await service.stop();
  });

  test("answer the version at /version and the rules of the types at /config", async () => {
    const { send } = await openService({ types });
    expect(await (await send("/v1/idgenerator/version")).json()).toEqual(
      envelope({ service_version: VERSION, build_time: "unknown", git_commit: "unknown" }),
    );
    const rules = {
      sequence_limit: 3,
      repeating_limit: 2,
      repeating_block_limit: 2,
      conjugative_even_digits_limit: 3,
      digits_group_limit: 5,
      reverse_digits_group_limit: 5,
      not_start_with: ["0", "1"],
      restricted_numbers: [],
    };
    const { response } = (await (await send("/v1/idgenerator/config")).json()) as { response: object };
    expect(response).toMatchObject({
      id_types: {
        farmer_id: { id_length: 10, filter_rules: rules },
        household: { id_length: 8, filter_rules: { restricted_numbers: ["786", "666"] } },
      },
      // A rule that differs is null.
      filter_rules: { ...rules, repeating_limit: null, restricted_numbers: null },
    });
    const alone = await openService({ types: { farmer_id: { length: 10 } } });
    const only = (await (await alone.send("/v1/idgenerator/config")).json()) as { response: object };
    expect(only.response).toMatchObject({ filter_rules: rules });
  });
});

describe("a client of OpenG2P", () => {
  test("gets UP, and strings for the build", async () => {
    const { send, service } = await openService({ types });
    await service.start();
    expect(await responseOf(await send(`${BASE}/health`))).toEqual({ status: "UP" });
    expect(await responseOf(await send(`${BASE}/version`))).toEqual({
      service_version: VERSION,
      build_time: "unknown",
      git_commit: "unknown",
    });
    await service.stop();
  });

  test("gets IDG-006 if the database may have lost IDs, and /health is degraded", async () => {
    const { send, service } = await openService({ types: { farmer_id: { length: 10 } } });
    await service.start();
    const error = new IdPoolHistoryError("farmer_id", "7.00000001", "7.00000002");
    const status = await IdPool.prototype.status.call(new IdPool({ backend: memory(), type }));
    const issue = vi.spyOn(IdPool.prototype, "issueIds").mockRejectedValue(error);
    const look = vi.spyOn(IdPool.prototype, "status").mockResolvedValue({ ...status, lastError: error });
    for (const [path, method] of [
      ["health", "GET"],
      ["farmer_id/id", "POST"],
      ["farmer_id/id/issued/8349257232", "GET"],
    ] as const) {
      const response = await send(`${BASE}/${path}`, { method });
      expect(await statusAndBody(response)).toMatchObject([503, { errors: [{ errorCode: "IDG-006" }] }]);
    }
    const pools = { farmer_id: { status: "failing" } };
    expect(await statusAndBody(await send("/health"))).toMatchObject([200, { status: "degraded", pools }]);
    issue.mockRestore();
    look.mockRestore();
    await service.stop();
  });

  test.each<[string, string]>([
    ["GET", `${BASE}/health`],
    ["GET", `${BASE}/version`],
    ["GET", `${BASE}/config`],
    ["POST", `${BASE}/farmer_id/id`],
    ["GET", `${BASE}/farmer_id/id/validate/8349257232`],
    ["GET", `${BASE}/uin`],
  ])("may add query parameters and a trailing slash: %s %s", async (method, path) => {
    const { service } = await openService({ types });
    await service.start();
    for (const target of [path, `${path}/`, `${path}?_=1795222180605&_=2`, `${path}/?lang=en`]) {
      expect((await service(new Request(`http://localhost${target}`, { method }))).status).toBe(200);
    }
    expect((await service(new Request(`http://localhost${path}//`, { method }))).status).toBe(404);
    await service.stop();
  });

  test("gets an error for them on other routes", async () => {
    const { service } = await openService({ types });
    const status = async (path: string) => (await service(new Request(`http://localhost${path}`))).status;
    expect(await status("/generate_uuid?lang=en")).toBe(400);
    expect(await status("/generate_uuid/")).toBe(404);
    expect(await status("/capacity/")).toBe(404);
  });
});

describe("a client of MOSIP", () => {
  const envelope = (response: unknown, errors: unknown) => ({
    id: null,
    version: null,
    responsetime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    metadata: null,
    response,
    errors,
  });

  test("gets an ID of the type uin by GET", async () => {
    const type = new NumericIdType({ name: "uin", ...types.uin });
    const { send, service } = await openService({ types });
    const uins = new Set<string>();
    for (let count = 0; count < 5; count++) {
      const [status, body] = await statusAndBody(await send(`${BASE}/uin`));
      expect([status, body]).toEqual([200, envelope({ uin: expect.any(String) }, null)]);
      const { uin } = (body as { response: { uin: string } }).response;
      expect(type.validate(uin).valid).toBe(true);
      uins.add(uin);
    }
    expect(uins.size).toBe(5);
    // HEAD would issue an ID and not send it.
    const head = await send(`${BASE}/uin`, { method: "HEAD" });
    expect([head.status, head.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
    await service.stop();
  });

  test("gets failures in its own envelope", async () => {
    const tiny = { uin: { length: 2 } };
    const { send, service } = await openService({ types: tiny });
    const { ids } = new NumericIdType({ name: "uin", ...tiny.uin }).capacity();
    for (let count = 0; count < Number(ids); count++) expect((await send(`${BASE}/uin`)).status).toBe(200);
    expect(await statusAndBody(await send(`${BASE}/uin`))).toEqual([
      200,
      envelope(null, [{ errorCode: "KER-UIG-001", message: expect.any(String) }]),
    ]);
    await service.stop();

    const log = vi.fn();
    const down: MemoryPort = {
      change: () => {
        throw new Error("down");
      },
    };
    const failing = await openService({ types, backend: memory(), poolBackend: down, machineId: 1, log });
    expect(await statusAndBody(await failing.send(`${BASE}/uin`))).toEqual([
      200,
      envelope(null, [{ errorCode: "KER-UIG-005", message: expect.any(String) }]),
    ]);
    expect(log).toHaveBeenLastCalledWith(
      expect.objectContaining({ level: "warn", code: "ERR_BACKEND", error: expect.any(Error) }),
    );
  });

  test("gets 404 if there is no type uin", async () => {
    const { send } = await openService({ types: { farmer_id: { length: 10 } } });
    expect((await send(`${BASE}/uin`)).status).toBe(404);
  });
});

describe("a replay", () => {
  test("is marked, and not counted as an issued ID", async () => {
    const { send, service } = await openService({ types });
    const issue = (key: string, path: string, method: string) =>
      send(path, { method, headers: { "idempotency-key": key } });
    for (const [path, method] of [
      [`${BASE}/farmer_id/id`, "POST"],
      [`${BASE}/uin`, "GET"],
    ] as const) {
      const first = await issue("form-1", path, method);
      expect(first.headers.get("idempotent-replayed")).toBeNull();
      const id = await responseOf(first);
      for (let count = 0; count < 3; count++) {
        const again = await issue("form-1", path, method);
        expect(again.headers.get("idempotent-replayed")).toBe("true");
        expect(await responseOf(again)).toEqual(id);
      }
      expect((await issue("form-2", path, method)).headers.get("idempotent-replayed")).toBeNull();
    }
    const metrics = await (await send("/metrics")).text();
    expect(metrics).toContain('bitflake_ids_total{kind="numeric"} 4\n');
    await service.stop();
  });
});
