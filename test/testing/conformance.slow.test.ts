// The conformance suite: a port that keeps the contract passes, and each broken one fails in the case of its rule.

import { afterEach, describe, expect, test, vi } from "vitest";
import { ArgumentError, type Cell, type CellPort, memory } from "../../src/backend/index.ts";
import {
  type ConformanceCase,
  ConformanceError,
  type ConformanceOptions,
  conformanceCases,
  runConformance,
} from "../../src/testing/index.ts";
import { memoryCells } from "../support/memoryCells.ts";

/** Fewer operations than by default, because a broken port fails at once. */
const QUICK: ConformanceOptions = { seed: 7, operations: 40, listedCells: 1100, valueBytes: 100_000 };

const SETUP = "setup changes nothing where nothing is missing";
const ABSENT = 'a key without a value has the version ""';
const FIRST = 'a swap over "" writes only if the key has no value';
const ONCE = "a swap over a version writes once";
const UPSERT = "a swap over a version on a key without a value writes nothing";
const FRESH = "no two writes of a key have one version, also if the value is the same";
const ONE_OF_MANY = "of many swaps at once over one version, one writes";
const COUNTING = "no step of concurrent counting is lost";
const READS = "a read sees every write that was answered before";
const KEYS = "keys with any characters stay apart";
const LONG_KEYS = "keys may be as long as the longest one of bitflake";
const VALUES = "values with any characters come back unchanged";
const LARGE = "large values come back unchanged";
const KEPT = "a value is kept for as long as the swap says";
const ENDED = "a version never comes back, also after its value has ended";
const CLOCK = "nowMs is the store's time in milliseconds, in every answer or in none";
const LIST = "a list has the cells whose keys begin with the prefix, and no others";
const LONG_LIST = "a list has all cells, however many there are";
const RANDOM = "random reads, swaps and lists answer as a map in memory does";
const COUNTER = "a counter counts as in memory";
const LIMIT = "a rate limit allows and denies as in memory";
const IDEMPOTENCY = "an idempotency key runs work once, as in memory";
const LEASES = "leases grant each node to one holder";

const ALL = [
  ...[
    SETUP,
    ABSENT,
    FIRST,
    ONCE,
    UPSERT,
    FRESH,
    ONE_OF_MANY,
    COUNTING,
    READS,
    KEYS,
    LONG_KEYS,
    VALUES,
    LARGE,
  ],
  ...[KEPT, ENDED, CLOCK, LIST, LONG_LIST, RANDOM, COUNTER, LIMIT, IDEMPOTENCY, LEASES],
];

/** A port that keeps the contract, with all methods. */
type FullPort = Required<Pick<CellPort, "read" | "swap" | "list" | "setup">>;

function makePort(clock: (() => number) | undefined = Date.now): FullPort {
  const { read, swap, list } = memoryCells(clock);
  return { read, swap, list: list as FullPort["list"], setup: async () => "" };
}

/** Returns the error of a case. */
async function errorOf(port: CellPort, rule: string, options = QUICK): Promise<ConformanceError> {
  const found = conformanceCases(port, options).find(({ name }) => name === rule) as ConformanceCase;
  const error = await found.run().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error, `${rule}: not noticed`).toBeInstanceOf(ConformanceError);
  return error as ConformanceError;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a port that keeps the contract", () => {
  test("passes all rules", async () => {
    expect(await runConformance(makePort(), QUICK)).toEqual({ seed: 7, passed: ALL, skipped: [] });
  });

  test("passes without a clock", async () => {
    expect((await runConformance({ ...makePort(undefined) }, QUICK)).passed).toEqual(ALL);
  });

  test("passes if it keeps values longer than it has to", async () => {
    const port = makePort();
    const kept = {
      ...port,
      swap: (...[key, version, value]: Parameters<CellPort["swap"]>) => port.swap(key, version, value),
    };
    expect((await runConformance(kept, QUICK)).passed).toEqual(ALL);
  });

  test("passes with a second connection", async () => {
    const port = makePort();
    expect((await runConformance(port, { ...QUICK, other: { ...port } })).passed).toEqual(ALL);
  });

  test("skips what it does not have", async () => {
    const { read, swap } = makePort();
    const { passed, skipped } = await runConformance({ read, swap }, QUICK);
    expect(skipped).toEqual([SETUP, LIST, LONG_LIST, LEASES]);
    expect([...passed, ...skipped].sort()).toEqual([...ALL].sort());
  });

  test("leaves only cells that may be deleted, except those of the rules about that", async () => {
    const port = memoryCells(Date.now);
    const kept: string[] = [];
    const swap: CellPort["swap"] = (key, version, value, keepMs) => {
      if (keepMs === undefined && key.includes(":test:")) kept.push(key.split(":").slice(3).join(":"));
      return port.swap(key, version, value, keepMs);
    };
    await runConformance({ ...port, swap }, QUICK);
    expect(new Set(kept)).toEqual(new Set(["kept for ever", expect.stringMatching(/^short then kept/)]));
  });
});

