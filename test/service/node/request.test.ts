// A request of node:http as a ServiceRequest: its target, its headers, and a body that something else has read or ended.

import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { NodeServiceRequest } from "../../../src/service/node/request.ts";
import type { NodeRequest } from "../../../src/service/node/types.ts";

/** Returns a request with the given members, and the emitter of its events. */
function requestOf(members: Partial<NodeRequest>): { request: NodeServiceRequest; emitter: EventEmitter } {
  const emitter = new EventEmitter();
  const message = Object.assign(emitter, { headers: {}, socket: {}, resume: () => {} }, members);
  return { request: new NodeServiceRequest(message as unknown as NodeRequest, undefined), emitter };
}

test.each([
  [undefined, "/"],
  ["", "/"],
  ["/a?b=c", "/a?b=c"],
  ["http://h", "/"],
  ["https://h:1/a?b", "/a?b"],
  ["http://h?a=b", "?a=b"],
  ["*", "*"],
])("the target of %j is %s", (url, target) => {
  expect(requestOf({ url }).request.target).toBe(target);
});

test("a header that is repeated is one list", () => {
  const { request } = requestOf({ headers: { a: "1", b: ["1", "2"] } });
  expect([request.header("a"), request.header("b"), request.header("c")]).toEqual(["1", "1, 2", undefined]);
});

describe("a body", () => {
  test("of several chunks is joined", async () => {
    const { request, emitter } = requestOf({});
    const body = request.body(10);
    for (const text of ["ab", "c"]) emitter.emit("data", new TextEncoder().encode(text));
    emitter.emit("end");
    expect(new TextDecoder().decode(await body)).toBe("abc");
  });

  test("that is too large is undefined, and the rest is not kept", async () => {
    const { request, emitter } = requestOf({});
    const body = request.body(2);
    emitter.emit("data", new Uint8Array(3));
    expect(await body).toBeUndefined();
    expect(emitter.listenerCount("data")).toBe(0);
  });

  test("that something else has read is empty", async () => {
    expect(await requestOf({ readableEnded: true, destroyed: true }).request.body(10)).toHaveLength(0);
  });

  test.each<[string, Partial<NodeRequest>, (emitter: EventEmitter) => void]>([
    ["before it is read", { destroyed: true }, () => {}],
    ["by a close", {}, (emitter) => emitter.emit("close")],
    ["by an error", {}, (emitter) => emitter.emit("error", new Error("the body ended early"))],
  ])("that ends early, %s, is an error", async (_how, members, end) => {
    const { request, emitter } = requestOf(members);
    const body = request.body(10);
    end(emitter);
    await expect(body).rejects.toThrow("the body ended early");
  });
});
