// Backfill: order, uniqueness and resuming for any rows in any order; its limits; and the table of counts.

import { decode, encode, makeGenerator, PRESET_SAFE_INTEGER } from "bitflake";
import { Backfill, type BackfillOptions, backfill, type NodeEntry, proveMigration } from "bitflake/migrate";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TickCounts } from "../../src/migrate/tickCounts.ts";
import { anyWidths } from "../support/arbitraries.ts";

const EPOCH = 1_577_836_800_000;
const before = EPOCH + 1_000_000;

/** Returns a limit as the errors write it. */
const moment = (ms: number) => `${ms} (${new Date(ms).toISOString()})`;

/** Returns the items of a stream. */
async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Options of a backfill of rows from the first seconds after the epoch. */
const anyOptions = anyWidths
  .filter(({ timestampBits }) => timestampBits >= 24)
  .chain((widths) => {
    const { datacenterBits, machineBits } = widths;
    const size = Math.min(2 ** (datacenterBits + machineBits), 2 ** 40);
    return fc
      .record({
        tickMs: fc.constantFrom(1, 1, 2, 10),
        offsetMs: fc.constantFrom(0, 0, -3, 17),
        precision: fc.constantFrom(undefined, 1, 20, 1000),
        node: fc.integer({ min: 0, max: size - 1 }),
        count: fc.integer({ min: 1, max: 3 }),
      })
      .map(({ tickMs, offsetMs, precision, node, count }) => {
        const preset = { ...widths, tickMs, epochMs: EPOCH + offsetMs };
        const nodes: NodeEntry[] = [[node, Math.min(node + count, size) - 1]];
        const precisionMs = precision === undefined ? undefined : precision * tickMs;
        return { preset, nodes, before, precisionMs } satisfies BackfillOptions;
      });
  });

/** Rows of few moments, so that ticks fill up. */
const anyRun = anyOptions.chain((options) => {
  const step = options.precisionMs ?? 1;
  const first = Math.ceil((EPOCH + 17) / step) * step;
  const moments = fc.array(fc.nat(5), { minLength: 1, maxLength: 40 });
  return moments.map((steps) => ({ options, rows: steps.map((at) => first + at * step) }));
});

/** Gives rows IDs until a tick is full. */
function issueAll(ids: Backfill, rows: readonly number[]): { createdAt: number; id: bigint }[] {
  return rows.flatMap((createdAt) => {
    try {
      return [{ createdAt, id: ids.nextId(createdAt) }];
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_TICK_FULL", createdAtMs: createdAt });
      return [];
    }
  });
}

