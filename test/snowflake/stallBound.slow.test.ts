// The largest bound of readings of a stalled clock, reached for real: without the counting of branches, which takes a minute.

import { afterEach, expect, test, vi } from "vitest";
import { SnowflakeGenerator } from "../../src/index.ts";
import { creeping } from "../support/clocks.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a clock that hardly moves ends a wait after 2^27 readings, where no other clock counts the time", () => {
  vi.stubGlobal("performance", undefined);
  const clock = creeping(1_700_000_000_000, 2_000_000);
  const widths = { timestampBits: 53, datacenterBits: 0, machineBits: 0, sequenceBits: 0 };
  const generator = new SnowflakeGenerator({ ...widths, tickMs: 2000, epochMs: 1_700_000_000_000, clock });
  generator.nextId();
  expect(() => generator.nextId()).toThrow(
    expect.objectContaining({ code: "ERR_CLOCK_STALLED", reads: 134_217_729 }),
  );
});
