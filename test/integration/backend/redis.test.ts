// The adapters for Redis, each with its real client on a real server.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RedisPort } from "../../../src/backend/index.ts";
import { type RedisConnection, redisAdapters } from "../redis-clients.ts";

const url = process.env.REDIS_URL ?? "";

describe.skipIf(!url)("Redis", () => {
  describe.each(redisAdapters)("$name", ({ name, open }) => {
    let connection: RedisConnection;
    let port: RedisPort;
    beforeAll(async () => {
      connection = await open(url);
      port = connection.port;
    });
    afterAll(() => connection.close());

    test("passes keys and arguments in order", async () => {
      const script = "return {#KEYS, #ARGV, KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]}";
      const answer = await port.eval(script, ["{k}a", "{k}b"], ["x", "y y", "z"]);
      expect(answer).toEqual([2, 3, "{k}a", "{k}b", "x", "y y", "z"]);
    });

    test("runs scripts without keys, without arguments, and without both", async () => {
      expect(await port.eval("return {#KEYS, #ARGV}", [], ["a"])).toEqual([0, 1]);
      expect(await port.eval("return {#KEYS, #ARGV}", ["a"], [])).toEqual([1, 0]);
      expect(await port.eval("return {#KEYS, #ARGV}", [], [])).toEqual([0, 0]);
    });

    test.each([
      ["empty", ""],
      ["not ASCII", "žluťoučký 日本 🦊 \u0000 end"],
      ["quotes and lines", `"a" 'b' \\ \r\n $1 *2`],
      ["a number of many digits", "9223372036854775807"],
      ["1 MB long", "ü".repeat(500_000)],
    ])("keeps a text that is %s", async (_, value) => {
      expect(await port.eval("return ARGV[1]", [], [value])).toBe(value);
      expect(await port.eval("return {#ARGV[1]}", [], [value])).toEqual([Buffer.byteLength(value)]);
    });

    // Upstash's client returns a number if it has the same digits.
    test.each(["0", "42", "9007199254740993"])(
      "returns a text of digits with all digits: %s",
      async (value) => {
        expect(String(await port.eval("return ARGV[1]", [], [value]))).toBe(value);
      },
    );

    test("returns nested lists and nil as arrays and null", async () => {
      expect(await port.eval("return {'a', {'b', {1, 'c'}}}", [], [])).toEqual(["a", ["b", [1, "c"]]]);
      expect(await port.eval("return {'a', false, 'b'}", [], [])).toEqual(["a", null, "b"]);
      expect(await port.eval("return nil", [], [])).toBeNull();
    });

    test("rejects with the reason when the script fails", async () => {
      await expect(port.eval("return redis.error_reply('NOPE not today')", [], [])).rejects.toThrow(
        /NOPE not today/,
      );
      await expect(port.eval("this is no Lua", [], [])).rejects.toThrow(/compil/);
      expect(await port.eval("return 'and goes on'", [], [])).toBe("and goes on");
    });

    test("fails one call without failing concurrent ones", async () => {
      const scripts = ["return 'a'", "return redis.error_reply('NOPE')", "return 'c'"];
      const outcomes = await Promise.allSettled(scripts.map((script) => port.eval(script, [], [])));
      expect(outcomes).toEqual([
        { status: "fulfilled", value: "a" },
        { status: "rejected", reason: expect.any(Error) },
        { status: "fulfilled", value: "c" },
      ]);
    });

    test("runs a script atomically with many clients", async () => {
      const key = `${name}:${randomUUID()}`;
      const others = await Promise.all(Array.from({ length: 4 }, () => open(url)));
      // Reads, then writes: two concurrent runs would write the same value.
      const script = `local n = (tonumber(redis.call('GET', KEYS[1])) or 0) + 1
        redis.call('SET', KEYS[1], n) return n`;
      try {
        const ports = [port, ...others.map((other) => other.port)];
        const calls = Array.from({ length: 200 }, (_, call) =>
          ports[call % ports.length].eval(script, [key], []),
        );
        const values = (await Promise.all(calls)) as number[];
        expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
      } finally {
        await port.eval("return redis.call('DEL', KEYS[1])", [key], []);
        await Promise.all(others.map((other) => other.close()));
      }
    });
  });
});