describe("the IDs of rows in any order", () => {
  test("are unique, ordered by time, on the reserved nodes and before the cut-over", () => {
    fc.assert(
      fc.property(anyRun, ({ options, rows }) => {
        const { preset, nodes, precisionMs = 1 } = options;
        const { tickMs, epochMs } = preset;
        const issued = issueAll(new Backfill(options), rows);
        expect(new Set(issued.map(({ id }) => id)).size).toBe(issued.length);
        const tickOf = (ms: number) => Math.floor((ms - epochMs) / tickMs);
        const sorted = issued.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        for (const [at, { createdAt, id }] of sorted.entries()) {
          const previous = sorted[at - 1]?.createdAt ?? createdAt;
          // Rows of one tick have no order, unless their times are rounded to more than that.
          expect(tickOf(previous)).toBeLessThanOrEqual(tickOf(createdAt));
          const { timestampMs, datacenterId, machineId } = decode(id, preset);
          const late = tickOf(timestampMs) - tickOf(createdAt);
          expect(late).toBeGreaterThanOrEqual(0);
          expect(late).toBeLessThan(Math.max(1, precisionMs / tickMs));
          expect(timestampMs + tickMs).toBeLessThanOrEqual(before);
          const node = datacenterId * 2 ** preset.machineBits + machineId;
          const [first, last] = nodes[0] as readonly [number, number];
          expect(node).toBeGreaterThanOrEqual(first);
          expect(node).toBeLessThanOrEqual(last);
        }
      }),
    );
  });

  test("use every ID of a moment, and no more", () => {
    const widths = { timestampBits: 41, datacenterBits: 20, machineBits: 0, sequenceBits: 2 };
    const options = { preset: { ...widths, tickMs: 10 }, nodes: [[5, 7]], before, precisionMs: 100 } as const;
    const ids = new Backfill(options);
    const at = EPOCH + 300;
    // 10 ticks, 3 nodes, 4 sequence numbers.
    const issued = Array.from({ length: 120 }, () => ids.nextId(at));
    const expected: bigint[] = [];
    for (let tick = 0; tick < 10; tick++) {
      for (const datacenterId of [5, 6, 7]) {
        for (let sequence = 0; sequence < 4; sequence++) {
          expected.push(encode({ timestampMs: at + tick * 10, datacenterId, sequence }, options.preset));
        }
      }
    }
    expect(issued).toEqual(expected);
    for (let tries = 0; tries < 2; tries++) {
      expect(() => ids.nextId(at)).toThrow(
        expect.objectContaining({
          name: "TickFullError",
          code: "ERR_TICK_FULL",
          ...{ createdAtMs: at, tick: 30, count: 120 },
          message: `the reserved nodes have no ID left for rows created at ${at} (tick 30): all 120 count as used. Continue on other reserved nodes, or set precisionMs if the times are rounded`,
        }),
      );
    }
    expect(ids.nextId(at + 100)).toBeGreaterThan(issued[119] as bigint);
    expect(ids.nextId(at - 100)).toBeLessThan(issued[0] as bigint);
  });

  test("continue in a new run that gets those of the table, wherever the former one stopped", () => {
    fc.assert(
      fc.property(
        anyRun,
        fc.nat(40),
        fc.infiniteStream(fc.boolean()),
        ({ options, rows }, stop, isWritten) => {
          const former = issueAll(new Backfill(options), rows.slice(0, stop));
          // The table has any part of the IDs that the former run made, in any order, and IDs of other generators.
          const table = former.filter(() => isWritten.next().value).map(({ id }) => id);
          const next = new Backfill(options);
          for (const id of [...table].reverse()) next.markTaken(String(id));
          const rest = issueAll(next, rows.slice(stop));
          const all = [...table, ...rest.map(({ id }) => id)];
          expect(new Set(all).size).toBe(all.length);
        },
      ),
    );
  });

  test("are those of an uninterrupted run, if the table has all IDs of the former one", () => {
    fc.assert(
      fc.property(anyRun, fc.nat(40), ({ options, rows }, stop) => {
        const whole = issueAll(new Backfill(options), rows);
        const first = issueAll(new Backfill(options), rows.slice(0, stop));
        const next = new Backfill(options);
        for (const { id } of first) next.markTaken(id);
        expect([...first, ...issueAll(next, rows.slice(stop))]).toEqual(whole);
      }),
    );
  });

  test("stay unique if the next run has other nodes or another precision", () => {
    const preset = { timestampBits: 41, datacenterBits: 0, machineBits: 20, sequenceBits: 2, epochMs: EPOCH };
    const runs = fc.array(
      fc.record({
        nodes: fc.constantFrom<NodeEntry[][]>([3], [[3, 4]], [3, 2]),
        precisionMs: fc.constantFrom(undefined, 1, 10),
        rows: fc.array(
          fc.integer({ min: 1, max: 3 }).map((at) => EPOCH + at * 10),
          { maxLength: 12 },
        ),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(runs, (each) => {
        const table: bigint[] = [];
        for (const { rows, ...options } of each) {
          const ids = new Backfill({ preset, before, ...options });
          for (const id of table) ids.markTaken(id);
          table.push(...issueAll(ids, rows).map(({ id }) => id));
        }
        expect(new Set(table).size).toBe(table.length);
      }),
    );
  });

  test("are none of a live generator's, which the prover confirms", () => {
    const clock = () => before - 1;
    const live = new Set(
      [0, 5, 1022].flatMap((node) => makeGenerator("single_dc", { machineId: node, clock }).nextIds(500)),
    );
    const old = new Backfill({ preset: "single_dc", nodes: [1023], before });
    for (let i = 0; i < 500; i++) expect(live.has(old.nextId(before - 1))).toBe(false);
    const verdict = proveMigration({
      from: { scheme: "single_dc", nodes: [1023] },
      to: { scheme: "single_dc", nodes: [[0, 1022]], since: EPOCH },
      cutOver: before,
    });
    expect(verdict.disjoint).toBe(true);
  });
});

describe("a row is refused, and nothing changes,", () => {
  const options: BackfillOptions = { preset: "twitter", nodes: [1023], before };
  const rule = `createdAt must be a Date, or milliseconds since 1970, from ${moment(EPOCH)} to ${moment(before - 1)}, got `;
  test.each<[string, unknown, BackfillOptions, string]>([
    ["before the epoch", EPOCH - 1, options, rule + (EPOCH - 1)],
    ["at the cut-over", new Date(before), options, rule + before],
    ["with an invalid Date", new Date("x"), options, `${rule}NaN`],
    ["with a fraction", EPOCH + 0.5, options, `${rule}${EPOCH + 0.5}`],
    ["with a text", "2024-05-01", options, `${rule}"2024-05-01"`],
    ["without a time", undefined, options, `${rule}undefined`],
    [
      "with more precision than precisionMs",
      EPOCH + 1001,
      { ...options, precisionMs: 1000 },
      `createdAt must be a multiple of precisionMs, 1000, got ${EPOCH + 1001}`,
    ],
    [
      "in a span that does not end before the cut-over",
      before,
      { ...options, before: before + 1, precisionMs: 1000 },
      `createdAt must be a Date, or milliseconds since 1970, from ${moment(EPOCH)} to ${moment(before - 999)}, got ${before}`,
    ],
    [
      "in a tick that does not end before the cut-over",
      before - 1,
      { ...options, preset: { ...PRESET_SAFE_INTEGER, tickMs: 7 }, nodes: [3] },
      // 142857 ticks of 7 ms are 999999 ms.
      `createdAt must be a Date, or milliseconds since 1970, from ${moment(EPOCH)} to ${moment(before - 2)}, got ${before - 1}`,
    ],
    [
      "after the last tick of the layout",
      EPOCH + 2 ** 24,
      {
        preset: { timestampBits: 24, datacenterBits: 20, machineBits: 9, sequenceBits: 10 },
        nodes: [0],
        before: EPOCH + 2 ** 25,
      },
      `createdAt must be a Date, or milliseconds since 1970, from ${moment(EPOCH)} to ${moment(EPOCH + 2 ** 24 - 1)}, got ${EPOCH + 2 ** 24}`,
    ],
  ])("%s", (_name, createdAt, given, message) => {
    const ids = new Backfill(given);
    expect(() => ids.nextId(createdAt as number)).toThrow(
      expect.objectContaining({ message, code: "ERR_ARGUMENT", field: "createdAt" }),
    );
    const at = EPOCH + 5000;
    expect(ids.nextId(at)).toBe(new Backfill(given).nextId(at));
  });

  test("and the last moment before the cut-over is accepted", () => {
    const { timestampMs } = decode(new Backfill(options).nextId(before - 1), "twitter");
    expect(timestampMs).toBe(before - 1);
  });
});

describe("wrong options are refused", () => {
  const good = { preset: "twitter", nodes: [1023], before } as const;
  test.each<[object, string]>([
    [{ ...good, node: 1 }, 'option must be one of preset, nodes, before, precisionMs, got "node"'],
    [
      { ...good, preset: "twiter" },
      'preset must be one of twitter, minimal, single_dc, large_cluster, high_throughput, safe_integer, x, discord, got "twiter"',
    ],
    [{ preset: "twitter", before }, "nodes must be a list of at least one node, got [object]"],
    [{ ...good, nodes: [1024] }, "nodes[0] must be a whole number from 0 to 1023 (10 bits), got 1024"],
    [{ ...good, nodes: { datacenterId: 31 } }, "nodes must be a list of at least one node, got [object]"],
    [
      { ...good, nodes: [0, 31] },
      "nodes must be a list of nodes that follow each other, such as [[0, 31]], got [object]",
    ],
    [
      { ...good, nodes: Array(2) },
      "nodes[0] must be a node, [first, last] or { datacenterId, machineId }, got undefined",
    ],
    [
      { ...good, before: undefined },
      "before must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 8640000000000000 (+275760-09-13T00:00:00.000Z), got undefined",
    ],
    [{ ...good, before: EPOCH }, `before must be at least ${EPOCH + 1}, got ${EPOCH}`],
    [
      { ...good, before: EPOCH + 999, precisionMs: 1000 },
      `before must be at least ${EPOCH + 1000}, got ${EPOCH + 999}`,
    ],
    [{ ...good, precisionMs: 0 }, "precisionMs must be a whole number from 1 to 1000000000000, got 0"],
    [
      { ...good, preset: { ...PRESET_SAFE_INTEGER, tickMs: 10 }, nodes: [0], precisionMs: 15 },
      "precisionMs must be a multiple of tickMs, 10, got 15",
    ],
  ])("%j", (options, message) => {
    expect(() => new Backfill(options as BackfillOptions)).toThrow(
      expect.objectContaining({ message, code: "ERR_ARGUMENT" }),
    );
  });
});

test("markTaken ignores other nodes, and refuses a value that is no ID", () => {
  const at = EPOCH + 5000;
  const options: BackfillOptions = { preset: "twitter", nodes: [[100, 101]], before };
  const ids = new Backfill(options);
  for (const machineId of [3, 6])
    ids.markTaken(encode({ timestampMs: at, datacenterId: 3, machineId, sequence: 9 }, "twitter"));
  expect(ids.nextId(at)).toBe(new Backfill(options).nextId(at));
  expect(() => ids.markTaken("x")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ID" }));
});

describe("backfill()", () => {
  const options = { preset: "twitter", nodes: [{ datacenterId: 31 }], before, taken: [] } as const;
  const rows = [EPOCH + 7, EPOCH + 3, EPOCH + 7].map((createdAt, key) => ({
    key,
    createdAt: new Date(createdAt),
  }));

  test.each(["sync", "async"])("gives each row of a %s source its ID", async (kind) => {
    async function* later() {
      yield* rows;
    }
    const issued = await collect(backfill(kind === "sync" ? rows : later(), options));
    const ids = new Backfill({ preset: "twitter", nodes: [{ datacenterId: 31 }], before });
    expect(issued).toEqual(rows.map((row) => ({ row, id: ids.nextId(row.createdAt) })));
  });

  test("reads options by their getters too", async () => {
    class Options {
      readonly preset = "twitter";
      readonly nodes = [5];
      readonly before = before;
      readonly taken: bigint[] = [];
      get precisionMs(): number {
        return 1000;
      }
    }
    await expect(collect(backfill([{ createdAt: EPOCH + 7 }], new Options()))).rejects.toMatchObject({
      field: "rows[0].createdAt",
      rule: "a multiple of precisionMs, 1000",
    });
  });

  test("reads the IDs that are taken before the first row", async () => {
    const [first] = await collect(backfill(rows, options));
    async function* taken() {
      yield first?.id as bigint;
    }
    const [again] = await collect(backfill(rows, { ...options, taken: taken() }));
    expect(again?.id).toBe((first?.id as bigint) + 1n);
  });

  test("reads a row only when the one before has been used", async () => {
    let read = 0;
    function* source() {
      for (const row of rows) {
        read++;
        yield row;
      }
    }
    const stream = backfill(source(), options);
    await stream.next();
    expect(read).toBe(1);
    await stream.return();
    expect(read).toBe(1);
  });

  test("names the row that it refuses", async () => {
    const wrong = [rows[0], { createdAt: before }] as { createdAt: number }[];
    await expect(collect(backfill(wrong, options))).rejects.toThrow(
      expect.objectContaining({ field: "rows[1].createdAt" }),
    );
    await expect(collect(backfill([undefined as never], options))).rejects.toThrow(
      expect.objectContaining({ field: "rows[0]" }),
    );
  });

  test("refuses wrong options at once, and rows and IDs that are no lists", async () => {
    expect(() => backfill(rows, { ...options, before: 0 })).toThrow(
      expect.objectContaining({ field: "before" }),
    );
    expect(() => backfill(rows, undefined as never)).toThrow(expect.objectContaining({ field: "options" }));
    const { taken: _, ...without } = options;
    expect(() => backfill(rows, without as never)).toThrow(expect.objectContaining({ field: "taken" }));
    expect(() => backfill(5 as never, options)).toThrow(expect.objectContaining({ field: "rows" }));
  });
});

describe("the table of counts", () => {
  test("is a Map of ticks", () => {
    const tick = fc.oneof(
      fc.nat(20),
      fc.nat(2000).map((n) => n * 86_400_000),
      fc.integer({ min: 0, max: 2 ** 53 - 2 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(tick, fc.integer({ min: 1, max: 2 ** 53 - 1 })), { maxLength: 3000, size: "max" }),
        (steps) => {
          const counts = new TickCounts();
          const map = new Map<number, number>();
          for (const [at, count] of steps) {
            expect(counts.get(at)).toBe(map.get(at) ?? 0);
            counts.set(at, count);
            map.set(at, count);
          }
          for (const [at, count] of map) expect(counts.get(at)).toBe(count);
        },
      ),
      { numRuns: 20 },
    );
  });

  test.each([1, 1000, 4096, 86_400_000, 2 ** 32])("holds 20,000 multiples of %i", (step) => {
    const counts = new TickCounts();
    for (let i = 0; i < 20_000; i++) counts.set(i * step, i + 1);
    for (let i = 0; i < 20_000; i++) if (counts.get(i * step) !== i + 1) expect.fail(`tick ${i * step}`);
    expect(counts.get(20_000 * step)).toBe(0);
  });
});

test("markTaken ignores the ID of a tick before the first moment after the epoch", () => {
  const preset = {
    timestampBits: 41,
    datacenterBits: 0,
    machineBits: 10,
    sequenceBits: 12,
    epochMs: EPOCH + 1,
  };
  // A former run without precisionMs gave it to a row of the second that the epoch cuts.
  const former = new Backfill({ preset, nodes: [3], before }).nextId(EPOCH + 500);
  const options: BackfillOptions = { preset, nodes: [3], before, precisionMs: 1000 };
  const resumed = new Backfill(options);
  resumed.markTaken(former);
  for (const at of [EPOCH + 1000, EPOCH + 2000])
    expect(resumed.nextId(at)).toBe(new Backfill(options).nextId(at));
});

test("backfill refuses a text, whose characters are no IDs", () => {
  const options = { preset: "twitter", nodes: [1], before } as const;
  expect(() => backfill([], { ...options, taken: "573478797312020480" as unknown as bigint[] })).toThrow(
    'taken must be an iterable object, got "573478797312020480"',
  );
});
