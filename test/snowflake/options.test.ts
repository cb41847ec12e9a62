import { describe, expect, expectTypeOf, test } from "vitest";
import {
  capacity,
  decode,
  EpochError,
  type GeneratorOptions,
  LayoutError,
  makeGenerator,
  makeGeneratorFromEnv,
  PRESET_HIGH_THROUGHPUT,
  PRESET_LARGE_CLUSTER,
  PRESET_MINIMAL,
  PRESET_SAFE_INTEGER,
  PRESET_SINGLE_DC,
  PRESET_TWITTER,
  type PresetName,
  SnowflakeGenerator,
} from "../../src/index.ts";
import { zeroConfig } from "../../src/snowflake/defaultGenerator.ts";
import { mergeOptions } from "../../src/snowflake/options.ts";
import { resolveGeneratorSettings } from "../../src/snowflake/settings.ts";
import { SharedGenerator } from "../../src/threads/index.ts";

const build = (options: unknown) => new SnowflakeGenerator(options as GeneratorOptions);

describe("presets", () => {
  test.each([
    ["twitter", PRESET_TWITTER, [41, 5, 5, 12]],
    ["minimal", PRESET_MINIMAL, [53, 0, 0, 10]],
    ["single_dc", PRESET_SINGLE_DC, [41, 0, 10, 12]],
    ["large_cluster", PRESET_LARGE_CLUSTER, [41, 8, 8, 6]],
    ["high_throughput", PRESET_HIGH_THROUGHPUT, [41, 3, 3, 16]],
    ["safe_integer", PRESET_SAFE_INTEGER, [41, 0, 5, 7]],
  ] as const)("%s, by name and by constant", (name, preset, widths) => {
    expect(Object.values(preset)).toEqual(widths);
    expect(makeGenerator(name).layout).toEqual(makeGenerator(preset).layout);
    expect(makeGenerator(name).layout).toMatchObject(preset);
    expect(Object.isFrozen(preset)).toBe(true);
  });

  test("a generator's layout is a preset of its own", () => {
    const generator = makeGenerator("twitter", { tickMs: 2 });
    expect(makeGenerator(generator.layout).layout).toEqual(PRESET_TWITTER);
    expect(decode(5, generator.layout).sequence).toBe(5);
    expect(makeGenerator({ ...generator.layout, tickMs: 2, machineId: 31 }).machineId).toBe(31);
  });

  test("names complete in the editor", () => {
    expectTypeOf<PresetName>().toEqualTypeOf<
      | "twitter"
      | "minimal"
      | "single_dc"
      | "large_cluster"
      | "high_throughput"
      | "safe_integer"
      | "x"
      | "discord"
    >();
    // @ts-expect-error: not a preset
    expect(() => makeGenerator("twiter")).toThrow();
  });

  test.each(["twiter", "", "constructor", "__proto__", "toString"])("no preset is called %j", (name) => {
    expect(() => makeGenerator(name as PresetName)).toThrow(
      `preset must be one of twitter, minimal, single_dc, large_cluster, high_throughput, safe_integer, x, discord, got "${name}"`,
    );
  });

  test.each([
    ["x", 1_288_834_974_657],
    ["discord", 1_420_070_400_000],
  ] as const)("%s is a platform: Twitter's widths with an epoch of its own", (name, epochMs) => {
    const generator = makeGenerator(name, { machineId: 3 });
    expect(generator).toMatchObject({ epochMs, layout: PRESET_TWITTER, machineId: 3 });
    const id = generator.nextId();
    expect(generator.decode(id)).toEqual(decode(id, name));
    expect(capacity(name)).toEqual(capacity({ ...PRESET_TWITTER, epochMs }));
    expect(makeGenerator(name, { epochMs: 0 }).epochMs).toBe(0);
  });

  test("overrides win over the preset, and undefined overrides nothing", () => {
    const { layout } = makeGenerator("twitter", {
      datacenterBits: 0,
      machineBits: 10,
      sequenceBits: undefined,
    });
    expect(layout).toMatchObject({ timestampBits: 41, datacenterBits: 0, machineBits: 10, sequenceBits: 12 });
  });

  test("no arguments mean the minimal preset", () => {
    expect(makeGenerator().layout).toMatchObject(PRESET_MINIMAL);
    expect(new SnowflakeGenerator().layout).toMatchObject(PRESET_MINIMAL);
    expect(makeGenerator(undefined, { tickMs: 10 }).tickMs).toBe(10);
  });

  test("the settings of the function nextId() are those of the default options", () => {
    expect(zeroConfig()).toEqual(resolveGeneratorSettings(mergeOptions({})));
  });
});

