// The adapter for NATS, with the clients of both generations.

import { randomUUID } from "node:crypto";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { connect as connect2 } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cellKey } from "../../../src/backend/cells.ts";
import { type CellPort, fromNatsKv, type NatsKv, setup } from "../../../src/backend/index.ts";
import { Counter } from "../../../src/counter/index.ts";
import { Idempotency } from "../../../src/idempotency/index.ts";

const url = process.env.NATS_URL ?? "";

/** The parts of a bucket that tests use beside the adapter. */
interface Bucket extends NatsKv {
  delete(key: string): Promise<void>;
  purge(key: string): Promise<void>;
  keys(): Promise<AsyncIterable<string>>;
}

const clients: {
  name: string;
  /** @param ttl that of the bucket, in milliseconds */
  open(ttl?: number): Promise<{ kv: Bucket; close(): Promise<void> }>;
}[] = [
  {
    name: "@nats-io/kv",
    async open(ttl) {
      const connection = await connect({ servers: url });
      const kv = await new Kvm(connection).create(`own-${randomUUID()}`, { history: 5, ttl });
      return { kv, close: () => connection.close() };
    },
  },
  {
    name: "nats 2",
    async open(ttl) {
      const connection = await connect2({ servers: url });
      const kv = await connection.jetstream().views.kv(`own-${randomUUID()}`, { ttl });
      return { kv, close: () => connection.close() };
    },
  },
];

describe.skipIf(!url).each(clients)("NATS by $name", ({ open }) => {
  let kv: Bucket;
  let close: () => Promise<void>;
  let port: CellPort;
  beforeAll(async () => {
    ({ kv, close } = await open());
    port = fromNatsKv(kv);
  });
  afterAll(() => close());

  test("keys that NATS allows are readable, and others are in base64", async () => {
    await port.swap("bitflake:lease:orders-7_a:12", "", "v");
    await port.swap("bitflake:once:a%20b:", "", "v");
    const keys: string[] = [];
    for await (const key of await kv.keys()) keys.push(key);
    expect(keys.sort()).toEqual(["bitflake.lease.orders-7_a.12", "bitflake.once.=YSUyMGI.="]);
  });

  test("the longest names and keys fit into a line of the protocol", async () => {
    const longest = fromNatsKv(kv, { prefix: "🙂".repeat(100) });
    const key = cellKey(longest, "ratelimit", "🙂".repeat(100), "🙂".repeat(255));
    expect(await longest.swap(key, "", "v")).toMatchObject({ swapped: true });
    expect(await longest.list?.(key.slice(0, key.lastIndexOf(":") + 1))).toMatchObject([{ key, value: "v" }]);
  });

  test("a key that was deleted or purged by hand counts as absent, and is written again", async () => {
    for (const remove of ["delete", "purge"] as const) {
      const key = `bitflake:test:${remove}`;
      const { version } = await port.swap(key, "", "old");
      await kv[remove](key.replaceAll(":", "."));
      expect(await port.read(key)).toEqual({ value: undefined, version: "" });
      expect(await port.list?.(key)).toEqual([]);
      expect(await port.swap(key, version, "stale")).toMatchObject({ swapped: false, version: "" });
      expect(await port.swap(key, "", "new")).toMatchObject({ swapped: true, value: "new" });
    }
  });

  test("a list has the last value of a key, also of a prefix without a colon", async () => {
    const first = await port.swap("bitflake:list:a", "", "1");
    await port.swap("bitflake:list:a", first.version, "2");
    await port.swap("bitflake:lisp:a", "", "3");
    expect(await port.list?.("bitflake:list:")).toMatchObject([{ key: "bitflake:list:a", value: "2" }]);
    const both = (await port.list?.("bitflake:lis")) ?? [];
    expect(both.map(({ key }) => key).sort()).toEqual(["bitflake:lisp:a", "bitflake:list:a"]);
  });

  test("of two swaps over what both have read, the second loses", async () => {
    // Each waits for the other one after its read.
    let waiting = 0;
    let release = () => {};
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: NatsKv = {
      async get(key) {
        const entry = await kv.get(key);
        if (++waiting === 2) release();
        await both;
        return entry;
      },
      put: (key, value, options) => kv.put(key, value, options),
      history: (options) => kv.history(options),
      status: () => kv.status(),
    };
    const racing = fromNatsKv(slow);
    const results = await Promise.all(["a", "b"].map((value) => racing.swap("bitflake:race", "", value)));
    const [won, lost] = results.sort((a, b) => Number(b.swapped) - Number(a.swapped));
    expect(won.swapped).toBe(true);
    expect(lost).toEqual({ ...won, swapped: false });
  });

  test("a write that the client sent twice is a write", async () => {
    const twice: NatsKv = {
      get: (key) => kv.get(key),
      async put(key, value, options) {
        await kv.put(key, value, options);
        return kv.put(key, value, options);
      },
      history: (options) => kv.history(options),
      status: () => kv.status(),
    };
    const swap = fromNatsKv(twice).swap("bitflake:twice", "", "v");
    expect(await swap).toMatchObject({ swapped: true, value: "v" });
  });

  test("a revision that comes back with a backup writes over nothing", async () => {
    const key = "bitflake:restored";
    const { version } = await port.swap(key, "", "before the backup was restored");
    const revision = (await kv.get("bitflake.restored"))?.revision ?? 0;
    // Another process has written since, and the stream counts as it did.
    await port.swap(key, version, "after");
    const restored: NatsKv = {
      async get(name) {
        const entry = await kv.get(name);
        return (
          entry && { key: entry.key, operation: entry.operation, revision, string: () => entry.string() }
        );
      },
      put: () => expect.fail("written"),
      history: (options) => kv.history(options),
      status: () => kv.status(),
    };
    expect(await fromNatsKv(restored).swap(key, version, "stale")).toMatchObject({
      swapped: false,
      value: "after",
    });
  });

  test("a bucket whose ttl is shorter than a value is kept is refused", async () => {
    const { kv, close } = await open(60_000);
    const backend = fromNatsKv(kv);
    // The record of the schema is left out there.
    expect(await setup(backend)).toBe("");
    await expect(new Counter({ backend, name: "n" }).next()).rejects.toMatchObject({
      reason: "failed",
      message: expect.stringContaining("the bucket has a ttl of 60000 ms, and this value is kept for ever"),
    });
    expect(await backend.read("bitflake:counter:n")).toEqual({ value: undefined, version: "" });
    const work = () => "done";
    const day = new Idempotency({ backend, name: "n" });
    await expect(day.once("k", "f", work)).rejects.toThrow("is kept for 86400000 ms");
    const minute = new Idempotency({ backend, name: "n", ttlMs: 60_000 });
    expect(await minute.once("k", "f", work)).toMatchObject({ value: "done" });
    await close();
  });

  test("a value of another program is an error, and stays", async () => {
    await kv.put("bitflake.foreign", "7", { previousSeq: 0 });
    await expect(port.read("bitflake:foreign")).rejects.toThrow("has a value that bitflake has not written");
    await expect(port.swap("bitflake:foreign", "", "v")).rejects.toThrow("has not written");
    expect((await kv.get("bitflake.foreign"))?.string()).toBe("7");
  });
});