/** Changes a port so that it breaks a rule. */
type Break = (port: FullPort) => CellPort;

/** A store of a broken port's own, by key. */
type Stored = { value: string; version: string };

/** Makes the answers of a port to reads, swaps and lists from those of another one. */
function mapCells(port: FullPort, change: <C extends Cell>(cell: C) => C): CellPort {
  return {
    ...port,
    read: async (key) => change(await port.read(key)),
    swap: async (...args) => change(await port.swap(...args)),
    list: async (prefix) => (await port.list(prefix)).map(change),
  };
}

/** Makes the keys of a port from those of another one. */
function mapKeys({ read, swap }: FullPort, change: (key: string) => string): CellPort {
  return {
    read: (key) => read(change(key)),
    swap: (key, ...args) => swap(change(key), ...args),
  };
}

/** Says that it has written a value, and does not, for the keys of a feature. */
const loseWrites =
  (feature: string): Break =>
  (port) => ({
    ...port,
    swap: async (key, version, value, keepMs) =>
      key.includes(`:${feature}:`)
        ? { value, version: `${version}x`, swapped: true }
        : port.swap(key, version, value, keepMs),
  });

const MUTANTS: readonly (readonly [what: string, rule: string, change: Break])[] = [
  [
    "has null for no value",
    ABSENT,
    (port) => mapCells(port, (cell) => ({ ...cell, value: cell.value ?? (null as never) })),
  ],
  [
    "has a version for no value",
    ABSENT,
    (port) => mapCells(port, (cell) => ({ ...cell, version: cell.version || "0" })),
  ],
  [
    "has versions that are numbers",
    FIRST,
    (port) =>
      mapCells(port, (cell) => ({
        ...cell,
        version: cell.version && (Number(cell.version.slice(1)) as never),
      })),
  ],
  [
    "does not say whether it has swapped",
    FIRST,
    (port) => mapCells(port, (cell) => ({ ...cell, swapped: undefined })),
  ],
  [
    "writes over any version",
    FIRST,
    (port) => ({
      ...port,
      swap: async (key, _version, value, keepMs) =>
        port.swap(key, (await port.read(key)).version, value, keepMs),
    }),
  ],
  [
    "compares no version if one is given",
    ONCE,
    (port) => ({
      ...port,
      swap: async (key, version, value, keepMs) =>
        port.swap(key, version && (await port.read(key)).version, value, keepMs),
    }),
  ],
  [
    "returns the refused value",
    FIRST,
    (port) => ({
      ...port,
      async swap(key, version, value, keepMs) {
        const answer = await port.swap(key, version, value, keepMs);
        return answer.swapped ? answer : { ...answer, value };
      },
    }),
  ],
  [
    "returns the version before the write",
    FIRST,
    (port) => ({
      ...port,
      async swap(key, version, value, keepMs) {
        const answer = await port.swap(key, version, value, keepMs);
        return { ...answer, version: version || "v0" };
      },
    }),
  ],
  [
    "creates a key by any version",
    UPSERT,
    (port) => ({
      ...port,
      swap: async (key, version, value, keepMs) =>
        port.swap(key, (await port.read(key)).version === "" ? "" : version, value, keepMs),
    }),
  ],
  [
    "has the value as version",
    FRESH,
    (port) => {
      const versionOf = ({ value }: Cell) => (value === undefined ? "" : `=${value}`);
      return {
        ...mapCells(port, (cell) => ({ ...cell, version: versionOf(cell) })),
        async swap(key, version, value, keepMs) {
          const cell = await port.read(key);
          const answer = await port.swap(
            key,
            versionOf(cell) === version ? cell.version : "stale",
            value,
            keepMs,
          );
          return { ...answer, version: versionOf(answer) };
        },
      };
    },
  ],
  [
    "reads and then writes, in two steps",
    ONE_OF_MANY,
    (port) => ({
      ...port,
      async swap(key, version, value, keepMs) {
        const before = await port.read(key);
        if (before.version !== version) return { ...before, swapped: false };
        for (;;) {
          const answer = await port.swap(key, (await port.read(key)).version, value, keepMs);
          if (answer.swapped) return answer;
        }
      },
    }),
  ],
  [
    "lets a swap win that another one has overtaken",
    COUNTING,
    (port) => ({
      ...port,
      async swap(key, version, value, keepMs) {
        const answer = await port.swap(key, version, value, keepMs);
        return { ...answer, swapped: answer.swapped || /^\d+$/.test(value) };
      },
    }),
  ],
  [
    "caches reads until it writes",
    READS,
    (port) => {
      const seen = new Map<string, Promise<Cell>>();
      return {
        ...port,
        read(key) {
          const cell = seen.get(key) ?? port.read(key);
          seen.set(key, cell);
          return cell;
        },
        swap(key, ...args) {
          if (args[1] !== "value 1") seen.delete(key);
          return port.swap(key, ...args);
        },
      };
    },
  ],
  ["ignores case in keys", KEYS, (port) => mapKeys(port, (key) => key.toLowerCase())],
  ["ignores spaces at the end of keys", KEYS, (port) => mapKeys(port, (key) => key.trimEnd())],
  ["normalizes keys", KEYS, (port) => mapKeys(port, (key) => key.normalize())],
  ["makes paths of keys", KEYS, (port) => mapKeys(port, (key) => key.replaceAll("//", "/"))],
  [
    "lists keys encoded",
    KEYS,
    (port) => ({
      ...port,
      list: async (prefix) =>
        (await port.list(prefix)).map((cell) => ({ ...cell, key: cell.key.replaceAll(" ", "+") })),
    }),
  ],
  ["cuts keys", LONG_KEYS, (port) => mapKeys(port, (key) => key.slice(0, 1000))],
  [
    "takes no long keys",
    LONG_KEYS,
    (port) => mapKeys(port, (key) => (key.length > 1024 ? JSON.parse("too long") : key)),
  ],
  [
    "takes an empty value for none",
    VALUES,
    (port) => mapCells(port, (cell) => (cell.value ? cell : { ...cell, value: undefined, version: "" })),
  ],
  [
    "changes line ends",
    VALUES,
    (port) => mapCells(port, (cell) => ({ ...cell, value: cell.value?.replaceAll("\r\n", "\n") })),
  ],
  [
    "has no characters past U+FFFF",
    VALUES,
    (port) =>
      mapCells(port, (cell) => ({ ...cell, value: cell.value?.replace(/[\u{10000}-\u{10ffff}]/gu, "?") })),
  ],
  [
    "cuts values",
    LARGE,
    (port) => mapCells(port, (cell) => ({ ...cell, value: cell.value?.slice(0, 50_000) })),
  ],
  [
    "takes milliseconds for microseconds",
    KEPT,
    (port) => ({
      ...port,
      swap: (key, version, value, keepMs) => port.swap(key, version, value, keepMs && keepMs / 1000),
    }),
  ],
  [
    "keeps the end of the value before",
    KEPT,
    (port) => {
      const ends = new Map<string, number>();
      return {
        ...port,
        swap(key, version, value, keepMs) {
          if (version === "" && keepMs !== undefined) ends.set(key, Date.now() + keepMs);
          return port.swap(key, version, value, (ends.get(key) ?? Infinity) - Date.now());
        },
      };
    },
  ],
  [
    "counts versions by key, and forgets the count at the end of a value",
    ENDED,
    (port) => {
      const versions = new Map<string, number>();
      const own = new Map<string, string>();
      const change = async (cell: Cell) => {
        if (cell.version === "") return { ...cell };
        return { ...cell, version: own.get(cell.version) as string };
      };
      return {
        read: async (key) => change(await port.read(key)),
        async swap(key, version, value, keepMs) {
          const before = await port.read(key);
          if (before.version === "") versions.delete(key);
          const isCurrent = (await change(before)).version === version;
          const answer = await port.swap(key, isCurrent ? before.version : "stale", value, keepMs);
          if (answer.swapped) {
            versions.set(key, (versions.get(key) ?? 0) + 1);
            own.set(answer.version, `${versions.get(key)}`);
          }
          return { ...(await change(answer)), swapped: answer.swapped };
        },
      };
    },
  ],
  [
    "hides an ended value and does not write over it",
    ENDED,
    (port) => {
      const ended = new Map<string, number>();
      const isEnded = (key: string) => (ended.get(key) ?? Infinity) <= Date.now();
      return {
        read: async (key) =>
          isEnded(key) ? { value: undefined, version: "", nowMs: Date.now() } : port.read(key),
        async swap(key, version, value, keepMs) {
          if (isEnded(key)) return { value: undefined, version: "", nowMs: Date.now(), swapped: false };
          if (keepMs !== undefined) ended.set(key, Date.now() + keepMs);
          return port.swap(key, version, value);
        },
      };
    },
  ],
  [
    "lists an ended value",
    ENDED,
    (port) => {
      const stored = new Map<string, Stored>();
      return {
        ...port,
        async swap(key, ...args) {
          const answer = await port.swap(key, ...args);
          if (answer.swapped) stored.set(key, { value: args[1], version: answer.version });
          return answer;
        },
        list: async (prefix) =>
          [...stored].filter(([key]) => key.startsWith(prefix)).map(([key, cell]) => ({ key, ...cell })),
      };
    },
  ],
  [
    "has a time in seconds",
    CLOCK,
    (port) => mapCells(port, (cell) => ({ ...cell, nowMs: Date.now() / 1000 })),
  ],
  [
    "has a time that is no number",
    CLOCK,
    (port) => mapCells(port, (cell) => ({ ...cell, nowMs: Number.NaN })),
  ],
  [
    "has a time in reads alone",
    CLOCK,
    (port) => ({ ...port, swap: async (...args) => ({ ...(await port.swap(...args)), nowMs: undefined }) }),
  ],
  [
    "has a time that jumps back",
    CLOCK,
    (port) => {
      let calls = 0;
      return mapCells(port, (cell) => ({ ...cell, nowMs: Date.now() - (calls++ % 2) * 2000 }));
    },
  ],
  [
    "lists by a pattern, without regard to case",
    LIST,
    (port) => ({
      ...port,
      async list(prefix) {
        const pattern = prefix
          .replace(/[.*+?^$()|[\]\\]/g, "\\$&")
          .replaceAll("_", ".")
          .replaceAll("%", ".*");
        return (await port.list("")).filter(({ key }) => new RegExp(`^${pattern}`, "i").test(key));
      },
    }),
  ],
  [
    "lists the parts below the prefix alone",
    LIST,
    (port) => ({
      ...port,
      list: async (prefix) =>
        (await port.list(prefix)).filter(({ key }) => !key.slice(prefix.length).includes(":")),
    }),
  ],
  [
    "lists no more than the parts of a whole prefix",
    LIST,
    (port) => ({ ...port, list: (prefix) => port.list(prefix.endsWith(":") ? prefix : `${prefix}:`) }),
  ],
  [
    "lists keys without their prefix",
    LIST,
    (port) => ({
      ...port,
      list: async (prefix) =>
        (await port.list(prefix)).map((cell) => ({ ...cell, key: cell.key.slice(prefix.length) })),
    }),
  ],
  [
    "lists no keys",
    LIST,
    (port) => ({
      ...port,
      list: async (prefix) => (await port.list(prefix)).map(({ key: _, ...cell }) => cell as never),
    }),
  ],
  [
    "lists an object",
    LIST,
    (port) => ({ ...port, list: async (prefix) => ({ cells: await port.list(prefix) }) as never }),
  ],
  [
    "lists other versions than those of reads",
    LIST,
    (port) => ({
      ...port,
      list: async (prefix) =>
        (await port.list(prefix)).map((cell) => ({ ...cell, version: `"${cell.version}"` })),
    }),
  ],
  [
    "lists the first thousand cells",
    LONG_LIST,
    (port) => ({ ...port, list: async (prefix) => (await port.list(prefix)).slice(0, 1000) }),
  ],
  [
    "lists a cell at the end of a page again",
    LONG_LIST,
    (port) => ({
      ...port,
      list: async (prefix) =>
        (await port.list(prefix)).flatMap((cell, at) => (at === 1000 ? [cell, cell] : cell)),
    }),
  ],
  ["creates its table anew", SETUP, (port) => ({ ...port, setup: async () => "CREATE TABLE" })],
  [
    "forgets a write now and then",
    RANDOM,
    (port) => {
      let swaps = 0;
      return {
        ...port,
        swap: (key, version, ...args) =>
          swaps++ % 10 === 9
            ? Promise.resolve({ value: args[0], version: `x${swaps}`, swapped: true })
            : port.swap(key, version, ...args),
      };
    },
  ],
  ["loses the writes of counters", COUNTER, loseWrites("counter")],
  ["loses the writes of limits", LIMIT, loseWrites("rate")],
  ["loses the writes of idempotency keys", IDEMPOTENCY, loseWrites("once")],
  ["loses the writes of leases", LEASES, (port) => ({ ...loseWrites("lease")(port), timeoutMs: 300 })],
  ["fails", ABSENT, (port) => ({ ...port, read: () => Promise.reject(new TypeError("no such table")) })],
  ["throws", ABSENT, (port) => ({ ...port, read: () => JSON.parse("no such table") })],
  ["never answers", ABSENT, (port) => ({ ...port, read: () => new Promise(() => {}), timeoutMs: 10 })],
];

