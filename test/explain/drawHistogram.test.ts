// drawHistogram: the bars, texts and form of the SVG.

import { encode } from "bitflake";
import { Audit, drawHistogram } from "bitflake/explain";
import { describe, expect, test } from "vitest";

const nowMs = Date.UTC(2026, 10, 28);

function draw(timesMs: readonly number[]): string {
  const audit = new Audit("twitter", { nowMs });
  timesMs.forEach((timestampMs, sequence) => {
    audit.add(encode({ timestampMs, sequence }, "twitter"));
  });
  return drawHistogram(audit.report());
}

const START = Date.UTC(2026, 0, 1);

describe("the histogram", () => {
  test("has a bar for each span, a title and a description", () => {
    const svg = draw([START, START + 1, START + 1, START + 3]);
    // The third ms has none.
    expect(svg.match(/<rect /g)).toHaveLength(3);
    expect(svg).toContain('<title id="title">4 IDs over time</title>');
    expect(svg).toContain("4 bars of 1 ms from 2026-01-01 00:00:00.000; the highest has 2 IDs.");
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  test.each([
    [400, "2 ms", /^2026-01-01 00:00:00\.000$/],
    [3_600_000, "16.4 s", /^20\d\d-\d\d-\d\d \d\d:\d\d$/],
    [20 * 86_400_000, "2.3 h", /^20\d\d-\d\d-\d\d$/],
    [9 * 86_400_000, "1.2 h", /^20\d\d-\d\d-\d\d$/],
    [300 * 86_400_000, "1.6 days", /^20\d\d-\d\d-\d\d$/],
  ])("names spans of %d ms", (span, bar, time) => {
    const svg = draw([START, START + span]);
    expect(svg).toContain(`a bar is ${bar}, in UTC`);
    const [first = ""] = [...svg.matchAll(/<text x="72" y="276"[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(first).toMatch(time);
  });

  test("is the same of a report that was JSON", () => {
    const audit = new Audit("twitter", { nowMs });
    for (const sequence of [0, 1]) audit.add(encode({ timestampMs: START, sequence }, "twitter"));
    const report = audit.report();
    expect(drawHistogram(JSON.parse(JSON.stringify(report)))).toBe(drawHistogram(report));
    const empty = new Audit("twitter", { nowMs }).report();
    expect(drawHistogram(JSON.parse(JSON.stringify(empty)))).toContain("No IDs.");
  });

  const histogram = { from: "2026-01-01T00:00:00.000Z", widthMs: 1, counts: [1] };
  test.each([
    ["report", null],
    ["report", "<svg>"],
    ["report.histogram", {}],
    ["report.ids", { ids: "<script>", histogram }],
    ["report.histogram.from", { ids: 1, histogram: { ...histogram, from: "<script>" } }],
    ["report.histogram.from", { ids: 1, histogram: { ...histogram, from: null } }],
    ["report.histogram.from", { ids: 1, histogram: { ...histogram, from: new Date(Number.NaN) } }],
    ["report.histogram.widthMs", { ids: 1, histogram: { ...histogram, widthMs: 0 } }],
    ["report.histogram.counts", { ids: 1, histogram: { ...histogram, counts: "1" } }],
    ["report.histogram.counts", { ids: 1, histogram: { ...histogram, counts: Array(257).fill(0) } }],
    ["report.histogram.counts[1]", { ids: 1, histogram: { ...histogram, counts: [1, "<script>"] } }],
    ["report.histogram.counts[0]", { ids: 1, histogram: { ...histogram, counts: [-1] } }],
  ])("is refused for a wrong %s", (field, report) => {
    expect(() => drawHistogram(report as never)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", field }),
    );
  });

  test("of nothing says so", () => {
    expect(draw([])).toContain("No IDs.");
  });

  test("is one element, without a number that is none", () => {
    const svg = draw([START, START + 86_400_000]);
    expect(svg).toMatch(/^<svg [^>]*>\n.*<\/svg>\n$/s);
    expect(svg).not.toMatch(/NaN|undefined|Infinity|<script/);
  });
});
