// bitflake pool status: prints the status of a pool.

import { IdPool, IdPoolHistoryError, type IdPoolStatus } from "../../numeric/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, explainMissingTables, POOL_FLAGS } from "../flags/poolFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { keyValueLines } from "../terminal/table.ts";

/** Returns whether the pool issues no IDs until `bitflake pool accept`, because its store may have lost some. */
function isRefused({ lastError }: IdPoolStatus): boolean {
  return lastError instanceof IdPoolHistoryError;
}

/** Returns the status as JSON. A count that may not fit a number is a string. */
function jsonLine(type: string, status: IdPoolStatus): string {
  const { available, taken, remaining, isExact, isExhausted, isFilling } = status;
  const text = String(remaining);
  // `left` is the former name of `remaining`, for one minor version.
  const counts = { available, taken, remaining: text, left: text, isExact, isExhausted, isFilling };
  return `${JSON.stringify({ type, ...counts, isRefused: isRefused(status) })}\n`;
}

/** Returns the status as text. */
function textLines(type: string, status: IdPoolStatus): string {
  const { available, taken, remaining, isExact, isExhausted, isFilling } = status;
  const yesOrNo = (is: boolean) => (is ? "yes" : "no");
  return keyValueLines({
    type,
    available,
    taken,
    remaining: `${isExact ? "" : "about "}${remaining}`,
    exhausted: yesOrNo(isExhausted),
    "being filled": yesOrNo(isFilling),
    ...(isRefused(status) && {
      blocked: "yes, the store may have lost IDs; see `bitflake pool accept --help`",
    }),
  });
}

export const poolStatusCommand: Command = defineCommand({
  name: "pool status",
  summary: "Prints the available, taken and remaining IDs of a pool.",
  notes: [
    "Exit code 1 means that the pool is exhausted: no ID is available, and no more can be generated. Available IDs are counted up to one more than a refill leaves there.",
  ],
  flags: POOL_FLAGS,
  examples: [
    {
      run: "bitflake pool status --store sqlite:ids.db --types types.json --type farmer --json",
    },
  ],
  async run(call) {
    const { values, sources, isJson, io } = call;
    assertKeepsPools(values.store, sources["store"]);
    const type = await resolveFileType(io, values, sources);
    const store = await openStore(values.store, call, { createsMissing: false });
    try {
      const status = await new IdPool({ backend: store.backend, type }).status();
      await io.stdout.write((isJson ? jsonLine : textLines)(type.name, status));
      return status.isExhausted ? 1 : 0;
    } catch (error) {
      throw explainMissingTables(error, store.description);
    } finally {
      await store.close();
    }
  },
});