describe("a port that", () => {
  test.each(MUTANTS)("%s breaks the rule: %s", async (_what, rule, change) => {
    const error = await errorOf(change(makePort()), rule);
    expect(error.broken.map((broken) => broken.rule)).toEqual([rule]);
    expect(error.message).toContain("(seed 7)");
  });
});

test("a clock that stands still is noticed", async () => {
  vi.useFakeTimers();
  const now = Date.now();
  const failing = errorOf(
    makePort(() => now),
    CLOCK,
  );
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await failing).broken[0]?.expected).toMatch(/^nowMs to change within \d+ ms$/);
});

test("a second connection that does not see the writes of the first is noticed", async () => {
  const { broken } = await errorOf(makePort(), READS, { ...QUICK, other: makePort() });
  expect(broken[0]?.expected).toContain("another connection");
});

test("runConformance throws one error for all rules that are broken, with key, expected and actual", async () => {
  const port = makePort();
  const cut: CellPort = {
    ...port,
    swap: async (...args) => ({ ...(await port.swap(...args)), swapped: false }),
  };
  const error = await runConformance(cut, QUICK).catch((error: unknown) => error as ConformanceError);
  if (!(error instanceof ConformanceError)) return expect.fail("it passes");
  expect(error.code).toBe("ERR_CONFORMANCE");
  expect(error.seed).toBe(7);
  const first = error.broken.find(({ rule }) => rule === FIRST);
  expect(first).toEqual({
    rule: FIRST,
    key: expect.stringMatching(/^bitflake:test:conformance%20[0-9a-f]{8}:k$/),
    expected: 'a swap over the version of nothing to return { swapped: true, value: "one" }',
    actual: '{ swapped: false, value: "one" }',
  });
  expect(error.broken.length).toBeGreaterThan(10);
  // The features are left out.
  expect(error.broken.map(({ rule }) => rule)).not.toContain(COUNTER);
  expect(error.message).toContain(`the port breaks ${error.broken.length} of its rules (seed 7):\n- `);
  expect(error.message).toContain(`- ${FIRST}: expected a swap`);
});

