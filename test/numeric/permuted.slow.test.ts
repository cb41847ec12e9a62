// PermutedIds with counters in memory: each ID once, the order of a key, what the store records, and failures.

import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import { Counter } from "../../src/counter/index.ts";
import { MAX_VALUE } from "../../src/counter/rule.ts";
import { Ff1 } from "../../src/numeric/ff1.ts";
import {
  ArgumentError,
  BackendError,
  CounterBackwardsError,
  CounterExhaustedError,
  IdPoolExhaustedError,
  InvalidIdError,
  NamespaceError,
  NumericIdType,
  PermutedIds,
  type PermutedIdsOptions,
  verhoeff,
} from "../../src/numeric/index.ts";
import { randomDigit } from "../../src/numeric/random.ts";

/** The keys of the standard's examples: 16, 24 and 32 bytes. */
const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const KEYS = [KEY, `${KEY}ef4359d8d580aa4f`, `${KEY}ef4359d8d580aa4f7f036d6f04fc6a94`];

const typeOf = (length: number, name = "farmer") => new NumericIdType({ name, length });

/** Creates a permutation. By default it has IDs of six digits, its own store and a block of 1. */
function idsOf({
  backend = memory(),
  length = 6,
  type = typeOf(length),
  key = KEY as PermutedIdsOptions["key"],
  block = 1,
  floor = 1n,
  name = "farmers",
} = {}): PermutedIds {
  return new PermutedIds({ type, key, counter: new Counter({ backend, name, block, floor }) });
}

async function take(ids: PermutedIds, count: number): Promise<string[]> {
  const issued: string[] = [];
  for (let i = 0; i < count; i++) issued.push(await ids.issue());
  return issued;
}

/** Returns digits with their check digit. */
const checked = (digits: string): string => digits + verhoeff.checkDigit(digits);

/** Returns the error that a call rejects with. */
const refusal = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    (value) => {
      throw new Error(`not refused, but ${value}`);
    },
    (error) => error,
  );

/** Issues IDs until an error. Returns both. */
async function drain(ids: () => PermutedIds): Promise<{ issued: string[]; end: unknown }> {
  const issued: string[] = [];
  for (;;) {
    try {
      issued.push(await ids().issue());
    } catch (end) {
      return { issued, end };
    }
  }
}

/** Returns the first IDs of a permutation in its order, or all, without issuing them. */
function orderOf(ids: PermutedIds, most = Infinity): string[] {
  const size = 10n ** BigInt(ids.type.length - 1);
  const order: string[] = [];
  for (let position = 1n; position <= size && order.length < most; position++) {
    const id = ids.idAt(position);
    if (id !== undefined) order.push(id);
  }
  return order;
}

/** A store that records its calls and fails on demand. */
function watched(): MemoryPort & { calls: string[]; fails: (name: string) => boolean } {
  const store = memory();
  const port = {
    calls: [] as string[],
    fails: (_name: string): boolean => false,
    change: ((name, change) => {
      port.calls.push(name);
      if (port.fails(name)) throw new Error("connection refused");
      return store.change(name, change);
    }) as MemoryPort["change"],
  };
  return port;
}

