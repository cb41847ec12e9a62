// The simulation of docs/capacity.md: the same in each run, without overlapping leases, and the page has its figures and charts.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { capacity, type Widths } from "../../src/index.ts";

interface Region {
  readonly minutes: readonly object[];
  readonly totals: { readonly made: number; readonly due: number };
  readonly overlaps: number;
}

interface Simulation {
  readonly EVENTS: readonly { readonly name: string }[];
  readonly LAYOUT: Widths;
  simulate(hours: number, seed?: number): Region[];
  withTables(page: string, tables: string): string;
}

// A script, which has no types.
const script = new URL("../../bench/capacity.mjs", import.meta.url).href;
const { EVENTS, LAYOUT, simulate, withTables } = (await import(script)) as Simulation;

const page = readFileSync(new URL("../../docs/capacity.md", import.meta.url), "utf8");

test("a quarter of an hour is the same in each run, has no overlapping leases, and makes nearly all IDs", () => {
  const [one, other] = [simulate(0.25), simulate(0.25)];
  expect(one.map(({ minutes, totals }) => [minutes, totals])).toEqual(
    other.map(({ minutes, totals }) => [minutes, totals]),
  );
  expect(simulate(0.25, 7).map(({ totals }) => totals)).not.toEqual(one.map(({ totals }) => totals));
  for (const { overlaps, totals, minutes } of one) {
    expect(overlaps).toBe(0);
    expect(totals.made / totals.due).toBeGreaterThan(0.999);
    expect(minutes).toHaveLength(15);
  }
});

test("the page has the tables of a whole day, and each event in them", () => {
  const [, tables = ""] = /<!-- bench\/capacity\.mjs -->\n(.*?)<!-- end -->/s.exec(page) ?? [];
  const rows = tables.split("\n").filter((row) => row.startsWith("| "));
  // Two headers, three regions, and the events.
  expect(rows).toHaveLength(2 + 3 + EVENTS.length);
  for (const { name } of EVENTS) expect(tables).toContain(name);
  for (const row of rows.slice(1, 4)) expect(row.endsWith("| 0 |")).toBe(true);
  expect(capacity(LAYOUT).nodes).toBe(1024);
  expect(() => withTables("a page without marks", "")).toThrow();
  expect(withTables(page, tables.trimEnd())).toBe(page);
});

test("the chart is an image that says what it shows, with a line for each region in each chart", () => {
  const chart = readFileSync(new URL("../../docs/capacity.svg", import.meta.url), "utf8");
  expect(chart.match(/<polyline /g)).toHaveLength(9);
  expect(chart).toContain('aria-label="A simulated day');
});
