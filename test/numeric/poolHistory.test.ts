// IdPool on a store that goes back and reports its history: it issues nothing until the history is accepted, and no ID
// twice. The store is scripted; test/integration/pool-failover.test.ts has a real PostgreSQL.

import { beforeEach, expect, test, vi } from "vitest";
import type { MemoryPort } from "../../src/backend/index.ts";
import { BackendError, IdPool, IdPoolHistoryError, NumericIdType } from "../../src/numeric/index.ts";
import type { PoolPort } from "../../src/numeric/port.ts";

/**
 * The histories that the store reports, how many of its next steps fail or meet another failover, whether a registered pool
 * gets its history when it is read, and a held answer.
 */
const script = vi.hoisted(() => ({
  recorded: "1",
  current: "1",
  failures: 0,
  races: 0,
  isRecordedByReading: false,
  held: undefined as Promise<void> | undefined,
  heldMarking: undefined as Promise<void> | undefined,
}));

vi.mock("../../src/numeric/openPort.ts", async (original) => {
  const { poolPort } = await original<typeof import("../../src/numeric/openPort.ts")>();
  const now = () => ({ recorded: script.recorded, current: script.current });
  return {
    poolPort(...args: Parameters<typeof poolPort>): PoolPort {
      const plain = poolPort(...args);
      const isRegistered = async () =>
        (await import("../../src/numeric/registry.ts")).isRegistered(args[0], args[1], {});
      return {
        ...plain,
        async readOrRecordHistory() {
          if (script.isRecordedByReading && (await isRegistered())) script.recorded = script.current;
          return now();
        },
        async acceptHistory(history) {
          if (script.races-- > 0) script.current += "'";
          if (history !== script.current) return false;
          script.recorded = history;
          return true;
        },
        async issue(count, from, history) {
          const { held } = script;
          const isOn = history === script.current && history === script.recorded;
          const outcome = isOn ? await plain.issue(count, from, history) : now();
          await held;
          return outcome;
        },
        async issueForRequest(request, from, history, onReplay) {
          const { held } = script;
          const outcome =
            history === script.current && history === script.recorded
              ? await plain.issueForRequest(request, from, history, onReplay)
              : now();
          await held;
          return outcome;
        },
        status: async (...most) => ({ ...(await plain.status(...most)), ...now() }),
        async markTaken(ids) {
          if (script.failures-- > 0) throw new BackendError("pool: import", "failed", "down");
          await script.heldMarking;
          return plain.markTaken(ids);
        },
      };
    },
  };
});

beforeEach(() => {
  Object.assign(script, {
    recorded: "1",
    current: "1",
    failures: 0,
    races: 0,
    isRecordedByReading: false,
    held: undefined,
    heldMarking: undefined,
  });
});

/** A memory that can be restored from a backup. */
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

  /** Restores the last backup, on another history. */
  failOver(history: string): void {
    this.#states = structuredClone(this.#backup);
    script.current = history;
  }
}

const type = new NumericIdType({ name: "farmer", length: 8 });
/** Creates a pool with few available IDs, so that forgotten IDs would soon be issued again. */
const poolOf = (backend: MemoryPort) => new IdPool({ backend, type, lowMark: 0, highMark: 40 });

test("issues nothing on another history, and no ID twice after it is accepted", async () => {
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
  expect(await pool.acceptHistory()).toBe(true);
  expect(await pool.acceptHistory()).toBe(false);
  expect(await pool.issue({ requestKey: "form 17" })).toBe(before.at(-1));
  const after = await pool.issueIds(19);
  expect(new Set([...before, ...after]).size).toBe(40);
  expect((await pool.status()).lastError).toBeUndefined();
  await pool.stop();
});

test("continues after another process has accepted, and marks its issued IDs as taken again before", async () => {
  const backend = new Restorable();
  const [one, other] = [poolOf(backend), poolOf(backend)];
  await one.fill();
  backend.backUp();
  const before = await one.issueIds(20);
  backend.failOver("2");
  // Its first issue is refused, and that takes its IDs again.
  await expect(one.issue()).rejects.toThrow(IdPoolHistoryError);
  await other.acceptHistory();
  const after = [...(await other.issueIds(10)), ...(await one.issueIds(10))];
  expect(new Set([...before, ...after]).size).toBe(40);
  await Promise.all([one.stop(), other.stop()]);
});