/** Returns the error that a call throws. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("not refused");
}

afterEach(() => {
  vi.useRealTimers();
});

describe("all IDs of six digits", () => {
  test.each([1, 1000])("are issued once each, by blocks of %d, and then none", async (block) => {
    const ids = idsOf({ block });
    const { issued, end } = await drain(() => ids);
    expect(issued.length).toBe(29_593);
    expect(new Set(issued).size).toBe(29_593);
    expect(issued.filter((id) => !ids.type.validate(id).valid)).toEqual([]);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
    expect(end).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", type: "farmer", count: 1, available: 0 });
  });

  test("are issued once each, however often the process restarts", async () => {
    const backend = memory();
    let [ids, restarts] = [idsOf({ backend }), 0];
    const { issued, end } = await drain(() => {
      if (randomDigit() + randomDigit() === 0) {
        ids = idsOf({ backend });
        restarts++;
      }
      return ids;
    });
    expect(restarts).toBeGreaterThan(100);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
    expect(issued.length).toBe(29_593);
    expect(issued).toEqual(orderOf(ids));
  });

  test("or of five are issued once each by two concurrent processes with blocks of different sizes", async () => {
    const backend = memory();
    const both = [idsOf({ backend, length: 5, block: 7 }), idsOf({ backend, length: 5, block: 300 })];
    const ends = await Promise.all(both.map((ids) => drain(() => ids)));
    const issued = ends.flatMap((end) => end.issued);
    expect([issued.length, new Set(issued).size]).toEqual([3723, 3723]);
    expect(ends.map(({ end }) => end)).toEqual([
      expect.any(IdPoolExhaustedError),
      expect.any(IdPoolExhaustedError),
    ]);
  });
});

test.each([
  [2, 8],
  [3, 54],
  [4, 465],
])("issues all IDs of %d digits: %d", async (length, count) => {
  for (const block of [1, 13]) {
    const ids = idsOf({ length, block });
    const { issued, end } = await drain(() => ids);
    expect([issued.length, new Set(issued).size]).toEqual([count, count]);
    expect(BigInt(count)).toBe(ids.type.capacity().ids);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
  }
});

test("issues all IDs whether or not the last positions hold one, and moves the counter no further", async () => {
  const ends = new Set<string>();
  for (let i = 0; i < 40; i++) {
    const backend = watched();
    const ids = idsOf({ backend, length: 3, key: `${KEY.slice(0, -2)}${10 + i}` });
    const order = orderOf(ids);
    const { issued } = await drain(() => ids);
    expect(issued).toEqual(order);
    const [isOne, isLast] = [99n, 100n].map((position) => ids.idAt(position) !== undefined);
    // If the last position holds an ID, the end has not been reached before the next call.
    expect(backend.calls.filter((name) => name.startsWith("counter")).length).toBe(isLast ? 101 : 100);
    ends.add(`${isOne} ${isLast}`);
  }
  expect(ends.size).toBe(4);
});

test("throws IdPoolExhaustedError for rules that no ID keeps, and lets other tasks run until then", async () => {
  const type = new NumericIdType({ name: "t", length: 5, rules: "mosip" });
  // In memory, where all of it would be one task without a pause.
  const ids = idsOf({ type, block: 10_000 });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const { issued, end } = await drain(() => ids);
  clearInterval(timer);
  expect(issued).toEqual([]);
  expect(end).toBeInstanceOf(IdPoolExhaustedError);
  expect(turns).toBeGreaterThan(3);
});

describe("after the last ID", () => {
  test("a restarted process throws at its first step", async () => {
    for (const block of [1, 1000]) {
      const backend = watched();
      const first = idsOf({ backend, length: 3, block });
      await drain(() => first);
      backend.calls = [];
      const ids = idsOf({ backend, length: 3, block });
      expect(await refusal(ids.issue())).toBeInstanceOf(IdPoolExhaustedError);
      expect(new Set(backend.calls)).toEqual(new Set(["ids:farmer", "ids:{farmers}", "counter:farmers"]));
      expect(backend.calls.filter((name) => name === "counter:farmers").length).toBe(1);
    }
  });

  test("the counter is not moved", async () => {
    const backend = watched();
    const ids = idsOf({ backend, length: 3 });
    await drain(() => ids);
    backend.calls = [];
    for (let again = 0; again < 3; again++) {
      expect(await refusal(ids.issue())).toBeInstanceOf(IdPoolExhaustedError);
    }
    expect(backend.calls).toEqual([]);
  });
});

describe("a key", () => {
  test.each(KEYS)("gives the same order in bytes and in hexadecimal: %s", (hex) => {
    const buffer = Buffer.from(hex, "hex");
    // Bytes in the middle of a larger buffer, as those of a Buffer often are.
    const part = new Uint8Array([9, ...buffer, 9]).subarray(1, -1);
    const order = orderOf(idsOf({ length: 4, key: hex }));
    expect(order.length).toBe(465);
    for (const key of [hex.toUpperCase(), Uint8Array.from(buffer), buffer, part]) {
      expect(orderOf(idsOf({ length: 4, key }))).toEqual(order);
    }
  });

  test("is copied, so that later changes of the bytes have no effect", async () => {
    const key = Uint8Array.from(Buffer.from(KEY, "hex"));
    const ids = idsOf({ key });
    const first = await ids.issue();
    key.fill(0);
    expect([first, ...(await take(ids, 9))]).toEqual(orderOf(idsOf(), 10));
  });

  const SECRET = "c0ffee11c0ffee22c0ffee33c0ffee44";
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["an empty text", ""],
    ["a number", 2 ** 53],
    ["a bigint", BigInt(`0x${SECRET}`)],
    ["an array of numbers", [...Buffer.from(SECRET, "hex")]],
    ["an ArrayBuffer", Uint8Array.from(Buffer.from(SECRET, "hex")).buffer],
    ["words of 16 bits", new Uint16Array(16)],
    ["a view", new DataView(new ArrayBuffer(16))],
    ["no bytes", new Uint8Array(0)],
    ["15 bytes", new Uint8Array(15)],
    ["17 bytes", new Uint8Array(17)],
    ["33 bytes", new Uint8Array(33)],
    ["64 bytes", new Uint8Array(64)],
    ["half a byte less", SECRET.slice(1)],
    ["half a byte more", `${SECRET}f`],
    ["a byte more", `${SECRET}ff`],
    ["a digit that is none", `${SECRET.slice(1)}g`],
    ["a prefix", `0x${SECRET}`],
    ["a line break behind it", `${SECRET}\n`],
    ["a space in front", ` ${SECRET.slice(1)}`],
    ["Base64", Buffer.from(SECRET, "hex").toString("base64")],
    ["as many characters, which are no hexadecimal", "correct horse battery staple ...".slice(0, 32)],
    ["digits of full width", SECRET.replace("1", "１")],
  ])("is refused if it is %s, without its value in the message", (_, key) => {
    const counter = new Counter({ backend: memory(), name: "c" });
    const error = thrownBy(() => new PermutedIds({ type: typeOf(6), key: key as string, counter }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({
      field: "key",
      value: expect.stringMatching(/^"(?:\w+ (?:characters|bytes)|undefined|object|number|bigint)"$/),
    });
    const message = [
      String(error),
      JSON.stringify(error),
      inspect(error, { depth: 9, showHidden: true }),
    ].join();
    for (const part of ["c0ffee", "C0FFEE", "wP/u", "192", "9007199254740992", "horse"]) {
      expect(message.split("\n    at ")[0]).not.toContain(part);
    }
  });

  test("is in no error about another option, and not visible in the object", () => {
    const counter = new Counter({ backend: memory(), name: "c" });
    const type = typeOf(6);
    for (const options of [
      { type, key: SECRET },
      { key: SECRET, counter },
      { type, key: SECRET, counter, a: 1 },
    ]) {
      const error = thrownBy(() => new PermutedIds(options as never));
      expect(inspect(error) + JSON.stringify(error)).not.toContain("c0ffee");
    }
    const ids = new PermutedIds({ type, key: SECRET, counter });
    expect(inspect(ids, { depth: 9, showHidden: true }) + JSON.stringify(ids)).not.toContain("c0ffee");
  });

  test("is not in the store, nor in the error about another key", async () => {
    const backend = memory();
    await idsOf({ backend, key: SECRET }).issue();
    const shape = backend.change<string, string>("ids:farmer", (known = "") => [known, known]);
    expect(JSON.parse(shape)).toEqual({
      kind: "permutation",
      length: 6,
      counter: "farmers",
      key: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(shape).not.toMatch(/c0ffee/i);
    const other = SECRET.replace("44", "45");
    const error = await refusal(idsOf({ backend, key: other }).issue());
    expect(inspect(error) + JSON.stringify(error)).not.toMatch(/c0ffee/i);
  });
});

describe("the order", () => {
  test("is the same in whichever order the positions are queried, up to the last", () => {
    const all = orderOf(idsOf({ length: 4 }));
    const found = (ids: PermutedIds, from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => ids.idAt(BigInt(from + at)));
    // Each by a new object, so that only its first call has encrypted numbers ahead.
    const alone = Array.from({ length: 1000 }, (_, at) => found(idsOf({ length: 4 }), at + 1, at + 2)[0]);
    expect(alone.filter((id) => id !== undefined)).toEqual(all);
    const run = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 80 }));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 10 }), (runs) => {
        const ids = idsOf({ length: 4 });
        for (const [from, count] of runs) {
          const to = Math.min(from + count, 1001);
          expect(found(ids, from, to)).toEqual(alone.slice(from - 1, to - 1));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("is that of FF1 from 0 on, with the type's length and name as the tweak", () => {
    for (const [length, name] of [
      [2, "a"],
      [6, "farmer"],
      [10, "Zürich №5"],
      [32, "x".repeat(100)],
    ] as const) {
      const type = typeOf(length, name);
      const cipher = new Ff1(
        Buffer.from(KEY, "hex"),
        length - 1,
        new TextEncoder().encode(`${length} ${name}`),
      );
      const ids = idsOf({ type });
      for (let position = 1n; position <= 10n; position++) {
        const [number = -1n] = cipher.encrypt([position - 1n]);
        const digits = number.toString().padStart(length - 1, "0");
        const id = checked(digits);
        expect(ids.idAt(position)).toBe(type.validate(id).valid ? id : undefined);
      }
    }
  });

  // Pinned, and computed by an independent program: a version with another order would issue IDs twice.
  test.each([
    [6, KEYS[0], ["329526", "758503", "497465"]],
    [10, KEYS[1], ["6571469158", "5139610595", "6580395753"]],
    [12, KEYS[2], ["751087186384", "958759214361", "863054076256"]],
  ])("of %d digits by the key %s is the same in every version", async (length, key, first) => {
    expect(await take(idsOf({ length, key }), 3)).toEqual(first);
  });

  test("is the same with the same key", async () => {
    expect(await take(idsOf({ length: 10 }), 20)).toEqual(await take(idsOf({ length: 10 }), 20));
  });

  test("differs with another key, name or length", () => {
    const order = orderOf(idsOf(), 3000);
    const others = [
      orderOf(idsOf({ key: KEYS[1] }), 3000),
      orderOf(idsOf({ key: `${KEY.slice(0, -1)}d` }), 3000),
      orderOf(idsOf({ type: typeOf(6, "farmes") }), 3000),
      orderOf(idsOf({ length: 7 }), 3000).map((id) => id.slice(0, 5)),
    ];
    for (const other of others) {
      // Two unrelated orders have about one ID at the same position.
      const same = order.filter((id, i) => id.startsWith(other[i] ?? "-"));
      expect(same.length).toBeLessThan(10);
    }
  });

  test("does not resemble the counter", () => {
    const order = orderOf(idsOf()).map(Number);
    const steps = order.slice(1).map((id, i) => id - order[i]);
    const n = order.length;
    // In a random order half of the neighbours ascend, plus or minus the square root of n / 12.
    const ascending = steps.filter((step) => step > 0).length;
    expect(Math.abs(ascending - n / 2)).toBeLessThan(4 * Math.sqrt(n / 12));
    // Their mean distance is a third of the range.
    const apart = steps.reduce((sum, step) => sum + Math.abs(step), 0) / steps.length;
    const [least, most] = [Math.min(...order), Math.max(...order)];
    expect(apart / (most - least)).toBeCloseTo(1 / 3, 1);
    // No distance between neighbours is common.
    const counts = new Map<number, number>();
    for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
    expect(Math.max(...counts.values())).toBeLessThan(12);
    // Early IDs are large as often as late ones.
    const median = [...order].sort((a, b) => a - b)[n >> 1] as number;
    const early = order.slice(0, 1000).filter((id) => id > median).length;
    expect(Math.abs(early - 500)).toBeLessThan(4 * Math.sqrt(250));
  });

  test("does not depend on the rules: other rules select other IDs of it, and none twice", async () => {
    const backend = memory();
    const mosip = new NumericIdType({ name: "farmer", length: 6, rules: "mosip" });
    const issued = await take(idsOf({ backend }), 500);
    const later = await take(idsOf({ backend, type: mosip }), 500);
    expect(new Set([...issued, ...later]).size).toBe(1000);
    expect(later.filter((id) => !mosip.validate(id).valid)).toEqual([]);
  });
});

describe("positions", () => {
  /** A counter that records its last value. */
  class Told extends Counter {
    latest = 0n;
    override async next(): Promise<bigint> {
      this.latest = await super.next();
      return this.latest;
    }
  }

  test.each([2, 3, 4, 5])("are the counter's values, for IDs of %d digits", async (length) => {
    const counter = new Told({ backend: memory(), name: "c", block: 100 });
    const ids = new PermutedIds({ type: typeOf(length), key: KEY, counter });
    const count = Number(ids.type.capacity().ids);
    for (let i = 0; i < count; i++) {
      const id = await ids.issue();
      const found = [ids.positionOf(id), ids.idAt(counter.latest)];
      if (found[0] !== counter.latest || found[1] !== id)
        expect.fail(`${id} is at ${counter.latest}: ${found}`);
    }
  });

  test.each([9, 12, 20, 32])("and IDs are inverse to each other, with %d digits", (length) => {
    const ids = idsOf({ length });
    for (let i = 0; i < 20; i++) {
      const id = ids.type.generate();
      const position = ids.positionOf(id);
      expect(position).toBeGreaterThan(0n);
      expect(position).toBeLessThanOrEqual(10n ** BigInt(length - 1));
      expect(ids.idAt(position)).toBe(id);
    }
  });

  test("are those of the IDs, except the ones that hold none", () => {
    const ids = idsOf({ length: 3 });
    const found = new Map<string, bigint>();
    for (let position = 1n; position <= 100n; position++) {
      const id = ids.idAt(position);
      if (id !== undefined) found.set(id, position);
    }
    expect(found.size).toBe(54);
    for (const [id, position] of found) expect(ids.positionOf(id)).toBe(position);
  });

  test.each<[unknown]>([[0n], [-1n], [100_001n], [10n ** 40n], [1], [1.5], ["1"], [null], [undefined]])(
    "refuse %o",
    (position) => {
      const error = thrownBy(() => idsOf().idAt(position as bigint));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ field: "position", rule: "a bigint from 1 to 100000" });
    },
  );

  test("end at the size of the space", () => {
    const ids = idsOf();
    expect(() => ids.idAt(100_000n)).not.toThrow();
    expect(new Set(Array.from({ length: 10 }, (_, i) => idsOf({ length: 2 }).idAt(BigInt(i + 1)))).size).toBe(
      9,
    );
  });

  /** An ID of six digits. */
  const GOOD = "263041";
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["an empty text", ""],
    ["a number", Number(GOOD)],
    ["a bigint", BigInt(GOOD)],
    ["a word", "farmer"],
    ["an ID of another length", "8349257232"],
    ["an ID with a wrong check digit", `${GOOD.slice(0, -1)}${(Number(GOOD.at(-1)) + 1) % 10}`],
    ["what begins with 0, and is right otherwise", checked("03927")],
    ["digits that break a rule, and are right otherwise", checked("22222")],
    ["an ID with a space", `${GOOD} `],
    ["an ID in a list", [GOOD]],
    ["digits of full width", GOOD.replace("3", "３")],
  ])("are undefined for %s: throws InvalidIdError", (_, text) => {
    const ids = idsOf();
    expect(() => ids.positionOf(GOOD)).not.toThrow();
    const error = thrownBy(() => ids.positionOf(text as string));
    expect(error).toBeInstanceOf(InvalidIdError);
    expect(error).toMatchObject({ field: "id", code: "ERR_INVALID_ID" });
  });

  test("send no query to the store", () => {
    const backend = watched();
    const ids = idsOf({ backend });
    ids.positionOf(orderOf(ids, 1)[0]);
    expect(backend.calls).toEqual([]);
  });
});

