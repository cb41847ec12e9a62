// The lag of the event loop: windows that several scrapers read, and runtimes that have no such measurement.

import perfHooks from "node:perf_hooks";
import { afterEach, expect, test, vi } from "vitest";
import { EventLoopLag, startHistogram } from "../../src/service/eventLoopLag.ts";
import { startService } from "./openService.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A histogram as Node's, in nanoseconds, with the 20 ms between two measurements. */
function fakeHistogram() {
  const histogram = {
    count: 0,
    mean: Number.NaN,
    enable: vi.fn(),
    disable: vi.fn(),
    percentile: (percentile: number) => (20 + percentile / 10) * 1e6,
    reset() {
      histogram.count = 0;
      histogram.mean = Number.NaN;
    },
  };
  return histogram;
}

test("the measurement starts with the first scrape and ends with the service", async () => {
  const histogram = fakeHistogram();
  const start = vi
    .spyOn(perfHooks, "monitorEventLoopDelay")
    .mockReturnValue(histogram as unknown as ReturnType<typeof perfHooks.monitorEventLoopDelay>);
  const { send, service } = await startService();
  expect(start).not.toHaveBeenCalled();
  await send("/metrics");
  await send("/metrics");
  expect(start).toHaveBeenCalledTimes(1);
  expect(histogram.enable).toHaveBeenCalledTimes(1);
  expect(histogram.disable).not.toHaveBeenCalled();
  await service.stop();
  expect(histogram.disable).toHaveBeenCalledTimes(1);
});

test("quantiles are of the last window of at least 10 s; sum and count are of all windows", () => {
  const histogram = fakeHistogram();
  let nowMs = 1000;
  const lag = new EventLoopLag(
    () => histogram,
    () => nowMs,
  );
  const read = () =>
    Object.fromEntries(
      lag
        .families()
        .flatMap(({ samples }) =>
          samples.map(({ suffix, labels, value }) => [suffix ?? labels?.["quantile"], value]),
        ),
    );
  expect(read()).toEqual({ _sum: 0, _count: 0 });
  histogram.count = 400;
  histogram.mean = 25e6;
  nowMs += 10_000;
  const first = read();
  expect(first["_count"]).toBe(400);
  expect(first["_sum"]).toBeCloseTo(400 * 0.005);
  expect(first["0.99"]).toBeCloseTo(0.0099);
  expect(first["1"]).toBeCloseTo(0.01);
  // A second reader gets the same, and does not shorten the window of the first.
  histogram.count = 100;
  histogram.mean = 21e6;
  nowMs += 5000;
  expect(read()).toEqual(first);
  nowMs += 5000;
  expect(read()["_count"]).toBe(500);
  lag.stop();
  expect(lag.families()).toEqual([]);
});

test("a measurement that would begin after the stop is not started", () => {
  const start = vi.fn(fakeHistogram);
  const lag = new EventLoopLag(start);
  lag.stop();
  expect(lag.families()).toEqual([]);
  expect(start).not.toHaveBeenCalled();
});

test.each([
  ["has no perf_hooks", () => undefined],
  ["has no such function", () => ({})],
  [
    "refuses the function",
    () => ({
      monitorEventLoopDelay() {
        throw new Error("not implemented");
      },
    }),
  ],
])("there is no measurement if the runtime %s", (_title, getBuiltinModule) => {
  vi.stubGlobal("process", { versions: { node: "24.0.0" }, getBuiltinModule });
  const histogram = startHistogram();
  vi.unstubAllGlobals();
  expect(histogram).toBe(undefined);
});

test("there is no measurement on a runtime whose values mean something else", () => {
  vi.stubGlobal("Bun", { version: "1.4.0" });
  expect(startHistogram()).toBe(undefined);
});

test("on the real histogram a blocked event loop is seen", async () => {
  let nowMs = 0;
  const lag = new EventLoopLag(startHistogram, () => nowMs);
  lag.families();
  // The first timer must have run before the loop is blocked.
  await new Promise((wake) => setTimeout(wake, 60));
  for (const end = Date.now() + 200; Date.now() < end; );
  await new Promise((wake) => setTimeout(wake, 60));
  nowMs = 10_000;
  const [family] = lag.families();
  const max = family?.samples.find(({ labels }) => labels?.["quantile"] === 1)?.value;
  expect(max).toBeGreaterThan(0.15);
  lag.stop();
});
