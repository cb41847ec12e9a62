// What clients of OpenG2P's and of MOSIP's ID generator ask, as they ask it; and replays of numeric IDs.

import { describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory } from "../../../src/backend/index.ts";
import { IdPool, IdPoolHistoryError, NumericIdType } from "../../../src/numeric/index.ts";
import { VERSION } from "../../../src/version.ts";
import { open, read } from "../app.ts";

const types = { farmer_id: { length: 10 }, uin: { length: 10, rules: "mosip" } } as const;
const type = new NumericIdType({ name: "farmer_id", length: 10 });
const BASE = "/v1/idgenerator";
const responseOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return ((await response.json()) as { response: unknown }).response;
};

describe("a client of OpenG2P's", () => {
  test("is told UP, and strings for the build", async () => {
    const { ask, service } = await open({ types });
    await service.start();
    expect(await responseOf(await ask(`${BASE}/health`))).toEqual({ status: "UP" });
    expect(await responseOf(await ask(`${BASE}/version`))).toEqual({
      service_version: VERSION,
      build_time: "unknown",
      git_commit: "unknown",
    });
    await service.stop();
  });

  test("is told that a database may have lost IDs, and so is /health", async () => {
    const { ask, service } = await open({ types: { farmer_id: { length: 10 } } });
    await service.start();
    const error = new IdPoolHistoryError("farmer_id", "7.00000001", "7.00000002");
    const status = await IdPool.prototype.status.call(new IdPool({ backend: memory(), type }));
    const issue = vi.spyOn(IdPool.prototype, "issue").mockRejectedValue(error);
    const look = vi.spyOn(IdPool.prototype, "status").mockResolvedValue({ ...status, lastError: error });
    for (const [path, method] of [
      ["health", "GET"],
      ["farmer_id/id", "POST"],
    ] as const) {
      const response = await ask(`${BASE}/${path}`, { method });
      expect(await read(response)).toMatchObject([503, { errors: [{ errorCode: "IDG-006" }] }]);
    }
    const pools = { farmer_id: { status: "failing" } };
    expect(await read(await ask("/health"))).toMatchObject([200, { status: "degraded", pools }]);
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
  ])("%s %s passes with query parameters of its own and a slash at the end", async (method, path) => {
    const { service } = await open({ types });
    await service.start();
    for (const target of [path, `${path}/`, `${path}?_=1795222180605&_=2`, `${path}/?lang=en`]) {
      expect((await service(new Request(`http://localhost${target}`, { method }))).status).toBe(200);
    }
    expect((await service(new Request(`http://localhost${path}//`, { method }))).status).toBe(404);
    await service.stop();
  });

  test("does so on those routes alone", async () => {
    const { service } = await open({ types });
    const status = async (path: string) => (await service(new Request(`http://localhost${path}`))).status;
    expect(await status("/generate_uuid?lang=en")).toBe(400);
    expect(await status("/generate_uuid/")).toBe(404);
    expect(await status("/capacity/")).toBe(404);
    expect(await status("/")).toBe(404);
  });
});

describe("a client of MOSIP's", () => {
  const envelope = (response: unknown, errors: unknown) => ({
    id: null,
    version: null,
    responsetime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    metadata: null,
    response,
    errors,
  });

  test("is issued a UIN of the type of that name by GET", async () => {
    const type = new NumericIdType({ name: "uin", ...types.uin });
    const { ask, service } = await open({ types });
    const uins = new Set<string>();
    for (let at = 0; at < 5; at++) {
      const [status, body] = await read(await ask(`${BASE}/uin`));
      expect([status, body]).toEqual([200, envelope({ uin: expect.any(String) }, null)]);
      const { uin } = (body as { response: { uin: string } }).response;
      expect(type.validate(uin).valid).toBe(true);
      uins.add(uin);
    }
    expect(uins.size).toBe(5);
    // A HEAD would take one for good, and show it to nobody.
    const head = await ask(`${BASE}/uin`, { method: "HEAD" });
    expect([head.status, head.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
    await service.stop();
  });

  test("is told in its own envelope when there are none, or the store is away", async () => {
    const tiny = { uin: { length: 2 } };
    const { ask, service } = await open({ types: tiny });
    const { ids } = new NumericIdType({ name: "uin", ...tiny.uin }).capacity();
    for (let at = 0; at < Number(ids); at++) expect((await ask(`${BASE}/uin`)).status).toBe(200);
    expect(await read(await ask(`${BASE}/uin`))).toEqual([
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
    const away = await open({ types, backend: memory(), poolBackend: down, machineId: 1, log });
    expect(await read(await away.ask(`${BASE}/uin`))).toEqual([
      200,
      envelope(null, [{ errorCode: "KER-UIG-005", message: expect.any(String) }]),
    ]);
    expect(log).toHaveBeenLastCalledWith(
      expect.objectContaining({ level: "warn", code: "ERR_BACKEND", error: expect.any(Error) }),
    );
  });

  test("finds nothing where no type has that name", async () => {
    const { ask } = await open({ types: { farmer_id: { length: 10 } } });
    expect((await ask(`${BASE}/uin`)).status).toBe(404);
  });
});

describe("a replay", () => {
  test("is marked, and is no ID given out", async () => {
    const { ask, service } = await open({ types });
    const issue = (key: string, path: string, method: string) =>
      ask(path, { method, headers: { "idempotency-key": key } });
    for (const [path, method] of [
      [`${BASE}/farmer_id/id`, "POST"],
      [`${BASE}/uin`, "GET"],
    ] as const) {
      const first = await issue("form-1", path, method);
      expect(first.headers.get("idempotent-replayed")).toBeNull();
      const id = await responseOf(first);
      for (let at = 0; at < 3; at++) {
        const again = await issue("form-1", path, method);
        expect(again.headers.get("idempotent-replayed")).toBe("true");
        expect(await responseOf(again)).toEqual(id);
      }
      expect((await issue("form-2", path, method)).headers.get("idempotent-replayed")).toBeNull();
    }
    const metrics = await (await ask("/metrics")).text();
    expect(metrics).toContain('bitflake_ids_total{kind="numeric"} 4\n');
    await service.stop();
  });
});

test("the document is written once, with the first request for it", async () => {
  const stringify = vi.spyOn(JSON, "stringify");
  const { service } = await open();
  const text = async () => (await service(new Request("http://localhost/openapi.json"))).text();
  const first = await text();
  stringify.mockClear();
  expect(await text()).toBe(first);
  expect(stringify).not.toHaveBeenCalled();
  stringify.mockRestore();
});
