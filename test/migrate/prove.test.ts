// proveMigration: verdicts compared with brute force on small layouts, published IDs of each scheme, remedies, and errors.

import { decode, PRESET_TWITTER } from "bitflake";
import {
  type Migration,
  type NodeEntry,
  proveMigration,
  type Remedy,
  type Scheme,
  type SchemeSide,
  type UnorderedVerdict,
  type Verdict,
} from "bitflake/migrate";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { smallestCommon } from "../../src/migrate/idSet.ts";
import { compare, type FullSide, idsOf } from "./bruteForce.ts";

/** A layout of a few bits, with an epoch and a tick. */
const smallScheme = fc
  .record({
    timestampBits: fc.integer({ min: 1, max: 5 }),
    datacenterBits: fc.nat(2),
    machineBits: fc.nat(2),
    sequenceBits: fc.nat(3),
    isSequenceFirst: fc.boolean(),
    epochMs: fc.integer({ min: -40, max: 20 }),
    tickMs: fc.integer({ min: 1, max: 7 }),
  })
  .map((scheme): Scheme & { epochMs: number; tickMs: number; machineBits: number } => scheme);

/** A side of such a layout that lasts at least one tick of it. */
const smallSide: fc.Arbitrary<FullSide> = smallScheme.chain((scheme) => {
  const { timestampBits, datacenterBits = 0, machineBits, epochMs, tickMs } = scheme;
  const nodeCount = 2 ** (datacenterBits + machineBits);
  const node = fc.nat(nodeCount - 1);
  const entry: fc.Arbitrary<NodeEntry> = fc.oneof(
    node,
    fc.tuple(node, node).map(([a, b]): NodeEntry => [Math.min(a, b), Math.max(a, b)]),
    fc.record(
      { datacenterId: fc.nat(2 ** datacenterBits - 1), machineId: fc.nat(2 ** machineBits - 1) },
      { requiredKeys: ["datacenterId"] },
    ),
  );
  const endMs = epochMs + 2 ** timestampBits * tickMs;
  return fc
    .record({
      nodes: fc.array(entry, { minLength: 1, maxLength: 3 }),
      moments: fc.tuple(
        fc.integer({ min: epochMs - 5, max: endMs }),
        fc.integer({ min: epochMs + 1, max: endMs }),
      ),
    })
    .filter(({ moments: [since, until] }) => since < until)
    .map(({ nodes, moments: [since, until] }) => ({ scheme, nodes, since, until }));
});

/** Asserts that a verdict has the facts that the brute force found. */
function expectFacts(verdict: Verdict, old: FullSide, fresh: FullSide, maxSkewMs: number): void {
  const oldIds = idsOf(old, maxSkewMs);
  const newIds = idsOf(fresh, maxSkewMs);
  const { disjoint, ordered, common } = compare(oldIds, newIds);
  expect([verdict.disjoint, verdict.ordered]).toEqual([disjoint, ordered]);
  if (!verdict.disjoint) {
    expect([verdict.pair.from.id, verdict.pair.to.id]).toEqual([
      BigInt(common as number),
      BigInt(common as number),
    ]);
  } else {
    expect(Number(verdict.largestOld?.id)).toBe(Math.max(...oldIds));
    expect(Number(verdict.smallestNew?.id)).toBe(Math.min(...newIds));
  }
}

/** Returns whether the skewed end of a side is within its timestamps, which the prover demands. */
const isWithin = ({ scheme, until }: FullSide, maxSkewMs: number) =>
  until + maxSkewMs <= scheme.epochMs + 2 ** scheme.timestampBits * scheme.tickMs;

const anyMigration = fc
  .record({ old: smallSide, fresh: smallSide, maxSkewMs: fc.oneof(fc.constant(0), fc.nat(6)) })
  .filter(({ old, fresh, maxSkewMs }) => isWithin(old, maxSkewMs) && isWithin(fresh, maxSkewMs));

