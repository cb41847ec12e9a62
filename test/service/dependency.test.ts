// A dependency: when it is probed, and when its failure and recovery are reported.

import { afterEach, describe, expect, test, vi } from "vitest";
import { Dependency } from "../../src/service/dependency.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("a part", () => {
  /** A part whose probes are counted, and what it has told. */
  function counted() {
    const state = { probes: 0, isGood: false };
    const told: string[] = [];
    const part = new Dependency({
      probe: async () => {
        state.probes++;
        if (!state.isGood) throw new Error("bad");
      },
      onFailed: () => told.push("failed"),
      onRecovered: () => told.push("recovered"),
    });
    return { state, told, part };
  }

  test("of which requests report errors is probed at once, and not by each of them", async () => {
    vi.useFakeTimers();
    const { state, told, part } = counted();
    for (let at = 0; at < 50; at++) {
      part.reportError(new Error("a request"));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.probes).toBeGreaterThan(3);
    expect(state.probes).toBeLessThan(8);
    expect(told).toEqual(["failed"]);
    state.isGood = true;
    await vi.advanceTimersByTimeAsync(2000);
    expect(told).toEqual(["failed", "recovered"]);
    const before = state.probes;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.probes).toBe(before);
  });

  test("that works does not fail for what one request has met with", async () => {
    vi.useFakeTimers();
    const { state, told, part } = counted();
    state.isGood = true;
    for (let at = 0; at < 50; at++) {
      part.reportError(new Error("a request"));
      expect(part.reportedError).toBeInstanceOf(Error);
      expect(await part.check()).toBe(true);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.probes).toBeLessThan(8);
    expect([told, part.failure]).toEqual([[], undefined]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(part.reportedError).toBeUndefined();
  });

  test("that is stopped is not probed any more, and tells nothing", async () => {
    vi.useFakeTimers();
    const { state, told, part } = counted();
    expect(await part.check()).toBe(false);
    part.stop();
    await vi.advanceTimersByTimeAsync(5000);
    part.reportError(new Error("a request"));
    expect(await part.check()).toBe(false);
    part.markHealthy();
    await vi.advanceTimersByTimeAsync(5000);
    expect([state.probes, told]).toEqual([1, ["failed"]]);
  });
});
