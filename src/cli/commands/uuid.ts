// bitflake uuid: generates UUIDs.

import { uuid, uuidv7 } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { COUNT_FLAG } from "../flags/countFlag.ts";
import { writeLines } from "../terminal/writeLines.ts";

/** The characters of a line. */
const WIDTH = 37;

const flags = {
  count: { ...COUNT_FLAG, description: "number of UUIDs" },
  version: {
    kind: "choice",
    choices: ["4", "7"],
    default: "4",
    description: "4 is random, 7 begins with the time and sorts by it",
  },
} as const;

export const uuidCommand: Command = defineCommand({
  name: "uuid",
  summary: "Generates UUIDs, one per line.",
  flags,
  examples: [
    { run: "bitflake uuid" },
    { run: "bitflake uuid --version 7 -n 100" },
    { run: "bitflake uuid --version 7 --json" },
  ],
  async run({ values, isJson, io }) {
    const make = values.version === "7" ? uuidv7 : uuid;
    await writeLines(io.stdout, values.count, WIDTH, () =>
      isJson ? `${JSON.stringify({ id: make() })}\n` : `${make()}\n`,
    );
    return 0;
  },
});
