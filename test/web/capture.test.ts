// Capture: responses that break off, are abandoned, or are written in ways that real servers do not produce on demand.

import { afterEach, describe, expect, test, vi } from "vitest";
import { Capture } from "../../src/web/capture.ts";
import { setHead } from "../../src/web/send.ts";
import { asNode, FakeResponse } from "./nodeFakes.ts";

afterEach(() => {
  vi.useRealTimers();
});

const capture = (res: FakeResponse, method = "POST") =>
  new Capture(asNode(res), { ...res.getHeaders() } as never, method);

/** A response as handlers use it. */
interface Loose {
  writeHead(status: number, ...rest: unknown[]): unknown;
  write(...parameters: unknown[]): boolean;
  end(...parameters: unknown[]): unknown;
  flushHeaders(): void;
}
const loose = (res: FakeResponse) => res as unknown as Loose;

test("nothing is sent, and the response is as the handler wrote it", async () => {
  const res = new FakeResponse();
  const captured = capture(res);
  res.setHeader("x-one", "1");
  loose(res).writeHead(201, "Made", { "X-Two": ["a", "b"] });
  loose(res).end("body");
  const response = await captured.response;
  expect([response.status, response.statusText, await response.text()]).toEqual([201, "Made", "body"]);
  expect([response.headers.get("x-one"), response.headers.get("x-two")]).toEqual(["1", "a, b"]);
  expect([res.sent, res.isHeadSent]).toEqual([[], false]);
});

test("release gives the response its own methods and properties back", () => {
  const res = new FakeResponse();
  const captured = capture(res);
  expect(Object.hasOwn(res, "write")).toBe(true);
  loose(res).end();
  expect([res.headersSent, res.writableEnded]).toEqual([true, true]);
  captured.release();
  for (const name of ["write", "end", "writeHead", "flushHeaders", "headersSent", "writableEnded"]) {
    expect(Object.hasOwn(res, name)).toBe(false);
  }
  expect([res.headersSent, res.writableEnded, res.listenerCount("close")]).toEqual([false, false, 0]);
});

test("the properties of a capture around it stay", () => {
  const res = new FakeResponse();
  capture(res);
  const [write, state] = [res.write, Object.getOwnPropertyDescriptor(res, "headersSent")];
  const inner = capture(res);
  loose(res).end();
  inner.release();
  expect(res.write).toBe(write);
  expect(Object.getOwnPropertyDescriptor(res, "headersSent")).toEqual(state);
});

test.each([0, 99, 1000, Number.NaN])("a status of %s is refused as in Node", (status) => {
  const res = new FakeResponse();
  capture(res);
  expect(() => loose(res).writeHead(status)).toThrow(RangeError);
});

test("a status that no Response can have is an error", async () => {
  const res = new FakeResponse();
  const captured = capture(res);
  loose(res).writeHead(700);
  loose(res).end();
  await expect(captured.response).rejects.toThrow(RangeError);
});

test.each([1, {}, [], true])("a chunk of %o is refused", (chunk) => {
  const res = new FakeResponse();
  const captured = capture(res);
  captured.response.catch(() => {});
  expect(() => loose(res).write(chunk)).toThrow(TypeError);
});

test("a chunk is copied, because its memory may be used again", async () => {
  const res = new FakeResponse();
  const captured = capture(res);
  const chunk = Buffer.from("one");
  loose(res).write(chunk);
  chunk.fill("x");
  loose(res).end();
  expect(await (await captured.response).text()).toBe("one");
});

test("write asks its caller to wait for drain when the response is not read", async () => {
  const res = new FakeResponse();
  const captured = capture(res);
  const drained = vi.fn();
  res.on("drain", drained);
  expect(loose(res).write("a")).toBe(true);
  expect(loose(res).write("x".repeat(100_000))).toBe(false);
  expect(drained).not.toHaveBeenCalled();
  const text = (await captured.response).text();
  await vi.waitFor(() => expect(drained).toHaveBeenCalled());
  loose(res).end();
  expect((await text).length).toBe(100_001);
});

describe("a client that goes away", () => {
  test("before the first bytes changes nothing for a handler that answers later", async () => {
    const res = new FakeResponse();
    const captured = capture(res);
    res.destroy();
    loose(res).end("late");
    expect(await (await captured.response).text()).toBe("late");
  });

  test("for ten minutes before the first bytes ends the response", async () => {
    vi.useFakeTimers();
    const res = new FakeResponse();
    const captured = capture(res);
    const failed = vi.fn();
    captured.response.catch(failed);
    res.destroy();
    await vi.advanceTimersByTimeAsync(599_999);
    expect(failed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(failed).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringContaining("closed") }),
    );
    expect(loose(res).write("later")).toBe(false);
  });

  test("after the first bytes breaks the response off", async () => {
    const res = new FakeResponse();
    const captured = capture(res);
    loose(res).write("half");
    const response = await captured.response;
    res.destroy();
    await expect(response.text()).rejects.toThrow("closed");
  });
});

describe("setHead", () => {
  test("removes added headers, restores changed ones, and leaves removed ones away", () => {
    const res = new FakeResponse();
    for (const [name, value] of [
      ["a", "1"],
      ["b", "1"],
      ["c", "1"],
    ] as const)
      res.setHeader(name, value);
    const outer = Object.assign(Object.create(null), res.getHeaders());
    res.setHeader("a", "2");
    res.removeHeader("b");
    res.setHeader("constructor", "3");
    setHead(
      asNode(res),
      new Response(null, { status: 409, headers: { d: "4", "set-cookie": "x=1" } }),
      outer,
    );
    expect({ ...res.getHeaders() }).toEqual({ a: ["1"], c: "1", d: "4", "set-cookie": ["x=1"] });
    expect(res.statusCode).toBe(409);
  });
});
