// explain: known IDs of every format, and properties of any input.

import { encode } from "bitflake";
import { explain } from "bitflake/explain";
import { verhoeff } from "bitflake/numeric";
import { base32, base58, base62, hex, prefixed } from "bitflake/text";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const nowMs = Date.UTC(2026, 10, 28);

/** The presets that have this library's epoch. */
const OWN = ["twitter", "minimal", "single_dc", "large_cluster", "high_throughput", "safe_integer"] as const;
const first = (id: string | bigint, aroundMs?: number | Date) => explain(id, { nowMs, aroundMs })[0];

describe("known IDs", () => {
  test.each([
    ["175928847299117063", "Discord", "2016-04-30T11:18:25.796Z"],
    ["1212092628029698048", "X (Twitter)", "2019-12-31T19:26:16.771Z"],
    ["2384288897814875714", "Instagram", "2020-08-26T13:43:27.313Z"],
    ["103270115826048975", "Mastodon", "2019-12-08T03:48:33.849Z"],
    ["c232ab00-9414-11ec-b3c8-9f6bdeced846", "UUID v1", "2022-02-22T19:22:22.000Z"],
    ["1EC9414C-232A-6B00-B3C8-9F6BDECED846", "UUID v6", "2022-02-22T19:22:22.000Z"],
    ["017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "UUID v7", "2022-02-22T19:22:22.000Z"],
    ["01ARYZ6S41TSV4RRFFQ69G5FAV", "ULID", "2016-07-30T22:36:16.385Z"],
    ["01aryz6s41tsv4rrffq69g5fav", "ULID", "2016-07-30T22:36:16.385Z"],
    ["0ujtsYcgvSTl8PAuAdqWYSMnLOv", "KSUID", "2017-10-10T04:00:47.000Z"],
    ["507f1f77bcf86cd799439011", "MongoDB ObjectId", "2012-10-17T21:13:27.000Z"],
    ["01226N0640J7Q", "TSID", "2020-04-15T20:22:07.665Z"],
  ])("%s may be %s", (id, name, generatedAt) => {
    expect(first(id)).toMatchObject({ name, generatedAt, timestampMs: Date.parse(generatedAt) });
  });

  test.each([
    ["5df41881-3aed-3515-88a7-2f4a814cf09e", "UUID v3"],
    ["919108f7-52d1-4320-9bac-f847db4148a8", "UUID v4"],
    ["2ed6657d-e927-568b-95e1-2665a8aea6a2", "UUID v5"],
    ["2489e9ad-2ee2-8e00-8ec9-32d5f69181c0", "UUID v8"],
    ["00000000-0000-0000-0000-000000000000", "nil UUID"],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", "max UUID"],
    ["919108f7-52d1-4320-0bac-f847db4148a8", "UUID of another kind"],
    ["919108f7-52d1-9320-9bac-f847db4148a8", "UUID of another kind"],
    ["919108f7-52d1-0320-9bac-f847db4148a8", "UUID of another kind"],
  ])("%s may be a %s, without a time", (id, name) => {
    const explanations = explain(id, { nowMs });
    expect(explanations).toHaveLength(1);
    expect(explanations[0]).toMatchObject({ format: "uuid", name, share: 1 });
    expect(explanations[0]).not.toHaveProperty("timestampMs");
  });

  test("a Sonyflake has 10 ms, a sequence and a machine", () => {
    const ticks = (Date.UTC(2026, 0, 1) - Date.UTC(2014, 8, 1)) / 10;
    const id = (BigInt(ticks) << 24n) | (3n << 16n) | 0xa01n;
    const found = explain(id, { nowMs }).find(({ format }) => format === "sonyflake");
    expect(found).toMatchObject({
      generatedAt: "2026-01-01T00:00:00.000Z",
      fields: { sequence: 3, machine: 0xa01 },
    });
  });

  test("a Sonyflake of version 2 counts from 2025", () => {
    const ticks = (Date.UTC(2026, 6, 1) - Date.UTC(2025, 0, 1)) / 10;
    const id = (BigInt(ticks) << 24n) | (3n << 16n) | 0xa01n;
    const found = explain(id, { nowMs }).filter(({ format }) => format === "sonyflake");
    expect(found.map(({ name, generatedAt }) => [name, generatedAt])).toEqual([
      ["Sonyflake v2", "2026-07-01T00:00:00.000Z"],
      ["Sonyflake", "2016-02-29T00:00:00.000Z"],
    ]);
  });

  test("an ID of more bits than a preset has is none of its", () => {
    const names = (id: bigint) => explain(id, { nowMs }).map(({ name }) => name);
    expect(names(2n ** 63n - 1n)).toContain("bitflake, preset twitter");
    expect(names(2n ** 63n - 1n)).not.toContain("bitflake, preset safe_integer");
    expect(names(encode({ timestampMs: nowMs }, "safe_integer"))).toContain("bitflake, preset safe_integer");
  });

  test("a numeric ID has its check digit, and speaks against a leading 0 or 1", () => {
    expect(first("8349257232")).toMatchObject({
      format: "numeric",
      fields: { digits: 10, checkDigit: 2 },
      against: [],
    });
    const low = `12345${verhoeff.checkDigit("12345")}`;
    expect(explain(low, { nowMs }).find(({ format }) => format === "numeric")?.against).toHaveLength(1);
    expect(explain("8349257233", { nowMs }).some(({ format }) => format === "numeric")).toBe(false);
  });

  test.each(["", "hello", " 175928847299117063", "-1", "0x10", "1.5", "9".repeat(33), "ü".repeat(26)])(
    "%j has the form of no ID",
    (text) => {
      expect(explain(text, { nowMs })).toEqual([]);
    },
  );

  test("a TSID in lower case is one; base32 of bitflake/text is in capitals", () => {
    const upper = explain("01226N0640J7Q", { nowMs });
    const lower = explain("01226n0640j7q", { nowMs });
    expect(lower.map(({ name, timestampMs }) => [name, timestampMs])).toEqual(
      upper.map(({ name, timestampMs }) => [name, timestampMs]),
    );
    const note = "it is in lower case, and base32 of bitflake/text is in capitals: base32.lenient reads both";
    for (const { format, against } of lower) expect(against.includes(note)).toBe(format !== "tsid");
    for (const { against } of upper) expect(against).not.toContain(note);
    // Not the letters that become capitals of ASCII.
    expect(explain("01226n0640j7\u017f", { nowMs })).toEqual([]);
  });

  test("a long text has the form of no ID", () => {
    expect(explain("1".repeat(10_000_000), { nowMs })).toEqual([]);
  });

  test("a bigint that is no ID has no format", () => {
    expect(explain(-5n, { nowMs })).toEqual([]);
    expect(explain(2n ** 4_000_000n, { nowMs })).toEqual([]);
  });

  test("27 characters beyond the largest KSUID are none", () => {
    expect(explain("aWgEPTl1tmebfsQzFP4bxwgy80V", { nowMs })[0]?.format).toBe("ksuid");
    expect(explain("aWgEPTl1tmebfsQzFP4bxwgy80W", { nowMs })).toEqual([]);
  });
});

describe("the time", () => {
  test("in the future speaks against a format, which is left out if another one is possible", () => {
    const id = 175928847299117063n;
    const early = explain(id, { nowMs: Date.UTC(2016, 0) });
    expect(early.some(({ format }) => format === "discord")).toBe(false);
    expect(early.some(({ format }) => format === "x")).toBe(true);
    const ulid = first("7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    expect(ulid).toMatchObject({ format: "ulid", against: ["that time is in the future"] });
    expect(first("00000000000000000000000000")?.against).toEqual([
      "that time is before the first ID of ULID",
    ]);
  });

  test("60 s ahead of now is possible, and 61 s is not", () => {
    const atMs = Date.parse("2016-04-30T11:18:25.796Z");
    const isPossible = (now: number) =>
      explain("175928847299117063", { nowMs: now }).some(({ format }) => format === "discord");
    expect(isPossible(atMs - 60_000)).toBe(true);
    expect(isPossible(atMs - 61_000)).toBe(false);
  });

  test("that the caller knows decides, as a number or a Date", () => {
    const id = "334385199974967042";
    expect(first(id)?.format).not.toBe("discord");
    expect(first(id, Date.UTC(2017, 6, 11))).toMatchObject({ format: "discord" });
    const known = first(id, new Date("2017-07-11"));
    expect(known?.reasons).toContain("that is within a day of the given date");
    expect(explain(id, { nowMs, aroundMs: 0 })[0]?.against).toContain(
      "that is more than a day from the given date",
    );
  });

  test("within a day of the one that the caller knows comes before any share, and before formats without a time", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String), fc.nat({ max: 20 }), (id, nth) => {
        const all = explain(id, { nowMs: 8.64e15 });
        const { timestampMs } = all[nth % all.length] ?? {};
        if (timestampMs === undefined) return;
        const known = explain(id, { nowMs, aroundMs: timestampMs });
        const isNear = known.map((one) => Math.abs((one.timestampMs ?? 1e99) - timestampMs) <= 86_400_000);
        expect(isNear[0]).toBe(true);
        expect([...isNear].sort((a, b) => Number(b) - Number(a))).toEqual(isNear);
      }),
    );
  });

  test("that is impossible is kept, if it is within a day of the one that the caller knows", () => {
    const id = encode({ timestampMs: nowMs + 120_000, machineId: 1 }, "twitter");
    expect(first(id)?.format).not.toBe("bitflake");
    expect(first(id, nowMs)).toMatchObject({ format: "bitflake", against: ["that time is in the future"] });
  });

  test("now is the clock's, if it is not given", () => {
    expect(explain("919108f7-52d1-4320-9bac-f847db4148a8")).toHaveLength(1);
    expect(explain("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")[0]?.against).toEqual([]);
  });
});

