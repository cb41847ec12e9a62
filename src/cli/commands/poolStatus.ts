// bitflake pool status: how a pool is.

import { IdPool, IdPoolHistoryError, type IdPoolStatus } from "../../numeric/index.ts";
import { type Command, defineCommand } from "../defineCommand.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, explainMissingTables, POOL_FLAGS } from "../flags/poolFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { keyValueLines } from "../terminal/table.ts";

/** Returns whether the pool issues nothing until somebody accepts that its store may have gone back. */
function isRefused({ lastError }: IdPoolStatus): boolean {
  return lastError instanceof IdPoolHistoryError;
}

/** How a pool is, for a program: what does not fit a number is a text. */
function jsonLine(type: string, status: IdPoolStatus): string {
  const { available, taken, remaining, isExact, isExhausted, isFilling } = status;
  const text = String(remaining);
  // `left` is the former name of `remaining`, for one minor version.
  const counts = { available, taken, remaining: text, left: text, isExact, isExhausted, isFilling };
  return `${JSON.stringify({ type, ...counts, isRefused: isRefused(status) })}\n`;
}

/** How a pool is, for a person. */
function textLines(type: string, status: IdPoolStatus): string {
  const { available, taken, remaining, isExact, isExhausted, isFilling } = status;
  const yes = (is: boolean) => (is ? "yes" : "no");
  return keyValueLines({
    type,
    "at hand": available,
    taken,
    "left to issue": `${isExact ? "" : "about "}${remaining}`,
    exhausted: yes(isExhausted),
    "being filled": yes(isFilling),
    ...(isRefused(status) && {
      refused: "the store may have forgotten IDs; see `bitflake pool accept --help`",
    }),
  });
}

export const poolStatusCommand: Command = defineCommand({
  name: "pool status",
  summary: "Says how many IDs of a pool are at hand, taken and left.",
  notes: [
    "Exit code 1 means that the pool is exhausted: none is at hand, and none will come. Of IDs at hand only so many are counted as a refill leaves there, and one more.",
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
    const store = await openStore(values.store, call, { isNew: false });
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
