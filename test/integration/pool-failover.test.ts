// Pools after failovers of PostgreSQL that lost the last writes: nothing is issued until an operator accepts the new history,
// and then no ID is issued twice. FAILOVER_ROUNDS is the number of failovers; by hand 20.

import pg from "pg";
import { expect, test } from "vitest";
import { fromPg, type SqlPort, setup } from "../../src/backend/index.ts";
import { Counter, CounterBackwardsError } from "../../src/counter/index.ts";
import { IdPool, IdPoolHistoryError, NumericIdType } from "../../src/numeric/index.ts";
import { type Server, startable, startPostgres, startStandby } from "./servers.ts";
import { catchUp, cutOff, failOver } from "./standby.ts";

const ROUNDS = Number(process.env["FAILOVER_ROUNDS"] ?? 2);

/** A port whose client can be replaced, as behind the name of a service. */
function movable() {
  let client: pg.Pool | undefined;
  let hold: (() => Promise<void>) | undefined;
  const port: SqlPort = fromPg({
    async query(text: string, params: string[]) {
      const result = await (client as pg.Pool).query(text, params);
      if (text.startsWith("WITH changed AS (UPDATE")) await hold?.();
      return result;
    },
  });
  return {
    port,
    /** Holds the answer of the next issue. Resolves, once the server has answered, to a function that delivers it. */
    holdAnswer: () =>
      new Promise<() => void>((held) => {
        hold = () => {
          hold = undefined;
          return new Promise<void>((release) => held(release));
        };
      }),
    async moveTo(server: Server) {
      const before = client;
      client = new pg.Pool({ connectionString: server.url, max: 10 });
      client.on("error", () => {});
      await before?.end();
    },
  };
}

const refusal = (call: Promise<unknown>) =>
  call.then(
    (value) => `resolved to ${value}`,
    (error: unknown) => error,
  );

test.skipIf(!startable.postgres || !startable.failover.postgres)(
  "a failover that lost the last writes gives an IdPoolHistoryError, and no ID is issued twice after it is accepted",
  async ({ onTestFinished: undo }) => {
    let primary = await startPostgres();
    undo(() => primary.stop());
    const store = movable();
    await store.moveTo(primary);
    await setup(store.port, ["numeric", "counter"]);
    for (let round = 0; round < ROUNDS; round++) {
      const standby = await startStandby(primary);
      undo(() => standby.stop());
      const type = new NumericIdType({ name: `farmer ${round}`, length: 10 });
      const open = () => new IdPool({ backend: store.port, type, lowMark: 0, highMark: 160 });
      const pool = open();
      const neighbour = open();
      await pool.fill();
      const issued = [...(await pool.issueIds(99)), await neighbour.issue()];
      const counter = new Counter({ backend: store.port, name: `orders ${round}` });
      expect(await counter.nextValues(5)).toEqual([1n, 2n, 3n, 4n, 5n]);
      await catchUp(primary, standby);
      await cutOff(standby);
      // The standby still has all of these as available.
      for (let call = 0; call < 40; call++) issued.push(await pool.issue());
      issued.push(...(await pool.issueIds(7)), await neighbour.issue());
      const known = await pool.issue({ requestKey: "form 17" });
      const others = await neighbour.issue({ requestKey: "form 18" });
      issued.push(known, others);
      expect(new Set(issued).size).toBe(150);
      await counter.nextValues(5);
      const answer = store.holdAnswer();
      const late = refusal(pool.issue());
      const arrive = await answer;
      await failOver(primary, standby);
      await store.moveTo(standby);

      // A counter throws after the store has forgotten its values.
      expect(await refusal(counter.next())).toBeInstanceOf(CounterBackwardsError);
      const fresh = open();
      const calls = [
        () => pool.issue(),
        () => pool.issueIds(100),
        () => pool.issue({ requestKey: "form 17" }),
        () => neighbour.issue(),
        () => fresh.issue(),
      ];
      for (const call of calls) {
        const error = await refusal(call());
        expect(error).toBeInstanceOf(IdPoolHistoryError);
        expect(error).toMatchObject({ code: "ERR_ID_POOL_HISTORY", type: type.name });
        const { recorded, current } = error as IdPoolHistoryError;
        expect([recorded, current]).toEqual([expect.stringMatching(/^\d+\.[0-9A-F]{8}$/), current]);
        expect(current).not.toBe(recorded);
      }
      expect((await pool.status()).lastError).toBeInstanceOf(IdPoolHistoryError);
      // The server that issued it has been replaced, and its successor may issue it as well.
      arrive();
      expect(await late).toBeInstanceOf(IdPoolHistoryError);

      await fresh.acceptHistory();
      expect((await pool.status()).lastError).not.toBeInstanceOf(IdPoolHistoryError);
      // Both pools took their IDs again when they were refused, so no pool repeats any.
      for (const one of [fresh, pool, neighbour]) {
        issued.push(...(await one.issueIds(100)), await one.issue());
      }
      expect(new Set(issued).size).toBe(issued.length);
      expect(await fresh.issue({ requestKey: "form 17" })).toBe(known);
      expect(await fresh.issue({ requestKey: "form 18" })).toBe(others);
      expect((await fresh.status()).taken).toBe(issued.length);
      for (const one of [pool, neighbour, fresh]) await one.stop();
      primary = standby;
    }
    await store.moveTo(primary);
  },
);