describe("a counter with a floor", () => {
  test.each([3, 4])("of 0 issues no ID twice, of %d digits", async (length) => {
    for (const block of [1, 10, 7]) {
      const ids = idsOf({ length, floor: 0n, block });
      const { issued, end } = await drain(() => ids);
      expect(end).toBeInstanceOf(IdPoolExhaustedError);
      expect(issued).toEqual(orderOf(ids));
    }
  });

  test("skips the positions below it", async () => {
    const ids = idsOf({ length: 4, floor: 500n });
    const expected: string[] = [];
    for (let position = 500n; position <= 1000n; position++)
      expected.push(...[ids.idAt(position) ?? []].flat());
    const { issued, end } = await drain(() => ids);
    expect(issued).toEqual(expected);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
  });

  test("at the last position issues at most one ID, and one further none", async () => {
    for (const floor of [1000n, 1001n, MAX_VALUE]) {
      const ids = idsOf({ length: 4, floor });
      const { issued, end } = await drain(() => ids);
      expect(issued).toEqual(floor === 1000n ? [ids.idAt(1000n)].filter((id) => id !== undefined) : []);
      expect(end).toBeInstanceOf(IdPoolExhaustedError);
    }
  });
});

describe("concurrent calls", () => {
  test.each([1, 100])("get different IDs, by blocks of %d", async (block) => {
    const ids = idsOf({ length: 8, block });
    const issued = await Promise.all(Array.from({ length: 500 }, () => ids.issue()));
    expect(new Set(issued).size).toBe(500);
    expect(issued.filter((id) => !ids.type.validate(id).valid)).toEqual([]);
  });

  test.each([1, 10])(
    "get all remaining IDs, and the others an IdPoolExhaustedError, by blocks of %d",
    async (block) => {
      const ids = idsOf({ length: 3, block });
      const calls = await Promise.allSettled(Array.from({ length: 200 }, () => ids.issue()));
      const issued = calls.flatMap((call) => (call.status === "fulfilled" ? [call.value] : []));
      expect(issued.sort()).toEqual(orderOf(ids).sort());
      const ends = calls.flatMap((call) => (call.status === "rejected" ? [call.reason] : []));
      expect(ends.length).toBe(146);
      for (const end of ends) expect(end).toBeInstanceOf(IdPoolExhaustedError);
    },
  );

  test("read the registered shape once", async () => {
    const backend = watched();
    await idsOf({ backend, length: 8 }).issue();
    backend.calls = [];
    const ids = idsOf({ backend, length: 8 });
    await ids.issue();
    const looks = () => backend.calls.filter((name) => name.startsWith("ids:")).length;
    const atFirst = looks();
    await Promise.all(Array.from({ length: 50 }, () => ids.issue()));
    expect(looks()).toBe(atFirst);
    backend.calls = [];
    const other = idsOf({ backend, length: 8 });
    await Promise.all(Array.from({ length: 50 }, () => other.issue()));
    expect(looks()).toBe(atFirst);
  });
});

