// A Redis that is down, dies or freezes: each is a BackendError in time, and the client works again afterwards.

import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { callStore } from "../../../src/backend/call.ts";
import type { RedisPort } from "../../../src/backend/index.ts";
import { BackendError } from "../../../src/internal.ts";
import { redisAdapters } from "../redis-clients.ts";
import { type Server, startable, startRedis } from "../servers.ts";
import { again, failure } from "./outcomes.ts";

/** Asks for an echo, in the way of the features. */
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
  // What one test has left frozen or dead is no reason for others to fail.
  afterEach(({ task }) => (task.result?.state === "fail" ? server.restart() : undefined));

  describe.each(redisAdapters)("by $name", ({ open }) => {
    test("that is down when the client is made is a failure, and then comes up", async () => {
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

    test("that dies during a call is a failure, and keeps its data for the next", async () => {
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

    test("that freezes is a timeout, and works on when it thaws", async () => {
      const { port, close } = await open(server.url, { timeoutMs: 200 });
      expect(await echo(port)).toBe("hello");
      server.pause();
      const started = performance.now();
      const errors = await Promise.all(Array.from({ length: 5 }, () => failure(echo(port))));
      expect(performance.now() - started).toBeLessThan(4000);
      for (const error of errors) {
        expect(error).toMatchObject({ reason: "timeout", operation: "test: echo" });
        expect(error.message).toBe("test: echo: no answer within 200 ms");
      }
      server.resume();
      expect(await again(() => echo(port))).toBe("hello");
      await close();
    });

    test("whose script fails is a failure, with the client's error as its cause", async () => {
      const { port, close } = await open(server.url);
      const error = await failure(echo(port, "return redis.error_reply('NOPE not today')"));
      expect(error).toMatchObject({ reason: "failed", operation: "test: echo", cause: expect.any(Error) });
      expect(error.message).toContain("NOPE not today");
      expect((error.cause as Error).message).toContain("NOPE not today");
      await close();
    });

    test("whose answer makes no sense is told apart from one that failed", async () => {
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
