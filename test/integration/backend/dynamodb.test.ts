// The adapter for DynamoDB, on an emulator.

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument, type TranslateConfig } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cellKey } from "../../../src/backend/cells.ts";
import {
  ArgumentError,
  type CellPort,
  type DynamoDBDocumentClient,
  type DynamoDBSettings,
  fromDynamoDB,
} from "../../../src/backend/index.ts";
import { Counter } from "../../../src/counter/index.ts";
import { createTable } from "../cell-clients.ts";

const url = process.env.DYNAMODB_URL ?? "";
const table = `own-${process.pid}`;

describe.skipIf(!url)("DynamoDB", () => {
  let client: DynamoDBClient;
  let document: DynamoDBDocument;
  let port: CellPort;
  beforeAll(async () => {
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    client = new DynamoDBClient({ endpoint: url, region: "local", credentials });
    await createTable(client, table);
    document = DynamoDBDocument.from(client);
    port = fromDynamoDB(document, { table });
  });
  afterAll(() => client?.destroy());

  /** A client that counts its calls, and may do more in a put. */
  function recordingPort(put: DynamoDBDocumentClient["put"] = (input) => document.put(input)) {
    const calls: string[] = [];
    const count =
      <Input, Output>(name: string, send: (input: Input) => Promise<Output>) =>
      (input: Input) => {
        calls.push(name);
        return send(input);
      };
    const counted: DynamoDBDocumentClient = {
      get: count("get", (input) => document.get(input)),
      put: count("put", put),
      query: count("query", (input) => document.query(input)),
    };
    return { calls, port: fromDynamoDB(counted, { table }) };
  }

  test("an item has its keys, the cell, a version and its end", async () => {
    await port.swap("bitflake:rate:api:ada:x", "", "7", 60_000);
    const { Item } = await document.get({
      TableName: table,
      Key: { pk: "bitflake:rate:api", sk: ":ada:x" },
    });
    expect(Item).toEqual({
      pk: "bitflake:rate:api",
      sk: ":ada:x",
      cell: "7",
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      endsMs: expect.any(Number),
      expires: expect.any(Number),
    });
    // The time to live is in seconds, and an hour later.
    expect(Item?.["expires"]).toBe(Math.ceil(Item?.["endsMs"] / 1000) + 3600);
    await port.swap("bitflake:counter:orders", "", "7");
    const counter = await document.get({ TableName: table, Key: { pk: "bitflake:counter:orders", sk: "-" } });
    expect(Object.keys(counter.Item ?? {}).sort()).toEqual(["cell", "pk", "sk", "version"]);
  });

  test("a read and a swap are one call each, and a swap that loses is two", async () => {
    const { port, calls } = recordingPort();
    const key = "bitflake:test:calls:k";
    await port.read(key);
    const { version } = await port.swap(key, "", "v");
    await port.swap(key, version, "w");
    await port.swap(key, version, "lost");
    expect(calls).toEqual(["get", "put", "put", "put", "get"]);
  });

  test("an ended item that is still there is written over in one call", async () => {
    const { port, calls } = recordingPort();
    await port.swap("bitflake:test:ended:k", "", "short", 0);
    expect(await port.swap("bitflake:test:ended:k", "", "next")).toMatchObject({ swapped: true });
    expect(calls).toEqual(["put", "put"]);
  });

  test("a write that the client sent twice is a write", async () => {
    const { port } = recordingPort(async (input) => {
      await document.put(input);
      return document.put(input);
    });
    expect(await port.swap("bitflake:test:twice:k", "", "v")).toMatchObject({ swapped: true, value: "v" });
  });

  test("the longest names and keys fit into the keys of the table", async () => {
    const longest = fromDynamoDB(document, { table, prefix: "🙂".repeat(100) });
    const key = cellKey(longest, "ratelimit", "🙂".repeat(100), "🙂".repeat(255));
    expect(await longest.swap(key, "", "v")).toMatchObject({ swapped: true });
    expect(await longest.list?.(key.slice(0, key.lastIndexOf(":") + 1))).toMatchObject([{ key, value: "v" }]);
  });

  test("a prefix with colons stays out of the division of keys", async () => {
    const odd = fromDynamoDB(document, { table, prefix: "a:b:c" });
    const key = cellKey(odd, "lease", "orders", "7");
    await odd.swap(key, "", "v");
    expect(await odd.list?.(cellKey(odd, "lease", "orders", ""))).toMatchObject([{ key, value: "v" }]);
    expect(await odd.list?.(cellKey(odd, "lease", "order", ""))).toEqual([]);
  });

  test.each<[string, TranslateConfig]>([
    ["numbers that are wrapped", { unmarshallOptions: { wrapNumbers: true } }],
    ["numbers by a function", { unmarshallOptions: { wrapNumbers: (text) => BigInt(text) } }],
    ["empty texts as null", { marshallOptions: { convertEmptyValues: true } }],
    ["no undefined values", { marshallOptions: { removeUndefinedValues: true } }],
  ])("a document client with %s answers as any other", async (title, config) => {
    const port = fromDynamoDB(DynamoDBDocument.from(client, config), { table });
    const key = `bitflake:test:${title}:k`;
    const { version } = await port.swap(key, "", "", 60_000);
    expect(await port.read(key)).toEqual({ value: "", version });
    expect(await port.list?.(key)).toEqual([{ key, value: "", version }]);
    const ended = await port.swap(key, version, "short", 0);
    expect(await port.read(key)).toEqual({ value: undefined, version: "" });
    expect(await port.list?.(key)).toEqual([]);
    expect(await port.swap(key, ended.version, "next")).toMatchObject({ swapped: true });
  });

  test("a list reads all pages", async () => {
    // A page has at most 1 MB.
    const value = "x".repeat(300_000);
    const start = "bitflake:test:pages:";
    for (let at = 0; at < 6; at++) await port.swap(`${start}${at}`, "", value);
    const { port: counting, calls } = recordingPort();
    const listed = (await counting.list?.(start)) ?? [];
    expect(listed.map(({ key }) => key).sort()).toEqual([..."012345"].map((at) => start + at));
    expect(calls.length).toBeGreaterThan(1);
  });

  test("an item that is too large, and a table that is missing, are errors", async () => {
    await expect(port.swap("bitflake:test:large:k", "", "x".repeat(410_000))).rejects.toThrow(/size/);
    await expect(fromDynamoDB(document, { table: "none" }).read("k")).rejects.toThrow(/not found/);
    await expect(port.list?.("bitflake:lease")).rejects.toThrow(ArgumentError);
  });

  test.each([[{}], [{ table: "" }], [{ table: 7 }], [{ table: "ids", region: "local" }]])(
    "refuses the options %j",
    (options) => {
      expect(() => fromDynamoDB(document, options as DynamoDBSettings)).toThrow(ArgumentError);
    },
  );
});

test("a client of version 2 of the SDK, which does not send what it returns, is refused", async () => {
  const request = { promise: () => Promise.resolve({}), send: () => {} } as never;
  const client = { get: () => request, put: () => request, query: () => request };
  const backend = fromDynamoDB(client, { table });
  await expect(new Counter({ backend, name: "n" }).next()).rejects.toThrow(ArgumentError);
  await expect(backend.swap("bitflake:test:v2:k", "", "v")).rejects.toThrow(ArgumentError);
  await expect(backend.list?.("bitflake:test:v2:")).rejects.toThrow(ArgumentError);
});
