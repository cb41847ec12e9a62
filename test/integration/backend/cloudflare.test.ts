// Durable Objects and D1 in a workerd: what the suites of the features cannot see from outside.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromDurableObject, fromDurableObjectStub, setup } from "../../../src/backend/index.ts";
import { Counter } from "../../../src/counter/index.ts";
import { ArgumentError } from "../../../src/internal.ts";
import { RateLimit } from "../../../src/ratelimit/index.ts";
import { examplesOf } from "../../docs/snippet.ts";
import { memoryCells } from "../../support/memoryCells.ts";
import {
  type CloudflareConnection,
  d1Adapter,
  durableObjectAdapters,
  startWorker,
} from "../cloudflare-clients.ts";
import { miniflareHere } from "../miniflare-here.ts";

describe.skipIf(!miniflareHere).each(durableObjectAdapters)("$name", ({ open }) => {
  let connection: CloudflareConnection<Awaited<ReturnType<typeof open>>["port"]>;
  beforeAll(async () => {
    connection = await open("");
  });
  afterAll(() => connection?.close());

  test("of 40 swaps in one event of the object, by two ports, one writes", async () => {
    const { port, call } = connection;
    expect(await call("swapAtOnce", "once", "", 40)).toBe(1);
    const { version } = await port.read("once");
    expect(await call("swapAtOnce", "once", version, 40)).toBe(1);
    expect(await call("swapAtOnce", "once", version, 40)).toBe(0);
  });

  test("counts within the object and from outside at once, each value once", async () => {
    const { port, call } = connection;
    const counter = new Counter({ backend: port, name: "orders" });
    const outside = Promise.all(Array.from({ length: 30 }, () => counter.next()));
    const [inside, ...more] = await Promise.all([
      call("count", "orders", 30) as Promise<string[]>,
      call("count", "orders", 30) as Promise<string[]>,
      outside.then((values) => values.map(String)),
    ]);
    const values = [...inside, ...more.flat()].map(Number).sort((a, b) => a - b);
    expect(values).toEqual(Array.from({ length: 90 }, (_, at) => at + 1));
  });

  test("a stub is no port, because it seems to have every method, and is refused", async () => {
    await expect(connection.call("useStub")).rejects.toThrow("backend must be an adapter's result");
  });

  test("deletes what has ended, by the way, and no key of the object's own", async () => {
    const { port, call } = connection;
    await call("put", "mine", { ends: 1 });
    await call("put", "bitflake:mine", "text");
    for (let at = 0; at < 450; at++) await port.swap(`bitflake:old:${at}`, "", "v", 0);
    await expect
      .poll(
        async () => {
          // Each cleanup comes with every 200th swap.
          for (let at = 0; at < 50; at++) await port.swap(`bitflake:new:${at}`, "never", "v");
          return ((await call("keys", "bitflake:old:")) as string[]).length;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    expect(await call("keys", "mine")).toEqual(["mine"]);
    expect(await call("keys", "bitflake:mine")).toEqual(["bitflake:mine"]);
  });
});

describe.skipIf(!miniflareHere)("the examples", () => {
  const codes = ["d1", "durableObject"].map((file) =>
    examplesOf(`src/backend/drivers/${file}.ts`).map(({ code }) => code),
  );

  test("of D1 counts", async () => {
    const { fetch, close } = await startWorker(codes[0].join("\n"), { d1Databases: ["DB"] });
    expect(await (await fetch()).text()).toBe("1");
    expect(await (await fetch()).text()).toBe("2");
    await close();
  });

  test("of the guide counts in an object", async () => {
    const [guide] = examplesOf("docs/stores.md").filter(({ client }) => client === "cloudflare");
    const objects = { CELLS: { className: "Cells", useSQLite: true } };
    const { fetch, close } = await startWorker(guide.code, { durableObjects: objects });
    expect(await (await fetch()).text()).toBe("1");
    expect(await (await fetch()).text()).toBe("2");
    await close();
  });

  test("of Durable Objects limit by address", async () => {
    expect(codes[1]).toHaveLength(2);
    const objects = { CELLS: { className: "Cells", useSQLite: true } };
    const { fetch, close } = await startWorker(codes[1].join("\n"), { durableObjects: objects });
    const began = performance.now();
    const statuses: number[] = [];
    // Few at once, because each has five seconds on a machine that may be busy.
    const send = async () => {
      while (statuses.length < 150) statuses.push((await fetch()).status);
    };
    await Promise.all([send(), send(), send(), send()]);
    const passed = statuses.filter((status) => status === 200).length;
    expect(statuses.filter((status) => status === 429)).toHaveLength(statuses.length - passed);
    expect(passed).toBeGreaterThanOrEqual(100);
    expect(passed).toBeLessThanOrEqual(101 + (performance.now() - began) / 600);
    await close();
  });
});

describe("fromDurableObjectStub", () => {
  test("gets a stub for each call, so a broken one is not used again", async () => {
    const store = memoryCells();
    let stubs = 0;
    const broken = { read: () => Promise.reject(new Error("broken")) };
    const port = fromDurableObjectStub(
      () => (stubs++ === 0 ? { ...store, ...broken } : store) as Required<typeof store>,
      { timeoutMs: 100 },
    );
    const counter = new Counter({ backend: port, name: "n" });
    await expect(counter.next()).rejects.toMatchObject({ reason: "failed" });
    expect(await counter.next()).toBe(1n);
    expect(
      await new RateLimit({ backend: port, name: "n", limit: 1, windowMs: 1000 }).limit("k"),
    ).toMatchObject({
      allowed: true,
    });
    expect(await setup(port)).toBe("");
  });

  test("refuses a stub, and fromDurableObject one too", () => {
    expect(() => fromDurableObjectStub({} as never)).toThrow(ArgumentError);
    expect(() => fromDurableObject({ get: async () => undefined } as never)).toThrow(ArgumentError);
    expect(() => fromDurableObjectStub(() => ({}) as never, { schema: "x" } as never)).toThrow(ArgumentError);
  });
});

describe.skipIf(!miniflareHere)("fromD1", () => {
  test("fails as SQLite does: a missing table names setup(), and a statement that fails has its message", async () => {
    const { port, close } = await d1Adapter.open("", { prefix: "bitflake" });
    await expect(new Counter({ backend: port, name: "n" }).next()).rejects.toMatchObject({
      reason: "failed",
      message: expect.stringContaining("has setup() been run?"),
    });
    await expect(port.query("SELEKT", [])).rejects.toThrow(/syntax error/);
    // All tables at once, with the trigger of pools.
    expect(await setup(port)).toContain("CREATE TRIGGER");
    expect(await setup(port)).toBe("");
    await close();
  });
});
