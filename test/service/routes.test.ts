// Every route, as a client sees it.

import { Validator } from "@seriousme/openapi-schema-validator";
import { afterEach, describe, expect, test, vi } from "vitest";
import { BackendError, type MemoryPort, memory } from "../../src/backend/index.ts";
import { decode, PRESET_TWITTER, SnowflakeGenerator } from "../../src/index.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import { VERSION } from "../../src/version.ts";
import { documentOf, Fragile, open, read } from "./app.ts";

afterEach(() => {
  vi.useRealTimers();
});

const UUID_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const UUID_7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

type Ids = { readonly id?: string; readonly ids?: readonly string[] };

describe("routes that make IDs", () => {
  test.each<[string, RegExp]>([
    ["/generate_uuid", UUID_4],
    ["/generate_uuid?version=4", UUID_4],
    ["/generate_uuid?version=7", UUID_7],
    ["/generate_timestamp_id", /^\d{13}$/],
    ["/generate_counter_id", /^\d+$/],
    ["/generate_snowflake_id", /^\d{17,19}$/],
    ["/generate_random_string/1", /^[\w-]$/],
    ["/generate_random_string/21", /^[\w-]{21}$/],
    ["/generate_random_string/4096", /^[\w-]{4096}$/],
  ])("%s", async (path, pattern) => {
    const { ask, service } = await open();
    const response = await ask(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { id, ...rest } = (await response.json()) as Ids;
    expect(id).toMatch(pattern);
    expect(rest).toEqual({});
    for (const count of [1, 2, 16]) {
      const { ids = [] } = (await (
        await ask(`${path}${path.includes("?") ? "&" : "?"}count=${count}`)
      ).json()) as Ids;
      expect(ids).toHaveLength(count);
      for (const one of ids) expect(one).toMatch(pattern);
    }
    await service.stop();
  });

  test("1,000 at once, all different; 1,001 are refused", async () => {
    const { ask, service } = await open();
    for (const path of [
      "/generate_uuid",
      "/generate_counter_id",
      "/generate_snowflake_id",
      "/generate_random_string/21",
    ]) {
      const { ids = [] } = (await (await ask(`${path}?count=1000`)).json()) as Ids;
      expect(new Set(ids).size).toBe(1000);
      expect((await ask(`${path}?count=1001`)).status).toBe(400);
    }
    await service.stop();
  });

  test("where IDs are scarce a request waits asleep, and one that would wait too long is refused", async () => {
    const blocking = vi.spyOn(SnowflakeGenerator.prototype, "nextId");
    const preset = { timestampBits: 53, datacenterBits: 0, machineBits: 10, sequenceBits: 0, tickMs: 1000 };
    const { ask, service } = await open({ preset, machineId: 1 });
    const both = await Promise.all([ask("/generate_snowflake_id"), ask("/generate_snowflake_id")]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(blocking).not.toHaveBeenCalled();
    const [status, problem] = await read(await ask("/generate_snowflake_id?count=11"));
    expect([status, problem]).toMatchObject([
      400,
      { detail: "count must be at most 10: there are 1 IDs a second." },
    ]);
    await service.stop();
    blocking.mockRestore();
  });

  test.each(["0", "-1", "1.5", "01", "+1", "1e3", "", "x", "1001", "99999999999999999999", "%31%30x"])(
    "a count of %j is refused",
    async (count) => {
      const { ask } = await open();
      const [status, problem] = await read(await ask(`/generate_uuid?count=${count}`));
      expect(status).toBe(400);
      expect(problem).toMatchObject({
        code: "ERR_ARGUMENT",
        detail: expect.stringContaining("count must be"),
      });
    },
  );

  test.each([
    "/generate_uuid?version=5",
    "/generate_uuid?version=",
    "/generate_uuid?cuont=5",
    "/generate_uuid?count=1&count=2",
    "/generate_snowflake_id?version=4",
    "/generate_random_string/0",
    "/generate_random_string/4097",
    "/generate_random_string/x",
    "/generate_random_string/%31%zz",
    "/generate_random_string/4096?count=17",
  ])("%s is refused", async (path) => {
    const { ask } = await open();
    expect((await ask(path)).status).toBe(400);
  });

  test("counters go on from one service to the next of the same name, and apart from others", async () => {
    const backend = memory();
    const next = async (name: string, query = "") => {
      const { ask, service } = await open({ backend, name });
      const { id, ids } = (await (await ask(`/generate_counter_id${query}`)).json()) as Ids;
      await service.stop();
      return id ?? ids;
    };
    expect(await next("a")).toBe("1");
    expect(await next("a", "?count=3")).toEqual(["2", "3", "4"]);
    expect(await next("b")).toBe("1");
    expect(await next("a")).toBe("5");
  });

  test("two services on one store lease two nodes", async () => {
    const backend = memory();
    const nodes: number[] = [];
    const opened = [await open({ backend }), await open({ backend })];
    for (const { ask } of opened) {
      const { id } = (await (await ask("/generate_snowflake_id")).json()) as Ids;
      const { datacenterId, machineId } = decode(id ?? "", "twitter");
      nodes.push(datacenterId * 32 + machineId);
    }
    expect(nodes).toEqual([0, 1]);
    for (const { service } of opened) await service.stop();
  });

  test("with a node of its own it leases none", async () => {
    const { ask, service } = await open({
      preset: { ...PRESET_TWITTER, epochMs: 0 },
      datacenterId: 3,
      machineId: 9,
    });
    const { id } = (await (await ask("/generate_snowflake_id")).json()) as Ids;
    expect(decode(id ?? "", { ...PRESET_TWITTER, epochMs: 0 })).toMatchObject({
      datacenterId: 3,
      machineId: 9,
    });
    expect(await (await ask(`/decode/${id}`)).json()).toMatchObject({ datacenterId: 3, machineId: 9 });
    expect(await (await ask("/health")).json()).toMatchObject({ status: "ok", lease: null });
    await service.stop();
  });
});

describe("routes that read", () => {
  test("/decode says what an ID says, by the service's layout or another", async () => {
    const { ask } = await open();
    expect(await read(await ask("/decode/911780371413233664"))).toEqual([
      200,
      {
        id: "911780371413233664",
        timestampMs: 1_795_222_180_605,
        generatedAt: "2026-11-21T00:49:40.605Z",
        datacenterId: 1,
        machineId: 7,
        sequence: 0,
      },
    ]);
    expect(await (await ask("/decode/911780371413233664?preset=single_dc")).json()).toMatchObject({
      datacenterId: 0,
      machineId: 39,
    });
  });

  test.each(["x", "01", "-1", "9223372036854775808", "0x10", "1e3", "%20 1", "1".repeat(5000)])(
    "/decode/%s is refused",
    async (id) => {
      const { ask } = await open();
      const [status, problem] = await read(await ask(`/decode/${id}`));
      expect(status).toBe(400);
      expect(problem).toMatchObject({ code: "ERR_INVALID_ID" });
    },
  );

  test("a preset that there is not is refused", async () => {
    const { ask } = await open();
    for (const path of ["/decode/1?preset=nonsense", "/capacity?preset=", "/capacity?preset=__proto__"]) {
      expect(await read(await ask(path))).toMatchObject([400, { code: "ERR_ARGUMENT" }]);
    }
  });

  test("/capacity", async () => {
    const { ask } = await open({ preset: "safe_integer" });
    expect(await (await ask("/capacity")).json()).toMatchObject({ nodes: 32, idsPerTick: 128 });
    expect(await (await ask("/capacity?preset=twitter")).json()).toMatchObject({
      nodes: 1024,
      idsPerTick: 4096,
    });
    expect(await (await ask("/capacity?preset=minimal")).json()).toMatchObject({ nodes: 1 });
  });
});

describe("numeric types", () => {
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

  test("are issued, each ID once", async () => {
    const { ask, service } = await open({ types });
    const ids = new Set<string>();
    for (let call = 0; call < 20; call++) {
      const [status, body] = await read(await ask(issue, { method: "POST" }));
      expect(status).toBe(200);
      expect(body).toEqual(envelope({ id: expect.any(String) }));
      const { id } = (body as { response: { id: string } }).response;
      expect(farmer.validate(id).valid).toBe(true);
      ids.add(id);
    }
    expect(ids.size).toBe(20);
    await service.stop();
  });

  test("a retry with its key gets the same ID, another client or type another", async () => {
    const apiKeys = ["a".repeat(16), "b".repeat(16)];
    const { ask, service } = await open({ types, apiKeys });
    const idOf = async (client: number, key: string, path = issue) => {
      const headers = { "x-api-key": apiKeys[client] as string, "idempotency-key": key };
      const { response } = (await (await ask(path, { method: "POST", headers })).json()) as {
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
    expect(await read(await ask(issue, { method: "POST", headers }))).toMatchObject([
      400,
      { code: "ERR_IDEMPOTENCY_KEY" },
    ]);
    await service.stop();
  });

  test("a JSON body is let pass, as some clients send one", async () => {
    const { ask, service } = await open({ types });
    const post = (body: BodyInit, type: string) =>
      ask(issue, { method: "POST", body, headers: { "content-type": type } });
    expect((await post("{}", "application/json")).status).toBe(200);
    expect((await post('{"request":{}}', "application/json; charset=utf-8")).status).toBe(200);
    expect((await post("", "text/plain")).status).toBe(200);
    expect(await read(await post("{}", "text/plain"))).toMatchObject([
      415,
      { code: "ERR_UNSUPPORTED_MEDIA_TYPE" },
    ]);
    expect(await read(await post("{", "application/json"))).toMatchObject([400, {}]);
    expect(await read(await post(new Uint8Array([0x22, 0xff, 0x22]), "application/json"))).toMatchObject([
      400,
      {},
    ]);
    expect(await read(await post(`"${"x".repeat(65_535)}"`, "application/json"))).toMatchObject([
      413,
      { code: "ERR_CONTENT_TOO_LARGE" },
    ]);
    await service.stop();
  });

  test("are validated, with 200 either way", async () => {
    const { ask } = await open({ types });
    const valid = async (id: string, type = "farmer_id") =>
      read(await ask(`/v1/idgenerator/${type}/id/validate/${id}`));
    expect(await valid("8349257232")).toEqual([200, envelope({ id: "8349257232", valid: true })]);
    expect(await valid("8349257233")).toEqual([200, envelope({ id: "8349257233", valid: false })]);
    expect(await valid("1")).toEqual([200, envelope({ id: "1", valid: false })]);
    expect(await valid("8349257232", "cat")).toEqual([404, fault("IDG-003")]);
    for (const id of ["x", "1".repeat(33), "%31x", "8349257232%20"]) expect((await valid(id))[0]).toBe(422);
    for (const type of ["Farmer", "1", "x".repeat(65)]) expect((await valid("1", type))[0]).toBe(422);
  });

  test("an unknown type is 404 with IDG-003, a name that is none 422", async () => {
    const { ask } = await open({ types });
    expect(await read(await ask("/v1/idgenerator/cat/id", { method: "POST" }))).toEqual([
      404,
      fault("IDG-003"),
    ]);
    // Names that every object knows.
    for (const name of ["constructor", "to_string", "__proto__", "toString"]) {
      const { status } = await ask(`/v1/idgenerator/${name}/id`, { method: "POST" });
      expect(status).toBe(/^[a-z][a-z0-9_]+$/.test(name) ? 404 : 422);
    }
  });

  test("all of a type are issued, and then it is 410 with IDG-002", async () => {
    // The shortest: a handful of IDs.
    const tiny = new NumericIdType({ name: "tiny", length: 2 });
    const { ask, service } = await open({ types: { tiny: { length: 2 } } });
    const count = Number(tiny.capacity().ids);
    for (let call = 0; call < count; call++) {
      expect((await ask("/v1/idgenerator/tiny/id", { method: "POST" })).status).toBe(200);
    }
    expect(await read(await ask("/v1/idgenerator/tiny/id", { method: "POST" }))).toEqual([
      410,
      fault("IDG-002"),
    ]);
    expect(await (await ask("/health")).json()).toMatchObject({ pools: { tiny: { status: "failing" } } });
    await service.stop();
  });

  test("why the service is not ready is in the log", async () => {
    const backend = memory();
    const first = await open({ backend, types: { farmer: { length: 10 } } });
    await first.ask("/v1/idgenerator/farmer/id", { method: "POST" });
    await first.service.stop();
    const log = vi.fn();
    const { ask } = await open({ backend, types: { farmer: { length: 12 } }, log });
    for (const path of ["/v1/idgenerator/farmer/id", "/v1/idgenerator/farmer/id"]) {
      expect(await read(await ask(path, { method: "POST" }))).toEqual([503, fault("IDG-005")]);
      expect(log).toHaveBeenLastCalledWith(
        expect.objectContaining({ status: 503, code: "ERR_NAMESPACE", error: expect.any(Error) }),
      );
    }
    expect(await read(await ask("/health"))).toMatchObject([503, { status: "failing" }]);
  });

  test("a database that is down is 503 with IDG-006, or IDG-005 if it was at the start", async () => {
    const backend = new Fragile();
    backend.isDown = true;
    const { ask, service } = await open({ backend, types });
    const response = await ask(issue, { method: "POST" });
    expect(await read(response)).toEqual([503, fault("IDG-005")]);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await read(await ask("/v1/idgenerator/health"))).toEqual([503, fault("IDG-005")]);
    expect(await read(await ask("/generate_counter_id"))).toMatchObject([503, { code: "ERR_BACKEND" }]);
    expect(await (await ask("/generate_uuid")).json()).toHaveProperty("id");
    backend.isDown = false;
    await vi.waitFor(async () => expect((await ask(issue, { method: "POST" })).status).toBe(200), 5000);
    backend.isDown = true;
    const down = await (await ask(issue, { method: "POST" })).text();
    expect(JSON.parse(down)).toEqual(fault("IDG-006"));
    expect(down).not.toContain("10.0.0.5");
    backend.isDown = false;
    await service.stop();
  });

  test("/version and /config", async () => {
    const { ask } = await open({ types });
    expect(await (await ask("/v1/idgenerator/version")).json()).toEqual(
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
    const { response } = (await (await ask("/v1/idgenerator/config")).json()) as { response: object };
    expect(response).toMatchObject({
      id_types: {
        farmer_id: { id_length: 10, filter_rules: rules },
        household: { id_length: 8, filter_rules: { restricted_numbers: ["786", "666"] } },
      },
      // What the two do not have in common is null.
      filter_rules: { ...rules, repeating_limit: null, restricted_numbers: null },
    });
    const alone = await open({ types: { farmer_id: { length: 10 } } });
    const only = (await (await alone.ask("/v1/idgenerator/config")).json()) as { response: object };
    expect(only.response).toMatchObject({ filter_rules: rules });
  });
});

describe("for those who watch", () => {
  test("/health before, while and after it runs", async () => {
    const { ask, service } = await open({ types: { farmer: { length: 10 } } });
    const before = await ask("/health");
    expect(before.headers.get("retry-after")).toBe("1");
    expect(await read(before)).toMatchObject([503, { status: "starting", lease: null }]);
    await service.start();
    expect(await read(await ask("/health"))).toMatchObject([
      200,
      { status: "ok", backend: { status: "ok" }, lease: { status: "ok", node: 0 }, pools: {} },
    ]);
    await service.stop();
    expect(await read(await ask("/health"))).toMatchObject([503, { status: "stopping" }]);
  });

  test("of a pool that cannot be asked it is said that it fails, and no numbers", async () => {
    const poolBackend = new Fragile();
    const { ask, service } = await open({ poolBackend, machineId: 7, types: { farmer: { length: 10 } } });
    await service.start();
    const gauges = async () =>
      (await (await ask("/metrics")).text())
        .split("\n")
        .filter((line) => /^bitflake_(lease|pool)/.test(line));
    expect(await gauges()).toEqual([
      expect.stringMatching(/^bitflake_pool_available\{type="farmer"\} \d+$/),
      'bitflake_pool_taken{type="farmer"} 0',
    ]);
    poolBackend.isDown = true;
    const failing = { farmer: { status: "failing", available: null } };
    await vi.waitFor(async () => {
      expect(await (await ask("/health")).json()).toMatchObject({ lease: null, pools: failing });
    }, 5000);
    expect(await gauges()).toEqual([]);
    // What needs no pool goes on.
    expect((await ask("/generate_snowflake_id")).status).toBe(200);
    poolBackend.isDown = false;
    await service.stop();
  });

  test("/health asks the store at most once a second, whoever asks", async () => {
    let calls = 0;
    const port = memory();
    const backend: MemoryPort = {
      change: (name, change) => {
        if (name === "pool:farmer") calls++;
        return port.change(name, change);
      },
    };
    const { ask, service } = await open({ backend, types: { farmer: { length: 10 } } });
    await service.start();
    await ask("/health");
    await new Promise((wake) => setTimeout(wake, 200));
    const before = calls;
    for (let call = 0; call < 50; call++) await ask("/health");
    expect(calls - before).toBeLessThanOrEqual(2);
    await service.stop();
  });

  test("/metrics counts requests by route and status, durations and IDs", async () => {
    const { ask, service } = await open({ types: { farmer: { length: 10 } } });
    await ask("/generate_uuid?count=5");
    await ask("/generate_uuid");
    await ask("/generate_uuid?count=0");
    await ask("/decode/1");
    await ask("/nowhere/at/all");
    await ask("/v1/idgenerator/farmer/id", { method: "POST" });
    const response = await ask("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    for (const line of [
      'bitflake_requests_total{route="/generate_uuid",status="200"} 2',
      'bitflake_requests_total{route="/generate_uuid",status="400"} 1',
      'bitflake_requests_total{route="/decode/{id}",status="200"} 1',
      'bitflake_requests_total{route="",status="404"} 1',
      'bitflake_request_duration_seconds_bucket{route="/generate_uuid",le="+Inf"} 3',
      'bitflake_request_duration_seconds_count{route="/generate_uuid"} 3',
      'bitflake_ids_total{kind="uuid"} 6',
      'bitflake_ids_total{kind="numeric"} 1',
      "bitflake_requests_in_flight 1",
      'bitflake_lease_held{node="0"} 1',
      'bitflake_pool_taken{type="farmer"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    // Each line is a comment or a sample, each family has a type, and no sample comes twice.
    const samples = text
      .trimEnd()
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    for (const line of samples)
      expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [\d.e+-]+$/);
    const names = samples.map((line) => line.split(" ")[0]);
    expect(new Set(names).size).toBe(names.length);
    // Buckets count up.
    const buckets = samples.filter((line) =>
      line.startsWith('bitflake_request_duration_seconds_bucket{route="/generate_uuid"'),
    );
    const counts = buckets.map((line) => Number(line.split(" ")[1]));
    expect(counts).toEqual([...counts].sort((one, other) => one - other));
    await service.stop();
  });

  test("/openapi.json is a valid document, with and without API keys", async () => {
    for (const apiKeys of [undefined, ["k".repeat(16)]]) {
      const { service } = await open({ apiKeys, types: { farmer: { length: 10 } } });
      const document = await documentOf(service);
      const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
      expect(errors).toBeUndefined();
      expect(valid).toBe(true);
      expect(Object.keys(document.paths).sort()).toEqual(
        [
          "/capacity",
          "/decode/{id}",
          "/generate_counter_id",
          "/generate_random_string/{length}",
          "/generate_snowflake_id",
          "/generate_timestamp_id",
          "/generate_uuid",
          "/health",
          "/livez",
          "/metrics",
          "/openapi.json",
          "/v1/idgenerator/config",
          "/v1/idgenerator/health",
          "/v1/idgenerator/version",
          "/v1/idgenerator/{type}/id",
          "/v1/idgenerator/{type}/id/validate/{id}",
        ].sort(),
      );
    }
  });
});

test("a store's error is told to the log, not to the client", async () => {
  const log = vi.fn();
  const error = new BackendError("x", "failed", "secret at 10.0.0.5");
  const backend: MemoryPort = {
    change: () => {
      throw error;
    },
  };
  const { ask } = await open({ backend, log });
  const text = await (await ask("/generate_counter_id")).text();
  expect(text).not.toContain("secret");
  expect(log).toHaveBeenLastCalledWith(
    expect.objectContaining({ route: "/generate_counter_id", status: 503, code: "ERR_BACKEND", error }),
  );
});