describe("the registered shape", () => {
  test.each<[string, () => Partial<Parameters<typeof idsOf>[0]>]>([
    ["key", () => ({ key: KEYS[1] })],
    ["counter", () => ({ name: "others" })],
    ["length", () => ({ length: 7 })],
  ])("refuses another %s without moving the counter", async (setting, other) => {
    const backend = memory();
    const ids = idsOf({ backend });
    const first = await take(ids, 3);
    const error = await refusal(idsOf({ backend, ...other() }).issue());
    expect(error).toBeInstanceOf(NamespaceError);
    expect(error).toMatchObject({ code: "ERR_NAMESPACE", field: `${setting} of the ID type "farmer"` });
    expect(error.message).toContain("as recorded in the store");
    const [next] = await take(ids, 1);
    expect([...first, next]).toEqual(orderOf(ids, 4));
    expect(backend.change("counter:others", (at) => [at, at])).toBeUndefined();
  });

  test("names both values in the error", async () => {
    const backend = memory();
    await idsOf({ backend }).issue();
    const error = await refusal(idsOf({ backend, length: 7 }).issue());
    expect(error.message).toBe('length of the ID type "farmer" must be 6, as recorded in the store, got "7"');
    const other = await refusal(idsOf({ backend, name: "others" }).issue());
    expect(other.message).toBe(
      'counter of the ID type "farmer" must be farmers, as recorded in the store, got "others"',
    );
  });

  test("lets another object with the same options continue", async () => {
    const backend = memory();
    const ids = idsOf({ backend });
    const issued = [...(await take(ids, 5)), ...(await take(idsOf({ backend }), 5)), await ids.issue()];
    expect(issued).toEqual(orderOf(ids, 11));
  });

  test("refuses every time", async () => {
    const backend = memory();
    await idsOf({ backend }).issue();
    const other = idsOf({ backend, key: KEYS[2] });
    for (let again = 0; again < 3; again++) {
      expect(await refusal(other.issue())).toBeInstanceOf(NamespaceError);
    }
  });

  test("refuses a counter of another type, because each would miss the other's positions", async () => {
    const backend = memory();
    const farmers = idsOf({ backend });
    await farmers.issue();
    const error = await refusal(idsOf({ backend, type: typeOf(8, "card") }).issue());
    expect(error).toBeInstanceOf(NamespaceError);
    expect(error.message).toBe(
      'type of the counter farmers must be farmer, as recorded in the store, got "card"',
    );
    expect(await farmers.issue()).toBe(orderOf(farmers, 2)[1]);
  });

  test("records nothing for a refused type", async () => {
    const backend = memory();
    await idsOf({ backend }).issue();
    const card = typeOf(8, "card");
    // Neither a foreign counter for a type, nor a second counter of a type.
    await refusal(idsOf({ backend, type: card }).issue());
    await refusal(idsOf({ backend, name: "cards" }).issue());
    expect((await idsOf({ backend, type: card, name: "cards" }).issue()).length).toBe(8);
  });

  test("is separate for each name: another type has its own key, length and counter", async () => {
    const backend = memory();
    const farmers = idsOf({ backend });
    const cards = idsOf({ backend, type: typeOf(8, "card"), key: KEYS[2], name: "cards" });
    for (let i = 0; i < 10; i++) {
      expect((await farmers.issue()).length).toBe(6);
      expect((await cards.issue()).length).toBe(8);
    }
  });
});

