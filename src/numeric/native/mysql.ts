// PoolPort on MySQL and MariaDB, which cannot change rows and return them in one statement.
//
// One ID is taken by two statements that commit by themselves: one picks an ID that no other connection has locked, the
// other takes that ID if it is still available. Several IDs, and one that the first way missed, are taken in a transaction,
// which locks them first.

import { callStore } from "../../backend/call.ts";
import { mysqlHistoryIdSql } from "../../backend/history.ts";
import { mysqlTable } from "../../backend/mysqlSql.ts";
import type { MysqlPort, MysqlResult, MysqlStatement } from "../../backend/ports.ts";
import { ArgumentError } from "../../internal.ts";
import {
  parseAvailability,
  parseHistory,
  parseIds,
  parsePoolCounts,
  parseScanText,
  parseTaken,
} from "../parseAnswers.ts";
import { isOnHistory, type PoolPort, type StoreHistory } from "../port.ts";
import { RANK_LIMIT } from "../random.ts";
import type { TakenId } from "../recentlyIssued.ts";
import { createMysqlStatements, type MysqlStatements, randomPart } from "./mysqlStatements.ts";
import { takeOrFind, takeWithRetries } from "./retry.ts";

/** The most IDs that one statement takes. A list of more would be planned in another way. */
const IDS_PER_STATEMENT = 500;

/** How many times an issue is tried before it waits in the queue behind other issues. */
const ATTEMPTS_BEFORE_QUEUE = 2;

/** How many times an import is tried while other processes issue IDs for its request keys. */
const MAX_IMPORTS = 5;

type Row = MysqlResult["rows"][number];

/** Returns whether a statement violates a unique key: of the requests, because IDs are not inserted twice. */
function isDuplicate(error: unknown): boolean {
  return (Object(error) as { errno?: unknown }).errno === 1062;
}

/** Parses `count` IDs, or none. */
const parseIssued = (ids: unknown, count: number) =>
  parseIds(ids, Array.isArray(ids) && ids.length === 0 ? 0 : count);

const idsOf = (rows: readonly Row[]) => rows.map((row) => row["id"] as string);

/** An issue that locks its IDs first. */
interface LockedIssue {
  readonly count: number;
  readonly fromRank: number;
  readonly history: string;
  /** The number of attempts before it. */
  readonly attempts: number;
  readonly requestKey?: string;
}

