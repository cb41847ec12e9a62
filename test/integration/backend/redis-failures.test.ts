// A Redis that is down, crashes or freezes: each call fails in time with a BackendError, and the client recovers.

import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { callStore } from "../../../src/backend/call.ts";
import type { RedisPort } from "../../../src/backend/index.ts";
import { BackendError } from "../../../src/internal.ts";
import { redisAdapters } from "../redis-clients.ts";
import { type Server, startable, startRedis } from "../servers.ts";
import { again, failure } from "./outcomes.ts";

/** Sends an echo as the features send their calls. */
const echo = (port: RedisPort, script = "return ARGV[1]") =>
  callStore(
    port,
    "test: echo",
    () => port.eval(script, ["{k}"], ["hello"]),
    (answer) => (typeof answer === "string" ? answer : undefined),
  );

describe.skipIf(!startable.redis)("a Redis of its own", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startRedis({ durable: true });
  });
  afterAll(() => server.stop());
  // A test that failed may leave the server frozen or stopped, so restart it for the next test.
  afterEach(({ task }) => (task.result?.state === "fail" ? server.restart() : undefined));

  describe.each(redisAdapters)("by $name", ({ open }) => {
    test("fails calls while it is down, and answers a client that was created before it started", async () => {
      await server.kill();
      const { port, close } = await open(server.url, { timeoutMs: 3000 });
      const error = await failure(echo(port));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ reason: "failed", operation: "test: echo", cause: expect.any(Error) });
      expect(error.message).toMatch(/^test: echo: ./);
      await server.restart();
      expect(await again(() => echo(port))).toBe("hello");
      await close();
    });

    test("fails a call when it crashes during the call, and keeps its data", async () => {
      const { port, close } = await open(server.url, { timeoutMs: 5000 });
      const key = `{kept}:${Math.random()}`;
      await port.eval("return redis.call('SET', KEYS[1], ARGV[1])", [key], ["kept"]);
      const long = failure(echo(port, "while true do end"));
      await setTimeout(100);
      await server.kill();
      expect(await long).toMatchObject({
        reason: "failed",
        operation: "test: echo",
        cause: expect.any(Error),
      });
      await server.restart();
      expect(await again(() => port.eval("return redis.call('GET', KEYS[1])", [key], []))).toBe("kept");
      await close();
    });

    test("gives a timeout while it is frozen, and answers afterwards", async () => {
      const { port, close } = await open(server.url, { timeoutMs: 200 });
      expect(await again(() => echo(port))).toBe("hello");
      server.pause();
      const started = performance.now();
      const errors = await Promise.all(Array.from({ length: 5 }, () => failure(echo(port))));
      expect(performance.now() - started).toBeLessThan(60_000);
      for (const error of errors) {
        expect(error).toMatchObject({ reason: "timeout", operation: "test: echo" });
        expect(error.message).toBe("test: echo: no answer within 200 ms");
      }
      server.resume();
      expect(await again(() => echo(port))).toBe("hello");
      await close();
    });

    test("gives a BackendError with the client's error as its cause when a script fails", async () => {
      const { port, close } = await open(server.url);
      const error = await failure(echo(port, "return redis.error_reply('NOPE not today')"));
      expect(error).toMatchObject({ reason: "failed", operation: "test: echo", cause: expect.any(Error) });
      expect(error.message).toContain("NOPE not today");
      expect((error.cause as Error).message).toContain("NOPE not today");
      await close();
    });

    test("gives an unexpected response another reason than a failure", async () => {
      const { port, close } = await open(server.url);
      const nothing = await failure(echo(port, "return {1, 'x'}"));
      expect(nothing).toMatchObject({ reason: "answer", operation: "test: echo", cause: [1, "x"] });
      const call = () => port.eval("return 'x'", [], []);
      const refused = await failure(
        callStore(port, "test: read", call, (answer) => BigInt(answer as string)),
      );
      expect(refused).toMatchObject({
        reason: "answer",
        operation: "test: read",
        cause: expect.any(SyntaxError),
      });
      await close();
    });
  });
});