test("a process that only calls status marks its issued IDs as taken again before another one accepts", async () => {
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

test("says of no ID that it was not taken, and ends no export, while the store may have lost some", async () => {
  const backend = new Restorable();
  const [issuer, reader] = [poolOf(backend), poolOf(backend)];
  const kept = await issuer.issue();
  backend.backUp();
  const lost = await issuer.issue();
  backend.failOver("2");
  expect(await reader.isTaken(kept)).toBe(true);
  await expect(reader.isTaken(lost)).rejects.toThrow(IdPoolHistoryError);
  const exported: string[] = [];
  const readAll = async () => {
    for await (const id of reader.takenIds()) exported.push(id);
  };
  await expect(readAll()).rejects.toThrow(IdPoolHistoryError);
  expect(exported).toEqual([kept]);
  await issuer.acceptHistory();
  expect(await reader.isTaken(lost)).toBe(true);
  await Promise.all([issuer.stop(), reader.stop()]);
});

test("a pool without a recorded history is not refused", async () => {
  const backend = new Restorable();
  await poolOf(backend).fill();
  script.recorded = "";
  const pool = poolOf(backend);
  expect((await pool.status()).lastError).toBeUndefined();
  await pool.stop();
});

test("a superseded history is refused, even if the store has it recorded", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  await pool.issueIds(5);
  backend.failOver("2");
  await pool.acceptHistory();
  backend.failOver("1");
  script.recorded = "1";
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  expect((await pool.status()).lastError).toMatchObject({ recorded: "2", current: "1" });
  await pool.stop();
});

test("IDs that were issued on the second server are marked as taken again on the first one, if the store returns to it", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  backend.failOver("2");
  await pool.acceptHistory();
  const before = await pool.issueIds(20);
  backend.failOver("1");
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  const [restarted, idle] = [poolOf(backend), poolOf(backend)];
  await restarted.acceptHistory();
  expect(new Set([...before, ...(await restarted.issueIds(10))]).size).toBe(30);
  // The process that has seen the second server continues once it accepts the first one itself.
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  await pool.acceptHistory();
  before.push(...(await pool.issueIds(5)), ...(await idle.issueIds(5)));
  expect(new Set(before).size).toBe(30);
  await Promise.all([pool.stop(), restarted.stop(), idle.stop()]);
});

test("marks its IDs as taken again once, however often it is refused", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(20);
  for (const history of ["2", "1", "2", "1"]) {
    script.current = history;
    await pool.issue().catch(() => {});
  }
  const change = vi.spyOn(backend, "change");
  script.current = "2";
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  expect(change).not.toHaveBeenCalled();
  change.mockRestore();
  expect((await pool.status()).taken).toBeGreaterThanOrEqual(before.length);
  await pool.stop();
});

test("IDs are marked as taken again after a failure of that step, and none is issued before", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(20);
  backend.failOver("2");
  script.failures = 1;
  await expect(pool.issue()).rejects.toThrow(BackendError);
  await pool.acceptHistory();
  expect(new Set([...before, ...(await pool.issueIds(20))]).size).toBe(40);
  await pool.stop();
});

test("acceptHistory accepts the newer history if the store fails over meanwhile", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(20);
  backend.failOver("2");
  script.races = 1;
  await pool.acceptHistory();
  expect(script).toMatchObject({ recorded: "2'", current: "2'" });
  expect(new Set([...before, ...(await pool.issueIds(20))]).size).toBe(40);
  await pool.stop();
});

test("an issue that is refused takes no ID", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  script.current = "2";
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  script.current = "1";
  for (let refused = 0; refused < 10; refused++) {
    await expect(pool.issueIds(3)).rejects.toThrow(IdPoolHistoryError);
    await expect(pool.issue({ requestKey: `form ${refused}` })).rejects.toThrow(IdPoolHistoryError);
  }
  expect(await pool.status()).toMatchObject({ available: 40, taken: 0 });
  await pool.acceptHistory();
  expect(new Set(await pool.issueIds(40)).size).toBe(40);
  await pool.stop();
});

test("every history after which another one was seen is refused", async () => {
  const backend = new Restorable();
  const [pool, other] = [poolOf(backend), poolOf(backend)];
  await pool.fill();
  backend.backUp();
  backend.failOver("2");
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  backend.failOver("3");
  await other.acceptHistory();
  await pool.issue();
  // The second server answers again, and has recorded its own history.
  Object.assign(script, { recorded: "2", current: "2" });
  await expect(pool.issue()).rejects.toMatchObject({ recorded: "3", current: "2" });
  await Promise.all([pool.stop(), other.stop()]);
});

test("a store that was restored to a state without the pool is refused, by its status too", async () => {
  const backend = new Restorable();
  const [pool, other] = [poolOf(backend), poolOf(backend)];
  await pool.fill();
  const before = await pool.issueIds(20);
  backend.failOver("2");
  script.recorded = "";
  expect((await pool.status()).lastError).toMatchObject({ recorded: "1", current: "2" });
  const unknown = type.generateIds(40).find((id) => !before.includes(id)) as string;
  await expect(pool.isTaken(unknown)).rejects.toThrow(IdPoolHistoryError);
  await expect(pool.issue()).rejects.toThrow(IdPoolHistoryError);
  await other.acceptHistory();
  expect(new Set([...before, ...(await other.issueIds(20)), ...(await pool.issueIds(20))]).size).toBe(60);
  await Promise.all([pool.stop(), other.stop()]);
});