describe("a verdict", () => {
  test("is that of brute force, with any layouts, nodes, epochs, ticks, times and skew", () => {
    let collisions = 0;
    fc.assert(
      fc.property(anyMigration, ({ old, fresh, maxSkewMs }) => {
        const verdict = proveMigration({ from: old, to: fresh, cutOver: 0, maxSkewMs });
        expectFacts(verdict, old, fresh, maxSkewMs);
        collisions += Number(!verdict.disjoint);
      }),
    );
    expect(collisions).toBeGreaterThan(10);
  });

  test("of a layout with itself is that of brute force for any two node sets", () => {
    const sides = smallSide.chain((old) => {
      const { datacenterBits = 0, machineBits = 0 } = old.scheme;
      const node = fc.nat(2 ** (datacenterBits + machineBits) - 1);
      return fc
        .array(node, { minLength: 1, maxLength: 4 })
        .map((nodes) => ({ old, fresh: { ...old, nodes } }));
    });
    fc.assert(
      fc.property(sides, ({ old, fresh }) => {
        expectFacts(proveMigration({ from: old, to: fresh, cutOver: 0, maxSkewMs: 0 }), old, fresh, 0);
      }),
    );
  });

  test("of numbers that were counted is that of brute force", () => {
    const limits = fc
      .tuple(fc.nat(3000), fc.nat(3000))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    fc.assert(
      fc.property(smallSide, limits, (fresh, [min, max]) => {
        const verdict = proveMigration({
          from: { scheme: "serial", min, max },
          to: fresh,
          cutOver: 0,
          maxSkewMs: 0,
        });
        const counted = new Set(Array.from({ length: max - min + 1 }, (_, i) => min + i));
        const { disjoint, ordered, common } = compare(counted, idsOf(fresh, 0));
        expect([verdict.disjoint, verdict.ordered]).toEqual([disjoint, ordered]);
        if (!verdict.disjoint) {
          expect(verdict.pair.from).toEqual({ id: BigInt(common as number) });
          expect(verdict.pair.to.id).toBe(BigInt(common as number));
        }
      }),
    );
  });

  test("names fields that make the ID again, in both schemes", () => {
    fc.assert(
      fc.property(anyMigration, ({ old, fresh, maxSkewMs }) => {
        const verdict = proveMigration({ from: old, to: fresh, cutOver: 0, maxSkewMs });
        const described = verdict.disjoint
          ? ([
              [verdict.largestOld, old],
              [verdict.smallestNew, fresh],
            ] as const)
          : ([
              [verdict.pair.from, old],
              [verdict.pair.to, fresh],
            ] as const);
        for (const [fields, { scheme }] of described) {
          const { id, timestampMs = 0, datacenterId = 0, machineId = 0, sequence = 0 } = fields ?? { id: 0n };
          const { machineBits = 0 } = scheme;
          // The brute force of one node in one tick, with its sequence numbers in order.
          const made = idsOf(
            {
              scheme,
              nodes: [datacenterId * 2 ** machineBits + machineId],
              since: timestampMs,
              until: timestampMs + 1,
            },
            0,
          );
          expect(BigInt([...made].sort((a, b) => a - b)[sequence] as number)).toBe(id);
        }
      }),
    );
  });
});

