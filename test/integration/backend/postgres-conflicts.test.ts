// Statements that PostgreSQL refuses because others run at once, as under stricter isolation: the adapter makes them
// again, one after the other. The client is scripted, so that it is known which of them meet.

import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { fromPg } from "../../../src/backend/index.ts";

const conflict = () => Object.assign(new Error("could not serialize access"), { code: "40001" });

test("of 40 statements that conflict each is made again while no other one is, and succeeds", async () => {
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

test("one that never gets an answer keeps the others for no longer than their limit, and then they are refused", async () => {
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
