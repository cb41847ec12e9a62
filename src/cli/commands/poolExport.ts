// bitflake pool export: prints the IDs that a pool has issued.

import { IdPool } from "../../numeric/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, explainMissingTables, POOL_FLAGS } from "../flags/poolFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { Progress } from "../terminal/progress.ts";

/** The number of lines of one write. */
const CHUNK = 5000;

const flags = {
  ...POOL_FLAGS,
  after: {
    kind: "text",
    placeholder: "ID",
    description: "start after this ID, to continue an export that was interrupted",
  },
} as const;

export const poolExportCommand: Command = defineCommand({
  name: "pool export",
  summary: "Prints the taken IDs of a pool, one per line.",
  notes: [
    "Taken IDs are those that were issued or imported, in ascending order. IDs that are issued meanwhile may be among them or not. Nothing is changed. Exit code 1 after the last ID means that the store may have lost IDs that were issued: see `bitflake pool accept --help`.",
  ],
  flags,
  examples: [
    { run: "bitflake pool export --store sqlite:ids.db --types types.json --type farmer" },
    {
      run: "bitflake pool export --store $DATABASE_URL --types types.json --type farmer --after 3029384756",
    },
  ],
  async run(call) {
    const { values, sources, isJson, io } = call;
    assertKeepsPools(values.store, sources["store"]);
    const type = await resolveFileType(io, values, sources);
    const store = await openStore(values.store, call, { createsMissing: false });
    // On a terminal the IDs themselves show the progress.
    const progress =
      isJson || io.stdout.isTTY ? undefined : new Progress(io.stderr, () => io.now(), `${type.name}:`);
    try {
      const pool = new IdPool({ backend: store.backend, type });
      const { taken: total } = await pool.status();
      let lines: string[] = [];
      let done = 0;
      const write = async () => {
        await io.stdout.write(lines.join(""));
        done += lines.length;
        lines = [];
        progress?.update({ done, total: Math.max(total, done) });
      };
      try {
        for await (const id of pool.takenIds({ after: values.after })) {
          if (lines.push(`${isJson ? JSON.stringify({ id }) : id}\n`) === CHUNK) await write();
        }
      } finally {
        await write();
      }
      return 0;
    } catch (error) {
      throw explainMissingTables(error, store.description);
    } finally {
      await progress?.end();
      await store.close();
    }
  },
});