describe("a remedy", () => {
  test("makes the migration ordered, and a moment or an epoch that is 1 ms worse does not", () => {
    let remedies = 0;
    let epochs = 0;
    const open = anyMigration.map(({ old, fresh, maxSkewMs }) => {
      const { until: _, ...rest } = fresh;
      return { from: old, to: rest as SchemeSide & { since: number }, maxSkewMs };
    });
    fc.assert(
      fc.property(open, ({ from, to, maxSkewMs }) => {
        const isOrdered = (changes: Partial<SchemeSide>) =>
          proveMigration({ from, to: { ...to, ...changes }, cutOver: 0, maxSkewMs }).ordered;
        const verdict = proveMigration({ from, to, cutOver: 0, maxSkewMs });
        const { remedy } = verdict as { remedy?: Remedy };
        if (remedy === undefined) return;
        remedies++;
        expect(isOrdered({ since: remedy.since })).toBe(true);
        expect(isOrdered({ since: remedy.since.getTime() - 1 })).toBe(false);
        if (remedy.epochMs === undefined) return;
        epochs++;
        expect(isOrdered({ epochMs: remedy.epochMs })).toBe(true);
        expect(isOrdered({ epochMs: remedy.epochMs + 1 })).toBe(false);
      }),
    );
    expect(remedies).toBeGreaterThan(20);
    expect(epochs).toBe(remedies);
  });

  test("is absent where no moment of the new side is late enough", () => {
    const to = { timestampBits: 2, sequenceBits: 1, epochMs: 0 };
    const verdict = proveMigration({
      from: { scheme: "serial", max: 100 },
      to: { scheme: to },
      cutOver: 0,
      maxSkewMs: 0,
    });
    expect(verdict).toMatchObject({ disjoint: false });
    expect(verdict).not.toHaveProperty("remedy");
  });

  test("is absent where its moment is no Date, and has no epoch that none can be", () => {
    const scheme = { timestampBits: 53, epochMs: 0 };
    const from: SchemeSide = { scheme, until: 8.64e15 - 5 };
    expect(proveMigration({ from, to: { scheme }, cutOver: 0, maxSkewMs: 5 })).not.toHaveProperty("remedy");
    const late = proveMigration({
      from: { scheme: "serial", max: 2n ** 53n },
      to: { scheme: { timestampBits: 53, sequenceBits: 4, epochMs: 0 } },
      cutOver: 0,
      maxSkewMs: 0,
    });
    expect(late).toMatchObject({ disjoint: false, remedy: { since: new Date(2 ** 49 + 1) } });
    expect(late).not.toHaveProperty("remedy.epochMs");
  });

  test("is absent if the new side ends before the moment", () => {
    const side = { scheme: "discord", nodes: [1] } as const;
    const migration = (until: string) =>
      ({ from: side, to: { ...side, until: new Date(until) }, cutOver: new Date("2026-12-01") }) as const;
    expect(proveMigration(migration("2026-12-01T00:00:10Z"))).not.toHaveProperty("remedy");
    const late = migration("2026-12-01T00:00:10.001Z");
    const verdict = proveMigration(late);
    if (verdict.ordered || !verdict.remedy) throw new Error("no remedy");
    expect(proveMigration({ ...late, to: { ...late.to, since: verdict.remedy.since } }).ordered).toBe(true);
  });

  test("has no epoch for a new side that ends", () => {
    const to: SchemeSide = { scheme: "twitter", until: new Date("2030-01-01") };
    const verdict = proveMigration({ from: { scheme: "twitter" }, to, cutOver: new Date("2026-12-01") });
    expect(verdict).toMatchObject({ disjoint: false, remedy: { since: new Date("2026-12-01T00:00:10Z") } });
    expect(verdict).not.toHaveProperty("remedy.epochMs");
  });
});

const cutOver = new Date("2026-12-01");

