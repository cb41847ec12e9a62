// A pool on a store that goes back and tells its history: nothing is issued until somebody accepts it, and then nothing
// again. The histories are a scripted store's; test/integration/pool-failover.test.ts has those of a real PostgreSQL.

import { beforeEach, expect, test, vi } from "vitest";
import type { MemoryPort } from "../../src/backend/index.ts";
import { BackendError, IdPool, IdPoolHistoryError, NumericIdType } from "../../src/numeric/index.ts";
import type { PoolPort } from "../../src/numeric/port.ts";

/** What the store tells of itself, and how often it could not take IDs again. */
const told = vi.hoisted(() => ({ recorded: "1", current: "1", failures: 0, races: 0 }));

vi.mock("../../src/numeric/openPort.ts", async (original) => {
  const { poolPort } = await original<typeof import("../../src/numeric/openPort.ts")>();
  const now = () => ({ recorded: told.recorded, current: told.current });
  return {
    poolPort(...args: Parameters<typeof poolPort>): PoolPort {
      const plain = poolPort(...args);
      return {
        ...plain,
        begin: async () => now(),
        async acceptHistory(history) {
          if (told.races-- > 0) told.current += "'";
          if (history !== told.current) return false;
          told.recorded = history;
          return true;
        },
        issue: async (count, from, history) =>
          history === told.current ? plain.issue(count, from, history) : now(),
        issueForRequest: async (request, from, history, onReplay) =>
          history === told.current ? plain.issueForRequest(request, from, history, onReplay) : now(),
        status: async (...most) => ({ ...(await plain.status(...most)), ...now() }),
        async markTaken(ids) {
          if (told.failures-- > 0) throw new BackendError("pool: import", "failed", "down");
          return plain.markTaken(ids);
        },
      };
    },
  };
});

beforeEach(() => {
  Object.assign(told, { recorded: "1", current: "1", failures: 0, races: 0 });
});

/** A memory that can be put back to what it was. */
class Restorable implements MemoryPort {
  #states = new Map<string, unknown>();
  #backup = new Map<string, unknown>();

  change<State, Result>(
    name: string,
    change: (state: State | undefined, nowMs: number) => readonly [State, Result],
  ): Result {
    const [state, result] = change(this.#states.get(name) as State | undefined, Date.now());
    this.#states.set(name, state);
    return result;
  }

  backUp(): void {
    this.#backup = structuredClone(this.#states);
  }

  /** Fails over to what was last backed up. */
  failOver(history: string): void {
    this.#states = structuredClone(this.#backup);
    told.current = history;
  }
}

const type = new NumericIdType({ name: "farmer", length: 8 });
/** All that is at hand is issued in few steps, so that what was forgotten would soon come again. */
const poolOf = (backend: MemoryPort) => new IdPool({ backend, type, lowMark: 0, highMark: 40 });

test("issues nothing on another history, and nothing again once that is accepted", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(20);
  before.push(await pool.issue({ requestKey: "form 17" }));
  backend.failOver("2");
  const refusal = await pool.issue().catch((error) => error);
  expect(refusal).toBeInstanceOf(IdPoolHistoryError);
  expect(refusal).toMatchObject({ type: "farmer", recorded: "1", current: "2", code: "ERR_ID_POOL_HISTORY" });
  await expect(pool.issue({ requestKey: "form 18" })).rejects.toThrow(IdPoolHistoryError);
  expect((await pool.status()).lastError).toBeInstanceOf(IdPoolHistoryError);
  await pool.acceptHistory();
  expect(await pool.issue({ requestKey: "form 17" })).toBe(before.at(-1));
  const after = await pool.issueIds(19);
  expect(new Set([...before, ...after]).size).toBe(40);
  expect((await pool.status()).lastError).toBeUndefined();
  await pool.stop();
});

test("goes on where another process has accepted, having taken again what it had issued", async () => {
  const backend = new Restorable();
  const [one, other] = [poolOf(backend), poolOf(backend)];
  await one.fill();
  backend.backUp();
  const before = await one.issueIds(20);
  backend.failOver("2");
  // It is refused first, and that is when it takes its own again.
  await expect(one.issue()).rejects.toThrow(IdPoolHistoryError);
  await other.acceptHistory();
  const after = [...(await other.issueIds(10)), ...(await one.issueIds(10))];
  expect(new Set([...before, ...after]).size).toBe(40);
  await Promise.all([one.stop(), other.stop()]);
});

test("a process that only says how it is takes again what it had issued, before another accepts", async () => {
  const backend = new Restorable();
  const [idle, other] = [poolOf(backend), poolOf(backend)];
  await idle.fill();
  backend.backUp();
  const before = await idle.issueIds(20);
  backend.failOver("2");
  expect((await idle.status()).lastError).toBeInstanceOf(IdPoolHistoryError);
  await other.acceptHistory();
  expect(new Set([...before, ...(await other.issueIds(20))]).size).toBe(40);
  await Promise.all([idle.stop(), other.stop()]);
});

test("a pool for which no history is recorded is not refused", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  told.recorded = "";
  expect((await pool.status()).lastError).toBeUndefined();
  await pool.stop();
});

test("a history that it has left is refused, even where the store has it recorded", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  await pool.issueIds(5);
  backend.failOver("2");
  await pool.acceptHistory();
  backend.failOver("1");
  told.recorded = "1";
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  await pool.stop();
});

test("taking again that fails is tried again, and nothing is issued before", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(20);
  backend.failOver("2");
  told.failures = 1;
  await expect(pool.issue()).rejects.toThrow(BackendError);
  await pool.acceptHistory();
  expect(new Set([...before, ...(await pool.issueIds(20))]).size).toBe(40);
  await pool.stop();
});

test("a failover while it is accepted is accepted as well", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(20);
  backend.failOver("2");
  told.races = 1;
  await pool.acceptHistory();
  expect(told).toMatchObject({ recorded: "2'", current: "2'" });
  expect(new Set([...before, ...(await pool.issueIds(20))]).size).toBe(40);
  await pool.stop();
});
