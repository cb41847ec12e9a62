// The adapter for etcd, on its JSON gateway.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  type CellPort,
  type EtcdFetch,
  type EtcdSettings,
  fromEtcd,
} from "../../../src/backend/index.ts";
import { type Server, startable, startEtcd } from "../servers.ts";

const url = process.env.ETCD_URL ?? "";
const own = `etcd_${process.pid}`;
let keys = 0;
const freshKey = () => `${own}:test:${keys++}`;

/** Calls the gateway without the adapter. */
async function call(path: string, body: object, server = url): Promise<Record<string, unknown>> {
  const response = await fetch(`${server}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
}

/** A port whose requests are counted by path, and may be changed or answered by the test. */
function recordingPort(
  change: (send: EtcdFetch) => EtcdFetch = (send) => send,
  options: Partial<EtcdSettings> = {},
) {
  const paths: string[] = [];
  const send = change((url, request) => fetch(url, request));
  const port = fromEtcd({
    endpoints: url,
    ...options,
    fetch(url, request) {
      paths.push(url.slice(url.indexOf("/v3/") + 4));
      return send(url, request);
    },
  });
  return { port, paths };
}

describe.skipIf(!url)("etcd", () => {
  test("a read and a swap are one call each, also one that loses", async () => {
    const { port, paths } = recordingPort();
    const key = freshKey();
    await port.read(key);
    const { version } = await port.swap(key, "", "v");
    await port.swap(key, "", "lost");
    await port.swap(key, version, "w");
    await port.list?.(key);
    expect(paths).toEqual(["kv/range", "kv/txn", "kv/txn", "kv/txn", "kv/range"]);
  });

  test("values that end share a lease, with which etcd deletes them", async () => {
    const { port, paths } = recordingPort();
    const ids = new Set<unknown>();
    const swapped = Array.from({ length: 5 }, freshKey);
    await Promise.all(swapped.map((key) => port.swap(key, "", "v", 60_000)));
    expect(paths.filter((path) => path === "lease/grant")).toHaveLength(1);
    for (const key of swapped) {
      const { kvs } = (await call("kv/range", { key: btoa(key) })) as { kvs: { lease?: string }[] };
      ids.add(kvs[0].lease);
    }
    expect(ids.size).toBe(1);
    const [id] = ids;
    const { TTL } = await call("lease/timetolive", { ID: id });
    // At least half a minute longer than each of them, for as long as it is used.
    expect(Number(TTL)).toBeGreaterThan(2 * 60);
    // A write for ever takes the key out of the lease.
    const { version } = await port.read(swapped[0]);
    await port.swap(swapped[0], version, "kept");
    await call("lease/revoke", { ID: id });
    expect(await port.read(swapped[0])).toMatchObject({ value: "kept" });
    expect(await port.read(swapped[1])).toEqual({ value: undefined, version: "" });
    // The adapter gets another lease, because etcd does not know this one any more.
    expect(await port.swap(swapped[1], "", "v", 60_000)).toMatchObject({ swapped: true });
  });

  test("an ended value that is still there is written over in two calls", async () => {
    const { port, paths } = recordingPort();
    const key = freshKey();
    await port.swap(key, "", "short", 0);
    paths.length = 0;
    expect(await port.swap(key, "", "next")).toMatchObject({ swapped: true, value: "next" });
    expect(paths).toEqual(["kv/txn", "kv/txn"]);
  });

  test("a swap whose answer was lost is known by its token when it is sent again", async () => {
    let isLost = true;
    const { port, paths } = recordingPort(
      (send) => async (url, request) => {
        const response = await send(url, request);
        if (!isLost) return response;
        isLost = false;
        throw new TypeError("fetch failed");
      },
      { endpoints: [url, url] },
    );
    expect(await port.swap(freshKey(), "", "v")).toMatchObject({ swapped: true, value: "v" });
    expect(paths).toEqual(["kv/txn", "kv/txn"]);
  });

  test("the next endpoint is used when one is down, and first from then on", async () => {
    const ports: string[] = [];
    const down = "http://127.0.0.1:1/";
    const { port } = recordingPort(
      (send) => (url, request) => {
        ports.push(new URL(url).port);
        return send(url, request);
      },
      { endpoints: [down, url] },
    );
    await port.read("k");
    await port.read("k");
    expect(ports).toEqual(["1", new URL(url).port, new URL(url).port]);
    const none = fromEtcd({ endpoints: [down, down] });
    await expect(none.read("k")).rejects.toThrow("fetch failed");
  });

  test("a value of another program is an error, and stays", async () => {
    const port = fromEtcd({ endpoints: url });
    const key = freshKey();
    await call("kv/put", { key: btoa(key), value: btoa("7") });
    await expect(port.read(key)).rejects.toThrow("has a value that bitflake has not written");
    await expect(port.swap(key, "", "v")).rejects.toThrow("has not written");
    await call("kv/put", { key: btoa(key), value: "" });
    await expect(port.read(key)).rejects.toThrow("has not written");
  });

  test("an error of etcd is reported with its status and text", async () => {
    const port = fromEtcd({ endpoints: `${url}/none` });
    await expect(port.read("k")).rejects.toThrow(/^etcd responded with 404: /);
    const html = fromEtcd({
      endpoints: url,
      fetch: async () => new Response("<html>", { status: 200 }),
    });
    await expect(html.read("k")).rejects.toThrow(SyntaxError);
  });

  test.each([
    [{ endpoints: "" }],
    [{ endpoints: [] }],
    [{ endpoints: ["127.0.0.1"] }],
    [{ endpoints: undefined }],
    [{ endpoints: "http://ids:secret@127.0.0.1:2379" }],
    [{ endpoints: ["http://127.0.0.1:2379", "http://secret@127.0.0.1:2379"] }],
    [{ endpoints: "ids:secret@127.0.0.1:2379" }],
    [{ endpoints: "http://127.0.0.1:2379", fetch: "fetch" }],
    [{ endpoints: "http://127.0.0.1:2379", auth: "root:secret" }],
    [{ endpoints: "http://127.0.0.1:2379", auth: { user: "root", password: "secret" } }],
    [{ endpoints: "http://127.0.0.1:2379", username: "root" }],
    [{ endpoints: "http://127.0.0.1:2379", timeoutMs: 0 }],
  ])("refuses the options %j, without a password in the message", (options) => {
    const create = () => fromEtcd(options as EtcdSettings);
    expect(create).toThrow(ArgumentError);
    expect(create).not.toThrow("secret");
  });
});

describe.skipIf(!startable.etcd)("an etcd with users", () => {
  let server: Server;
  let port: CellPort;
  const auth = { name: "ids", password: "secret" };
  beforeAll(async () => {
    server = await startEtcd();
    const send = (path: string, body: object) => call(path, body, server.url);
    await send("auth/user/add", { name: "root", password: "r" });
    await send("auth/role/add", { name: "root" });
    await send("auth/user/grant", { user: "root", role: "root" });
    await send("auth/user/add", auth);
    await send("auth/role/add", { name: "ids" });
    // The end of a range is the prefix with its last byte plus one.
    const perm = { permType: "READWRITE", key: btoa("bitflake:"), range_end: btoa("bitflake;") };
    await send("auth/role/grant", { name: "ids", perm });
    await send("auth/user/grant", { user: "ids", role: "ids" });
    await send("auth/enable", {});
    port = fromEtcd({ endpoints: server.url, auth });
  });
  afterAll(() => server?.stop());

  test("a user is authenticated once, and again when its token has ended", async () => {
    const { port, paths } = recordingPort(undefined, { endpoints: server.url, auth, timeoutMs: 60_000 });
    const { version } = await port.swap("bitflake:k", "", "v", 60_000);
    await port.swap("bitflake:k", version, "w");
    expect(paths).toEqual(["auth/authenticate", "lease/grant", "kv/txn", "kv/txn"]);
    await server.restart(); // It forgets its tokens.
    paths.length = 0;
    expect(await port.read("bitflake:k")).toMatchObject({ value: "w" });
    expect(paths).toEqual(["kv/range", "auth/authenticate", "kv/range"]);
  });

  test("a user without a right, a wrong password and no user are errors", async () => {
    await expect(port.read("other:k")).rejects.toThrow("permission denied");
    const wrong = fromEtcd({ endpoints: server.url, auth: { ...auth, password: "wrong" } });
    await expect(wrong.read("bitflake:k")).rejects.toThrow("authentication failed");
    const anonymous = fromEtcd({ endpoints: server.url });
    await expect(anonymous.read("bitflake:k")).rejects.toThrow("user name is empty");
  });
});