describe("migrations", () => {
  test("from a serial column to the presets is ordered", () => {
    for (const scheme of ["twitter", "single_dc", "large_cluster", "high_throughput", "minimal"] as const) {
      const verdict = proveMigration({ from: { scheme: "serial", max: 2 ** 40 }, to: { scheme }, cutOver });
      expect(verdict).toMatchObject({ disjoint: true, ordered: true });
    }
  });

  test("to the same layout and node collides while both run, and waiting for twice the skew is the remedy", () => {
    const side = { scheme: "twitter", nodes: [5] } as const;
    const verdict = proveMigration({ from: side, to: side, cutOver, maxSkewMs: 100 });
    expect(verdict).toMatchObject({
      disjoint: false,
      reason:
        "both sides can issue 915391748086190080: the old one at 2026-11-30T23:59:59.900Z, the new one at 2026-11-30T23:59:59.900Z",
      pair: { to: { machineId: 5, sequence: 0 } },
      remedy: { since: new Date(cutOver.getTime() + 200), epochMs: 1_577_836_799_800 },
    });
    if (!verdict.disjoint) {
      const { id, timestampMs } = verdict.pair.to;
      expect(decode(id, "twitter")).toMatchObject({ timestampMs, machineId: 5, sequence: 0 });
    }
    expect(proveMigration({ from: side, to: side, cutOver, maxSkewMs: 0 })).toMatchObject({
      ordered: true,
      reason:
        "the smallest new ID, 915391748505620480, is larger than the largest old one, 915391748501430271",
    });
  });

  test("to other nodes of the same layout is disjoint while both run, and not ordered", () => {
    const verdict = proveMigration({
      from: { scheme: "twitter", nodes: [{ datacenterId: 0 }], until: new Date("2026-12-08") },
      to: { scheme: "twitter", nodes: [{ datacenterId: 1 }] },
      cutOver,
    });
    expect(verdict).toMatchObject({ disjoint: true, ordered: false });
    expect(verdict.reason).toMatch(
      /^no ID is in both sides, but the smallest new ID, \d+, is not larger than the largest old one, \d+$/,
    );
  });

  test("to a later epoch is not ordered, and the remedy is the old epoch", () => {
    const from: SchemeSide = { scheme: "sapphire", epochMs: 1_420_070_400_000, nodes: [1] };
    const verdict = proveMigration({ from, to: { scheme: "twitter" }, cutOver, maxSkewMs: 0 });
    expect(verdict).toMatchObject({ disjoint: false, remedy: { epochMs: 1_420_070_400_000 } });
    const kept = proveMigration({ from, to: { scheme: "discord" }, cutOver, maxSkewMs: 0 });
    expect(kept.ordered).toBe(true);
  });

  test("from UUIDs is disjoint by type, and has no order", () => {
    const verdict = proveMigration({ from: { scheme: "uuid" }, to: { scheme: "twitter" }, cutOver });
    expect(verdict).toEqual({ disjoint: true, ordered: false, reason: expect.stringContaining("no BIGINT") });
  });

  test("decides at once between 32-bit node sets and any times", () => {
    const wide: Scheme = { timestampBits: 31, machineBits: 32, epochMs: 0, tickMs: 1000 };
    const odd = Array.from({ length: 200 }, (_, i) => 2 * i + 1);
    const even = odd.map((node) => node - 1);
    const verdict = proveMigration({
      from: { scheme: wide, nodes: odd },
      to: { scheme: wide, nodes: even, since: 0 },
      cutOver,
    });
    expect(verdict).toMatchObject({ disjoint: true, ordered: false });
  });

  test("is JSON with IDs as text", () => {
    const verdict = proveMigration({
      from: { scheme: "serial", max: 9 },
      to: { scheme: "twitter" },
      cutOver,
    });
    expect(JSON.parse(JSON.stringify(verdict))).toMatchObject({
      largestOld: { id: "9" },
      smallestNew: { machineId: 0 },
    });
  });
});

