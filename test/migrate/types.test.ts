// The public types of bitflake/migrate.

import {
  Backfill,
  backfill,
  type IssuedId,
  type Migration,
  proveMigration,
  type Remedy,
  type Verdict,
} from "bitflake/migrate";
import { expectTypeOf, test } from "vitest";

test("a verdict tells its cases apart by disjoint and ordered", () => {
  expectTypeOf(proveMigration).parameters.toEqualTypeOf<[Migration]>();
  expectTypeOf(proveMigration).returns.toEqualTypeOf<Verdict>();
  (verdict: Verdict) => {
    if (!verdict.disjoint) {
      expectTypeOf(verdict.pair.from).toEqualTypeOf<IssuedId>();
      expectTypeOf(verdict.ordered).toEqualTypeOf<false>();
      return;
    }
    if (verdict.ordered) expectTypeOf(verdict.largestOld).toEqualTypeOf<IssuedId>();
    else expectTypeOf(verdict.remedy).toEqualTypeOf<Remedy | undefined>();
  };
});

test("a backfill keeps the type of its rows, and needs the IDs that are taken", () => {
  interface Order {
    readonly key: number;
    readonly createdAt: Date;
  }
  const options = {
    preset: "twitter",
    nodes: [{ datacenterId: 31 }],
    before: new Date(),
    taken: [],
  } as const;
  (rows: Order[]) =>
    expectTypeOf(backfill(rows, options)).toEqualTypeOf<
      AsyncGenerator<{ readonly row: Order; readonly id: bigint }, void, undefined>
    >();
  expectTypeOf<Backfill["nextId"]>().returns.toEqualTypeOf<bigint>();
  const { taken: _taken, ...withoutTaken } = options;
  // @ts-expect-error the IDs that the table has are required
  (rows: Order[]) => backfill(rows, withoutTaken);
  // @ts-expect-error a row has a time
  () => backfill([{ key: 1 }], options);
  // @ts-expect-error there is no default node
  () => new Backfill({ preset: "twitter", before: 1 });
});
