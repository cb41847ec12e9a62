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

describe.skipIf(!url).each(clients)("NATS by $name", ({ name, open }) => {
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

  test("a list ends while others write, and has each key that was written before it", async () => {
    const keys = Array.from({ length: 20 }, (_, at) => `busy:${at}`);
    for (const key of keys) await port.swap(key, "", "first");
    let isListed = false;
    const write = async () => {
      for (let at = 0; !isListed; at++) {
        const key = keys[at % keys.length] as string;
        await port.swap(key, (await port.read(key)).version, `${at}`);
      }
    };
    const writers = [write(), write(), write()];
    try {
      for (let lists = 0; lists < 20; lists++) {
        const listed = (await port.list?.("busy:")) ?? [];
        const found = listed.map(({ key }) => key);
        // nats 2 yields nothing for a write that arrives at the end of the list. A lease on that node is refused by its swap.
        if (name === "nats 2") expect(keys).toEqual(expect.arrayContaining(found));
        else expect(found.sort()).toEqual(keys.toSorted());
      }
    } finally {
      isListed = true;
      await Promise.all(writers);
    }
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

/**
 * A bucket with one revision of each key, as JetStream lists it: a key that is written before its turn comes at its new one. The
 * buckets above keep more revisions, or are read by a client that loses writes.
 *
 * @param written the keys that others write before the first key of each list
 * @param stopped after how many entries the consumer of each list is stopped
 */
function bucketOfOne(written: readonly (readonly string[])[], stopped: readonly number[] = []): NatsKv {
  const kept = new Map<string, { text: string; revision: number }>();
  let last = 0;
  let lists = 0;
  const entryOf = (key: string) => {
    const { text, revision } = kept.get(key) as { text: string; revision: number };
    return { key, revision, operation: "PUT" as const, string: () => text };
  };
  const write = (key: string, text: string) => kept.set(key, { text, revision: ++last });
  async function* listed() {
    for (const key of written[lists] ?? []) write(key, entryOf(key).string());
    let left = stopped[lists++] ?? Infinity;
    for (let at = 0; at < last && left > 0; left--) {
      const next = [...kept.keys()].map(entryOf).sort((a, b) => a.revision - b.revision);
      const [entry, ...others] = next.filter(({ revision }) => revision > at);
      if (!entry) return;
      at = entry.revision;
      yield { ...entry, delta: others.length };
    }
  }
  return {
    get: async (key) => (kept.has(key) ? entryOf(key) : null),
    put: async (key, text) => {
      write(key, text);
      return last;
    },
    history: async () => listed(),
    status: async () => ({ ttl: 0, streamInfo: { state: { last_seq: last } } }),
  };
}

test.each<{ title: string; written?: string[][]; stopped?: number[] }>([
  { title: "one key, which comes after the last one of before", written: [["k:b"]] },
  { title: "two keys, of which the list ends at the first", written: [["k:c", "k:b"]] },
  {
    title: "keys in two lists",
    written: [
      ["k:c", "k:b"],
      ["k:b", "k:a"],
    ],
  },
  { title: "nothing, and its consumer is stopped", stopped: [1] },
  { title: "a key, and its consumer is stopped", written: [["k:a"]], stopped: [2] },
])("a list has each key while others write: $title", async ({ written = [], stopped }) => {
  const names = ["k:a", "k:b", "k:c"];
  const keys = written.map((names) => names.map((name) => name.replace(":", ".")));
  const port = fromNatsKv(bucketOfOne(keys, stopped));
  for (const key of names) await port.swap(key, "", `value of ${key}`);
  const cells = (await port.list?.("k:")) ?? [];
  expect(cells.map(({ key, value }) => [key, value]).sort()).toEqual(
    names.map((key) => [key, `value of ${key}`]),
  );
});