describe("schemes take published IDs apart", () => {
  /** Returns the fields of one ID in a scheme. */
  function fieldsOf(id: bigint, to: SchemeSide) {
    const verdict = proveMigration({
      from: { scheme: "serial", min: id, max: id },
      to,
      cutOver: 0,
      maxSkewMs: 0,
    });
    return verdict.disjoint ? verdict.reason : verdict.pair.to;
  }
  const all: Partial<SchemeSide> = { since: -1e14 };

  test.each<[string, bigint, SchemeSide, object]>([
    [
      "x: the tweet on Wikipedia's page about snowflake IDs",
      1541815603606036480n,
      { scheme: "x", ...all },
      { timestampMs: 1_656_432_460_105, datacenterId: 11, machineId: 26, sequence: 0 },
    ],
    [
      "discord: the example of its documentation",
      175928847299117063n,
      { scheme: "discord", ...all },
      { timestampMs: 1_462_015_105_796, datacenterId: 1, machineId: 0, sequence: 7 },
    ],
    [
      "sapphire: made by the package with timestamp 1700000000000, worker 3, process 9, increment 5",
      1174109840998830085n,
      { scheme: "sapphire", epochMs: 1_420_070_400_000, ...all },
      { timestampMs: 1_700_000_000_000, datacenterId: 3, machineId: 9, sequence: 5 },
    ],
    [
      "nodejs-snowflake: made by the package with instance 4 for 1700000000000",
      1174109840998404096n,
      { scheme: "nodejs-snowflake", epochMs: 1_420_070_400_000, ...all },
      { timestampMs: 1_700_000_000_000, machineId: 4, sequence: 0 },
    ],
    [
      "instagram: the example of its article, with its epoch of 2011-01-01",
      (1_387_263_000n << 23n) | (1341n << 10n) | 905n,
      { scheme: "instagram", epochMs: Date.UTC(2011, 0, 1), ...all },
      { timestampMs: Date.UTC(2011, 0, 1) + 1_387_263_000, machineId: 1341, sequence: 905 },
    ],
    [
      "mastodon: the status of a time, as its id_at() makes it",
      1_656_432_460_000n << 16n,
      { scheme: "mastodon", ...all },
      { timestampMs: 1_656_432_460_000, machineId: 0, sequence: 0 },
    ],
    [
      "sonyflake: the sequence stands above the machine, and a tick lasts 10 ms",
      (38_000_000_000n << 24n) | (200n << 16n) | 0x0a07n,
      { scheme: "sonyflake", ...all },
      { timestampMs: Date.UTC(2014, 8, 1) + 380_000_000_000, machineId: 0x0a07, sequence: 200 },
    ],
    [
      "sonyflake-v2: the same since 2025",
      (5_000_000_000n << 24n) | (200n << 16n) | 0x0a07n,
      { scheme: "sonyflake-v2", ...all },
      { timestampMs: Date.UTC(2025, 0, 1) + 50_000_000_000, machineId: 0x0a07, sequence: 200 },
    ],
  ])("%s", (_name, id, to, fields) => {
    expect(fieldsOf(id, to)).toMatchObject({ id, ...fields });
  });

  test("presets have the epoch of the library", () => {
    const id = 911780371413233664n;
    const { timestampMs, datacenterId, machineId } = decode(id, "twitter");
    expect(fieldsOf(id, { scheme: "twitter", ...all })).toMatchObject({
      timestampMs,
      datacenterId,
      machineId,
    });
  });
});

