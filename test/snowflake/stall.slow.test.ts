// When a clock is called stalled: the rule with small numbers, and its largest bound for real.

import { afterEach, describe, expect, test, vi } from "vitest";
import { ClockStalledError, SnowflakeGenerator } from "../../src/index.ts";
import { stallWatch } from "../../src/snowflake/waitBudget.ts";
import { creeping } from "../support/clocks.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const stalled = expect.objectContaining({ code: "ERR_CLOCK_STALLED" });

describe("the watch over a stalled clock", () => {
  test.each<[string, number[], number | undefined]>([
    ["new milliseconds all the time", [1, 2, 3, 4, 5, 6, 7, 8], undefined],
    ["one reading under the limit, again and again", [1, 1, 1, 2, 2, 2, 3, 3], undefined],
    ["the limit: three readings that show nothing new", [1, 1, 1, 1], 4],
    ["a fraction is nothing new", [1, 1.5, 1.7, 1.9], 4],
    ["a step back is nothing new, nor is the way up again", [5, 4, 5, 5], 4],
    ["a new high after a step back is", [5, 4, 5, 6, 6, 6], undefined],
    ["too many readings in all, though each shows something new", [1, 2, 3, 4, 5, 6, 7, 8, 9], 9],
  ])("%s", (_title, readings, stallsAt) => {
    const watch = stallWatch(3, 8);
    const last = readings.pop() as number;
    for (const nowMs of readings) watch(nowMs);
    if (stallsAt === undefined) watch(last);
    else expect(() => watch(last)).toThrow(expect.objectContaining({ nowMs: last, reads: stallsAt }));
  });

  test("a clock that hardly moves ends a wait after 2^27 readings, where no other clock counts the time", () => {
    vi.stubGlobal("performance", undefined);
    // 2^27 readings are too many for each of hundreds of mutants; the rule itself is tested above.
    const most = process.env.STRYKER_MUTATOR_WORKER ? undefined : 134_217_729;
    const clock = most === undefined ? () => 1_700_000_000_000 : creeping(1_700_000_000_000, 2_000_000);
    const widths = { timestampBits: 53, datacenterBits: 0, machineBits: 0, sequenceBits: 0 };
    const generator = new SnowflakeGenerator({ ...widths, tickMs: 2000, epochMs: 1_700_000_000_000, clock });
    generator.nextId();
    expect(() => generator.nextId()).toThrow(ClockStalledError);
    expect(() => generator.nextId()).toThrow(
      most === undefined ? stalled : expect.objectContaining({ reads: most }),
    );
  });
});
