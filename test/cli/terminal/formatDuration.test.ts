// Durations in messages.

import { expect, test } from "vitest";
import { formatDuration } from "../../../src/cli/terminal/formatDuration.ts";

test.each([
  [0, "0 ms"],
  [1, "1 ms"],
  [999, "999 ms"],
  [1000, "1 s"],
  [1500, "1.5 s"],
  [40_000, "40 s"],
  [60_000, "60 s"],
  [119_999, "119.999 s"],
  [120_000, "2 min"],
  [5_400_000, "90 min"],
  [7_200_000, "2 h"],
])("%i ms is written as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
