// RecentlyIssued: which IDs and request keys are kept.

import { expect, test } from "vitest";
import { MAX_REMEMBERED, RecentlyIssued } from "../../src/numeric/recentlyIssued.ts";

const idOf = (at: number) => String(at).padStart(6, "0");

test("keeps the last IDs, and drops the oldest with its request key", () => {
  const issued = new RecentlyIssued();
  for (let at = 0; at < MAX_REMEMBERED; at++) issued.add(idOf(at), at < 2 ? `form ${at}` : undefined);
  expect(issued.all().slice(0, 3)).toEqual([
    [idOf(0), "form 0"],
    [idOf(1), "form 1"],
    [idOf(2), null],
  ]);
  issued.add(idOf(MAX_REMEMBERED), "form 0");
  const all = issued.all();
  expect(all.length).toBe(MAX_REMEMBERED);
  expect(all[0]).toEqual([idOf(1), "form 1"]);
  expect(all.at(-1)).toEqual([idOf(MAX_REMEMBERED), "form 0"]);
});

test("a replayed ID drops no other ID and keeps its request key", () => {
  const issued = new RecentlyIssued();
  issued.add("52", undefined);
  for (let at = 0; at < MAX_REMEMBERED + 1; at++) issued.add("61", "form 17");
  expect(issued.all()).toEqual([
    ["52", null],
    ["61", "form 17"],
  ]);
});

test("keeps a replayed ID once, and a request key with two IDs at the first of them", () => {
  const issued = new RecentlyIssued();
  issued.add("61", "form 17");
  issued.add("52", undefined);
  issued.add("61", "form 17");
  issued.add("83", "form 17");
  expect(issued.all()).toEqual([
    ["52", null],
    ["61", "form 17"],
    ["83", null],
  ]);
});
