// PoolPort on PostgreSQL and SQLite.

import { startTimer } from "../../backend/call.ts";
import { historyIdSql } from "../../backend/history.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { BackendError } from "../../internal.ts";
import {
  parseAvailability,
  parseCount,
  parseHistory,
  parseIds,
  parsePoolCounts,
  parseScanText,
} from "../parseAnswers.ts";
import type { Availability, PoolCounts, PoolPort, StoreHistory } from "../port.ts";
import { createStatements, type StatementName, type Statements } from "./statements.ts";

/** How many times an issue is tried while enough IDs are available and other processes take them first. */
const MAX_ATTEMPTS = 50;

const parseAvailabilityRow = (row: SqlRow | undefined): Availability =>
  parseAvailability({ available: row?.["available"], scan: row?.["sweep"] });

const parseHistoryRow = (row: SqlRow | undefined): StoreHistory =>
  parseHistory({ recorded: row?.["recorded"], current: row?.["current"] });

/** Returns a parser of rows with `count` IDs, or of no row. */
const parseIssued = (count: number) => (rows: readonly SqlRow[]) => {
  const ids = rows.map(({ id }) => id);
  return parseIds(ids, ids.length === 0 ? 0 : count);
};

export function sqlPoolPort(backend: SqlPort, type: string): PoolPort {
  qualifiedTable(backend, "id_counts"); // Refuses a prefix that is too long before the first query.
  let statements: Promise<Statements> | undefined;
  /** Returns the statements, once the store has answered whether it reports its history. */
  const prepare = (): Promise<Statements> => {
    statements ??= historyIdSql(backend).then(
      (currentSql) => createStatements(backend, currentSql),
      (error) => {
        statements = undefined;
        throw error;
      },
    );
    return statements;
  };
  const send = async <T>(
    operation: string,
    name: StatementName,
    params: readonly unknown[],
    parse: (rows: readonly SqlRow[]) => T | undefined,
  ) => queryRows(backend, `pool: ${operation}`, (await prepare())[name], [type, ...params], parse);
  const readHistory = () =>
    send("read history", "readHistory", [], ([row]) => ({
      ...parseHistoryRow(row),
      isInitialized: row?.["is_initialized"] !== "no",
    }));

  /**
   * Repeats an attempt to take `wanted` IDs until it takes them. Resolves to the reason if it cannot: too few IDs are
   * available, or the store is on another history.
   *
   * @param attempt takes all IDs, or resolves to none. The first attempt for one ID need not wrap to rank 0
   */
  async function takeWithRetries(
    wanted: number,
    history: string,
    attempt: (isFirst: boolean) => Promise<readonly string[]>,
  ) {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const ids = await attempt(attempts === 0);
      if (ids.length > 0) return ids;
      // The next attempt wraps to rank 0.
      if (attempts === 0 && wanted === 1) continue;
      const outcome = await send("count", "countWithHistory", [wanted], ([row]) => {
        const storeHistory = parseHistoryRow(row);
        return storeHistory.current === history ? parseAvailabilityRow(row) : storeHistory;
      });
      if ("recorded" in outcome || outcome.available < wanted) return outcome;
      // Enough are available: other processes have locked the rows, and perhaps will not take them (their transaction may
      // roll back), so try again.
      await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * attempts));
    }
    throw new BackendError("pool: issue", "failed", `other processes took the IDs, ${MAX_ATTEMPTS} times`);
  }

  return {
    async readOrRecordHistory() {
      let { isInitialized, ...history } = await readHistory();
      if (!isInitialized) {
        await send("initialize", "initialize", [], () => true);
        ({ isInitialized, ...history } = await readHistory());
      }
      return history;
    },
    acceptHistory: (history) => send("accept", "acceptHistory", [history], (rows) => rows.length > 0),
    issue: (count, fromRank, history) =>
      takeWithRetries(count, history, (isFirst) =>
        isFirst && count === 1
          ? send("issue", "issueOne", [fromRank, history], parseIssued(1))
          : send("issue", "issue", [fromRank, history, count], parseIssued(count)),
      ),
    issueForRequest: (requestKey, fromRank, history, onReplay) =>
      takeWithRetries(1, history, async (isFirst) => {
        const find = async () => {
          const ids = await send("find", "findRequest", [requestKey], parseIssued(1));
          if (ids.length > 0) onReplay();
          return ids;
        };
        try {
          const statement = isFirst ? "issueOneForRequest" : "issueForRequest";
          const ids = await send("issue", statement, [fromRank, history, requestKey], parseIssued(1));
          return ids.length > 0 ? ids : await find();
        } catch (error) {
          // The ID may exist: of two concurrent issues for one key one violates the unique index, and a statement whose
          // answer was lost may have been committed. After a timeout the store is not queried again, because the caller
          // would wait twice as long.
          if (error instanceof BackendError && error.reason === "timeout") throw error;
          const ids = await find().catch(() => []);
          if (ids.length > 0) return ids;
          throw error;
        }
      }),
    count: (max) => send("count", "count", [max], ([row]) => parseAvailabilityRow(row)),
    async status(max, claimMs) {
      const read = (counted?: number) =>
        send("status", "status", [max, claimMs], ([row]): PoolCounts | null => {
          const taken = row?.["taken"] ?? counted;
          // A pool of an earlier version, whose taken IDs were never counted.
          if (row?.["taken"] === null && taken === undefined) return null;
          return parsePoolCounts({
            ...parseAvailabilityRow(row),
            ...parseHistoryRow(row),
            taken,
            isFilling: row?.["is_filling"] === "yes",
          });
        });
      const counts = await read();
      if (counts !== null) return counts;
      const taken = await send("status", "recount", [], ([row]) => parseCount(row?.["taken"]));
      return (await read(taken)) as PoolCounts;
    },
    add: (ids) => send("add", "add", [JSON.stringify(ids)], (rows) => rows.length),
    markTaken: (ids) => send("import", "markTaken", [JSON.stringify(ids)], (rows) => rows.length),
    mergeCounts: async () =>
      backend.dialect === "postgres" && (await send("merge counts", "mergeCounts", [], () => true)),
    claimRefill: (refiller, ms) =>
      send("claim", "claimRefill", [refiller, ms], ([row]) => (row ? parseScanText(row["sweep"]) : null)),
    releaseRefill: (refiller) => send("release refill", "releaseRefill", [refiller], () => true),
    advanceScan: (from, to) => send("advance scan", "advanceScan", [from, to], (rows) => rows.length > 0),
  };
}
