// bitflake pool accept: lets a pool issue again after its store failed over or was put back.

import { IdPool, IdPoolHistoryError } from "../../numeric/index.ts";
import { type Command, defineCommand } from "../defineCommand.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, explainMissingTables, POOL_FLAGS } from "../flags/poolFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { printable } from "../terminal/color.ts";

export const poolAcceptCommand: Command = defineCommand({
  name: "pool accept",
  summary: "Lets a pool issue again after a failover or a restore.",
  notes: [
    "After a failover of PostgreSQL, or a restore, a pool issues nothing, because the store may have forgotten IDs that were issued. Services that still run take theirs again when they are next asked for an ID, their status or their health: ask each of them once before. First look for IDs that they did not issue, among the rows, cards or logs that IDs were written to, and have IdPool.import take them; then accept. A planned switchover loses nothing: accept at once.",
  ],
  flags: POOL_FLAGS,
  examples: [{ run: "bitflake pool accept --store $DATABASE_URL --types types.json --type farmer" }],
  async run(call) {
    const { values, sources, isJson, io } = call;
    assertKeepsPools(values.store, sources["store"]);
    const type = await resolveFileType(io, values, sources);
    const store = await openStore(values.store, call, { isNew: false });
    try {
      const pool = new IdPool({ backend: store.backend, type });
      const { lastError } = await pool.status();
      const isAccepted = lastError instanceof IdPoolHistoryError;
      if (isAccepted) await pool.acceptHistory();
      const said = isAccepted ? "issues again" : "was not refused: there is nothing to accept";
      await io.stdout.write(
        isJson
          ? `${JSON.stringify({ type: type.name, isAccepted })}\n`
          : `The pool of ${printable(type.name)} ${said}.\n`,
      );
      return 0;
    } catch (error) {
      throw explainMissingTables(error, store.description);
    } finally {
      await store.close();
    }
  },
});
