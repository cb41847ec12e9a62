// The recipe of docs/testing.md for code that calls nextId() itself, under fake timers that go back from test to test.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decode, nextId } from "bitflake";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const fake = vi.hoisted(() => ({ clock: () => Date.now() }));
vi.mock("bitflake", async (original) => {
  const bitflake = await original<typeof import("bitflake")>();
  return { ...bitflake, nextId: () => bitflake.makeGenerator("minimal", fake).nextId() };
});
beforeEach(() => {
  fake.clock = () => Date.now(); // a new function is a new identity
});

afterEach(() => {
  vi.useRealTimers();
});

test.each(["2030-01-02", "2030-01-01", "2024-01-01"])(
  "an ID made at the fake date %s carries that date",
  (day) => {
    vi.useFakeTimers({ now: new Date(day) });
    const ids = [nextId(), nextId()];
    expect(ids.map((id) => decode(id, "minimal").generatedAt)).toEqual(Array(2).fill(`${day}T00:00:00.000Z`));
    expect(ids[1]).toBe((ids[0] as bigint) + 1n);
  },
);

test("docs/testing.md shows the recipe of this file", () => {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
  const shown = /```js\n(.*?)```/s.exec(read("../../docs/testing.md"))?.[1];
  expect(shown).toContain("vi.mock");
  expect(read("fake-timers.test.ts").replace('<typeof import("bitflake")>', "")).toContain(shown);
});
