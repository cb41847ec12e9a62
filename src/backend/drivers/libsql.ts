// Adapter for libSQL and Turso: @libsql/client.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort } from "../ports.ts";
import { sqlitePort } from "./sqlitePort.ts";

/** A result of `@libsql/client`. Only its rows are read. */
export interface LibsqlResult {
  /** The rows, with a field per column. */
  rows: unknown[];
}

/** A client of `@libsql/client`: the methods that the adapter calls. */
export interface LibsqlClient {
  /** Runs a statement. */
  execute(statement: { sql: string; args: string[] }): Promise<LibsqlResult>;
}

/**
 * Creates a port from a client of `@libsql/client`: a file, a libSQL server, or Turso. It has all that SQLite has, pools
 * included.
 *
 * @param client your client. Not one with an embedded replica (`syncUrl`): its reads come from a file that lags behind
 * @param options `prefix` of the tables, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts libsql
 * import { createClient } from "@libsql/client";
 * import { fromLibsql, setup } from "bitflake/backend";
 *
 * const client = createClient({ url: process.env.TURSO_DATABASE_URL ?? "file::memory:" });
 * const backend = fromLibsql(client);
 * await setup(backend);
 * const [row] = await backend.query("SELECT $1 AS echo", ["hello"]);
 * row.echo; // => 'hello'
 * client.close();
 * ```
 */
export function fromLibsql(client: LibsqlClient, options: PortSettings = {}): SqlPort {
  const settings = resolvePortSettings(client, "execute", options);
  return sqlitePort(settings, async (sql, args) => (await client.execute({ sql, args })).rows);
}
