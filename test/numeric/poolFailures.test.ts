// IdPool on a store that fails, hangs or gives unexpected responses.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { type Backend, type MemoryPort, memory, type SqlPort } from "../../src/backend/index.ts";
import { BackendError, type IdPool, IdPoolEmptyError } from "../../src/numeric/index.ts";
import {
  FOURS,
  InspectableStore,
  type Operation,
  poolOf,
  rejection,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("a failing store", () => {
  test.each<[string, (pool: IdPool) => Promise<unknown>, Operation, string]>([
    ["an issue", (pool) => pool.issue(), "issue", "pool: issue"],
    ["an issue by key", (pool) => pool.issue({ requestKey: "a" }), "issue", "pool: issue"],
    ["an issue of several", (pool) => pool.issueIds(2), "issue", "pool: issue"],
    ["a status", (pool) => pool.status(), "status", "pool: status"],
    ["a fill", (pool) => pool.fill(), "claim", "pool: claim"],
    ["an import", (pool) => pool.import(FOURS), "import", "pool: import"],
  ])("makes %s reject, which works again afterwards", async (_, call, operation, name) => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port() });
    await pool.fill({ to: 50 });
    store.fails = (called) => called === operation;
    for (let again = 0; again < 2; again++) {
      const error = await rejection(call(pool));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ reason: "failed", operation: name, cause: expect.any(Error) });
    }
    store.fails = () => false;
    await call(pool);
  });

  test.each<[string, Operation, string]>([
    ["at first", "register", "IDs: register"],
    ["to an issue", "issue", "pool: issue"],
  ])("without an answer %s is a BackendError after the timeout", async (_, operation, name) => {
    const store = new InspectableStore();
    await poolOf({ backend: store.port() }).fill();
    const pool = poolOf({ backend: store.port("pool", 700) });
    store.hangs = (called) => called === operation;
    const started = Date.now();
    expect(await rejection(pool.issue())).toMatchObject({
      code: "ERR_BACKEND",
      reason: "timeout",
      operation: name,
    });
    expect(Date.now() - started).toBe(700);
  });

  test("without any answer does not keep a pool from being stopped", async () => {
    const backend = { timeoutMs: 700, change: () => new Promise<never>(() => {}) as never };
    const pool = poolOf({ backend });
    const call = rejection(pool.issue());
    await pool.stop();
    expect(await call).toMatchObject({ reason: "timeout", operation: "IDs: register" });
  });
});

