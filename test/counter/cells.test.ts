// Counters on a store with compare-and-set.

import { expect, test } from "vitest";
import { Counter } from "../../src/counter/index.ts";
import { MAX_VALUE } from "../../src/counter/rule.ts";
import { memoryCells } from "../support/memoryCells.ts";

test("a block takes one call after the first one", async () => {
  const backend = memoryCells();
  const counter = new Counter({ backend, name: "orders", block: 10 });
  const values: bigint[] = [];
  for (let call = 0; call < 30; call++) values.push(await counter.next());
  expect(values).toEqual(Array.from({ length: 30 }, (_, at) => BigInt(at + 1)));
  expect(backend.calls[0]).toBe("read bitflake:counter:orders");
  expect(backend.calls.slice(1).every((call) => call.startsWith("swap"))).toBe(true);
});

test("a reservation that is refused writes nothing", async () => {
  const backend = memoryCells();
  await backend.swap("bitflake:counter:orders", "", String(MAX_VALUE));
  backend.calls.length = 0;
  const counter = new Counter({ backend, name: "orders" });
  await expect(counter.next()).rejects.toMatchObject({ code: "ERR_COUNTER_EXHAUSTED" });
  expect(backend.calls.some((call) => call.startsWith("swap"))).toBe(false);
});

test.each(["", "x", "1.5", "-1"])("a cell with %j is an unexpected response", async (value) => {
  const backend = memoryCells();
  await backend.swap("bitflake:counter:orders", "", value);
  await expect(new Counter({ backend, name: "orders" }).next()).rejects.toMatchObject({ reason: "answer" });
});
