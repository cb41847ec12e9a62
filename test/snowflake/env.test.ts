import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  type EnvOptions,
  type GeneratorOptions,
  machineIdFromHostname,
  makeGeneratorFromEnv,
} from "../../src/index.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const ids = (options: EnvOptions & GeneratorOptions) => {
  const { datacenterId, machineId, epochMs } = makeGeneratorFromEnv("twitter", options);
  return { datacenterId, machineId, epochMs };
};
const EPOCH = Date.UTC(2020, 0, 1);

describe("makeGeneratorFromEnv", () => {
  test("reads the three variables from the runtime's environment", () => {
    vi.stubEnv("FLAKEID_DATACENTER_ID", "3");
    vi.stubEnv("FLAKEID_MACHINE_ID", "31");
    vi.stubEnv("FLAKEID_EPOCH_MS", "1420070400000");
    expect(ids({})).toEqual({ datacenterId: 3, machineId: 31, epochMs: 1420070400000 });
  });

  test("unset means 0 and the default epoch, and set to nothing means unset", () => {
    expect(ids({ env: {} })).toEqual({ datacenterId: 0, machineId: 0, epochMs: EPOCH });
    const env = { FLAKEID_DATACENTER_ID: "", FLAKEID_MACHINE_ID: undefined, FLAKEID_EPOCH_MS: "" };
    expect(ids({ env })).toEqual({ datacenterId: 0, machineId: 0, epochMs: EPOCH });
  });

  test("without arguments it is the minimal preset", () => {
    expect(makeGeneratorFromEnv().layout.sequenceBits).toBe(10);
  });

  test("the names can be changed", () => {
    const env = { DC: "1", POD: "2", EPOCH: "-5", FLAKEID_MACHINE_ID: "9" };
    expect(ids({ env, datacenterEnv: "DC", machineEnv: "POD", epochEnv: "EPOCH" })).toEqual({
      datacenterId: 1,
      machineId: 2,
      epochMs: -5,
    });
  });

  test("a variable wins over an option, an option over the default", () => {
    const options = { datacenterId: 4, machineId: 5, epochMs: new Date(0) };
    expect(ids({ ...options, env: { FLAKEID_MACHINE_ID: "6" } })).toEqual({
      datacenterId: 4,
      machineId: 6,
      epochMs: 0,
    });
  });

  test("an injected environment may hold numbers", () => {
    expect(ids({ env: { FLAKEID_MACHINE_ID: 7 } }).machineId).toBe(7);
  });

  test("other options go to the generator", () => {
    const generator = makeGeneratorFromEnv("twitter", { env: {}, tickMs: 10, clock: () => EPOCH + 50 });
    expect(generator.nextId() >> 22n).toBe(5n);
  });

  test.each([
    ["32", "a whole number from 0 to 31 (5 bits)"],
    ["-1", "a whole number from 0 to 31 (5 bits)"],
    ["1.5", "a whole number from 0 to 31 (5 bits)"],
    ["0x1", "a whole number from 0 to 31 (5 bits)"],
    ["01", "a whole number from 0 to 31 (5 bits)"],
    [" 1", "a whole number from 0 to 31 (5 bits)"],
    ["1e1", "a whole number from 0 to 31 (5 bits)"],
    [" ", "a whole number from 0 to 31 (5 bits)"],
    ["web-3", "a whole number from 0 to 31 (5 bits)"],
    ["99999999999999999999", "a whole number from 0 to 31 (5 bits)"],
  ])("FLAKEID_MACHINE_ID=%j is an error that names it", (text, rule) => {
    const env = { FLAKEID_MACHINE_ID: text };
    expect(() => ids({ env })).toThrow(ArgumentError);
    expect(() => ids({ env })).toThrow(`FLAKEID_MACHINE_ID must be ${rule}, got ${JSON.stringify(text)}`);
  });

  test("each variable is blamed for its own value", () => {
    const error = (env: Record<string, unknown>) => {
      try {
        return ids({ env, datacenterEnv: "DC" });
      } catch (thrown) {
        const { code, field, value } = thrown as ArgumentError;
        return { code, field, value };
      }
    };
    expect(error({ DC: "32" })).toEqual({ code: "ERR_ARGUMENT", field: "DC", value: '"32"' });
    expect(error({ FLAKEID_EPOCH_MS: "soon" })).toMatchObject({ field: "FLAKEID_EPOCH_MS", value: '"soon"' });
    expect(error({ FLAKEID_EPOCH_MS: "9999999999999999" })).toMatchObject({ field: "FLAKEID_EPOCH_MS" });
    expect(error({ FLAKEID_MACHINE_ID: ["7"] })).toMatchObject({ field: "FLAKEID_MACHINE_ID" });
    expect(error({ FLAKEID_MACHINE_ID: true })).toMatchObject({ field: "FLAKEID_MACHINE_ID", value: "true" });
  });

  test("a layout without the field takes only 0", () => {
    expect(() => makeGeneratorFromEnv("minimal", { env: { FLAKEID_MACHINE_ID: "1" } })).toThrow(
      'FLAKEID_MACHINE_ID must be a whole number from 0 to 0 (0 bits), got "1"',
    );
    expect(makeGeneratorFromEnv("minimal", { env: { FLAKEID_MACHINE_ID: "0" } }).machineId).toBe(0);
  });

  test("required refuses a missing node ID that the layout has, and no other", () => {
    const required = true;
    const env = { FLAKEID_DATACENTER_ID: "1", FLAKEID_MACHINE_ID: "2" };
    expect(ids({ env, required })).toEqual({ datacenterId: 1, machineId: 2, epochMs: EPOCH });
    expect(() => ids({ env: { FLAKEID_DATACENTER_ID: "1" }, required })).toThrow(
      "FLAKEID_MACHINE_ID must be set, got undefined",
    );
    expect(() => ids({ env: { ...env, FLAKEID_DATACENTER_ID: "" }, required })).toThrow(
      "FLAKEID_DATACENTER_ID must be set",
    );
    const machineOnly = { env: { FLAKEID_MACHINE_ID: "1023" }, required };
    expect(makeGeneratorFromEnv("single_dc", machineOnly).machineId).toBe(1023);
    expect(makeGeneratorFromEnv("minimal", { env: {}, required }).machineId).toBe(0);
    expect(() => ids({ env: {}, required, machineId: 3 })).toThrow("must be set");
  });

  test("other runtimes: Deno by its own door, with the permission named when it is denied", () => {
    const env = { get: (name: string) => (name === "FLAKEID_MACHINE_ID" ? "8" : undefined) };
    vi.stubGlobal("Deno", { env });
    expect(ids({}).machineId).toBe(8);
    const denied = new Error("Requires env access");
    vi.stubGlobal("Deno", {
      env: {
        get() {
          throw denied;
        },
      },
    });
    expect(() => ids({})).toThrow("this runtime has no permission to read FLAKEID_DATACENTER_ID");
    expect(() => ids({})).toThrow(expect.objectContaining({ cause: denied, code: "ERR_UNSUPPORTED" }));
    expect(ids({ env: {} }).machineId).toBe(0);
  });

  test.each([undefined, {}, { env: undefined }])(
    "no environment (process is %o) is an empty one",
    (process) => {
      vi.stubGlobal("process", process);
      expect(ids({}).machineId).toBe(0);
      expect(() => ids({ required: true })).toThrow(ArgumentError);
    },
  );

  test.each<[unknown, string]>([
    [null, "options must be an object"],
    [5, "options must be an object"],
    [{ env: "x" }, "env must be an object"],
    [{ env: null }, "env must be an object"],
    [{ env: new Map([["FLAKEID_MACHINE_ID", "9"]]) }, "env must be an object, got [object]"],
    [{ required: 1 }, "required must be one of true, false, got 1"],
    [{ machineEnv: 5 }, "variable must be a name, got 5"],
    [{ machineEnv: null }, "variable must be a name, got null"],
    [{ machineid: 5 }, "option must be one of"],
    [{ machineId: 99 }, "machineId must be a whole number from 0 to 31 (5 bits), got 99"],
  ])("refuses %o", (options, message) => {
    expect(() => makeGeneratorFromEnv("twitter", options as EnvOptions)).toThrow(message);
  });
});

describe("machineIdFromHostname", () => {
  test.each([
    ["web-0", 0],
    ["web-3", 3],
    ["web-10", 10],
    ["my-app-web-12", 12],
    ["web-3.web.default.svc.cluster.local", 3],
    ["a-9007199254740991", 9007199254740991],
  ])("%s is %d", (hostname, id) => {
    expect(machineIdFromHostname(hostname)).toBe(id);
  });

  test.each([
    "",
    "web",
    "web3",
    "web-",
    "-3",
    "3",
    "web-03",
    "web--",
    "web-3a",
    "web-7d4b9c6f5-x2x4z",
    "web.3",
    "web.db-3",
    "web-9007199254740992",
    "web-3\n",
    null,
    undefined,
    3,
    ["web-3"],
  ])("%j has no ordinal", (hostname) => {
    expect(() => machineIdFromHostname(hostname as string)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", field: "hostname", rule: 'a name like "web-3"' }),
    );
  });

  test("a long hostile name is refused quickly", () => {
    expect(() => machineIdFromHostname("-1".repeat(100_000))).not.toThrow();
    expect(() => machineIdFromHostname(`${"-1".repeat(100_000)}x`)).toThrow();
  });
});