describe("wrong options are refused", () => {
  const good: Migration = { from: { scheme: "x" }, to: { scheme: "twitter" }, cutOver };
  const from = (side: object) => ({ ...good, from: { scheme: "x", ...side } });
  const to = (side: object) => ({ ...good, to: { scheme: "x", ...side } });
  test.each<[object, string]>([
    [{ ...good, cutover: 1 }, 'option must be one of from, to, cutOver, maxSkewMs, got "cutover"'],
    [
      { ...good, cutOver: undefined },
      "cutOver must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 8640000000000000 (+275760-09-13T00:00:00.000Z), got undefined",
    ],
    [{ ...good, maxSkewMs: -1 }, "maxSkewMs must be a whole number from 0 to 1000000000000, got -1"],
    [{ ...good, from: "x" }, 'from must be an object, got "x"'],
    [{ ...good, to: undefined }, "to must be an object, got undefined"],
    [{ ...good, from: { scheme: "uuid", max: 1 } }, 'option must be one of scheme, got "max"'],
    [
      { ...good, from: { scheme: "serial" } },
      "from.max must be a bigint or a safe integer from 1 to 2^63-1, got undefined",
    ],
    [
      { ...good, from: { scheme: "serial", min: -1, max: 5 } },
      "from.min must be a bigint or a safe integer from 0 to 2^63-1, got -1",
    ],
    [
      { ...good, from: { scheme: "serial", min: 5, max: 4 } },
      "from.max must be a bigint or a safe integer from 5 to 2^63-1, got 4",
    ],
    [
      { ...good, from: { scheme: "serial", max: "7" } },
      'from.max must be a bigint or a safe integer from 1 to 2^63-1, got "7"',
    ],
    [
      { ...good, from: { scheme: "serial", max: 2n ** 63n } },
      "from.max must be a bigint or a safe integer from 1 to 2^63-1, got 9223372036854775808n",
    ],
    [
      { ...good, from: { scheme: "serial", max: 4, nodes: [] } },
      'option must be one of scheme, max, min, got "nodes"',
    ],
    [
      from({ scheme: "snowflake" }),
      'from.scheme must be one of twitter, minimal, single_dc, large_cluster, high_throughput, safe_integer, x, discord, sapphire, nodejs-snowflake, sonyflake, sonyflake-v2, instagram, mastodon, serial, uuid, got "snowflake"',
    ],
    [
      to({ scheme: "serial" }),
      'to.scheme must be one of twitter, minimal, single_dc, large_cluster, high_throughput, safe_integer, x, discord, sapphire, nodejs-snowflake, sonyflake, sonyflake-v2, instagram, mastodon, got "serial"',
    ],
    [to({ scheme: 5 }), "to.scheme must be the name of a scheme or a layout, got 5"],
    [
      to({ scheme: "sapphire" }),
      "to.epochMs must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 8640000000000000 (+275760-09-13T00:00:00.000Z), got undefined",
    ],
    [
      to({ scheme: PRESET_TWITTER }),
      "to.epochMs must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 8640000000000000 (+275760-09-13T00:00:00.000Z), got undefined",
    ],
    [
      to({ scheme: { timestampBits: 0, epochMs: 0 } }),
      "to.timestampBits must be a whole number from 1 to 53, got 0",
    ],
    [
      to({ scheme: { timestampBits: 41, machineBits: 23, epochMs: 0 } }),
      "to.scheme must be 63 bits or fewer, got 64",
    ],
    [
      to({ scheme: { timestampBits: 41, machinebits: 2 } }),
      'option must be one of timestampBits, datacenterBits, machineBits, sequenceBits, isSequenceFirst, epochMs, tickMs, got "machinebits"',
    ],
    [
      to({ scheme: { timestampBits: 41, isSequenceFirst: 1, epochMs: 0 } }),
      "to.isSequenceFirst must be one of true, false, got 1",
    ],
    [
      to({ scheme: { timestampBits: 41, machineBits: null, epochMs: 0 } }),
      "to.machineBits must be a whole number from 0 to 53, got null",
    ],
    [to({ tickMs: 0 }), "to.tickMs must be a whole number from 1 to 8640000000000000, got 0"],
    [
      to({ epochMs: "2020" }),
      'to.epochMs must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 8640000000000000 (+275760-09-13T00:00:00.000Z), got "2020"',
    ],
    [to({ nodes: [] }), "to.nodes must be a list of at least one node, got [object]"],
    [to({ nodes: 5 }), "to.nodes must be a list of at least one node, got 5"],
    [to({ nodes: [1024] }), "to.nodes[0] must be a whole number from 0 to 1023 (10 bits), got 1024"],
    [to({ nodes: [0, [5, 4]] }), "to.nodes[1][1] must be a whole number from 5 to 1023 (10 bits), got 4"],
    [
      to({ nodes: [[5]] }),
      "to.nodes[0] must be a node, [first, last] or { datacenterId, machineId }, got [object]",
    ],
    [
      to({ nodes: ["5"] }),
      'to.nodes[0] must be a node, [first, last] or { datacenterId, machineId }, got "5"',
    ],
    [
      to({ nodes: [{ machineId: 3 }] }),
      "to.nodes[0].datacenterId must be a whole number from 0 to 31 (5 bits), got undefined",
    ],
    [
      to({ nodes: [{ datacenterId: 3, machineId: 32 }] }),
      "to.nodes[0].machineId must be a whole number from 0 to 31 (5 bits), got 32",
    ],
    [
      to({ nodes: [{ datacenter: 3 }] }),
      'to.nodes[0] must be one of datacenterId, machineId, got "datacenter"',
    ],
    [
      from({ until: new Date("2010-01-01") }),
      "from.until must be a Date, or milliseconds since 1970, from 1288834974658 (2010-11-04T01:42:54.658Z) to 3487858225209 (2080-07-10T17:30:25.209Z), got 1262304000000",
    ],
    [
      from({ since: 1.7e12, until: 1.6e12 }),
      "from.until must be a Date, or milliseconds since 1970, from 1700000000001 (2023-11-14T22:13:20.001Z) to 3487858225209 (2080-07-10T17:30:25.209Z), got 1600000000000",
    ],
    [
      from({ until: Date.UTC(2090, 0, 1) }),
      "from.until must be a Date, or milliseconds since 1970, from 1288834974658 (2010-11-04T01:42:54.658Z) to 3487858225209 (2080-07-10T17:30:25.209Z), got 3786912000000",
    ],
    [
      to({ since: Date.UTC(2090, 0, 1) }),
      "to.since must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 3487858235208 (2080-07-10T17:30:35.208Z), got 3786912000000",
    ],
    [
      to({ since: "now" }),
      'to.since must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 3487858235208 (2080-07-10T17:30:35.208Z), got "now"',
    ],
  ])("case %#", (options, message) => {
    expect(() => proveMigration(options as Migration)).toThrow(
      expect.objectContaining({ message, code: expect.stringMatching(/^ERR_(ARGUMENT|LAYOUT)$/) }),
    );
  });

  test("the limits that the messages name are accepted", () => {
    expect(proveMigration(from({ until: 3487858225209 }) as Migration).disjoint).toBe(false);
    expect(() => proveMigration(from({ until: 3487858225210 }) as Migration)).toThrow("from.until");
    const { smallestNew } = proveMigration(to({ since: 3487858235208 }) as Migration) as UnorderedVerdict;
    expect(smallestNew).toMatchObject({ timestampMs: 3487858230208 });
    expect(() => proveMigration(to({ since: 3487858235209 }) as Migration)).toThrow("to.since");
  });
});

