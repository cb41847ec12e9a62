// Statements that PostgreSQL refuses because of concurrent ones, as under stricter isolation: the adapter retries them one
// at a time. The client is scripted, so that the test decides which statements conflict.

import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { fromPg } from "../../../src/backend/index.ts";

const conflict = () => Object.assign(new Error("could not serialize access"), { code: "40001" });

test("retries 40 conflicting statements one at a time, and each succeeds", async () => {
  const seen = new Set<string>();
  let retries = 0;
  let most = 0;
  const port = fromPg({
    async query(text: string) {
      if (!seen.has(text)) {
        seen.add(text);
        await setTimeout(1);
        throw conflict();
      }
      most = Math.max(most, ++retries);
      await setTimeout(1);
      retries--;
      return { rows: [{ text }] };
    },
  });
  const calls = Array.from({ length: 40 }, (_, call) => port.query(`${call}`, []));
  expect(await Promise.all(calls)).toEqual(calls.map((_, call) => [{ text: `${call}` }]));
  expect(most).toBe(1);
});

test("a statement without an answer blocks the others until their time limit, and then they are refused", async () => {
  const seen = new Set<string>();
  const port = fromPg(
    {
      async query(text: string) {
        if (text === "hangs" && seen.has(text)) return new Promise<never>(() => {});
        seen.add(text);
        throw conflict();
      },
    },
    { timeoutMs: 100 },
  );
  void port.query("hangs", []);
  await expect(port.query("waits", [])).rejects.toMatchObject({ code: "40001" });
});

test("in a transaction of the user, throws the conflict and not the error of the statement after it", async () => {
  let calls = 0;
  const aborted = Object.assign(new Error("current transaction is aborted"), { code: "25P02" });
  const port = fromPg({
    async query() {
      throw calls++ === 0 ? conflict() : aborted;
    },
  });
  await expect(port.query("INSERT", [])).rejects.toMatchObject({ code: "40001" });
  expect(calls).toBe(2);
  // Without a conflict before it, it is thrown as it is.
  await expect(port.query("INSERT", [])).rejects.toBe(aborted);
});
