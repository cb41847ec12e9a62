// Progress: a bar that is redrawn in place on a terminal, and lines elsewhere.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Progress, renderBar } from "../../../src/cli/terminal/progress.ts";
import { fakeIo } from "../cliIo.ts";

describe("renderBar", () => {
  test.each([
    [0, 6000, 80, `[${"-".repeat(40)}] farmer: 0 of 6,000, 0%`],
    [1500, 6000, 80, `[${"#".repeat(10)}${"-".repeat(30)}] farmer: 1,500 of 6,000, 25%`],
    [6000, 6000, 80, `[${"#".repeat(40)}] farmer: 6,000 of 6,000, 100%`],
    // Other processes have added IDs meanwhile.
    [7000, 6000, 80, `[${"#".repeat(40)}] farmer: 7,000 of 6,000, 100%`],
    [3000, 6000, 48, "[########--------] farmer: 3,000 of 6,000, 50%"],
    [30, 6000, 48, "[----------------] farmer: 30 of 6,000, 0%"],
    [3000, 6000, 30, "farmer: 3,000 of 6,000, 50%"],
    [3000, 6000, 10, "farmer: 3"],
    [3000, 6000, 0, ""],
    [0, 0, 80, `[${"#".repeat(40)}] farmer: 0 of 0, 100%`],
  ])("draws %i of %i in %i columns", (done, total, columns, picture) => {
    expect(renderBar("farmer:", { done, total }, columns)).toBe(picture);
  });

  test("is a count alone if the total is not known", () => {
    expect(renderBar("farmer:", { done: 12_000 }, 80)).toBe("farmer: 12,000");
    expect(renderBar("farmer:", { done: 12_000 }, 10)).toBe("farmer: 1");
  });

  test("is narrower than the terminal, and never emptier for a later state", () => {
    fc.assert(
      fc.property(
        fc.nat(1e9),
        fc.nat(1e9),
        fc.nat(1e9),
        fc.integer({ min: 1, max: 300 }),
        (a, b, total, columns) => {
          const full = (done: number) => {
            const picture = renderBar("x:", { done, total }, columns);
            expect(picture.length).toBeLessThan(columns);
            return /^\[(#*)-*\]/.exec(picture)?.[1]?.length;
          };
          const [less = 0, more] = [full(Math.min(a, b)), full(Math.max(a, b))];
          // A longer text leaves less room, by a column or two.
          if (more !== undefined && columns > 100) expect(more).toBeGreaterThanOrEqual(less);
        },
      ),
    );
  });
});

/** Updates with states at given times, and returns what was written. */
async function writtenFor(terminal: boolean, states: readonly (readonly [number, number])[], columns = 40) {
  let now = 0;
  const { io, written } = fakeIo({ terminal: terminal ? ["stderr"] : [], columns });
  const progress = new Progress(io.stderr, () => now, "x:");
  for (const [atMs, done] of states) {
    now = atMs;
    progress.update({ done, total: 100 });
  }
  await progress.end();
  return written.stderr;
}

describe("progress", () => {
  test("is redrawn in place on a terminal, at most ten times per second, and once at the end", async () => {
    const states = [0, 50, 99, 100, 120, 250].map((ms, i) => [ms, 10 * i] as const);
    const bar = (done: number, full: number) =>
      `\r[${"#".repeat(full)}${"-".repeat(17 - full)}] x: ${done} of 100, ${done}%\u001b[K`;
    expect(await writtenFor(true, states)).toEqual([bar(0, 0), bar(30, 5), bar(50, 8), bar(50, 8), "\n"]);
  });

  test("is at most one line per second without a terminal", async () => {
    const states = [0, 500, 999, 1000, 1100, 2500].map((ms, i) => [ms, 10 * i] as const);
    expect(await writtenFor(false, states)).toEqual([
      "x: 0 of 100, 0%\n",
      "x: 30 of 100, 30%\n",
      "x: 50 of 100, 50%\n",
    ]);
  });

  test("writes nothing without an update", async () => {
    expect(await writtenFor(true, [])).toEqual([]);
    expect(await writtenFor(false, [])).toEqual([]);
  });

  test("ignores a closed output", async () => {
    const onWrite = () => {
      throw new Error("closed");
    };
    const progress = new Progress(fakeIo({ onWrite }).io.stderr, Date.now, "x:");
    progress.update({ done: 1, total: 2 });
    await progress.end();
  });
});
