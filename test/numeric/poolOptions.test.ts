// Options of IdPool: which are refused, and the defaults of the marks.

import { describe, expect, test } from "vitest";
import { type Backend, memory, type RedisPort, type SqlPort } from "../../src/backend/index.ts";
import { ArgumentError, IdPool, type IdPoolOptions } from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import { finishBackground, poolOf, thrownBy, typeOf, useSteppedTime } from "./poolFixtures.ts";

useSteppedTime();

describe("IdPool options", () => {
  const backend = memory();
  const type = typeOf(6);
  const redis: RedisPort = { eval: async () => "" };
  const sql = (prefix: string): SqlPort => ({ dialect: "postgres", prefix, query: async () => [] });
  test.each<[string, string, unknown]>([
    ["nothing", "options", undefined],
    ["null", "options", null],
    ["a list", "options", []],
    ["a string", "options", "farmer"],
    ["an unknown option", "option", { backend, type, poolSize: 5 }],
    ["a misspelt option", "option", { backend, type, lowmark: 5 }],
    ["no type", "type", { backend }],
    [
      "a plain object for a type",
      "type",
      { backend, type: { name: "farmer", length: 6, rules: type.rules } },
    ],
    ["the name of a type", "type", { backend, type: "farmer" }],
    ["null for a type", "type", { backend, type: null }],
    ["no store", "backend", { type }],
    ["null for a store", "backend", { type, backend: null }],
    ["the function `memory`", "backend", { type, backend: memory }],
    ["a client of pg", "backend.dialect", { type, backend: { query: async () => ({ rows: [] }) } }],
    ["an empty prefix", "backend.prefix", { type, backend: { ...backend, prefix: "" } }],
    ["a timeout of 0", "backend.timeoutMs", { type, backend: { ...backend, timeoutMs: 0 } }],
    ["a prefix too long for the names of tables", "prefix", { type, backend: sql("x".repeat(60)) }],
    ["a Redis", "backend", { type, backend: redis }],
    ["a low mark above the high one", "lowMark", { backend, type, lowMark: 11, highMark: 10 }],
    ["a low mark below 0", "lowMark", { backend, type, lowMark: -1 }],
    ["half an ID for a low mark", "lowMark", { backend, type, lowMark: 0.5 }],
    ["a low mark as text", "lowMark", { backend, type, lowMark: "5" }],
    ["null for a low mark", "lowMark", { backend, type, lowMark: null }],
    ["NaN for a low mark", "lowMark", { backend, type, lowMark: Number.NaN, highMark: 5 }],
    ["a high mark of 0", "highMark", { backend, type, highMark: 0 }],
    ["a high mark below 0", "highMark", { backend, type, highMark: -5 }],
    ["half an ID for a high mark", "highMark", { backend, type, highMark: 1.5 }],
    ["NaN for a high mark", "highMark", { backend, type, highMark: Number.NaN }],
    ["a high mark as text", "highMark", { backend, type, highMark: "5" }],
    ["null for a high mark", "highMark", { backend, type, highMark: null }],
    ["an endless high mark", "highMark", { backend, type, highMark: Infinity }],
    ["a high mark of 2^31", "highMark", { backend, type, highMark: 2 ** 31 }],
    ["a wait below 0", "waitMs", { backend, type, waitMs: -1 }],
    ["NaN for a wait", "waitMs", { backend, type, waitMs: Number.NaN }],
    ["half a millisecond", "waitMs", { backend, type, waitMs: 0.5 }],
    ["a wait as text", "waitMs", { backend, type, waitMs: "5" }],
    ["a wait longer than a timer", "waitMs", { backend, type, waitMs: 2 ** 31 }],
    ["null for a wait", "waitMs", { backend, type, waitMs: null }],
    ["no function for a listener", "onRefillFailed", { backend, type, onRefillFailed: "log" }],
  ])("refuse %s", (_, field, options) => {
    const error = thrownBy(() => new IdPool(options as IdPoolOptions));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field, code: "ERR_ARGUMENT" });
  });

  // The default of one mark depends on the other, so each must be validated by itself.
  test.each<[string, string, unknown]>([
    ["NaN for a low mark alone", "lowMark", { backend, type, lowMark: Number.NaN }],
    ["half an ID for a low mark alone, above 6000", "lowMark", { backend, type, lowMark: 6000.5 }],
    ["an endless low mark", "lowMark", { backend, type, lowMark: Infinity }],
    ["a low mark of 2^31", "lowMark", { backend, type, lowMark: 2 ** 31 }],
    ["a word for a low mark", "lowMark", { backend, type, lowMark: "few" }],
    ["a bigint for a low mark", "lowMark", { backend, type, lowMark: 5n }],
    ["a bigint for a high mark", "highMark", { backend, type, highMark: 5n }],
    ["a symbol for a high mark", "highMark", { backend, type, highMark: Symbol() }],
  ])("name the wrong field: %s", (_, field, options) => {
    const error = thrownBy(() => new IdPool(options as IdPoolOptions));
    expect(error).toMatchObject({ field, code: "ERR_ARGUMENT" });
  });

  test("refuse Redis with the reason", () => {
    expect(() => poolOf({ backend: redis })).toThrow(
      "backend must be PostgreSQL, MySQL, SQLite or memory; on any other store, use PermutedIds, got [object]",
    );
  });

  test("send no query in the constructor", async () => {
    const refusing: Backend[] = [
      {
        change: () => {
          throw new Error("queried");
        },
      },
      { dialect: "sqlite", query: () => expect.fail("queried") },
    ];
    for (const port of refusing) expect(poolOf({ backend: port }).type.name).toBe("farmer");
    await finishBackground();
  });

  test.each<[string, Partial<IdPoolOptions>, number, number]>([
    ["none", {}, 1000, 6000],
    ["a high mark above the default low one", { highMark: 2000 }, 1000, 2000],
    ["a high mark below the default low one", { highMark: 700 }, 700, 700],
    ["a low mark below the default high one", { lowMark: 5500 }, 5500, 6000],
    ["a low mark above the default high one", { lowMark: 7000 }, 7000, 7000],
    ["a low mark of 0", { lowMark: 0 }, 0, 6000],
    ["both", { lowMark: 300, highMark: 400 }, 300, 400],
    ["undefined for both", { lowMark: undefined, highMark: undefined }, 1000, 6000],
  ])("set the default of each mark: %s", async (_, marks, lowMark, highMark) => {
    const backend = memory();
    const pool = poolOf({ backend, length: 8, ...marks });
    expect(await pool.fill()).toBe(highMark);
    // Nothing happens one above the low mark. At the low mark the pool is refilled.
    if (highMark - lowMark > 1) {
      await poolPort(backend, "farmer").issue(highMark - lowMark - 2, 0, "");
      await pool.issue();
      await finishBackground();
      expect((await pool.status()).available).toBe(lowMark + 1);
    }
    await pool.issue();
    await finishBackground();
    expect((await pool.status()).available).toBe(highMark);
  });
});

describe("an issue for a request", () => {
  const pool = poolOf({ backend: memory(), length: 6 });
  test.each<unknown>([null, 5, "", "two\nlines", "a\u2028b", "x".repeat(256), ["form 17"]])(
    "refuses the key %j",
    async (requestKey) => {
      const rule = "a string of 1 to 255 characters in one line";
      const field = "requestKey";
      await expect(pool.issue({ requestKey: requestKey as string })).rejects.toMatchObject({ field, rule });
    },
  );
});
