// bitflake random: generates random strings.

import { randomString } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { COUNT_FLAG } from "../flags/countFlag.ts";
import { writeLines } from "../terminal/writeLines.ts";

const flags = {
  count: { ...COUNT_FLAG, description: "number of strings" },
  length: {
    kind: "integer",
    min: 1,
    max: 1_048_576,
    default: 21,
    short: "l",
    description: "number of characters",
  },
  alphabet: {
    kind: "text",
    placeholder: "TEXT",
    description: "2 to 256 different characters to choose from",
    defaultText: "0-9A-Za-z",
  },
} as const;

export const randomCommand: Command = defineCommand({
  name: "random",
  summary: "Generates random strings, one per line.",
  notes: [
    "All strings of the length are equally likely. The default has 125 random bits, about as many as a UUID of version 4.",
  ],
  flags,
  examples: [
    { run: "bitflake random" },
    { run: "bitflake random --length 8 --alphabet abcdefghjkmnpqrstuvwxyz23456789 -n 5" },
    { run: "bitflake random --length 32 --json" },
  ],
  async run({ values, isJson, io }) {
    const { count, length, alphabet } = values;
    await writeLines(io.stdout, count, length, () => {
      const id = randomString(length, alphabet);
      return isJson ? `${JSON.stringify({ id })}\n` : `${id}\n`;
    });
    return 0;
  },
});