describe("long IDs", () => {
  test.each([
    [20, 5],
    [25, 2],
  ])("of %d digits are valid, but slow", async (length, count) => {
    const ids = idsOf({ length, block: 2 ** 20 });
    const issued = await take(ids, count);
    expect(new Set(issued).size).toBe(count);
    expect(issued.map((id) => ids.type.validate(id).broken)).toEqual(issued.map(() => []));
  });

  test("outlast the counter, which throws", async () => {
    const ids = idsOf({ length: 20, floor: MAX_VALUE - 1n });
    const { issued, end } = await drain(() => ids);
    expect(issued.length).toBeLessThanOrEqual(2);
    expect(end).toBeInstanceOf(CounterExhaustedError);
  });
});

describe("a failing store", () => {
  test.each(["ids:farmer", "counter:farmers"])(
    "at %s is a BackendError, and later calls work",
    async (part) => {
      const backend = watched();
      const ids = idsOf({ backend });
      backend.fails = (name) => name === part;
      for (let again = 0; again < 3; again++) {
        const error = await refusal(ids.issue());
        expect(error).toBeInstanceOf(BackendError);
        expect(error).toMatchObject({ reason: "failed", cause: expect.any(Error) });
      }
      backend.fails = () => false;
      expect(await take(ids, 5)).toEqual(orderOf(ids, 5));
      backend.fails = () => true;
      expect(await refusal(ids.issue())).toBeInstanceOf(BackendError);
      backend.fails = () => false;
      expect(await ids.issue()).toBe(orderOf(ids, 6)[5]);
    },
  );

  test("without an answer is a BackendError after the timeout", async () => {
    vi.useFakeTimers();
    const backend = { timeoutMs: 700, change: () => new Promise<never>(() => {}) as never };
    const attempt = refusal(idsOf({ backend }).issue());
    await vi.advanceTimersByTimeAsync(699);
    expect(await Promise.race([attempt, "waiting"])).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(await attempt).toMatchObject({
      code: "ERR_BACKEND",
      reason: "timeout",
      operation: "IDs: register",
    });
  });

  test("that has lost its counter is refused", async () => {
    const backend = memory();
    const ids = idsOf({ backend });
    await take(ids, 5);
    backend.change<bigint, null>("counter:farmers", () => [1n, null]);
    expect(await refusal(ids.issue())).toBeInstanceOf(CounterBackwardsError);
  });

  /** A store in memory with a given shape and a working counter. */
  const remembering = (shape: unknown): MemoryPort => {
    const store = memory();
    return {
      change: ((name, change) =>
        name === "ids:farmer" ? shape : store.change(name, change)) as MemoryPort["change"],
    };
  };

  test("that forgets a written shape is a BackendError", async () => {
    const error = await refusal(idsOf({ backend: remembering(undefined) }).issue());
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["a word", "permutation"],
    ["a number", 5],
    ["an object", { kind: "permutation" }],
    ["an empty text", ""],
    ["a number as text", "5"],
    ["null as text", "null"],
    ["a list", "[]"],
  ])("with a shape of %s is a BackendError", async (_, shape) => {
    const error = await refusal(idsOf({ backend: remembering(shape) }).issue());
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
  });
});

