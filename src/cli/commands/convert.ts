// bitflake convert: writes IDs in another text form.

import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { FORMATS, type FormatName, idFormat, idLine, PREFIX_FLAG } from "../flags/formatFlag.ts";
import { writeEachId } from "../idInput.ts";
import { keyValueLines } from "../terminal/table.ts";

const flags = {
  from: {
    kind: "choice",
    choices: FORMATS,
    default: "decimal",
    description: "the text form of the arguments",
  },
  to: {
    kind: "choice",
    choices: FORMATS,
    description: "the text form of the output",
    defaultText: "all of them",
  },
  prefix: { ...PREFIX_FLAG, description: `${PREFIX_FLAG.description}; decimal IDs have none` },
} as const;

export const convertCommand: Command = defineCommand({
  name: "convert",
  args: "ID...",
  summary: "Writes IDs in another text form.",
  notes: [
    "Without arguments it reads IDs from the standard input, one per line. A decimal ID may end in n, as Node prints it. An invalid ID is reported, the other IDs are printed all the same, and the exit code is 1.",
    "Without --to it prints all forms. With it, it prints one line per ID.",
  ],
  flags,
  examples: [
    {
      run: "bitflake convert 175928847299117063",
      output: `decimal  175928847299117063
hex      0271065ac1020007
base32   04W86BB0G4007
base58   1QgmVVkniES
base62   0Czks0tP37X`,
    },
    { run: "bitflake convert 175928847299117063n --to base32 --prefix user", output: "user_04W86BB0G4007" },
    {
      run: "bitflake convert user_04W86BB0G4007 --from base32 --prefix user --to decimal --json",
      output: '{"id":"175928847299117063"}',
    },
  ],
  async run(call) {
    const { values, isJson } = call;
    const { from, to, prefix } = values;
    if (prefix !== undefined && from === "decimal" && to === "decimal") {
      throw new UsageError("--prefix requires another form than decimal in --from or --to");
    }
    const formatOf = (name: FormatName) => idFormat(name, name === "decimal" ? undefined : prefix);
    const { decode } = formatOf(from);
    if (to !== undefined) {
      const lineOf = idLine(formatOf(to), isJson);
      return writeEachId(call, (text) => lineOf(decode(text)));
    }
    const formats = FORMATS.map((name) => [name, formatOf(name)] as const);
    return writeEachId(call, (text) => {
      const id = decode(text);
      const texts = Object.fromEntries(formats.map(([name, { encode }]) => [name, encode(id)]));
      return isJson ? `${JSON.stringify(texts)}\n` : keyValueLines(texts);
    });
  },
});
