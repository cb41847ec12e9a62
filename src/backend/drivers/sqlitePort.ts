// Port to SQLite by any client: the part that the adapters share.

import type { ResolvedPortSettings } from "../portSettings.ts";
import type { SqlPort, SqlRow } from "../ports.ts";
import { retryWhileBusy } from "../retry.ts";
import { LONGEST_NAME, qualifiedTable } from "../storeNames.ts";

/** Whether another connection has locked the file. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = Object(error) as { code?: unknown; errcode?: unknown };
  // SQLITE_BUSY is a name in better-sqlite3 and libSQL, and a number in node:sqlite. All may have an extended code.
  return typeof errcode === "number" ? (errcode & 255) === 5 : /^SQLITE_BUSY/.test(String(code));
}

/**
 * Creates a port. A call is retried while another connection writes.
 *
 * @param send runs a statement whose parameters are `?`, because clients bind `$1` in different ways
 */
export function sqlitePort(
  settings: ResolvedPortSettings,
  send: (sql: string, values: string[]) => unknown[] | Promise<unknown[]>,
): SqlPort {
  const port: SqlPort = {
    ...settings,
    dialect: "sqlite",
    async query(text, params) {
      const values: string[] = [];
      const sql = text.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g, (all, n?: string) => {
        if (n === undefined) return all; // A quoted name or text.
        values.push(params[Number(n) - 1] as string);
        return "?";
      });
      return (await retryWhileBusy(settings.timeoutMs, isBusy, () => send(sql, values))) as SqlRow[];
    },
  };
  qualifiedTable(port, LONGEST_NAME); // Throws if the prefix is too long.
  return port;
}
