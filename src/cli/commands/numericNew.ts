// bitflake numeric new: numeric IDs for people.

import { type Command, defineCommand } from "../defineCommand.ts";
import { ANY_TYPE_FLAGS, resolveType } from "../flags/idTypeFlags.ts";

/** How many lines are written at once. */
const CHUNK = 10_000;

const flags = {
  count: {
    kind: "integer",
    min: 1,
    max: 1_000_000,
    default: 1,
    description: "how many, no two of them the same",
  },
  ...ANY_TYPE_FLAGS,
} as const;

export const numericNewCommand: Command = defineCommand({
  name: "numeric new",
  summary: "Makes random numeric IDs for people, one a line.",
  notes: [
    "Nobody remembers them: another call may make the same ones. What must be issued once comes from a pool: see `bitflake pool fill`.",
  ],
  flags,
  examples: [
    { run: "bitflake numeric new --length 10" },
    { run: "bitflake numeric new --length 12 --rules mosip --count 100" },
    { run: "bitflake numeric new --types types.json --type farmer --json" },
  ],
  async run({ values, sources, isJson, io }) {
    const type = await resolveType(io, values, sources);
    const ids = type.generateIds(values.count);
    const lineOf = (id: string) => `${isJson ? JSON.stringify({ id }) : id}\n`;
    for (let i = 0; i < ids.length; i += CHUNK) {
      await io.stdout.write(
        ids
          .slice(i, i + CHUNK)
          .map(lineOf)
          .join(""),
      );
    }
    return 0;
  },
});
