// bitflake pool import: marks IDs that were issued elsewhere as taken.

import { setup } from "../../backend/index.ts";
import { ArgumentError } from "../../internal.ts";
import { type IdImport, IdPool } from "../../numeric/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { CommandError } from "../errors.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, POOL_FLAGS } from "../flags/poolFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { argsOrLines } from "../terminal/input.ts";
import { Progress } from "../terminal/progress.ts";

/** How many lines one call of the pool gets. */
const CHUNK = 5000;

/** How many IDs that are not of the type are printed. */
const MAX_PRINTED = 10;

/** The result of an import. */
interface Totals {
  readonly taken: number;
  readonly known: number;
  /** How many are not IDs of the type. */
  readonly outside: number;
  /** The first of them. */
  readonly firstOutside: readonly string[];
}

function addTo(totals: Totals, { taken, known, outside }: IdImport): Totals {
  return {
    taken: totals.taken + taken,
    known: totals.known + known,
    outside: totals.outside + outside.length,
    firstOutside: [...totals.firstOutside, ...outside].slice(0, MAX_PRINTED),
  };
}

/** Imports all lines, some thousand at a time. */
async function importAll(
  pool: IdPool,
  lines: AsyncIterable<string>,
  onProgress: (done: number) => void,
): Promise<Totals> {
  let totals: Totals = { taken: 0, known: 0, outside: 0, firstOutside: [] };
  let chunk: string[] = [];
  let done = 0;
  const importChunk = async () => {
    try {
      totals = addTo(totals, await pool.import(chunk));
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      const line = done + 1 + chunk.findIndex((id) => !/^\d+$/.test(id));
      const text = JSON.stringify(chunk[line - done - 1]?.slice(0, 64));
      throw new CommandError(
        error.code,
        `ID ${line} must be a string of digits, got ${text}; ${done} IDs before it were imported`,
      );
    }
    done += chunk.length;
    chunk = [];
    onProgress(done);
  };
  for await (const id of lines) {
    if (chunk.push(id) === CHUNK) await importChunk();
  }
  if (chunk.length > 0) await importChunk();
  return totals;
}

export const poolImportCommand: Command = defineCommand({
  name: "pool import",
  args: "[ID...]",
  summary: "Marks IDs that were issued elsewhere as taken.",
  notes: [
    "The pool never issues them. Reads IDs from the arguments, or one per line from the standard input. Missing tables are created first. It may be repeated with the same IDs. Exit code 1 means that some are not IDs of the type: the pool never issues those, and skips them.",
  ],
  flags: POOL_FLAGS,
  examples: [
    {
      run: "bitflake pool import 8349257232 3029384756 --store sqlite:ids.db --types types.json --type farmer",
      output: "farmer: 2 IDs are taken now, 0 were taken before.",
    },
    { run: "bitflake pool import 8349257232 --store $DATABASE_URL --types types.json --type farmer" },
  ],
  async run(call) {
    const { args, values, sources, isJson, io } = call;
    assertKeepsPools(values.store, sources["store"]);
    const type = await resolveFileType(io, values, sources);
    const store = await openStore(values.store, call);
    const progress = isJson ? undefined : new Progress(io.stderr, () => io.now(), `${type.name}:`);
    try {
      await setup(store.backend, ["numeric"]);
      const pool = new IdPool({ backend: store.backend, type });
      const totals = await importAll(pool, argsOrLines("IDs", args, io), (done) =>
        progress?.update({ done }),
      );
      await progress?.end();
      const { taken, known, outside, firstOutside } = totals;
      const skipped =
        outside > 0
          ? ` ${outside} are not IDs of the type: ${firstOutside.join(", ")}${outside > MAX_PRINTED ? ", …" : ""}`
          : "";
      await io.stdout.write(
        isJson
          ? `${JSON.stringify({ type: type.name, ...totals })}\n`
          : `${type.name}: ${taken} IDs are taken now, ${known} were taken before.${skipped}\n`,
      );
      return outside > 0 ? 1 : 0;
    } finally {
      await progress?.end();
      await store.close();
    }
  },
});
