// PostgreSQL, with the package pg or postgres.

import { fromPg, fromPostgresJs, type PgClient, type PostgresJsClient } from "../../backend/index.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import { type Connection, type ConnectionOptions, waitUntilConnected } from "./connection.ts";
import { reconnectingClient } from "./reconnectingClient.ts";

/**
 * How much longer the package pg waits for a query than the command line does, in milliseconds. Then pg cuts the
 * connection, which would stay open otherwise.
 */
const QUERY_TIMEOUT_MARGIN_MS = 500;

/** The part of `pg` that the command line uses. */
interface Pg {
  readonly Pool: new (
    options: object,
  ) => PgClient & {
    on(event: "error", listener: (error: unknown) => void): unknown;
    end(): Promise<void>;
  };
}

/** The part of `postgres` that the command line uses. */
type PostgresJs = (
  url: string,
  options: object,
) => PostgresJsClient & { end(options: object): Promise<void> };

function withPg({ Pool }: Pg, url: string, options: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs, poolSize } = options;
  const { use, close } = reconnectingClient(timeoutMs, () => {
    const client = new Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs + QUERY_TIMEOUT_MARGIN_MS,
      keepAlive: true,
    });
    // Without a listener, an outage would end the process. Callers get the error from their query.
    client.on("error", () => {});
    return { client, ready: Promise.resolve(), close: () => client.end() };
  });
  const query: PgClient["query"] = (text, params) => use((pool) => pool.query(text, params));
  const backend = fromPg({ query }, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, backend.query("SELECT 1 AS here", []), { backend, close });
}

function withPostgresJs(postgres: PostgresJs, url: string, options: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs, poolSize } = options;
  const { use, close } = reconnectingClient(timeoutMs, () => {
    const client = postgres(url, {
      // By default it prints notices, for example that a table exists already.
      onnotice: () => {},
      connect_timeout: timeoutMs / 1000,
      max: poolSize,
      // By default it queries the types of arrays, and if that fails, the rejection is unhandled and ends the process.
      fetch_types: false,
    });
    // Running queries have one second; then the connections are cut.
    return { client, ready: Promise.resolve(), close: () => client.end({ timeout: 1 }) };
  });
  const unsafe: PostgresJsClient["unsafe"] = (text, params) => use((sql) => sql.unsafe(text, params));
  const backend = fromPostgresJs({ unsafe }, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, backend.query("SELECT 1 AS here", []), { backend, close });
}

/** Connects to a PostgreSQL. */
export async function openPostgres(url: string, io: Io, options: ConnectionOptions): Promise<Connection> {
  const { name, module } = await loadFirstPackage("postgres://", ["pg", "postgres"], io);
  return name === "pg"
    ? withPg(module as Pg, url, options)
    : withPostgresJs(module as PostgresJs, url, options);
}
