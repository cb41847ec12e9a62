// Routes that make IDs.

import { describe, expect, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { decode, PRESET_TWITTER, SnowflakeGenerator } from "../../../src/index.ts";
import { openService, statusAndBody } from "../openService.ts";

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
  ])("%s answers one ID, or as many as count", async (path, pattern) => {
    const { send, service } = await openService();
    const response = await send(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { id, ...rest } = (await response.json()) as Ids;
    expect(id).toMatch(pattern);
    expect(rest).toEqual({});
    for (const count of [1, 2, 16]) {
      const { ids = [] } = (await (
        await send(`${path}${path.includes("?") ? "&" : "?"}count=${count}`)
      ).json()) as Ids;
      expect(ids).toHaveLength(count);
      for (const one of ids) expect(one).toMatch(pattern);
    }
    await service.stop();
  });

  test("answer 1,000 different IDs at once, and refuse 1,001", async () => {
    const { send, service } = await openService();
    for (const path of [
      "/generate_uuid",
      "/generate_counter_id",
      "/generate_snowflake_id",
      "/generate_random_string/21",
    ]) {
      const { ids = [] } = (await (await send(`${path}?count=1000`)).json()) as Ids;
      expect(new Set(ids).size).toBe(1000);
      expect((await send(`${path}?count=1001`)).status).toBe(400);
    }
    await service.stop();
  });

  test("wait on a timer if the layout has few IDs, and refuse a count that would take more than 10 s", async () => {
    const blocking = vi.spyOn(SnowflakeGenerator.prototype, "nextId");
    const preset = { timestampBits: 53, datacenterBits: 0, machineBits: 10, sequenceBits: 0, tickMs: 100 };
    const { send, service } = await openService({ preset, machineId: 1 });
    const both = await Promise.all([send("/generate_snowflake_id"), send("/generate_snowflake_id")]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(blocking).not.toHaveBeenCalled();
    const [status, problem] = await statusAndBody(await send("/generate_snowflake_id?count=101"));
    expect([status, problem]).toMatchObject([
      400,
      { detail: "count must be at most 100: there are 10 IDs a second." },
    ]);
    await service.stop();
    blocking.mockRestore();
  });

  test.each(["0", "-1", "1.5", "01", "+1", "1e3", "", "x", "1001", "99999999999999999999", "%31%30x"])(
    "refuse a count of %j",
    async (count) => {
      const { send } = await openService();
      const [status, problem] = await statusAndBody(await send(`/generate_uuid?count=${count}`));
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
  ])("%s gets 400", async (path) => {
    const { send } = await openService();
    expect((await send(path)).status).toBe(400);
  });

  test("continue the counter of a service with the same name on the same store", async () => {
    const backend = memory();
    const next = async (name: string, query = "") => {
      const { send, service } = await openService({ backend, name });
      const { id, ids } = (await (await send(`/generate_counter_id${query}`)).json()) as Ids;
      await service.stop();
      return id ?? ids;
    };
    expect(await next("a")).toBe("1");
    expect(await next("a", "?count=3")).toEqual(["2", "3", "4"]);
    expect(await next("b")).toBe("1");
    expect(await next("a")).toBe("5");
  });

  test("lease another node for each service on a store", async () => {
    const backend = memory();
    const nodes: number[] = [];
    const opened = [await openService({ backend }), await openService({ backend })];
    for (const { send } of opened) {
      const { id } = (await (await send("/generate_snowflake_id")).json()) as Ids;
      const { datacenterId, machineId } = decode(id ?? "", "twitter");
      nodes.push(datacenterId * 32 + machineId);
    }
    expect(nodes).toEqual([0, 1]);
    for (const { service } of opened) await service.stop();
  });

  test("lease no node if machineId is given", async () => {
    const { send, service } = await openService({
      preset: { ...PRESET_TWITTER, epochMs: 0 },
      datacenterId: 3,
      machineId: 9,
    });
    const { id } = (await (await send("/generate_snowflake_id")).json()) as Ids;
    expect(decode(id ?? "", { ...PRESET_TWITTER, epochMs: 0 })).toMatchObject({
      datacenterId: 3,
      machineId: 9,
    });
    expect(await (await send(`/decode/${id}`)).json()).toMatchObject({ datacenterId: 3, machineId: 9 });
    expect(await (await send("/health")).json()).toMatchObject({ status: "ok", lease: null });
    await service.stop();
  });
});

test("the node of a preset is the node of the service", async () => {
  const { send } = await openService({ preset: { ...PRESET_TWITTER, datacenterId: 2, machineId: 5 } });
  const { id } = (await (await send("/generate_snowflake_id")).json()) as { id: string };
  expect(await (await send(`/decode/${id}`)).json()).toMatchObject({ datacenterId: 2, machineId: 5 });
});
