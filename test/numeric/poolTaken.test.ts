// IdPool.isTaken and takenIds: the IDs that the pool has issued or imported.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import { ArgumentError, BackendError } from "../../src/numeric/index.ts";
import { FOURS, issueEach, poolOf, rejection, useSteppedTime } from "./poolFixtures.ts";

useSteppedTime();

async function exportOf(pool: ReturnType<typeof poolOf>, after?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of pool.takenIds({ after })) ids.push(id);
  return ids;
}

describe("isTaken", () => {
  test("is true for issued and imported IDs alone, in another process too", async () => {
    const backend = memory();
    const [pool, other] = [poolOf({ backend }), poolOf({ backend })];
    expect(await other.isTaken(FOURS[0] as string)).toBe(false);
    const issued = await issueEach(pool, 20);
    const [imported = ""] = FOURS.filter((id) => !issued.includes(id));
    await pool.import([imported]);
    for (const id of FOURS) expect(await other.isTaken(id)).toBe(issued.includes(id) || id === imported);
  });

  test("is false for digits that are no ID of the type, and refuses anything else", async () => {
    const pool = poolOf();
    const invalid = Array.from({ length: 10_000 }, (_, at) => String(at).padStart(4, "0")).find(
      (id) => !FOURS.includes(id),
    );
    expect(await pool.isTaken(invalid as string)).toBe(false);
    expect(await pool.isTaken("12")).toBe(false);
    for (const id of ["", "12 34", "abcd", 1234, undefined]) {
      const error = await rejection(pool.isTaken(id as string));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toContain("id must be a string of digits");
    }
  });

  test("writes nothing", async () => {
    const names: string[] = [];
    const port = memory();
    const backend: MemoryPort = {
      change: (name, change) => {
        names.push(name);
        return port.change(name, change);
      },
    };
    expect(await poolOf({ backend }).isTaken(FOURS[0] as string)).toBe(false);
    expect(await exportOf(poolOf({ backend }))).toEqual([]);
    // Nothing but its registration is read.
    expect(names.filter((name) => name.startsWith("pool:"))).toEqual([]);
  });
});

describe("takenIds", () => {
  test("are all taken IDs, sorted, from any ID on, whatever their number", async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray(FOURS), fc.option(fc.constantFrom(...FOURS)), async (ids, after) => {
        const pool = poolOf();
        await pool.import(ids);
        const wanted = [...ids].sort().filter((id) => after === null || id > after);
        expect(await exportOf(pool, after ?? undefined)).toEqual(wanted);
      }),
    );
  });

  test("are read some hundred at a time, to the last number of the type", async () => {
    const pool = poolOf({ length: 5 });
    const ids = pool.type.generateIds(2000).sort();
    await pool.import(ids);
    expect(await exportOf(pool)).toEqual(ids);
    expect(await exportOf(pool, "99999")).toEqual([]);
  });

  test("refuse a start that is not of the type's length, before the first query", async () => {
    for (const after of ["123", "12345", "12 4", 1234]) {
      const error = await rejection(exportOf(poolOf(), after as string));
      expect(error.message).toContain("after must be a string of 4 digits");
    }
    expect(
      await rejection(
        exportOf(
          poolOf({
            backend: {
              change: () => {
                throw new Error("down");
              },
            },
          }),
        ),
      ),
    ).toBeInstanceOf(BackendError);
  });
});