describe("options", () => {
  const type = typeOf(6);
  const counter = new Counter({ backend: memory(), name: "c" });
  test.each<[string, string, unknown]>([
    ["nothing", "options", undefined],
    ["null", "options", null],
    ["a string", "options", "farmer"],
    ["a list", "options", []],
    ["an unknown option", "option", { type, key: KEY, counter, tweak: "a" }],
    ["no type", "type", { key: KEY, counter }],
    ["a type that is a plain object", "type", { type: { name: "farmer", length: 6 }, key: KEY, counter }],
    ["a type that is a string", "type", { type: "farmer", key: KEY, counter }],
    ["no key", "key", { type, counter }],
    ["no counter", "counter", { type, key: KEY }],
    ["a counter that is null", "counter", { type, key: KEY, counter: null }],
    ["a counter that is an empty object", "counter", { type, key: KEY, counter: {} }],
    ["a store for a counter", "counter", { type, key: KEY, counter: memory() }],
    ["a name for a counter", "counter", { type, key: KEY, counter: "c" }],
    ["a number for a counter", "counter", { type, key: KEY, counter: 1n }],
    ["the class for a counter", "counter", { type, key: KEY, counter: Counter }],
    ["a counter without a store", "backend", { type, key: KEY, counter: { next: async () => 1n } }],
  ])("refuse %s", (_, field, options) => {
    const error = thrownBy(() => new PermutedIds(options as PermutedIdsOptions));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
  });

  test("send no query to the store", async () => {
    const backend = watched();
    backend.fails = () => true;
    expect(idsOf({ backend, block: 1000 }).type.length).toBe(6);
    await new Promise((wake) => setImmediate(wake));
    expect(backend.calls).toEqual([]);
  });
});