describe("options", () => {
  test("options that are left out have their defaults", () => {
    const { epochMs, tickMs, datacenterId, machineId } = build({});
    expect({ epochMs, tickMs, datacenterId, machineId }).toEqual({
      epochMs: Date.UTC(2020, 0, 1),
      tickMs: 1,
      datacenterId: 0,
      machineId: 0,
    });
    expect(resolveGeneratorSettings(mergeOptions({}))).toMatchObject({
      maxBackwardMs: 10,
      onExhausted: "wait",
      maxBorrowMs: 1000,
      sequenceStart: 0,
    });
  });

  test("limits are inclusive", () => {
    const node = { datacenterId: 31, machineId: 31 };
    expect(makeGenerator("twitter", node)).toMatchObject(node);
    expect(
      build({ timestampBits: 1, datacenterBits: 53, machineBits: 9, sequenceBits: 0 }).layout.machineBits,
    ).toBe(9);
    expect(build({ timestampBits: 53, datacenterBits: 0, machineBits: 0, sequenceBits: 0 }).layout).toEqual({
      timestampBits: 53,
      datacenterBits: 0,
      machineBits: 0,
      sequenceBits: 0,
    });
    expect(build({ epochMs: -1e14 }).epochMs).toBe(-1e14);
    expect(build({ epochMs: Date.now() }).tickMs).toBe(1);
  });

  test("what an object inherits or computes counts as well", () => {
    class Config {
      get machineId() {
        return 5;
      }
    }
    expect(makeGenerator("twitter", new Config()).machineId).toBe(5);
    expect(makeGenerator("twitter", Object.create({ machineId: 6 })).machineId).toBe(6);
    expect(makeGenerator("twitter", Object.assign(Object.create(null), { machineId: 7 })).machineId).toBe(7);
  });

  test("an epoch may be a Date", () => {
    expect(build({ epochMs: new Date("2024-01-01") }).epochMs).toBe(1_704_067_200_000);
  });

  test("-0 is 0", () => {
    expect(build({ machineId: -0, machineBits: -0 })).toMatchObject({
      machineId: 0,
      layout: { machineBits: 0 },
    });
  });

  test("the layout of a generator cannot be changed", () => {
    expect(Object.isFrozen(build({}).layout)).toBe(true);
  });

  const names = Object.keys(mergeOptions({})).join(", ");
  const twitter = { timestampBits: 41, datacenterBits: 5, machineBits: 5, sequenceBits: 12 };
  test.each<[unknown, string]>([
    // Widths
    [{ timestampBits: 0 }, "timestampBits must be a whole number from 1 to 53, got 0"],
    [{ timestampBits: 54 }, "timestampBits must be a whole number from 1 to 53, got 54"],
    [{ sequenceBits: -1 }, "sequenceBits must be a whole number from 0 to 53, got -1"],
    [{ machineBits: 1.5 }, "machineBits must be a whole number from 0 to 53, got 1.5"],
    [{ machineBits: "5" }, 'machineBits must be a whole number from 0 to 53, got "5"'],
    [{ datacenterBits: Number.NaN }, "datacenterBits must be a whole number from 0 to 53, got NaN"],
    [{ sequenceBits: null }, "sequenceBits must be a whole number from 0 to 53, got null"],
    [{ machineBits: 10 }, "layout must be 63 or 53 bits, got 73"],
    [{ timestampBits: 51 }, "layout must be 63 or 53 bits, got 61"],
    [{ timestampBits: 42 }, "layout must be 63 or 53 bits, got 52"],
    // IDs
    [{ ...twitter, machineId: 32 }, "machineId must be a whole number from 0 to 31 (5 bits), got 32"],
    [{ ...twitter, machineId: -1 }, "machineId must be a whole number from 0 to 31 (5 bits), got -1"],
    [{ ...twitter, datacenterId: "1" }, 'datacenterId must be a whole number from 0 to 31 (5 bits), got "1"'],
    [{ ...twitter, datacenterId: 1n }, "datacenterId must be a whole number from 0 to 31 (5 bits), got 1n"],
    [{ machineId: 1 }, "machineId must be a whole number from 0 to 0 (0 bits), got 1"],
    // Time
    [{ epochMs: 1.5 }, "epochMs must be a whole number from -100000000000000 to 8640000000000000, got 1.5"],
    [
      { epochMs: "2020" },
      'epochMs must be a whole number from -100000000000000 to 8640000000000000, got "2020"',
    ],
    [
      { epochMs: new Date("x") },
      "epochMs must be a whole number from -100000000000000 to 8640000000000000, got NaN",
    ],
    [
      { epochMs: -1e14 - 1 },
      "epochMs must be a whole number from -100000000000000 to 8640000000000000, got -100000000000001",
    ],
    [{ tickMs: 0 }, "tickMs must be a whole number from 1 to 8640000000000000, got 0"],
    [{ tickMs: 0.5 }, "tickMs must be a whole number from 1 to 8640000000000000, got 0.5"],
    [{ maxBackwardMs: -1 }, "maxBackwardMs must be a whole number from 0 to 8640000000000000, got -1"],
    [
      { maxBorrowMs: Infinity },
      "maxBorrowMs must be a whole number from 0 to 8640000000000000, got Infinity",
    ],
    // Choices
    [{ onExhausted: "spin" }, 'onExhausted must be one of wait, throw, borrow, got "spin"'],
    [{ sequenceStart: 1 }, "sequenceStart must be one of 0, random, got 1"],
    [{ clock: 5 }, "clock must be a function, got 5"],
    [{ clock: null }, "clock must be a function, got null"],
    // Shape
    [{ machineid: 5 }, `option must be one of ${names}, got "machineid"`],
    [JSON.parse('{"__proto__": 1}'), `option must be one of ${names}, got "__proto__"`],
    [{ constructor: 1 }, `option must be one of ${names}, got "constructor"`],
    [null, "options must be an object, got null"],
    [5, "options must be an object, got 5"],
    [[], "options must be an object, got [object]"],
    [new Map([["machineId", 5]]), "options must be an object, got [object]"],
    [Promise.resolve({ machineId: 5 }), "options must be an object, got [object]"],
    [() => ({ machineId: 5 }), "options must be an object, got [function]"],
    [new Date(), "options must be an object, got [object]"],
  ])("%o is refused", (options, message) => {
    expect(() => build(options)).toThrow(expect.objectContaining({ message }));
  });

  test("a wrong layout is a LayoutError, everything else an ArgumentError", () => {
    expect(() => build({ timestampBits: 0 })).toThrow(LayoutError);
    expect(() => build({ machineBits: 10 })).toThrow(LayoutError);
    expect(() => build({ machineId: 1 })).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", field: "machineId" }),
    );
  });

  test("an epoch in the future of the system clock is refused at construction", () => {
    const epochMs = Date.now() + 60_000;
    expect(() => build({ epochMs })).toThrow(EpochError);
    expect(() => build({ epochMs })).toThrow(expect.objectContaining({ code: "ERR_EPOCH", epochMs }));
    expect(() => build({ epochMs, clock: Date.now })).toThrow(EpochError);
    expect(() => new SharedGenerator({ epochMs })).toThrow(EpochError);
    expect(() => makeGeneratorFromEnv("twitter", { env: { FLAKEID_EPOCH_MS: String(epochMs) } })).toThrow(
      EpochError,
    );
    expect(decode(1n, { epochMs }).timestampMs).toBe(epochMs);
  });

  test("a custom clock is not read at construction", () => {
    let reads = 0;
    const clock = () => {
      reads++;
      return 0;
    };
    const generator = build({ clock, epochMs: 5000 });
    expect(reads).toBe(0);
    expect(() => generator.nextId()).toThrow(expect.objectContaining({ code: "ERR_EPOCH" }));
  });

  test("overrides and presets of a wrong shape are refused everywhere", () => {
    for (const wrong of [null, 5, true, []] as unknown as GeneratorOptions[]) {
      expect(() => makeGenerator("twitter", wrong)).toThrow("options must be an object");
      expect(() => makeGenerator(wrong as unknown as PresetName)).toThrow(
        "preset must be the name of a preset or an object of options",
      );
      expect(() => decode(1n, wrong)).toThrow("preset must be the name of a preset or an object of options");
      expect(() => capacity(wrong)).toThrow("preset must be the name of a preset or an object of options");
    }
    const name = "twitter" as unknown as GeneratorOptions;
    expect(() => new SnowflakeGenerator(name)).toThrow('options must be an object, got "twitter"');
    expect(() => makeGenerator("twitter", name)).toThrow('options must be an object, got "twitter"');
    expect(() => decode(1n, undefined as unknown as PresetName)).toThrow(
      "preset must be the name of a preset or an object of options, got undefined",
    );
  });

  test("types refuse what the runtime refuses", () => {
    // @ts-expect-error: a misspelt name
    expect(() => new SnowflakeGenerator({ machineid: 1 })).toThrow();
    // @ts-expect-error: a wrong choice
    expect(() => new SnowflakeGenerator({ onExhausted: "spin" })).toThrow();
    // @ts-expect-error: BigInt widths
    expect(() => new SnowflakeGenerator({ timestampBits: 41n })).toThrow();
    expectTypeOf<ReturnType<SnowflakeGenerator["nextId"]>>().toEqualTypeOf<bigint>();
    expectTypeOf<ReturnType<SnowflakeGenerator["nextIds"]>>().toEqualTypeOf<bigint[]>();
    expectTypeOf<ReturnType<SnowflakeGenerator["nextIdAsync"]>>().toEqualTypeOf<Promise<bigint>>();
    expectTypeOf<ReturnType<SnowflakeGenerator["stream"]>>().toEqualTypeOf<IterableIterator<bigint>>();
    expectTypeOf<SnowflakeGenerator["epochMs"]>().toEqualTypeOf<number>();
  });
});
