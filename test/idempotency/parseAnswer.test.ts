// Answers of stores that are not valid: each is an error, and no work runs.

import { describe, expect, test, vi } from "vitest";
import type { Backend, SqlPort } from "../../src/backend/index.ts";
import { Idempotency } from "../../src/idempotency/index.ts";
import { errorOf, ScriptedRedis } from "./fakePorts.ts";

describe("an unexpected answer", () => {
  const sql = (answer: unknown): SqlPort => ({ dialect: "postgres", query: async () => answer as [] });
  const lists: [string, (answer: unknown) => Backend, unknown[]][] = [
    [
      "Redis",
      (answer) => new ScriptedRedis(answer),
      [
        null,
        undefined,
        1,
        "",
        "yes",
        "started",
        "running",
        "running x",
        "running 0",
        "running -5",
        "running 1.5",
        "acquired?",
        ["acquired"],
      ],
    ],
    [
      "memory",
      (answer) => ({ change: () => answer as never }),
      [
        null,
        undefined,
        1,
        "acquired",
        {},
        { outcome: "x" },
        { outcome: "running" },
        { outcome: "completed" },
        { outcome: "running", waitMs: "5" },
      ],
    ],
    ["SQL", sql, [null, undefined, "rows", [1, 2], {}]],
  ];
  for (const [name, make, answers] of lists) {
    test.each(answers.map((answer) => [answer]))(`of ${name} is an error: %j`, async (answer) => {
      const work = vi.fn(() => 1);
      const error = await errorOf(new Idempotency({ backend: make(answer), name: "n" }).once("k", "f", work));
      expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
      expect(work).not.toHaveBeenCalled();
    });
  }

  test.each([
    [[{ fingerprint: 5, value: null, wait: "5" }]],
    [[{ fingerprint: "f", value: 5, wait: null }]],
    [[{ fingerprint: "f", value: null, wait: "x" }]],
  ])("of SQL to the second statement is an error: %j", async (rows) => {
    const answers: unknown[] = [[], [], rows];
    const backend: SqlPort = { dialect: "sqlite", query: async () => answers.shift() as [] };
    expect(await errorOf(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1))).toMatchObject({
      reason: "answer",
    });
  });

  test.each([
    ["peek", "acquired"],
    ["peek", "mismatch"],
    ["peek", "forgotten"],
    ["peek", "running -1"],
    ["peek", "running"],
    ["peek", "completed"],
    ["peek", null],
    ["forget", "running 0"],
    ["forget", "completed x"],
    ["forget", "yes"],
    ["forget", 1],
  ] as const)("of Redis to %s is an error: %j", async (operation, answer) => {
    const once = new Idempotency({ backend: new ScriptedRedis(answer), name: "n" });
    expect(await errorOf(once[operation]("k"))).toMatchObject({
      reason: "answer",
      operation: `idempotency: ${operation}`,
    });
  });

  test.each([
    ["peek", { outcome: "acquired" }],
    ["peek", { outcome: "running", waitMs: -1 }],
    ["peek", { outcome: "completed", value: 5 }],
    ["forget", { outcome: "running", waitMs: 0 }],
    ["forget", true],
  ] as const)("of memory to %s is an error: %j", async (operation, answer) => {
    const once = new Idempotency({ backend: { change: () => answer as never }, name: "n" });
    expect(await errorOf(once[operation]("k"))).toMatchObject({ reason: "answer" });
  });

  test.each([[[{ value: 5, wait: null }]], [[{ value: null, wait: "x" }]], [[{ value: null }]], [[{}, {}]]])(
    "of SQL to peek is an error: %j",
    async (rows) => {
      const once = new Idempotency({ backend: sql(rows), name: "n" });
      expect(await errorOf(once.peek("k"))).toMatchObject({ reason: "answer" });
    },
  );

  test("SQL that forgets nothing, and then finds a key that can be forgotten, is an error after 50 tries", async () => {
    let calls = 0;
    const backend: SqlPort = {
      dialect: "sqlite",
      query: async (text) => {
        calls++;
        return text.startsWith("DELETE") ? [] : [{ fingerprint: "f", value: "1", wait: null, far: "no" }];
      },
    };
    const error = await errorOf(new Idempotency({ backend, name: "n" }).forget("k"));
    expect(error).toMatchObject({ reason: "failed", operation: "idempotency: forget" });
    expect(calls).toBe(100);
  });

  test("SQL that finds a key locked and then free, again and again, is an error after 50 tries", async () => {
    const backend: SqlPort = { dialect: "postgres", query: async () => [] };
    const error = await errorOf(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed" });
  });
});
