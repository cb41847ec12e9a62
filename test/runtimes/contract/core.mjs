// The core on every runtime: imports, IDs, decoding, typed errors, the environment.

import { equal, fails, increasing, truth } from "./expect.mjs";

const NODE = { datacenterId: 1, machineId: 7 };

/** Calls a function so many times in a row. */
const burst = (count, next) => Array.from({ length: count }, () => next());

export const core = {
  "import by name, import()": async ({ bitflake, named, load }) => {
    const loaded = await load("bitflake");
    equal(Object.keys(loaded).sort(), Object.keys(bitflake).sort(), "exports");
    for (const [name, value] of Object.entries(named)) {
      truth(value !== undefined && value === bitflake[name] && value === loaded[name], `one ${name}`);
    }
  },

  "nextId(), nextIds(), no options": ({ bitflake }) => {
    const { decode, nextId, nextIds } = bitflake;
    const from = Date.now();
    const ids = [...burst(2000, nextId), ...nextIds(2000), nextId()];
    increasing(ids, 4001);
    const [first, last] = [ids[0], ids[4000]].map((id) => decode(id, "minimal").timestampMs);
    truth(from <= first && last <= Date.now(), "IDs carry the time they were made at");
  },

  "a burst of 20,000": ({ bitflake }) => {
    const generator = bitflake.makeGenerator("twitter", NODE);
    const from = Date.now();
    const ids = burst(20_000, () => generator.nextId());
    increasing(ids, 20_000);
    for (const id of ids) {
      const { timestampMs, datacenterId, machineId } = generator.decode(id);
      equal([datacenterId, machineId], [1, 7], "node");
      truth(from <= timestampMs && timestampMs <= Date.now(), `${id} carries the time`);
    }
  },

  "fill, nextIdAsync, stream": async ({ bitflake }) => {
    const generator = bitflake.makeGenerator("twitter", NODE);
    const ids = [...generator.fill(new BigUint64Array(9000)), ...generator.fill(new BigInt64Array(9000))];
    ids.push(...generator.nextIds(9000));
    for (let i = 0; i < 9000; i++) ids.push(await generator.nextIdAsync());
    for (const id of generator.stream()) if (ids.push(id) === 40_000) break;
    increasing(ids, 40_000);
    const number = bitflake.makeGenerator("safe_integer").nextNumber();
    truth(Number.isSafeInteger(number) && number > 2 ** 46, `${number} is an exact ID`);
  },

  "decode, range": ({ bitflake }) => {
    const { decode, makeGenerator, PRESET_TWITTER } = bitflake;
    const discord = { ...PRESET_TWITTER, epochMs: 1420070400000 };
    const fields = {
      id: 175928847299117063n,
      timestampMs: 1462015105796,
      generatedAt: "2016-04-30T11:18:25.796Z",
      datacenterId: 1,
      machineId: 0,
      sequence: 7,
    };
    const decoded = decode("175928847299117063", discord);
    equal({ ...decoded }, fields, "Discord's example");
    equal(
      JSON.parse(JSON.stringify(decoded)),
      { ...fields, id: String(fields.id) },
      "Discord's example as JSON",
    );
    const { min, max } = makeGenerator(discord).range(fields.timestampMs, fields.timestampMs + 1);
    equal([min, max], [175928847298985984n, 175928847303180287n], "its millisecond");
  },

  capacity: ({ bitflake }) => {
    const { idsPerTick, idsPerSecond, nodes, expiresAt } = bitflake.capacity("twitter");
    equal([idsPerTick, idsPerSecond, nodes], [4096, 4_096_000, 1024]);
    equal(expiresAt, "2089-09-06T15:47:35.552Z", "expiresAt");
  },

  parseId: async ({ bitflake }) => {
    const { isId, parseId } = bitflake;
    for (const value of ["0", 0, 0n, "9223372036854775807", 2n ** 63n - 1n, 2 ** 53 - 1]) {
      equal(parseId(value), BigInt(value));
    }
    const refused = ["", " 1", "1\n", "+1", "-1", "01", "0x10", "1e3", "1.0", "9223372036854775808", "٣"];
    for (const value of [
      ...refused,
      -1,
      -1n,
      0.5,
      Number.NaN,
      2 ** 53,
      2n ** 63n,
      null,
      undefined,
      [1],
      {},
    ]) {
      equal(isId(value), false, `isId(${String(value)})`);
      await fails(bitflake, "InvalidIdError", () => parseId(value), { field: "id", message: /^id must be / });
    }
  },

  errors: async ({ bitflake }) => {
    const { makeGenerator, PRESET_TWITTER } = bitflake;
    const at = (...readings) => makeGenerator("twitter", { clock: () => readings.shift() });
    const now = 1_800_000_000_000;

    const back = at(now, now - 11, now + 1);
    back.nextId();
    await fails(bitflake, "ClockBackwardsError", () => back.nextId(), { backwardMs: 11, lastMs: now });
    equal(typeof back.nextId(), "bigint", "once the clock has caught up");

    const full = makeGenerator("twitter", { onExhausted: "throw", clock: () => now });
    full.nextIds(4096);
    await fails(bitflake, "SequenceExhaustedError", () => full.nextId(), { waitMs: 1 });

    await fails(bitflake, "TimestampOverflowError", () => at(4e12).nextId(), { nowMs: 4e12 });
    await fails(bitflake, "EpochError", () => at(0).nextId(), { nowMs: 0 });
    await fails(bitflake, "ArgumentError", () => at(Number.NaN).nextId(), { field: "clock()" });
    await fails(bitflake, "LayoutError", () => makeGenerator({ ...PRESET_TWITTER, sequenceBits: 11 }));
    await fails(bitflake, "ArgumentError", () => makeGenerator("twitter", { machineId: 32 }), {
      field: "machineId",
      message: "machineId must be a whole number from 0 to 31 (5 bits), got 32",
    });
  },

  makeGeneratorFromEnv: async ({ bitflake, env }) => {
    const { makeGeneratorFromEnv } = bitflake;
    const { datacenterId, machineId, epochMs } = makeGeneratorFromEnv("twitter");
    const { FLAKEID_DATACENTER_ID = 0, FLAKEID_MACHINE_ID = 0 } = env;
    equal(
      [datacenterId, machineId, epochMs],
      [Number(FLAKEID_DATACENTER_ID), Number(FLAKEID_MACHINE_ID), 1577836800000],
      "node and epoch",
    );
    const unset = () => makeGeneratorFromEnv("twitter", { datacenterEnv: "NOT_SET", required: true });
    await fails(bitflake, "ArgumentError", unset, { field: "NOT_SET", value: "undefined" });
  },
};