test("long lists of ranges are searched by halves", () => {
  let reads = 0;
  const everySecond = (from: bigint) => {
    const ranges = Array.from({ length: 2 ** 12 }, (_, at): [bigint, bigint] => {
      const node = 2n * BigInt(at) + from;
      return [node, node];
    });
    const get = (list: typeof ranges, name: string | symbol) => {
      reads++;
      return Reflect.get(list, name);
    };
    return { low: 0n, high: 2n ** 63n - 1n, bits: 13n, ranges: new Proxy(ranges, { get }) };
  };
  expect(smallestCommon(everySecond(0n), everySecond(1n))).toBeUndefined();
  expect(reads).toBeLessThan(2 ** 12 * 100);
});

test("a polluted Object.prototype narrows no side, and widens none", () => {
  const cutOver = new Date("2026-12-01");
  const migration: Migration = {
    from: { scheme: "twitter", nodes: [{ datacenterId: 0 }] },
    to: { scheme: "twitter" },
    cutOver,
  };
  const before = proveMigration(migration);
  const polluted = {
    nodes: [5],
    machineId: 7,
    until: 0,
    since: 0,
    epochMs: 5,
    tickMs: 9,
    maxSkewMs: 0,
    isSequenceFirst: true,
  };
  try {
    for (const [name, value] of Object.entries(polluted))
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    expect(proveMigration(migration)).toEqual(before);
  } finally {
    for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
  }
});
