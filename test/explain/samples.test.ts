// Published IDs whose platform and date are published too: how often explain ranks the right platform first.
//
// samples.json has the platform, the ID, the date and the index of its source. Each sample is an ID and a date that stand
// together in a file or page of the platform, of a library for it, or of a program that keeps its answers, and that agree within two minutes;
// documentation also shows IDs whose digits or dates were edited, which agree with nothing. Of sources with many, every n-th one was taken.

import { readFileSync } from "node:fs";
import { explain } from "bitflake/explain";
import { expect, test } from "vitest";

type Sample = [format: string, id: string, at: string, source: number];

const { sources, samples } = JSON.parse(readFileSync(new URL("samples.json", import.meta.url), "utf8")) as {
  sources: string[];
  samples: Sample[];
};

const nowMs = Date.UTC(2026, 10, 28);

/** Returns the samples whose platform is not first. */
function missed(explainSample: (sample: Sample) => ReturnType<typeof explain>): string[] {
  return samples.flatMap((sample) => {
    const first = explainSample(sample)[0];
    return first?.format === sample[0] ? [] : [`${sample[0]} ${sample[1]}: ${first?.name}`];
  });
}

test("at least 200 samples are different IDs, each with a source", () => {
  expect(new Set(samples.map(([, id]) => id)).size).toBe(samples.length);
  expect(samples.length).toBeGreaterThanOrEqual(200);
  expect(samples.every(([, , , source]) => typeof sources[source] === "string")).toBe(true);
});

test("the time of the right platform is the published one, to within two minutes", () => {
  for (const [format, id, at] of samples) {
    const right = explain(id, { nowMs }).find((explanation) => explanation.format === format);
    expect(Math.abs((right?.timestampMs ?? 0) - Date.parse(at)), id).toBeLessThan(120_000);
  }
});

test("the right platform is first for at least 95 % without the date", () => {
  const misses = missed(([, id]) => explain(id, { nowMs }));
  const right = samples.length - misses.length;
  console.info(
    `without the date: ${right} of ${samples.length} (${((100 * right) / samples.length).toFixed(1)} %)`,
  );
  expect(misses.length, misses.join("\n")).toBeLessThanOrEqual(0.05 * samples.length);
});

test("the right platform is first for at least 99 % with the date", () => {
  const misses = missed(([, id, at]) => explain(id, { nowMs, aroundMs: new Date(at) }));
  const right = samples.length - misses.length;
  console.info(
    `with the date: ${right} of ${samples.length} (${((100 * right) / samples.length).toFixed(1)} %)`,
  );
  expect(misses.length, misses.join("\n")).toBeLessThanOrEqual(0.01 * samples.length);
});