test.each([
  [7, {}],
  [null, {}],
  ["1", { now: 1 }],
  ["1", { nowMs: Number.NaN }],
  ["1", { nowMs: "2026" }],
  ["1", { aroundMs: new Date(Number.NaN) }],
])("explain(%j, %j) is refused", (id, options) => {
  expect(() => explain(id as string, options as object)).toThrow(
    expect.objectContaining({ code: "ERR_ARGUMENT" }),
  );
});

const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEFGHJKMNPQRSTVWXYZ-_ \n"), maxLength: 40 }),
  fc.bigInt({ min: -1n, max: 2n ** 64n }).map(String),
  fc.uuid(),
  fc.ulid(),
);

test("any text is explained in order of weight, always alike, and with texts that are safe to print", () => {
  fc.assert(
    fc.property(anyText, fc.date({ noInvalidDate: true, min: new Date(0) }), (text, now) => {
      const explanations = explain(text, { nowMs: now });
      expect(explain(text, { nowMs: now })).toEqual(explanations);
      const shares = explanations.map(({ share }) => share);
      expect([...shares].sort((a, b) => b - a)).toEqual(shares);
      if (shares.length > 0) expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
      for (const { name, share, timestampMs, generatedAt, reasons, against } of explanations) {
        expect(share >= 0 && share <= 1).toBe(true);
        expect(timestampMs === undefined).toBe(generatedAt === undefined);
        if (timestampMs !== undefined) expect(new Date(timestampMs).toISOString()).toBe(generatedAt);
        expect(reasons.length + against.length).toBeGreaterThan(0);
        for (const line of [name, ...reasons, ...against]) expect(line).toMatch(/^[ -~]+$/);
      }
    }),
  );
});

describe.each(OWN)("an ID of preset %s", (preset) => {
  const fields = fc.record({
    timestampMs: fc.integer({ min: Date.UTC(2020, 0, 1), max: nowMs }),
    sequence: fc.integer({ min: 0, max: 50 }),
  });

  test("is explained as such in every text form, with its time", () => {
    fc.assert(
      fc.property(fields, ({ timestampMs, sequence }) => {
        const id = encode({ timestampMs, sequence }, preset);
        const texts = [
          id,
          `${id}`,
          base32.encode(id),
          hex.encode(id),
          base58.encode(id),
          base62.encode(id),
          prefixed("user", base32).encode(id),
        ];
        for (const text of texts) {
          const own = explain(text, { nowMs }).find(({ name }) => name === `bitflake, preset ${preset}`);
          expect(own, `${text}`).toMatchObject({ timestampMs, fields: { sequence } });
        }
      }),
    );
  });
});
