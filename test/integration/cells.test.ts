// Ports of cells: each engine passes the conformance suite of bitflake/testing, forgets what has ended at once, and ends calls
// in time when many processes compete for one key.

import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { cellKey } from "../../src/backend/cells.ts";
import type { CellPort, MemoryPort } from "../../src/backend/index.ts";
import { Counter } from "../../src/counter/index.ts";
import { Idempotency } from "../../src/idempotency/index.ts";
import { conformanceCases } from "../../src/testing/index.ts";
import { cellEngines, enginesWithoutClock, onStore, stores } from "./stores.ts";

/** A prefix of this run alone, because the servers may have other users. */
const prefix = `cells_${process.pid}`;

/** Returns the result or the error of each call. */
const outcomesOf = <T>(calls: readonly Promise<T>[]): Promise<{ value?: T; error?: unknown }[]> =>
  Promise.all(
    calls.map((call) =>
      call.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    ),
  );

let names = 0;
const freshName = () => `orders ${names++} ü'" %s $1 ?`;

describe.each(stores(prefix).filter(({ engine }) => cellEngines.includes(engine)))(
  "cells on $name",
  ({ engine, isRepresentative, open }) => {
    let port: CellPort;
    onStore(open, [], (opened) => {
      port = opened as Exclude<typeof opened, MemoryPort> as CellPort;
    });
    const freshKey = (key = "k") => cellKey(port, "test", freshName(), key);

    test("an answer has the store's time if the store has a clock", async () => {
      const before = Date.now();
      const { nowMs } = await port.read(freshKey());
      expect(nowMs === undefined).toBe(enginesWithoutClock.includes(engine));
      // Between the two readings, because the machine may be busy.
      expect(nowMs ?? before).toBeGreaterThan(before - 2000);
      expect(nowMs ?? before).toBeLessThan(Date.now() + 2000);
    });

    describe("keeps the contract:", () => {
      const options = {
        // Few, because each engine takes some milliseconds for a write.
        operations: isRepresentative ? 100 : 20,
        listedCells: 250,
        // Deno KV takes 2 kB for a key, and 64 kB for a value in UTF-16.
        ...(engine === "denokv" ? { keyBytes: 1900, valueBytes: 50_000 } : { valueBytes: 300_000 }),
      };
      for (const { name, run } of conformanceCases(() => port, options)) test(name, run);
    });

    test("a swap over a text that is no version writes nothing", async () => {
      const key = freshKey();
      const { version } = await port.swap(key, "", "one");
      for (const other of ["another", "'; --", `${version} `, version.slice(1)]) {
        expect(await port.swap(key, other, "stale")).toMatchObject({ swapped: false, value: "one", version });
      }
    });

    test("a value that is kept for no time is gone at once, from lists too", async () => {
      const key = freshKey();
      await port.swap(key, "", "gone", 0);
      expect(await port.read(key)).toMatchObject({ value: undefined, version: "" });
      expect(await port.list?.(key)).toEqual([]);
      expect(await port.swap(key, "", "next")).toMatchObject({ swapped: true });
    });

    test("work runs once, also if the store does not take its result", async () => {
      const once = new Idempotency({ backend: port, name: freshName(), lockMs: 100 });
      let runs = 0;
      const body = "x".repeat(2 ** 20 - 2); // with its quotes the largest result by default
      const work = () => {
        runs++;
        return body;
      };
      const first = await once.once("k", "f", work);
      expect(first.value === body && !first.isReplay).toBe(true);
      await setTimeout(300); // The lock would have ended.
      const again = await once.once("k", "f", work).catch((error: { code?: unknown }) => error.code);
      if (first.error) expect(again).toBe("ERR_NOT_KEPT");
      else expect(again).toMatchObject({ isReplay: true });
      expect(runs).toBe(1);
    });

    // Only the engine matters, and some need all of the time.
    if (!isRepresentative) return;
    test("200 counters at once on one name end in time, with values of their own or refused as contended", async () => {
      const name = freshName();
      const backend = { ...port, timeoutMs: 5000 };
      const counters = Array.from({ length: 200 }, () => new Counter({ backend, name }));
      const started = performance.now();
      const outcomes = await outcomesOf(counters.map((counter) => counter.next()));
      // The machine may be busy.
      expect(performance.now() - started).toBeLessThan(backend.timeoutMs + 5000);
      const values = outcomes.flatMap(({ value }) => value ?? []);
      expect(new Set(values).size).toBe(values.length);
      expect(values.length).toBeGreaterThan(0);
      for (const { error } of outcomes) {
        if (error !== undefined) expect(error).toMatchObject({ reason: "timeout" });
      }
    });
  },
);
