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

/** Parses the columns of an availability. */
const availabilityIn = (row: SqlRow | undefined): Availability =>
  parseAvailability({ available: row?.["available"], scan: row?.["sweep"] });

const historyIn = (row: SqlRow | undefined): StoreHistory =>
  parseHistory({ recorded: row?.["recorded"], current: row?.["current"] });

/** Returns a parser of `count` IDs, or of none. */
const issuedIn = (count: number) => (rows: readonly SqlRow[]) => {
  const ids = rows.map(({ id }) => id);
  return parseIds(ids, ids.length === 0 ? 0 : count);
};

export function sqlPoolPort(port: SqlPort, type: string): PoolPort {
  qualifiedTable(port, "id_counts"); // Refuses a prefix that is too long before the first query.
  let statements: Promise<Statements> | undefined;
  /** Returns the statements, once the store has answered whether it reports its history. */
  const prepare = (): Promise<Statements> => {
    statements ??= historyIdSql(port).then(
      (current) => createStatements(port, current),
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
  ) => queryRows(port, `pool: ${operation}`, (await prepare())[name], [type, ...params], parse);
  const readHistory = () =>
    send("begin", "readHistory", [], ([row]) => ({
      ...historyIn(row),
      isUpgraded: row?.["is_upgraded"] !== "no",
    }));

  /** Takes `wanted` IDs, or returns why that is impossible. */
  async function take(
    wanted: number,
    history: string,
    attempt: (isFirst: boolean) => Promise<readonly string[]>,
  ) {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const ids = await attempt(attempts === 0);
      if (ids.length > 0) return ids;
      // The first attempt looks only from `from` upwards; the next also wraps to rank 0.
      if (attempts === 0 && wanted === 1) continue;
      // Other processes may hold locks on rows that they then do not take.
      const shortage = await send("count", "shortage", [wanted], ([row]) => {
        const outcome = historyIn(row);
        return outcome.current === history ? availabilityIn(row) : outcome;
      });
      if ("recorded" in shortage || shortage.available < wanted) return shortage;
      await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * attempts));
    }
    throw new BackendError("pool: issue", "failed", `other processes took the IDs, ${MAX_ATTEMPTS} times`);
  }

  return {
    async beginHistory() {
      let { isUpgraded, ...history } = await readHistory();
      if (!isUpgraded) {
        await send("begin", "upgrade", [], () => true);
        ({ isUpgraded, ...history } = await readHistory());
      }
      return history;
    },
    acceptHistory: (history) => send("accept", "acceptHistory", [history], (rows) => rows.length > 0),
    issue: (count, from, history) =>
      take(count, history, (isFirst) =>
        isFirst && count === 1
          ? send("issue", "issueOne", [from, history], issuedIn(1))
          : send("issue", "issue", [from, history, count], issuedIn(count)),
      ),
    issueForRequest: (requestKey, from, history, onReplay) =>
      take(1, history, async (isFirst) => {
        const find = async () => {
          const ids = await send("find", "findRequest", [requestKey], issuedIn(1));
          if (ids.length > 0) onReplay();
          return ids;
        };
        try {
          const statement = isFirst ? "issueOneForRequest" : "issueForRequest";
          const ids = await send("issue", statement, [from, history, requestKey], issuedIn(1));
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
    count: (max) => send("count", "count", [max], ([row]) => availabilityIn(row)),
    async status(max, claimMs) {
      const read = (counted?: number) =>
        send("status", "status", [max, claimMs], ([row]): PoolCounts | null => {
          const taken = row?.["taken"] ?? counted;
          // A pool that began under an earlier version, whose taken IDs were never counted.
          if (row?.["taken"] === null && taken === undefined) return null;
          return parsePoolCounts({
            ...availabilityIn(row),
            ...historyIn(row),
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
      port.dialect === "postgres" && (await send("merge counts", "mergeCounts", [], () => true)),
    claimRefill: (refiller, ms) =>
      send("claim", "claimRefill", [refiller, ms], ([row]) => (row ? parseScanText(row["sweep"]) : null)),
    releaseRefill: (refiller) => send("release refill", "releaseRefill", [refiller], () => true),
    advanceScan: (from, to) => send("advance scan", "advanceScan", [from, to], (rows) => rows.length > 0),
  };
}
