// The histogram of an audit as an SVG, drawn without a dependency.

import { ArgumentError, assertObject, assertWhole } from "../internal.ts";
import type { AuditHistogram } from "./audit.ts";

const WIDTH = 960;
const HEIGHT = 300;
const LEFT = 72;
const RIGHT = 16;
const TOP = 48;
const BOTTOM = 44;

/** The most spans of a histogram. */
const MAX_SPANS = 256;

/** The part of a report that is drawn. From JSON, its date is text. */
export interface DrawnReport {
  /** How many IDs were read. */
  readonly ids: number;
  /** How many IDs there are in each span of time. */
  readonly histogram: Omit<AuditHistogram, "from"> & {
    /** The beginning of the first span, as a Date or in ISO 8601. */
    readonly from: Date | string;
  };
}

/** Validates a report, which may come from JSON: its numbers become text of the SVG. */
function readReport(report: DrawnReport): {
  ids: number;
  fromMs: number;
  widthMs: number;
  counts: readonly number[];
} {
  const { ids, histogram } = assertObject("report", report, "a report of an audit");
  const { from, widthMs, counts } = assertObject("report.histogram", histogram);
  const fromMs = typeof from === "string" || from instanceof Date ? new Date(from).getTime() : Number.NaN;
  if (Number.isNaN(fromMs)) throw new ArgumentError("report.histogram.from", "a date", from);
  const whole = (field: string, value: unknown, least: number) =>
    assertWhole(`report.${field}`, value, least, Number.MAX_SAFE_INTEGER);
  if (!Array.isArray(counts) || counts.length > MAX_SPANS) {
    throw new ArgumentError("report.histogram.counts", `an array of at most ${MAX_SPANS} numbers`, counts);
  }
  return {
    ids: whole("ids", ids, 0),
    fromMs,
    widthMs: whole("histogram.widthMs", widthMs, 1),
    counts: counts.map((count, i) => whole(`histogram.counts[${i}]`, count, 0)),
  };
}

/** The unit of a span in milliseconds, in words. */
function spanText(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ] as const;
  const [size, unit] = units.find(([least]) => ms >= least) ?? [1, "ms"];
  const count = Number((ms / size).toFixed(1));
  return `${count} ${unit}${unit === "day" && count !== 1 ? "s" : ""}`;
}

/** Returns a time for the axis: with its seconds only if the chart is short. */
function axisText(ms: number, spanMs: number): string {
  if (Math.abs(ms) > 8.64e15) return "";
  const text = new Date(ms).toISOString();
  if (spanMs >= 3 * 86_400_000) return text.slice(0, 10);
  return spanMs >= 600_000 ? text.slice(0, 16).replace("T", " ") : text.slice(0, 23).replace("T", " ");
}

/**
 * Draws the histogram of a report: how many IDs there are in each span of time. The SVG follows the color scheme of the
 * reader, and has a title and a description for screen readers.
 *
 * @param report the report of an {@link Audit}, or the same from JSON
 * @returns the text of an SVG file
 * @throws {@link ArgumentError} if it is no report
 *
 * @example
 * ```ts
 * import { Audit, drawHistogram } from "bitflake/explain";
 *
 * const audit = new Audit("twitter", { nowMs: Date.UTC(2026, 10, 28) });
 * audit.write("911780371413233664\n911780375607537664\n");
 * drawHistogram(audit.report()).startsWith("<svg"); // => true
 * ```
 */
export function drawHistogram(report: DrawnReport): string {
  const { ids, fromMs, widthMs, counts } = readReport(report);
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const spanMs = counts.length * widthMs;
  const plot = WIDTH - LEFT - RIGHT;
  const floor = HEIGHT - BOTTOM;
  const barWidth = plot / Math.max(counts.length, 1);
  const y = (count: number) => floor - ((floor - TOP) * count) / most;
  const bars = counts.flatMap((count, i) => {
    if (count === 0) return [];
    const top = y(count);
    const left = (LEFT + i * barWidth).toFixed(2);
    return `<rect x="${left}" y="${top.toFixed(2)}" width="${barWidth.toFixed(2)}" height="${(floor - top).toFixed(2)}"/>`;
  });
  const lines = [0, most / 2, most].map((count) => {
    const at = y(count).toFixed(2);
    const label = Number(count.toFixed(1)).toLocaleString("en-US");
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${label}</text>`;
  });
  const ends = [
    [LEFT, "start", 0],
    [LEFT + plot / 2, "middle", 0.5],
    [WIDTH - RIGHT, "end", 1],
  ] as const;
  const times = ends.map(
    ([x, anchor, part]) =>
      `<text x="${x}" y="${floor + 20}" text-anchor="${anchor}">${axisText(fromMs + part * spanMs, spanMs)}</text>`,
  );
  const title = `${ids.toLocaleString("en-US")} IDs over time`;
  const description =
    counts.length === 0
      ? "No IDs."
      : `${counts.length} bars of ${spanText(widthMs)} from ${axisText(fromMs, spanMs)}; the highest has ${most.toLocaleString("en-US")} IDs.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-labelledby="title description">
<title id="title">${title}</title>
<desc id="description">${description}</desc>
<style>svg { background: #fff } text { fill: #333 } line { stroke: #333; stroke-opacity: 0.2 } rect { fill: #1b5e9b } @media (prefers-color-scheme: dark) { svg { background: #16181d } text { fill: #ddd } line { stroke: #ddd } rect { fill: #6aa9e0 } }</style>
<text x="${LEFT}" y="24" font-weight="bold">${title}</text>
<text x="${WIDTH - RIGHT}" y="24" text-anchor="end">a bar is ${spanText(widthMs)}, in UTC</text>
${lines.join("\n")}
${bars.join("\n")}
${times.join("\n")}
</svg>
`;
}