export function mysqlPoolPort(backend: MysqlPort, type: string): PoolPort {
  mysqlTable(backend.prefix ?? "bitflake", "ids"); // Refuses a prefix that is too long before the first query.
  const { transaction } = backend;
  if (transaction === undefined) {
    throw new ArgumentError(
      "backend",
      "an adapter of a pool with getConnection(), not of one connection",
      backend,
    );
  }
  let statements: Promise<MysqlStatements> | undefined;
  /** Returns the statements, once the server has answered which ID it has. */
  const prepare = (): Promise<MysqlStatements> => {
    statements ??= mysqlHistoryIdSql(backend).then(
      (currentSql) => createMysqlStatements(backend, type, currentSql),
      (error) => {
        statements = undefined;
        throw error;
      },
    );
    return statements;
  };

  /** Sends a statement and parses its result. */
  const send = async <T>(
    operation: string,
    sqlOf: (statements: MysqlStatements) => string,
    parse: (rows: readonly Row[], affectedRows: number) => T | undefined,
  ): Promise<T> => {
    const sql = sqlOf(await prepare());
    const call = () => backend.statement(sql);
    return callStore(backend, `pool: ${operation}`, call, (result) => {
      const { rows, affectedRows } = result as MysqlResult;
      return parse(rows, affectedRows);
    });
  };

  /** Runs a transaction, which is undone if the caller has its timeout already. */
  const transact = async <T>(
    operation: string,
    body: (statement: MysqlStatement, statements: MysqlStatements) => Promise<T>,
    parse: (answer: unknown) => T | undefined,
  ): Promise<T> => {
    const prepared = await prepare();
    const call = (leftMs: () => number) =>
      transaction(async (statement) => {
        const assertInTime = () => {
          if (leftMs() <= 0) throw new Error("the time was over before the commit");
        };
        // Also before each statement: a transaction whose caller has gone would hold up those behind it.
        const send: MysqlStatement = (sql) => {
          assertInTime();
          return statement(sql);
        };
        const result = await body(send, prepared);
        assertInTime();
        return result;
      });
    return callStore(backend, `pool: ${operation}`, call, parse);
  };

  /** Takes one ID, or none if another process was faster, none has a higher rank, or the store is on another history. */
  async function takeOne(fromRank: number, history: string): Promise<readonly string[]> {
    const ids = await send("issue", ({ pickOne }) => pickOne(fromRank), idsOf);
    return ids[0] === undefined ? [] : takePicked(ids[0], history);
  }

  const takePicked = (id: string, history: string, requestKey?: string) =>
    send(
      "issue",
      (statements) => statements.take([id], history, requestKey),
      (_, affectedRows) => (affectedRows > 0 ? parseIssued([id], 1) : []),
    );

  /** Picks available IDs, which others may have locked. */
  const pickFrom = (count: number, from: number, to: number) =>
    send("issue", ({ pick }) => pick(count, 0, from, to), idsOf);

  /**
   * Takes all IDs in a transaction, or none. It locks them by the primary key: a locking search of the key `available` would
   * also lock what InnoDB has not yet removed from there.
   *
   * Calls that each hold some of the last IDs would fail together, over and over. So after two attempts they queue, and the
   * first one waits for the IDs that others hold.
   */
  async function takeLocked({ count, fromRank, history, attempts, requestKey }: LockedIssue) {
    const later = await pickFrom(count, fromRank, RANK_LIMIT);
    const missing = count - later.length;
    const earlier = missing === 0 ? [] : await pickFrom(missing, 0, fromRank - 1);
    if (earlier.length < missing) return [];
    return transact(
      "issue",
      async (statement, { queue, pick, lock, take }) => {
        const isQueued = attempts >= ATTEMPTS_BEFORE_QUEUE;
        if (isQueued) await statement(queue);
        const locked = new Set<string>();
        let storeHistory: StoreHistory | undefined;
        const lockSome = async (picked: readonly string[]) => {
          const { rows } = await statement(lock(picked, count - locked.size, isQueued));
          // An ID may be among them twice, because others add and take IDs before it.
          for (const row of rows) locked.add(row["id"] as string);
          if (rows[0]) storeHistory = parseHistory(Object(rows[0]));
        };
        await lockSome([...later, ...earlier]);
        // If others have locked some of them, it looks further on.
        for (const [skip, from, to] of [
          [later.length, fromRank, RANK_LIMIT],
          [earlier.length, 0, fromRank - 1],
        ] as const) {
          for (let seen = skip; locked.size < count; ) {
            const { rows } = await statement(pick(2 * (count - locked.size) + 50, seen, from, to));
            if (rows.length === 0) break;
            seen += rows.length;
            await lockSome(idsOf(rows));
          }
        }
        if (locked.size < count || !storeHistory || !isOnHistory(storeHistory, history)) return [];
        const ids = [...locked];
        // One for the transaction: those that lock several, each in an order of its own, would wait for each other.
        const part = randomPart();
        for (let at = 0; at < count; at += IDS_PER_STATEMENT) {
          const some = ids.slice(at, at + IDS_PER_STATEMENT);
          const { affectedRows } = await statement(take(some, history, requestKey, part));
          // They are locked, unless a proxy has changed the connection: then another process may have one of them. The
          // statement changes the row of `id_counts` too.
          if (affectedRows !== some.length + 1)
            throw new Error(`took ${affectedRows - 1} of ${some.length} locked IDs`);
        }
        return ids;
      },
      (ids) => parseIssued(ids, count),
    );
  }

  const takeAll = (
    wanted: number,
    history: string,
    attempt: (attempts: number) => Promise<readonly string[]>,
  ) =>
    takeWithRetries(wanted, attempt, () =>
      send(
        "count",
        ({ count }) => count(wanted),
        ([row]) => {
          const storeHistory = parseHistory(Object(row));
          return isOnHistory(storeHistory, history) ? parseAvailability(Object(row)) : storeHistory;
        },
      ),
    );

  const readHistory = () =>
    send(
      "read history",
      (statements) => statements.readHistory,
      ([row]) => ({ ...parseHistory(Object(row)), isInitialized: row?.["is_initialized"] !== "no" }),
    );

  /** Marks IDs as taken in a transaction. Resolves to how many were not taken before. */
  async function markTaken(
    ids: readonly TakenId[],
    statement: MysqlStatement,
    statements: MysqlStatements,
  ): Promise<number> {
    await statement(statements.add(ids.map(([id]) => [id, 0])));
    const fresh = new Set(idsOf((await statement(statements.lockAvailable(ids))).rows));
    if (fresh.size === 0) return 0;
    const keys = ids.flatMap(([id, key]) => (key !== null && fresh.has(id) ? key : []));
    const { rows } = keys.length === 0 ? { rows: [] } : await statement(statements.findRequests(keys));
    // A request that was given another ID keeps that one.
    const given = new Set(rows.map((row) => row["request"]));
    const entries = ids.filter(([id]) => fresh.has(id));
    await statement(
      statements.markTaken(entries.map(([id, key]) => [id, key === null || given.has(key) ? null : key])),
    );
    await statement(statements.countTaken(fresh.size));
    return fresh.size;
  }

  return {
    async readOrRecordHistory() {
      let { isInitialized, ...history } = await readHistory();
      if (!isInitialized) {
        // The counts first, because a pool with a history is initialized.
        await send(
          "initialize",
          ({ addCounts }) => addCounts,
          () => true,
        );
        await send(
          "initialize",
          ({ recordHistory }) => recordHistory,
          () => true,
        );
        ({ isInitialized, ...history } = await readHistory());
      }
      return history;
    },
    acceptHistory: (history) =>
      send(
        "accept",
        ({ acceptHistory }) => acceptHistory(history),
        (_, changed) => changed > 0,
      ),
    issue: (count, fromRank, history) =>
      takeAll(count, history, (attempts) =>
        attempts === 0 && count === 1
          ? takeOne(fromRank, history)
          : takeLocked({ count, fromRank, history, attempts }),
      ),
    issueForRequest: (requestKey, fromRank, history, onReplay) =>
      takeAll(1, history, (attempts) => {
        const replayed = (ids: readonly string[]) => {
          if (ids.length > 0) onReplay();
          return ids;
        };
        const takeForRequest = async () => {
          if (attempts > 0) return takeLocked({ count: 1, fromRank, history, attempts, requestKey });
          const picked = await send(
            "issue",
            ({ pickForRequest }) => pickForRequest(fromRank, requestKey),
            ([row]) => row ?? {},
          );
          const { id, replay } = picked as { readonly id?: string; readonly replay?: string | null };
          if (typeof replay === "string") return replayed(parseIssued([replay], 1));
          return id === undefined ? [] : takePicked(id, history, requestKey);
        };
        return takeOrFind(takeForRequest, async () =>
          replayed(
            await send(
              "find",
              ({ findRequest }) => findRequest(requestKey),
              (rows) => parseIssued(idsOf(rows), 1),
            ),
          ),
        );
      }),
    count: (max) =>
      send(
        "count",
        ({ count }) => count(max),
        // A refill would wait for ever for a store that was restored to a state without the pool.
        ([row]) => (row?.["is_known"] === "yes" ? parseAvailability(Object(row)) : undefined),
      ),
    status: (max, claimMs) =>
      send(
        "status",
        ({ status }) => status(max, claimMs),
        ([row]) => parsePoolCounts({ ...Object(row), isFilling: row?.["is_filling"] === "yes" }),
      ),
    add: async (ids) =>
      ids.length === 0
        ? 0
        : send(
            "add",
            ({ add }) => add(ids),
            (_, added) => added,
          ),
    async markTaken(ids) {
      if (ids.length === 0) return 0;
      for (let attempts = 1; ; attempts++) {
        try {
          return await transact(
            "import",
            (statement, statements) => markTaken(ids, statement, statements),
            (count) => (typeof count === "number" ? count : undefined),
          );
        } catch (error) {
          // Another process has issued an ID for a request key meanwhile.
          if (attempts === MAX_IMPORTS || !isDuplicate((error as Error).cause)) throw error;
        }
      }
    },
    takenBetween: (from, to, max) =>
      send(
        "read taken IDs",
        (statements) => statements.takenBetween(from, to, max),
        (rows) => parseTaken(idsOf(rows), max),
      ),
    mergeCounts: async () => {},
    async claimRefill(refiller, ms) {
      await send(
        "claim",
        ({ claimRefill }) => claimRefill(refiller, ms),
        () => true,
      );
      return send(
        "claim",
        ({ readClaimed }) => readClaimed(refiller),
        ([row]) => (row ? parseScanText(row["scan"]) : null),
      );
    },
    releaseRefill: (refiller) =>
      send(
        "release refill",
        ({ releaseRefill }) => releaseRefill(refiller),
        () => true,
      ),
    advanceScan: (from, to) =>
      send(
        "advance scan",
        ({ advanceScan }) => advanceScan(from, to),
        (_, changed) => changed > 0,
      ),
  };
}