test("a store that lost the pool gets the issued IDs before acceptHistory registers the pool, which looks new then", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  backend.backUp();
  await pool.fill();
  const before = await pool.issueIds(20);
  // The same server, to a state before the pool was created.
  backend.failOver("1");
  script.recorded = "";
  script.isRecordedByReading = true;
  expect(await pool.acceptHistory()).toBe(true);
  for (const id of before) expect(await pool.isTaken(id)).toBe(true);
  await pool.stop();
});

test("a history whose acceptance fails is named in the errors after it", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  await pool.issueIds(20);
  backend.failOver("2");
  script.failures = 1;
  await expect(pool.acceptHistory()).rejects.toThrow(BackendError);
  // The server before it answers again.
  script.current = "1";
  await expect(pool.issue()).rejects.toMatchObject({ recorded: "2", current: "1" });
  await pool.stop();
});

test("a dump of another store that is restored to the one that a pool issues on is refused", async () => {
  const backend = new Restorable();
  const [pool, other] = [poolOf(backend), poolOf(backend)];
  await pool.fill();
  backend.backUp();
  backend.failOver("2");
  await pool.acceptHistory();
  const before = await pool.issueIds(10);
  for (let restores = 0; restores < 2; restores++) {
    backend.failOver("2");
    script.recorded = "1";
    await expect(pool.issue()).rejects.toMatchObject({ recorded: "1", current: "2" });
    expect((await pool.status()).lastError).toBeInstanceOf(IdPoolHistoryError);
    await other.acceptHistory();
    before.push(...(await pool.issueIds(10)));
  }
  expect(new Set([...before, ...(await other.issueIds(10))]).size).toBe(40);
  await Promise.all([pool.stop(), other.stop()]);
});

test("an ID that arrives while acceptHistory marks the others, from the server before the failover, is dropped", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  const before = await pool.issueIds(5);
  let release = () => {};
  let mark = () => {};
  script.held = new Promise((resolve) => {
    release = resolve;
  });
  const late = pool.issue().catch((error: unknown) => error);
  await new Promise((wake) => setTimeout(wake, 10));
  script.held = undefined;
  script.heldMarking = new Promise((resolve) => {
    mark = resolve;
  });
  backend.failOver("2");
  const accepted = pool.acceptHistory();
  await new Promise((wake) => setTimeout(wake, 10));
  release();
  await new Promise((wake) => setTimeout(wake, 10));
  script.heldMarking = undefined;
  mark();
  await accepted;
  const ids = [...before, await late, ...(await pool.issueIds(30))].filter((id) => typeof id === "string");
  expect(new Set(ids).size).toBe(ids.length);
  expect((await pool.status()).taken).toBe(ids.length);
  await pool.stop();
});

test("an ID that arrives after acceptHistory, from the server before the failover, is dropped", async () => {
  const backend = new Restorable();
  const pool = poolOf(backend);
  await pool.fill();
  backend.backUp();
  let release = () => {};
  script.held = new Promise((resolve) => {
    release = resolve;
  });
  const late = pool.issue();
  await new Promise((wake) => setTimeout(wake, 10));
  expect((await pool.status()).taken).toBe(1);
  script.held = undefined;
  backend.failOver("2");
  await pool.acceptHistory();
  // The restored store issues the ID of the held answer again.
  const ids = await pool.issueIds(40);
  release();
  ids.push(await late);
  expect(new Set(ids).size).toBe(41);
});

test("a replay that arrives after acceptHistory, from the server before the failover, is dropped, and the new ID is no replay", async () => {
  const backend = new Restorable();
  const [pool, other] = [poolOf(backend), poolOf(backend)];
  await pool.fill();
  backend.backUp();
  const first = await other.issue({ requestKey: "form 17" });
  let release = () => {};
  script.held = new Promise((resolve) => {
    release = resolve;
  });
  const onReplay = vi.fn();
  const late = pool.issue({ requestKey: "form 17", onReplay });
  await new Promise((wake) => setTimeout(wake, 10));
  script.held = undefined;
  backend.failOver("2");
  await pool.import([first]);
  await pool.acceptHistory();
  release();
  expect(await late).not.toBe(first);
  expect(onReplay).not.toHaveBeenCalled();
  await pool.issue({ requestKey: "form 17", onReplay });
  expect(onReplay).toHaveBeenCalledTimes(1);
  await Promise.all([pool.stop(), other.stop()]);
});
