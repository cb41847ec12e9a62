// bitflake pool status: how a pool is.

import { BackendError } from "../core.ts";
import { IdPool, type IdPoolStatus } from "../numeric/index.ts";
import { type Command, define } from "./command.ts";
import { Failure } from "./failure.ts";
import { typeInFile } from "./numericType.ts";
import { POOL_FLAGS, refuseRedis } from "./poolFlags.ts";
import { openStore } from "./store.ts";
import { pairs } from "./table.ts";

/** How a pool is, for a program: what does not fit a number is a text. */
function forPrograms(type: string, status: IdPoolStatus): string {
  const { available, taken, left, isExact, isExhausted, isFilling } = status;
  return `${JSON.stringify({ type, available, taken, left: String(left), isExact, isExhausted, isFilling })}\n`;
}

/** How a pool is, for a person. */
function forPeople(
  type: string,
  { available, taken, left, isExact, isExhausted, isFilling }: IdPoolStatus,
): string {
  const yes = (is: boolean) => (is ? "yes" : "no");
  return pairs({
    type,
    "at hand": available,
    taken,
    "left to issue": `${isExact ? "" : "about "}${left}`,
    exhausted: yes(isExhausted),
    "being filled": yes(isFilling),
  });
}

/** What is said where nobody has made the tables: in the words of the command line. */
function explained(error: unknown, description: string): unknown {
  return error instanceof BackendError && error.message.includes("setup()")
    ? new Failure(error.code, `${description} has no tables of pools; \`bitflake pool fill\` makes them`)
    : error;
}

export const poolStatus: Command = define({
  words: "pool status",
  summary: "Says how many IDs of a pool are at hand, taken and left.",
  notes: ["Exit code 1 means that the pool is exhausted: none is at hand, and none will come."],
  flags: POOL_FLAGS,
  examples: [
    {
      run: "bitflake pool status --store sqlite:ids.db --types types.json --type farmer --json",
    },
  ],
  async run(call) {
    const { values, sources, isJson, world } = call;
    refuseRedis(values.store, sources["store"]);
    const type = await typeInFile(world, values, sources);
    const store = await openStore(values.store, call, { isNew: false });
    try {
      const status = await new IdPool({ backend: store.backend, type }).status();
      await world.stdout.write((isJson ? forPrograms : forPeople)(type.name, status));
      return status.isExhausted ? 1 : 0;
    } catch (error) {
      throw explained(error, store.description);
    } finally {
      await store.close();
    }
  },
});
