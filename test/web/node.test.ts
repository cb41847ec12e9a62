// toNodeListener on a real server: bodies, streams, errors, clients that go away.

import { createServer, type IncomingMessage, type Server, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { toNodeListener } from "../../src/web/node.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

/** Starts a server on a free port. Returns its URL. */
async function start(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener as never).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((listening) => server.once("listening", listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function serve(
  handler: (request: Request, raw: IncomingMessage) => Response | Promise<Response>,
  onError: (error: unknown) => void = () => {},
): Promise<string> {
  return start(toNodeListener(handler as never, { onError }) as never);
}

test("wrong arguments are refused", () => {
  expect(() => toNodeListener({} as never)).toThrow("handler must be a function");
  expect(() => toNodeListener(() => new Response(), { onError: 1 as never })).toThrow(
    "onError must be a function",
  );
  expect(() => toNodeListener(() => new Response(), { onerror: () => {} } as object)).toThrow(
    "option must be one of",
  );
});

test("the handler gets method, URL, headers, body and Node's request", async () => {
  const url = await serve(async (request, raw) =>
    Response.json([
      request.method,
      request.url,
      request.headers.get("x-a"),
      await request.text(),
      raw.socket.remoteAddress,
    ]),
  );
  const response = await fetch(`${url}/a/b?c=1`, { method: "PUT", headers: { "x-a": "1" }, body: "ü" });
  expect(await response.json()).toEqual(["PUT", `${url}/a/b?c=1`, "1", "ü", "127.0.0.1"]);
});

test.each([
  ["http://other.example/path?q", "/path?q"],
  ["*", "/*"],
  ["//double", "//double"],
])("the target %s is the path %s", async (target, path) => {
  const url = await serve(({ url }) => new Response(new URL(url).pathname + new URL(url).search));
  const { port } = new URL(url);
  const body = await new Promise((resolve) => {
    send({ port, path: target, method: target === "*" ? "OPTIONS" : "GET" }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    }).end();
  });
  expect(body).toBe(path);
});

test.each(["a b", "user:pass@host", "%"])("a Host of %o does no harm", async (host) => {
  const url = await serve(({ url }) => new Response(new URL(url).pathname));
  const status = await new Promise((resolve) => {
    send({ port: new URL(url).port, path: "/p", headers: { host } }, (response) =>
      resolve(response.statusCode),
    ).end();
  });
  expect([200, 400]).toContain(status);
});

test("a response has its status, reason, cookies and length", async () => {
  const url = await serve(() => {
    const response = new Response("body", { status: 201, statusText: "Made", headers: { "x-a": "1" } });
    response.headers.append("set-cookie", "a=1");
    response.headers.append("set-cookie", "b=2");
    return response;
  });
  const response = await fetch(url);
  expect([response.status, response.statusText, await response.text()]).toEqual([201, "Made", "body"]);
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(response.headers.get("content-length")).toBe("4");
});

test("a stream is sent as it comes, and is cancelled when the client goes away", async () => {
  const cancelled = vi.fn();
  const url = await serve(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
          cancel: cancelled,
        }),
      ),
  );
  const controller = new AbortController();
  const response = await fetch(url, { signal: controller.signal });
  const part = await response.body?.getReader().read();
  expect(new TextDecoder().decode(part?.value)).toBe("first");
  controller.abort();
  await vi.waitFor(() => expect(cancelled).toHaveBeenCalled(), { timeout: 60_000 });
});

test("the signal is aborted when the client goes away", async () => {
  const aborted = vi.fn();
  const started = vi.fn();
  const url = await serve(
    ({ signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", aborted);
        started();
      }),
  );
  const controller = new AbortController();
  const call = fetch(url, { signal: controller.signal });
  await vi.waitFor(() => expect(started).toHaveBeenCalled(), { timeout: 60_000 });
  controller.abort();
  await expect(call).rejects.toThrow();
  await vi.waitFor(() => expect(aborted).toHaveBeenCalled(), { timeout: 60_000 });
});

test("HEAD has the headers alone, and the stream is cancelled", async () => {
  const cancelled = vi.fn();
  const url = await serve(
    () => new Response(new ReadableStream({ cancel: cancelled }), { headers: { "x-a": "1" } }),
  );
  const response = await fetch(url, { method: "HEAD" });
  expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([200, "1", ""]);
  await vi.waitFor(() => expect(cancelled).toHaveBeenCalled(), { timeout: 60_000 });
});

describe("errors", () => {
  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["returns no response", () => "text"],
    [
      "returns a used response",
      async () => {
        const used = new Response("a");
        await used.text();
        return used;
      },
    ],
  ])("a handler that %s is a 500, and is reported", async (_, handler) => {
    const errors: unknown[] = [];
    const url = await serve(handler as never, (error) => errors.push(error));
    const response = await fetch(url);
    expect(await response.json()).toMatchObject({ status: 500, code: "ERR_INTERNAL" });
    expect(errors).toHaveLength(1);
  });

  test("by default they are printed", async () => {
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    await fetch(await start(toNodeListener(() => Promise.reject(new Error("no"))) as never));
    expect(print).toHaveBeenCalledOnce();
    print.mockRestore();
  });

  test("a body that breaks off closes the connection", async () => {
    const url = await serve(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(new Uint8Array(10));
              setTimeout(() => controller.error(new Error("broken")), 5);
              return new Promise(() => {});
            },
          }),
        ),
    );
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  });
});

test("a body that the handler leaves unread does not stop the connection", async () => {
  const url = await serve(async (request) => {
    if (request.url.endsWith("/part")) await request.body?.cancel();
    return new Response("done");
  });
  const body = "x".repeat(500_000);
  for (const path of ["/", "/part", "/"])
    expect(await (await fetch(url + path, { method: "POST", body })).text()).toBe("done");
});

test.each<[string, () => Response]>([
  ["has no status", () => Response.error()],
  [
    "has a body that something else reads",
    () => {
      const response = new Response("text");
      response.body?.getReader();
      return response;
    },
  ],
])("a response that %s is answered with 500", async (_what, make) => {
  const errors: unknown[] = [];
  const url = await serve(make, (error) => errors.push(error));
  const response = await fetch(url);
  expect([response.status, (await response.json()).code]).toEqual([500, "ERR_INTERNAL"]);
  expect(errors).toEqual([expect.objectContaining({ code: "ERR_ARGUMENT", field: "the handler's result" })]);
});

test("a body that cannot be cancelled after HEAD is an error for onError, and nothing else", async () => {
  const errors: unknown[] = [];
  const body = () =>
    new ReadableStream({
      cancel() {
        throw new Error("cancel");
      },
    });
  const url = await serve(
    () => new Response(body()),
    (error) => errors.push(error),
  );
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
  await vi.waitFor(() => expect(errors).toEqual([new Error("cancel")]), { timeout: 60_000, interval: 5 });
});
