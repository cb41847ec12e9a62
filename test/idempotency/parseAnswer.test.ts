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

  test("SQL that finds a key locked and then free, again and again, is an error after 50 tries", async () => {
    const backend: SqlPort = { dialect: "postgres", query: async () => [] };
    const error = await errorOf(new Idempotency({ backend, name: "n" }).once("k", "f", () => 1));
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed" });
  });
});