test("the error of a port that fails has the port's own error as cause", async () => {
  const own = new TypeError("no such table");
  const error = await errorOf({ ...makePort(), read: () => Promise.reject(own) }, ABSENT);
  expect(error.broken[0]).toMatchObject({
    expected: "read to answer",
    actual: "TypeError: no such table",
  });
  expect(error.cause).toBe(own);
});

describe("the seed", () => {
  /** The calls of the random rule on a new port. */
  async function callsOf(options: ConformanceOptions): Promise<string[]> {
    const port = memoryCells(Date.now);
    const found = conformanceCases(port, options).find(({ name }) => name === RANDOM);
    await found?.run();
    return port.calls.map((call) => call.replace(/conformance%20\w+/, ""));
  }

  test("repeats the random operations", async () => {
    expect(await callsOf({ seed: 1 })).toEqual(await callsOf({ seed: 1 }));
    expect(await callsOf({ seed: 1 })).not.toEqual(await callsOf({ seed: 2 }));
  });

  test("is random by default, and in the report", async () => {
    const { read, swap } = makePort();
    const seeds = [];
    for (let run = 0; run < 2; run++)
      seeds.push((await runConformance({ read, swap }, { ...QUICK, seed: undefined })).seed);
    expect(seeds[0]).not.toBe(seeds[1]);
  });
});

