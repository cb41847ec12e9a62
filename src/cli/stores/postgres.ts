// PostgreSQL, with pg or postgres, whichever is installed.

import { fromPg, fromPostgresJs, type PgClient, type PostgresJsClient } from "../../backend/index.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import type { ConnectionOptions } from "./openStore.ts";
import { type Connection, reconnectingClient, waitUntilConnected } from "./reconnectingClient.ts";

/** How much later than the command line pg gives up a query; then it also cuts the connection, which would stay open. */
const QUERY_TIMEOUT_MARGIN_MS = 500;

/** What is used of `pg`. */
interface Pg {
  readonly Pool: new (
    options: object,
  ) => PgClient & {
    on(event: "error", listener: (error: unknown) => void): unknown;
    end(): Promise<void>;
  };
}

/** What is used of `postgres`. */
type PostgresJs = (
  url: string,
  options: object,
) => PostgresJsClient & { end(options: object): Promise<void> };

function withPg({ Pool }: Pg, url: string, settings: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs, poolSize } = settings;
  const { use, close } = reconnectingClient(timeoutMs, () => {
    const client = new Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs + QUERY_TIMEOUT_MARGIN_MS,
      keepAlive: true,
    });
    // Without a listener an outage would end the process; a caller meanwhile gets an error.
    client.on("error", () => {});
    return { client, ready: Promise.resolve(), close: () => client.end() };
  });
  const query: PgClient["query"] = (text, params) => use((pool) => pool.query(text, params));
  const backend = fromPg({ query }, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, backend.query("SELECT 1 AS here", []), { backend, close });
}

function withPostgresJs(postgres: PostgresJs, url: string, settings: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs, poolSize } = settings;
  const { use, close } = reconnectingClient(timeoutMs, () => {
    const client = postgres(url, {
      // It prints notices by itself, and a table that is there already is one.
      onnotice: () => {},
      connect_timeout: timeoutMs / 1000,
      max: poolSize,
      // It asks for the types of arrays by itself, and where that fails, nobody handles the rejection: the process ends.
      fetch_types: false,
    });
    // What is under way has a second; then the connections are cut.
    return { client, ready: Promise.resolve(), close: () => client.end({ timeout: 1 }) };
  });
  const unsafe: PostgresJsClient["unsafe"] = (text, params) => use((sql) => sql.unsafe(text, params));
  const backend = fromPostgresJs({ unsafe }, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, backend.query("SELECT 1 AS here", []), { backend, close });
}

/** Connects to a PostgreSQL. */
export async function openPostgres(url: string, io: Io, settings: ConnectionOptions): Promise<Connection> {
  const { name, module } = await loadFirstPackage("postgres://", ["pg", "postgres"], io);
  return name === "pg"
    ? withPg(module as Pg, url, settings)
    : withPostgresJs(module as PostgresJs, url, settings);
}
