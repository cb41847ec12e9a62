// uuidv7 over many calls: the order, and the counter of one millisecond.

import { expect, test } from "vitest";
import { uuidv7 } from "../../src/index.ts";
import { nextV7, type V7State } from "../../src/wrappers/uuid.ts";

test("uuidv7 strictly increases as text over 1,000,000 calls", () => {
  let last = "";
  for (let i = 0; i < 1_000_000; i++) {
    const next = uuidv7();
    if (!(next > last)) expect.fail(`${next} after ${last}`);
    last = next;
  }
  expect(Math.abs(Number.parseInt(last.replace("-", "").slice(0, 12), 16) - Date.now())).toBeLessThan(1000);
});

test("the counter of a UUID v7 is not used up by 1000 turns in a millisecond", () => {
  for (let round = 0; round < 20; round++) {
    const random = () => crypto.getRandomValues(new Uint16Array(1))[0] as number;
    const state: V7State = { ms: -1, high: 0, low: 0, head: "" };
    nextV7(state, 5, random);
    for (let i = 0; i < 1000; i++) nextV7(state, 5, random, true);
    expect(state.ms).toBe(5);
  }
});
