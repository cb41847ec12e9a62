// The client of libSQL with its adapter.

import { createClient } from "@libsql/client";
import { fromLibsql, type PortSettings, type SqlPort } from "bitflake/backend";

export const libsqlAdapter = {
  name: "fromLibsql",
  /** Opens a file, or `":memory:"`. */
  open(file: string, settings?: PortSettings): { readonly port: SqlPort; close(): void } {
    const client = createClient({ url: file === ":memory:" ? "file::memory:" : `file:${file}` });
    return { port: fromLibsql(client, settings), close: () => client.close() };
  },
};