describe("an unexpected response", () => {
  /** Returns a memory that gives one answer to every pool query, and a correct one for the shape. */
  const answering = (answer: unknown): MemoryPort => {
    const store = memory();
    return {
      change: ((name, change) =>
        name.startsWith("ids:") ? store.change(name, change) : answer) as MemoryPort["change"],
    };
  };
  /** Returns an SQL store that gives one answer to every query, and a correct one for the shape. */
  const answeringRows = (rows: unknown): SqlPort => {
    let shape = "";
    return {
      dialect: "sqlite",
      query: async (text, params) => {
        if (text.startsWith("INSERT INTO") && text.includes("shape")) shape = params[1];
        if (text.startsWith("SELECT shape")) return [{ shape }];
        if (text.includes("AS is_initialized")) return [{ recorded: "", current: "", is_initialized: "yes" }];
        return rows as [];
      },
    };
  };
  const calls: [string, (pool: IdPool) => Promise<unknown>][] = [
    ["issue", (pool) => pool.issue()],
    ["issue by key", (pool) => pool.issue({ requestKey: "form 17" })],
    ["issueIds", (pool) => pool.issueIds(2)],
    ["status", (pool) => pool.status()],
    ["fill", (pool) => pool.fill()],
    ["import", (pool) => pool.import([FOURS[0]])],
  ];
  const begin = (pool: IdPool) => pool.import([]);
  const deadline = () =>
    new Promise<string>((resolve) => setTimeout(() => resolve("nothing within a minute"), 60_000));
  /** Returns the calls that did not reject with a BackendError about an answer, or with a refill error caused by one. */
  async function unexpectedOutcomes(backend: () => Backend): Promise<string[]> {
    const wrong: string[] = [];
    for (const [name, call] of calls) {
      const pool = poolOf({ backend: backend(), waitMs: 100 });
      // The shape has tests of its own.
      const outcome = await Promise.race([begin(pool).then(() => call(pool)), deadline()]).then(
        (value) => `resolved to ${inspect(value)}`,
        (error) => {
          const cause = error instanceof IdPoolEmptyError ? error.cause : error;
          return cause instanceof BackendError && cause.reason === "answer" ? "" : `rejected with ${error}`;
        },
      );
      if (outcome) wrong.push(`${name} ${outcome}`);
    }
    return wrong;
  }

  test("is a BackendError from a memory: undefined", async () => {
    expect(await unexpectedOutcomes(() => answering(undefined))).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["a string", "8349"],
    ["a number", 5],
    ["true", true],
    ["no IDs", []],
    ["numbers", [5, 6]],
    ["numbers as large as IDs", [8349, 8350]],
    ["null in a list", [null, null]],
    ["strings that are not digits", ["a1", "b2"]],
    ["too many IDs", FOURS.slice(0, 3)],
    ["an empty object", {}],
    ["no scan", { available: 0, taken: 0, isFilling: false }],
    ["no number", { available: "none", scan: "", taken: 0, isFilling: false }],
    ["an invalid scan", { available: 0, scan: "a b c", taken: 0, isFilling: false }],
    ["a scan that is a number", { available: 0, scan: 5, taken: 0, isFilling: false }],
    // BigInt("") is 0, so this would be a complete scan.
    ["a scan of two spaces", { available: 0, scan: "  ", taken: 0, isFilling: false }],
    ["a scan with a sign", { available: 0, scan: "-5 7 100", taken: 0, isFilling: false }],
    ["a scan of four numbers", { available: 0, scan: "5 7 100 2", taken: 0, isFilling: false }],
    ["a string for a boolean", { available: 0, scan: "", taken: 0, isFilling: "no" }],
    ["half an ID", { available: 0.5, scan: "", taken: 0, isFilling: false }],
    ["a negative number", { available: -1, scan: "", taken: 0, isFilling: false }],
  ])("is a BackendError from a memory: %s", async (_, answer) => {
    expect(await unexpectedOutcomes(() => answering(answer))).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["an empty object", {}],
    ["the result of a client", { rows: [{ id: FOURS[0] }] }],
    ["null in a list", [null]],
    ["rows without the column", [{ value: FOURS[0] }]],
    ["numbers for IDs", [{ id: 8349 }]],
  ])("is a BackendError from SQL: %s", async (_, rows) => {
    const wrong = await unexpectedOutcomes(() => answeringRows(rows));
    // An import reads only the number of rows.
    expect(wrong.filter((text) => !text.startsWith("import resolved to"))).toEqual([]);
  });

  test("is a BackendError from SQL: a string", async () => {
    expect(await unexpectedOutcomes(() => answeringRows("8349"))).toEqual([]);
  });

  test("is a BackendError from SQL: an invalid scan", async () => {
    const rows = [{ sweep: "a b c", available: "0", total: "0", is_filling: "no" }];
    const wrong = await unexpectedOutcomes(() => answeringRows(rows));
    expect(wrong.filter((text) => !text.startsWith("import resolved to"))).toEqual([]);
  });

  test.each<[Operation, unknown]>([
    ["claim", 5],
    ["claim", "a b c"],
    ["claim", true],
    ["add", null],
    ["add", "some"],
    ["add", -1],
    ["add", 501],
    ["advance", "done"],
    ["advance", null],
  ])("is a BackendError in a refill, to %s: %o", async (operation, answer) => {
    const store = new InspectableStore();
    store.answers.set(operation, answer);
    const error = await rejection(poolOf({ backend: store.port() }).fill());
    expect(error).toBeInstanceOf(BackendError);
    const name = operation === "advance" ? "advance scan" : operation;
    expect(error).toMatchObject({ reason: "answer", operation: `pool: ${name}` });
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["a word", "pool"],
    ["a number", 5],
    ["an object", { kind: "pool" }],
    // The answer of a store without a shape, but here it follows a write.
    ["an empty text", ""],
    ["a string of a number", "5"],
    ["a string of null", "null"],
    ["a string of a list", "[]"],
  ])("is a BackendError from a memory, for the shape: %s", async (_, answer) => {
    expect(await unexpectedOutcomes(() => ({ change: () => answer as never }))).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["no rows", undefined],
    ["a result with rows in it", { rows: [] }],
    ["a row that is null", [null]],
    ["null", [{ shape: null }]],
    ["a word", [{ shape: "pool" }]],
    ["a number", [{ shape: 5 }]],
    ["a string of null", [{ shape: "null" }]],
    ["an empty list after a write", []],
    ["a row without the column after a write", [{}]],
  ])("is a BackendError from SQL, for the shape: %s", async (_, rows) => {
    const backend: SqlPort = { dialect: "postgres", query: async () => rows as [] };
    expect(await unexpectedOutcomes(() => backend)).toEqual([]);
  });
});
