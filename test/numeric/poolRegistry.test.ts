// The registered shape of a pool: another one is refused.

import { describe, expect, test } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import { Counter } from "../../src/counter/index.ts";
import { NamespaceError, type NumericIdType, PermutedIds } from "../../src/numeric/index.ts";
import {
  drain,
  expectDistinct,
  InspectableStore,
  poolOf,
  rejection,
  typeOf,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("the registered shape", () => {
  const list = ["111", "222"];
  const shapes: [string, NumericIdType, NumericIdType, string][] = [
    [
      "length",
      typeOf(6),
      typeOf(7),
      'length of the ID type "farmer" must be 6, as recorded in the store, got "7"',
    ],
    [
      "a limit",
      typeOf(6),
      typeOf(6, { sequenceLimit: 4 }),
      'sequenceLimit of the ID type "farmer" must be 3, as recorded in the store, got "4"',
    ],
    [
      "a rule that is off",
      typeOf(6, { evenDigitsLimit: null }),
      typeOf(6),
      'evenDigitsLimit of the ID type "farmer" must be null, as recorded in the store, got "3"',
    ],
    [
      "a list",
      typeOf(6, { restrictedNumbers: list }),
      typeOf(6, { restrictedNumbers: [...list, "7"] }),
      'restrictedNumbers of the ID type "farmer" must be 111,222, as recorded in the store, got "111,222,7"',
    ],
    [
      "the set of rules",
      typeOf(6),
      typeOf(6, "mosip"),
      'sequenceWraps of the ID type "farmer" must be false, as recorded in the store, got "true"',
    ],
  ];

  test.each(shapes)("refuses another %s", async (_, first, second, message) => {
    const backend = memory();
    await poolOf({ backend, type: first }).issue({ requestKey: "form 17" });
    const pool = poolOf({ backend, type: second });
    const calls: (() => Promise<unknown>)[] = [
      () => pool.issue(),
      () => pool.issue({ requestKey: "form 17" }),
      () => pool.issueIds(2),
      () => pool.fill(),
      () => pool.import([]),
      () => pool.status(),
    ];
    for (const call of calls) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(NamespaceError);
      expect(error).toMatchObject({ code: "ERR_NAMESPACE", message });
    }
    await pool.stop();
    expect((await poolOf({ backend, type: first }).status()).taken).toBe(1);
  });

  test("accepts the same rules in any notation", async () => {
    const backend = memory();
    const types = [
      typeOf(6, { restrictedNumbers: list }),
      typeOf(6, { extends: "openg2p", restrictedNumbers: list, repeatingLimit: 2 }),
      // In lists neither order nor repetition matters.
      typeOf(6, { restrictedNumbers: [...list, ...list].reverse() }),
    ];
    const ids: string[] = [];
    for (const type of types) ids.push(await poolOf({ backend, type, waitMs: 100, highMark: 9 }).issue());
    expectDistinct(ids, types[0]);
  });

  const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
  const permuted = (backend: MemoryPort, name = "farmer") =>
    new PermutedIds({
      type: typeOf(6, "openg2p", name),
      key: KEY,
      counter: new Counter({ backend, name: "c" }),
    });

  test("refuses a permutation in place of a pool", async () => {
    const backend = memory();
    await poolOf({ backend, length: 6 }).issue();
    const error = await rejection(permuted(backend).issue());
    expect(error).toBeInstanceOf(NamespaceError);
    expect(error.message).toBe(
      'kind of the ID type "farmer" must be pool, as recorded in the store, got "permutation"',
    );
  });

  test("refuses a pool in place of a permutation", async () => {
    const backend = memory();
    await permuted(backend).issue();
    const error = await rejection(poolOf({ backend, length: 6 }).issue());
    expect(error).toBeInstanceOf(NamespaceError);
    expect(error.message).toBe(
      'kind of the ID type "farmer" must be permutation, as recorded in the store, got "pool"',
    );
  });

  test("is separate for each name, and so are the IDs", async () => {
    const backend = memory();
    const types = [typeOf(4, "openg2p", "a"), typeOf(4, "mosip", "b"), typeOf(3, "openg2p", "c")];
    await permuted(backend, "d").issue();
    const pools = types.map((type) => poolOf({ backend, type, lowMark: 5, highMark: 50 }));
    const drained = await Promise.all(pools.map(drain));
    for (const [i, { ids, end }] of drained.entries()) {
      expectDistinct(ids, types[i]);
      expect(BigInt(ids.length)).toBe(types[i].capacity().ids);
      expect(end).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", type: types[i].name });
    }
  });

  test("is separate for each name, and so are request keys", async () => {
    const backend = memory();
    const pools = ["a", "b"].map((name) => poolOf({ backend, type: typeOf(8, "openg2p", name) }));
    const [a, b] = [await pools[0].issue({ requestKey: "1" }), await pools[1].issue({ requestKey: "1" })];
    expect(a).not.toBe(b);
    expect(await pools[0].issue({ requestKey: "1" })).toBe(a);
  });

  test("is registered once, and again after a failure", async () => {
    const store = new InspectableStore();
    await poolOf({ backend: store.port() }).issue();
    const pool = poolOf({ backend: store.port() });
    store.fails = (operation) => operation === "register";
    for (let again = 0; again < 2; again++) {
      expect(await rejection(pool.issue())).toMatchObject({
        code: "ERR_BACKEND",
        operation: "IDs: register",
      });
    }
    store.fails = () => false;
    store.calls.length = 0;
    await Promise.all([pool.issue(), pool.issueIds(3), pool.fill(), pool.import([])]);
    await pool.issue();
    expect(store.takeCalls("register").length).toBe(1);
  });

  test("is registered by the first issue, not by a status", async () => {
    const backend = memory();
    const nothing = { available: 0, taken: 0, isExhausted: false, isFilling: false };
    expect(await poolOf({ backend, length: 6 }).status()).toMatchObject({ ...nothing, remaining: 29_593n });
    expect(await poolOf({ backend, length: 4 }).status()).toMatchObject({ ...nothing, remaining: 465n });
    await poolOf({ backend, length: 4 }).issue();
    expect(await rejection(poolOf({ backend, length: 6 }).status())).toBeInstanceOf(NamespaceError);
    expect(await poolOf({ backend, length: 4 }).status()).toMatchObject({ taken: 1 });
  });
});
