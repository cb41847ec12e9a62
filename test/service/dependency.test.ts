// A dependency: when it is probed, and when its failure and recovery are reported.

import { afterEach, describe, expect, test, vi } from "vitest";
import { Dependency } from "../../src/service/dependency.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("a dependency", () => {
  /** Creates a dependency that counts its probes and records its reports. */
  function createCounted() {
    const state = { probes: 0, isGood: false };
    const reports: string[] = [];
    const dependency = new Dependency({
      probe: async () => {
        state.probes++;
        if (!state.isGood) throw new Error("bad");
      },
      onFailed: () => reports.push("failed"),
      onRecovered: () => reports.push("recovered"),
    });
    return { state, reports, dependency };
  }

  test("with errors reported by requests is probed at once, and at most once a second", async () => {
    vi.useFakeTimers();
    const { state, reports, dependency } = createCounted();
    for (let count = 0; count < 50; count++) {
      dependency.reportError(new Error("a request"));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.probes).toBeGreaterThan(3);
    expect(state.probes).toBeLessThan(8);
    expect(reports).toEqual(["failed"]);
    state.isGood = true;
    await vi.advanceTimersByTimeAsync(2000);
    expect(reports).toEqual(["failed", "recovered"]);
    const before = state.probes;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.probes).toBe(before);
  });

  test("that works does not fail because of the error of a request", async () => {
    vi.useFakeTimers();
    const { state, reports, dependency } = createCounted();
    state.isGood = true;
    for (let count = 0; count < 50; count++) {
      dependency.reportError(new Error("a request"));
      expect(dependency.reportedError).toBeInstanceOf(Error);
      expect(await dependency.check()).toBe(true);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.probes).toBeLessThan(8);
    expect([reports, dependency.failure]).toEqual([[], undefined]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(dependency.reportedError).toBeUndefined();
  });

  test("that is stopped is neither probed nor reports anything", async () => {
    vi.useFakeTimers();
    const { state, reports, dependency } = createCounted();
    expect(await dependency.check()).toBe(false);
    dependency.stop();
    await vi.advanceTimersByTimeAsync(5000);
    dependency.reportError(new Error("a request"));
    expect(await dependency.check()).toBe(false);
    dependency.markHealthy();
    await vi.advanceTimersByTimeAsync(5000);
    expect([state.probes, reports]).toEqual([1, ["failed"]]);
  });
});
