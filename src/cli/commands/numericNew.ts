// bitflake numeric new: generates random numeric IDs for people.

import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { COUNT_FLAG } from "../flags/countFlag.ts";
import { ANY_TYPE_FLAGS, resolveType } from "../flags/idTypeFlags.ts";

/** The number of lines of one write. */
const CHUNK = 10_000;

const flags = {
  count: {
    ...COUNT_FLAG,
    description: "number of IDs, all of them different",
  },
  ...ANY_TYPE_FLAGS,
} as const;

export const numericNewCommand: Command = defineCommand({
  name: "numeric new",
  summary: "Generates random numeric IDs for people, one per line.",
  notes: [
    "The IDs are not recorded, so another call can generate the same ones. Use a pool for IDs that must be issued only once: see `bitflake pool fill`.",
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
