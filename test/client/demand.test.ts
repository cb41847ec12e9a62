// How many IDs are fetched ahead, by how many were used lately.

import { describe, expect, test } from "vitest";
import { Demand } from "../../src/client/demand.ts";

describe("the demand", () => {
  test("is the use of this window or of the one before, whichever is more", () => {
    const demand = new Demand(100);
    demand.add(30, 1000);
    expect(demand.idsAhead(1001)).toBe(30);
    demand.add(5, 1099);
    expect(demand.idsAhead(1099)).toBe(35);
    demand.add(7, 1100);
    expect(demand.idsAhead(1100)).toBe(35);
    demand.add(90, 1150);
    expect(demand.idsAhead(1150)).toBe(97);
  });

  test("falls to nothing when a whole window passes without a call", () => {
    const demand = new Demand(100);
    demand.add(500, 1000);
    expect(demand.idsAhead(1199)).toBe(500);
    const other = new Demand(100);
    other.add(500, 1000);
    expect(other.idsAhead(1200)).toBe(0);
  });

  test("of a single call in a window is nothing ahead", () => {
    const demand = new Demand(100);
    for (let nowMs = 1000; nowMs < 2000; nowMs += 100) {
      demand.add(1, nowMs);
      expect(demand.idsAhead(nowMs)).toBe(0);
    }
    demand.add(1, 1901);
    expect(demand.idsAhead(1901)).toBe(2);
  });

  test("starts again when the clock steps back", () => {
    const demand = new Demand(100);
    demand.add(500, 1000);
    demand.add(3, 400);
    expect(demand.idsAhead(401)).toBe(3);
  });
});
