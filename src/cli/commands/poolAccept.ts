// bitflake pool accept: allows a pool to issue IDs again after its store failed over or was restored.

import { IdPool, IdPoolHistoryError } from "../../numeric/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, explainMissingTables, POOL_FLAGS } from "../flags/poolFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { printable } from "../terminal/color.ts";

export const poolAcceptCommand: Command = defineCommand({
  name: "pool accept",
  summary: "Lets a pool issue IDs again after a failover or a restore.",
  notes: [
    "After a failover of PostgreSQL or MySQL, or a restore, a pool issues no IDs, because the store may have forgotten IDs that were issued. Running services mark the IDs that they issued as taken again at the next request for an ID, for their status or for their health: send each of them one request first, and one to /status to a service with --workers. Then find IDs that were issued by other processes, in the rows, cards or logs that IDs were written to, and pass them to `bitflake pool import`. Then run this command. A planned switchover loses nothing: run it at once.",
  ],
  flags: POOL_FLAGS,
  examples: [{ run: "bitflake pool accept --store $DATABASE_URL --types types.json --type farmer" }],
  async run(call) {
    const { values, sources, isJson, io } = call;
    assertKeepsPools(values.store, sources["store"]);
    const type = await resolveFileType(io, values, sources);
    const store = await openStore(values.store, call, { createsMissing: false });
    try {
      const pool = new IdPool({ backend: store.backend, type });
      const { lastError } = await pool.status();
      // Also if this process sees nothing to accept: to those that run, a store which was restored to a state without the pool is
      // blocked.
      const isAccepted = await pool.acceptHistory();
      const outcome = !isAccepted
        ? "is not blocked: there is nothing to accept"
        : lastError instanceof IdPoolHistoryError
          ? "issues IDs again"
          : "was not in the store, and is registered there now: services that issued from it before issue IDs again";
      await io.stdout.write(
        isJson
          ? `${JSON.stringify({ type: type.name, isAccepted })}\n`
          : `The pool of ${printable(type.name)} ${outcome}.\n`,
      );
      return 0;
    } catch (error) {
      throw explainMissingTables(error, store.description);
    } finally {
      await store.close();
    }
  },
});
