// bitflake numeric check: validates numeric IDs and prints the rules that they break.

import type { Validation } from "../../numeric/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { ANY_TYPE_FLAGS, resolveType } from "../flags/idTypeFlags.ts";
import { type Colors, colorsFor, printable } from "../terminal/color.ts";
import { argsOrLines } from "../terminal/input.ts";

function textLines(id: string, { valid, broken }: Validation, { green, red }: Colors): string {
  const verdict = valid ? green("valid") : red("not valid");
  const reasons = broken.map(({ rule, detail }) => `  ${rule}: ${detail}\n`);
  return `${printable(id)}: ${verdict}\n${reasons.join("")}`;
}

export const numericCheckCommand: Command = defineCommand({
  name: "numeric check",
  args: "ID...",
  summary: "Validates numeric IDs and prints the rules that they break.",
  notes: [
    "Without arguments it reads IDs from the standard input, one per line.",
    "The exit code is 1 if any ID is not valid. A valid ID need not have been issued.",
  ],
  flags: ANY_TYPE_FLAGS,
  examples: [
    {
      run: "bitflake numeric check 8349257232 6786305283 --length 10",
      output: `8349257232: valid
6786305283: not valid
  sequence: 678 at digit 1 is ascending`,
    },
    {
      run: "bitflake numeric check 6786305283 --length 10 --json",
      output:
        '{"id":"6786305283","valid":false,"broken":[{"rule":"sequence","detail":"678 at digit 1 is ascending"}]}',
    },
  ],
  async run({ values, sources, args, isJson, io }) {
    const type = await resolveType(io, values, sources);
    const paint = colorsFor(io.stdout, io.env);
    let areValid = true;
    for await (const id of argsOrLines("IDs", args, io)) {
      const validation = type.validate(id);
      areValid &&= validation.valid;
      await io.stdout.write(
        isJson ? `${JSON.stringify({ id, ...validation })}\n` : textLines(id, validation, paint),
      );
    }
    return areValid ? 0 : 1;
  },
});