describe("conformanceCases", () => {
  test("opens a port once, when the first case runs, and sets it up", async () => {
    const setup = vi.fn(async () => "");
    const open = vi.fn(async () => ({ ...makePort(), setup }));
    const cases = conformanceCases(open, QUICK);
    expect(cases.map(({ name }) => name)).toEqual(ALL);
    expect(open).not.toHaveBeenCalled();
    for (const { run } of cases.slice(1, 4)) await run();
    expect(open).toHaveBeenCalledOnce();
    expect(setup).toHaveBeenCalledOnce();
  });

  test("leaves out what a port lacks, and passes it if the port is opened later", async () => {
    const { read, swap } = makePort();
    const names = conformanceCases({ read, swap }, QUICK).map(({ name }) => name);
    expect(ALL.filter((name) => !names.includes(name))).toEqual([SETUP, LIST, LONG_LIST, LEASES]);
    const later = conformanceCases(() => ({ read, swap }), QUICK);
    for (const { name, run } of later) if (!names.includes(name)) expect(await run()).toBe(undefined);
  });

  test("has functions without parameters, which every test runner accepts", () => {
    for (const { run } of conformanceCases(makePort())) expect(run).toHaveLength(0);
  });
});

describe("a wrong argument", () => {
  test.each<[string, unknown, object, string]>([
    ["memory()", memory(), {}, "port must be an object with read() and swap()"],
    ["nothing", undefined, {}, "port must be an object with read() and swap()"],
    ["a seed below 0", makePort(), { seed: -1 }, "seed must be a whole number from 0 to 4294967295"],
    ["no operations", makePort(), { operations: 0 }, "operations must be a whole number from 1"],
    ["a list of no cells", makePort(), { listedCells: 0 }, "listedCells must be a whole number from 1"],
    ["a key of 100 bytes", makePort(), { keyBytes: 100 }, "keyBytes must be a whole number from 200"],
    [
      "a large value of 10 bytes",
      makePort(),
      { valueBytes: 10 },
      "valueBytes must be a whole number from 100",
    ],
    [
      "another port without methods",
      makePort(),
      { other: {} },
      "other must be an object with read() and swap()",
    ],
    ["an unknown option", makePort(), { sed: 1 }, "option must be one of seed, operations"],
  ])("%s is refused", async (_title, port, options, message) => {
    await expect(runConformance(port as CellPort, options)).rejects.toThrow(ArgumentError);
    await expect(runConformance(port as CellPort, options)).rejects.toThrow(message);
    expect(() => conformanceCases(port as CellPort, options)).toThrow(message);
  });

  test("a function that returns no port is refused when a case runs", async () => {
    const [first] = conformanceCases(() => memory() as never);
    await expect(first?.run()).rejects.toThrow("port must be an object with read() and swap()");
  });
});
