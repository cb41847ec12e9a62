// PoolPort on PostgreSQL and SQLite.

import { historyIdSql } from "../../backend/history.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import {
  parseAvailability,
  parseCount,
  parseHistory,
  parseIds,
  parsePoolCounts,
  parseScanText,
  parseTaken,
} from "../parseAnswers.ts";
import {
  type Availability,
  isOnHistory,
  type PoolCounts,
  type PoolPort,
  type StoreHistory,
} from "../port.ts";
import { takeOrFind, takeWithRetries } from "./retry.ts";
import { createStatements, type StatementName, type Statements } from "./statements.ts";

/** `sweep` is the position of the scan: see statements.ts. */
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

  const take = (wanted: number, history: string, attempt: (attempts: number) => Promise<readonly string[]>) =>
    takeWithRetries(wanted, attempt, () =>
      send("count", "countWithHistory", [wanted], ([row]) => {
        const storeHistory = parseHistoryRow(row);
        return isOnHistory(storeHistory, history) ? parseAvailabilityRow(row) : storeHistory;
      }),
    );

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
      take(count, history, (attempts) =>
        attempts === 0 && count === 1
          ? send("issue", "issueNext", [fromRank, history], parseIssued(1))
          : send("issue", "issueWrapping", [fromRank, history, count], parseIssued(count)),
      ),
    issueForRequest: (requestKey, fromRank, history, onReplay) =>
      take(1, history, (attempts) => {
        const statement = attempts === 0 ? "issueNextForRequest" : "issueWrappingForRequest";
        const takeOne = () => send("issue", statement, [fromRank, history, requestKey], parseIssued(1));
        return takeOrFind(takeOne, async () => {
          const ids = await send("find", "findRequest", [requestKey], parseIssued(1));
          if (ids.length > 0) onReplay();
          return ids;
        });
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
    takenBetween: (from, to, max) =>
      send("read taken IDs", "takenBetween", [from, to, max], (rows) =>
        parseTaken(
          rows.map(({ id }) => id),
          max,
        ),
      ),
    mergeCounts: async () =>
      backend.dialect === "postgres" && (await send("merge counts", "mergeCounts", [], () => true)),
    claimRefill: (refiller, ms) =>
      send("claim", "claimRefill", [refiller, ms], ([row]) => (row ? parseScanText(row["sweep"]) : null)),
    releaseRefill: (refiller) => send("release refill", "releaseRefill", [refiller], () => true),
    advanceScan: (from, to) => send("advance scan", "advanceScan", [from, to], (rows) => rows.length > 0),
  };
}
