// IdPool.import: IDs that were issued elsewhere.

import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { ArgumentError, IdPoolExhaustedError } from "../../src/numeric/index.ts";
import {
  ALL,
  drain,
  FOURS,
  finishBackground,
  InspectableStore,
  issueEach,
  poolOf,
  rejection,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("import", () => {
  test("takes new IDs, and reports the known ones and the strings that are not IDs", async () => {
    const pool = poolOf({ length: 10 });
    expect(await pool.import(["8349257232", "3029384756", "1234567890"])).toEqual({
      taken: 2,
      known: 0,
      outside: ["1234567890"],
    });
    expect(await pool.status()).toMatchObject({ taken: 2, available: 0 });
  });

  test("takes half of all IDs, and the pool issues the other half", async () => {
    const backend = memory();
    const half = FOURS.filter((_, i) => i % 2 === 0);
    expect(await poolOf({ backend }).import(half)).toEqual({ taken: half.length, known: 0, outside: [] });
    const { ids, end } = await drain(poolOf({ backend }));
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
    expect([...half, ...ids].sort()).toEqual(FOURS);
  });

  test("takes available IDs", async () => {
    const pool = poolOf();
    await pool.fill();
    const some = FOURS.slice(0, 100);
    expect(await pool.import(some)).toEqual({ taken: 100, known: 0, outside: [] });
    expect(await pool.status()).toMatchObject({ available: ALL[4] - 100, taken: 100 });
    expect((await drain(pool)).ids.sort()).toEqual(FOURS.slice(100));
  });

  test("reports issued and imported IDs as known", async () => {
    const pool = poolOf();
    const issued = await issueEach(pool, 10);
    expect(await pool.import(issued)).toEqual({ taken: 0, known: 10, outside: [] });
    const rest = FOURS.filter((id) => !issued.includes(id));
    const list = [...issued, ...rest.slice(0, 20)];
    expect(await pool.import(list)).toEqual({ taken: 20, known: 10, outside: [] });
    const before = await pool.status();
    expect(await pool.import(list)).toEqual({ taken: 0, known: 30, outside: [] });
    expect(await pool.status()).toEqual(before);
  });

  test("counts each ID as often as it is given", async () => {
    const [a, b] = FOURS;
    const pool = poolOf();
    expect(await pool.import([a, b, a, "12", a, "12"])).toEqual({
      taken: 2,
      known: 2,
      outside: ["12", "12"],
    });
  });

  test("takes all IDs of the type, so that none is issued", async () => {
    const pool = poolOf();
    expect(await pool.import(FOURS)).toMatchObject({ taken: ALL[4] });
    expect(await rejection(pool.issue())).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", available: 0 });
    expect(await pool.status()).toMatchObject({ taken: ALL[4], available: 0, isExhausted: true });
  });

  test("takes 2,000 IDs in several steps, from an array, a generator, a set and a map's keys", async () => {
    const backend = memory();
    const pool = poolOf({ backend, length: 8 });
    const ids = pool.type.generateIds(2000);
    const store = new InspectableStore();
    expect(await poolOf({ backend: store.port(), length: 8 }).import(ids)).toMatchObject({ taken: 2000 });
    expect(store.takeCalls("import").length).toBe(4);
    const each = function* () {
      yield* ids.slice(0, 1200);
    };
    expect(await pool.import(each())).toEqual({ taken: 1200, known: 0, outside: [] });
    expect(await pool.import(new Set(ids))).toEqual({ taken: 800, known: 1200, outside: [] });
    expect(await pool.import(new Map(ids.map((id) => [id, 1])).keys())).toMatchObject({ known: 2000 });
    expect(await pool.status()).toMatchObject({ taken: 2000, available: 0 });
  });

  test("does nothing with an empty list", async () => {
    expect(await poolOf().import([])).toEqual({ taken: 0, known: 0, outside: [] });
  });

  test("returns strings that are not IDs of the type unchanged", async () => {
    const pool = poolOf({ length: 6 });
    const outside = ["8349257232", "022222", "263042", "0", "9".repeat(1000)];
    expect(await pool.import(["263041", ...outside])).toEqual({ taken: 1, known: 0, outside });
  });

  test.each<[string, string, unknown]>([
    ["a string", "ids", "8349257232"],
    ["nothing", "ids", undefined],
    ["null", "ids", null],
    ["a number", "ids", 8349257232],
    ["an object", "ids", { length: 1, 0: "8349257232" }],
    ["a number among them", "ids[1]", [FOURS[0], 8349, FOURS[1]]],
    ["null among them", "ids[2]", [FOURS[0], FOURS[1], null]],
    ["a hole among them", "ids[1]", Array.of(FOURS[0], undefined, FOURS[1])],
    ["a list in the list", "ids[0]", [[FOURS[0]]]],
    // With spaces or hyphens they would not be recognized as IDs.
    ["an empty text among them", "ids[1]", [FOURS[0], ""]],
    ["an ID with spaces", "ids[0]", ["83 49"]],
    ["an ID with a space behind it", "ids[0]", [`${FOURS[0]} `]],
    ["an ID with a line break behind it", "ids[0]", [`${FOURS[0]}\n`]],
    ["an ID with a hyphen", "ids[0]", ["83-49"]],
    ["an ID with a sign", "ids[0]", ["-8349"]],
    ["digits of full width", "ids[0]", ["８３４９"]],
    ["a word among them", "ids[1]", [FOURS[0], "farmer"]],
  ])("refuses %s and takes nothing", async (_, field, ids) => {
    const store = new InspectableStore();
    const error = await rejection(poolOf({ backend: store.port() }).import(ids as string[]));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
    expect(store.calls).toEqual([]);
  });

  test("rejects with the error of an iterable and takes nothing", async () => {
    const store = new InspectableStore();
    const broken = function* () {
      yield FOURS[0];
      throw new Error("end of file");
    };
    expect(await rejection(poolOf({ backend: store.port() }).import(broken()))).toMatchObject({
      message: "end of file",
    });
    expect(store.calls).toEqual([]);
  });

  test("can be repeated after a failure in the middle", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: 8 });
    const ids = pool.type.generateIds(1700);
    let steps = 0;
    store.fails = (operation) => operation === "import" && ++steps > 2;
    expect(await rejection(pool.import(ids))).toMatchObject({
      code: "ERR_BACKEND",
      operation: "pool: import",
    });
    store.fails = () => false;
    expect(await pool.import(ids)).toEqual({ taken: 700, known: 1000, outside: [] });
  });

  test("is followed by a refill if it takes most of the available IDs", async () => {
    const pool = poolOf({ length: 8, lowMark: 100, highMark: 200 });
    const store = new InspectableStore();
    const other = poolOf({ backend: store.port(), length: 8, lowMark: 100, highMark: 200 });
    await pool.fill();
    await other.fill();
    await issueEach(other, 2);
    await finishBackground();
    await other.import(store.state.available.slice(0, 150));
    await other.issue();
    await finishBackground();
    expect(store.state.available.length).toBe(200);
  });
});
