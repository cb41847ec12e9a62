// PostgreSQL, with pg or postgres, whichever is installed.

import { fromPg, fromPostgresJs, type PgClient, type PostgresJsClient } from "../backend/index.ts";
import { type Connection, established } from "./connect.ts";
import { loadFirst } from "./packages.ts";
import type { World } from "./world.ts";

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

function withPg({ Pool }: Pg, url: string, ms: number): Promise<Connection> {
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: ms });
  // Without a listener an outage would end the process; who asks meanwhile hears of it.
  pool.on("error", () => {});
  const backend = fromPg(pool);
  return established(ms, backend.query("SELECT 1 AS here", []), { backend, close: () => pool.end() });
}

function withPostgresJs(postgres: PostgresJs, url: string, ms: number): Promise<Connection> {
  // It prints notices by itself, and a table that is there already is one.
  const sql = postgres(url, { onnotice: () => {}, connect_timeout: ms / 1000 });
  const backend = fromPostgresJs(sql);
  const close = () => sql.end({ timeout: 1 });
  return established(ms, backend.query("SELECT 1 AS here", []), { backend, close });
}

/** Connects to a PostgreSQL. */
export async function openPostgres(url: string, world: World, ms: number): Promise<Connection> {
  const { name, module } = await loadFirst("postgres://", ["pg", "postgres"], world);
  return name === "pg" ? withPg(module as Pg, url, ms) : withPostgresJs(module as PostgresJs, url, ms);
}
