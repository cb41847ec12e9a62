// Bodies of requests: given back to later parsers, found after earlier ones, and refused when no rule can see them.

import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalBytes } from "../../src/web/canonical.ts";
import { requestBody } from "../../src/web/requestBody.ts";
import { fakeRequest } from "./nodeFakes.ts";

const read = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();

test("any body is read and given back, also twice", async () => {
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), async (chunks) => {
      const raw = fakeRequest(chunks);
      const whole = Buffer.concat(chunks);
      for (let times = 0; times < 2; times++) {
        const body = await new Response(requestBody(raw, {})).arrayBuffer();
        expect(Buffer.from(body)).toEqual(whole);
      }
      const later: Buffer[] = [];
      for await (const part of raw) later.push(part as Buffer);
      expect(Buffer.concat(later)).toEqual(whole);
    }),
  );
});

test("nothing is read before a call for the body", async () => {
  const raw = fakeRequest(["a"]);
  requestBody(raw, {});
  await new Promise((wake) => setImmediate(wake));
  expect(raw.readableDidRead).toBe(false);
  expect(await text(raw)).toBe("a");
});

test("a request that closes while it is read is an error of the client", async () => {
  const raw = Object.assign(new Readable({ read() {} }), { method: "POST", headers: {} });
  const body = read(requestBody(raw as never, {}));
  raw.push("half");
  setImmediate(() => raw.destroy());
  await expect(body).rejects.toMatchObject({ status: 400, code: "ECONNABORTED" });
});

describe("after a parser", () => {
  const used = async (headers = {}) => {
    const raw = fakeRequest(["used"], { headers });
    await text(raw);
    return raw;
  };
  const json = { "content-type": "application/json" };
  const file = {
    fieldname: "f",
    originalname: "a.txt",
    mimetype: "text/plain",
    size: 1,
    buffer: Buffer.from("x"),
  };

  test.each<[string, object, object, string]>([
    ["rawBody as bytes", { rawBody: Buffer.from("raw"), body: { a: 1 } }, json, "raw"],
    ["rawBody as text", { rawBody: "raw", body: { a: 1 } }, json, "raw"],
    ["a string", { body: "text" }, {}, "text"],
    ["bytes", { body: Buffer.from("bytes") }, {}, "bytes"],
    [
      "an object",
      { body: { b: [1, null, "x"], a: { d: true, c: 1.5 } } },
      json,
      '{"a":{"c":1.5,"d":true},"b":[1,null,"x"]}',
    ],
    ["a bigint", { body: { id: 911780371413233664n } }, json, '{"id":911780371413233664}'],
    ["a date", { body: { at: new Date(0) } }, json, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ["null", { body: null }, json, "null"],
    ["an empty array", { body: [] }, json, "[]"],
    ["an empty object", { body: {} }, json, "{}"],
    ["an empty object that Express 4 has parsed", { body: {}, _body: true }, {}, "{}"],
    ["an empty body", { body: undefined }, { "content-length": "0" }, ""],
    ["a file", { body: { t: "1" }, file }, {}, '[{"t":"1"},[["f","a.txt","text/plain",bytes(1):x]]]'],
    [
      "files by field",
      { body: {}, files: { f: [file] } },
      {},
      '[{},[["f","a.txt","text/plain",bytes(1):x]]]',
    ],
    [
      "a file of express-fileupload",
      { body: {}, files: { f: { name: "a.txt", data: Buffer.from("x"), size: 1 } } },
      {},
      '[{},[[null,"a.txt",null,bytes(1):x]]]',
    ],
  ])("%s counts", async (_, parsed, headers, bytes) => {
    expect(await read(requestBody(await used(headers), parsed))).toBe(bytes);
  });

  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  test.each<[string, object, object]>([
    ["nothing", {}, json],
    ["an empty object of no parser", { body: {} }, { "content-type": "text/csv" }],
    ["an empty object for a long body", { body: {} }, { ...json, "content-length": "1000" }],
    ["a Map", { body: new Map() }, json],
    ["a Map in it", { body: { a: new Map() } }, json],
    ["a stream", { body: { a: fakeRequest() } }, json],
    ["a symbol", { body: { a: Symbol("a") } }, json],
    ["a cycle", { body: cycle }, json],
    ["a form", { body: new FormData() }, json],
    ["a file on a disk", { body: { t: "1" }, file: { path: "/tmp/a", size: 1 } }, {}],
    ["a file in part", { body: {}, file: { ...file, size: 2 } }, {}],
  ])("%s is refused", async (_, parsed, headers) => {
    const raw = await used(headers);
    await expect(read(requestBody(raw, parsed))).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      field: "the request's body",
    });
  });

  test("a body that a host has parsed before there was a stream counts by its value", async () => {
    expect(await read(requestBody(fakeRequest(), { body: { a: 1 } }))).toBe('{"a":1}');
    expect(await read(requestBody(fakeRequest(), { rawBody: "raw" }))).toBe("raw");
    expect(await read(requestBody(fakeRequest(), { body: {} }))).toBe("");
  });
});

test("two values of JSON have the same canonical bytes exactly if they are the same value", () => {
  const of = (value: unknown) => Buffer.from(canonicalBytes(value) ?? []).toString();
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, field]) => [key, shuffled(field)]),
    );
  };
  const isSame = (one: unknown, other: unknown) => {
    try {
      expect(one).toEqual(other);
      return true;
    } catch {
      return false;
    }
  };
  // A body that is a string is itself, like the bytes of the request.
  const value = fc.jsonValue().map((json) => [JSON.parse(JSON.stringify(json))]);
  fc.assert(
    fc.property(value, value, (one, other) => {
      expect(of(shuffled(one))).toBe(of(one));
      expect(of(one) === of(other)).toBe(isSame(one, other));
    }),
  );
});
