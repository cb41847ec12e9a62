// deterministic: a generator whose IDs are the same in each run.

import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  ClockStalledError,
  LayoutError,
  makeGenerator,
  PRESET_TWITTER,
  type PresetName,
  type SnowflakeGenerator,
} from "../../src/index.ts";
import { type DeterministicOptions, deterministic } from "../../src/testing/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("a deterministic generator", () => {
  // The values are pinned: they must not change between versions, because users' fixtures contain them.
  test("makes IDs of 2026-01-01, a millisecond apart", () => {
    const ids = deterministic();
    expect([ids.nextId(), ids.nextId(), ...ids.nextIds(3)]).toEqual([
      193934131200000n,
      193934131201024n,
      193934131202048n,
      193934131202049n,
      193934131202050n,
    ]);
  });

  test("starts at its start, with its preset and node", () => {
    const ids = deterministic({ preset: "twitter", machineId: 7, start: new Date("2026-05-01") });
    expect(ids.nextId()).toBe(837840745267228672n);
    expect(ids).toMatchObject({ machineId: 7, datacenterId: 0, layout: PRESET_TWITTER });
    const own = deterministic({ preset: { ...PRESET_TWITTER, datacenterId: 3 }, tickMs: 10, epochMs: 0 });
    expect(own.decode(own.nextId())).toMatchObject({
      datacenterId: 3,
      generatedAt: "2026-01-01T00:00:00.000Z",
    });
  });

  test("counts up in one millisecond with a step of 0, until the test moves its clock", () => {
    const ids = deterministic({ step: 0, preset: "safe_integer" });
    const first = ids.nextId();
    for (let i = 1n; i < 128n; i++) expect(ids.nextId()).toBe(first + i);
    expect(() => ids.nextId()).toThrow(ClockStalledError);
    ids.clock.advance(1);
    expect(ids.decode(ids.nextId())).toMatchObject({ sequence: 0, generatedAt: "2026-01-01T00:00:00.001Z" });
  });

  test("makes the same IDs for the same calls, whatever other generators do, for any options", async () => {
    const preset = fc.constantFrom<PresetName>("minimal", "twitter", "safe_integer", "large_cluster");
    const calls = fc.array(fc.constantFrom(1, 2, 70, 500, "async" as const), { maxLength: 12 });
    const start = fc.integer({ min: 1_577_836_800_000, max: 1_900_000_000_000 });
    await fc.assert(
      fc.asyncProperty(
        preset,
        start,
        fc.integer({ min: 1, max: 5000 }),
        calls,
        async (name, at, step, list) => {
          const make = async () => {
            const ids = deterministic({ preset: name, start: at, step });
            const made: bigint[] = [];
            for (const call of list) {
              makeGenerator(name).nextId();
              if (call === "async") made.push(await ids.nextIdAsync());
              else if (call === 1) made.push(ids.nextId());
              else made.push(...ids.nextIds(call));
            }
            return made;
          };
          const made = await make();
          expect(await make()).toEqual(made);
          expect(new Set(made).size).toBe(made.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("is a SnowflakeGenerator", () => {
    const take = (generator: SnowflakeGenerator) => generator.capacity().idsPerTick;
    expect(take(deterministic())).toBe(1024);
  });

  test("does not warn of a shared node in a pod", () => {
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    Reflect.get(globalThis, Symbol.for("bitflake.sharedNode.v1")).isChecked = false;
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    deterministic().nextId();
    expect(warn).not.toHaveBeenCalled();
  });

  test.each<[unknown, string]>([
    [{ strat: 1 }, "option must be one of start, step, preset, "],
    [{ clock: Date.now }, "option must be one of start, step, preset, "],
    [{ sequenceStart: 0 }, "option must be one of start, step, preset, "],
    [{ preset: { clock: Date.now } }, "preset.clock must be left out: start and step set the clock, got "],
    [
      { preset: { sequenceStart: "random" } },
      "preset.sequenceStart must be 0, so that each run has the same IDs",
    ],
    [{ preset: "twiter" }, "preset must be one of twitter, "],
    [{ start: "now" }, "start must be a whole number from "],
    [{ step: -1 }, "step must be a whole number from 0 to "],
    [{ machineId: 1 }, "machineId must be a whole number from 0 to 0 (0 bits), got 1"],
    [null, "options must be an object, got null"],
  ])("with the options %j is refused", (options, message) => {
    expect(() => deterministic(options as DeterministicOptions)).toThrow(ArgumentError);
    expect(() => deterministic(options as DeterministicOptions)).toThrow(message);
  });

  test("with widths that make no layout is refused", () => {
    expect(() => deterministic({ timestampBits: 5 })).toThrow(LayoutError);
  });
});
