// RecentIds: how many duplicates it finds, by the pattern of the IDs and the distance.

import { describe, expect, test } from "vitest";
import { RecentIds } from "../../src/explain/recentIds.ts";

/** 2026-10-01 in milliseconds since the epoch of preset twitter. */
const START = Date.UTC(2026, 9, 1) - Date.UTC(2020, 0, 1);

type Halves = readonly [high: number, low: number];

/** An ID of preset twitter in halves. */
const id = (ms: number, node = 0, sequence = 0): Halves => {
  const tick = START + ms;
  return [Math.floor(tick / 1024), (((tick % 1024) << 22) | (node << 12) | sequence) >>> 0];
};

/** Adds IDs, and each 20th one again when `distance` others have come. Returns how many of the 500 copies it finds. */
function found(nth: (i: number) => Halves, distance: number): number {
  const recent = new RecentIds();
  let count = 0;
  for (let i = 0; i < distance + 10_000; i++) {
    if (recent.add(...nth(i))) throw new Error("found an ID that is no copy");
    if (i >= distance && i % 20 === 0 && recent.add(...nth(i - distance))) count++;
  }
  return count;
}

describe.each<[string, (i: number) => Halves]>([
  ["one ID per ms", (i) => id(i)],
  ["one ID per 2 ms", (i) => id(2 * i)],
  ["one ID per 10 ms", (i) => id(10 * i)],
  ["one ID per second", (i) => id(1000 * i)],
  ["2 nodes", (i) => id(i >> 1, i & 1)],
  ["4 nodes", (i) => id(i >> 2, i & 3)],
  ["32 nodes", (i) => id(i >> 5, i & 31)],
  ["four sequence numbers", (i) => id(i >> 2, 0, i & 3)],
])("of the duplicates of %s it finds", (_, nth) => {
  // By chance 495, 455 and 190 of 500: a copy is missed if one of the IDs between has its place, one of 2 ** 20.
  test("nearly all that are 10,000 apart", () => {
    expect(found(nth, 10_000)).toBeGreaterThanOrEqual(485);
  });

  test("nine in ten that are 100,000 apart", () => {
    expect(found(nth, 100_000)).toBeGreaterThanOrEqual(435);
  });

  test("four in ten that are a million apart", () => {
    expect(Math.abs(found(nth, 1_000_000) - 193)).toBeLessThanOrEqual(45);
  });
});
