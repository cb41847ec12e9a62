// bitflake explain: prints the formats that an ID may have, with its time in each.

import { type Explanation, explain } from "../../explain/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { colorsFor, printable } from "../terminal/color.ts";
import { argsOrLines } from "../terminal/input.ts";

const flags = {
  around: {
    kind: "moment",
    description: "when the ID was made, to within a day",
    defaultText: "not known",
  },
  all: { kind: "switch", description: "print every format, not the first three" },
} as const;

/** How many formats are printed. */
const SHOWN = 3;

/** Returns the lines of one format. */
function formatLines(
  { name, share, generatedAt, fields, reasons, against }: Explanation,
  bold: (text: string) => string,
): string {
  const percent = share >= 0.01 ? `${Math.round(100 * share)} %` : "under 1 %";
  const values = Object.entries(fields).map(([field, value]) => `${field} ${value}`);
  const lines = [
    `  ${bold(name)}, weight ${percent}`,
    `    time: ${generatedAt ?? "none"}`,
    ...(values.length > 0 ? [`    fields: ${values.join(", ")}`] : []),
    ...reasons.map((reason) => `    for: ${reason}`),
    ...against.map((reason) => `    against: ${reason}`),
  ];
  return `${lines.join("\n")}\n`;
}

export const explainCommand: Command = defineCommand({
  name: "explain",
  args: "ID...",
  summary: "Ranks the formats that an ID of unknown origin may have.",
  notes: [
    "Without arguments it reads IDs from the standard input, one per line. It knows X, Discord, Instagram, Mastodon, Sonyflake, TSID, UUID v1 to v8, ULID, KSUID, ObjectId, numeric IDs with a check digit, and the presets of bitflake. The likeliest format comes first. It is a ranking, not an answer: platforms use the same numbers at different times.",
    "If you know when the ID was made, pass --around: formats whose time is within a day of it come first. The exit code is 1 if no format has such an ID.",
  ],
  flags,
  examples: [
    {
      run: "bitflake explain 01ARYZ6S41TSV4RRFFQ69G5FAV",
      output: `01ARYZ6S41TSV4RRFFQ69G5FAV may be
  ULID, weight 100 %
    time: 2016-07-30T22:36:16.385Z
    for: it has the form: 26 characters of Crockford's base32
    for: that time is between the first ID of ULID and now`,
    },
    { run: "bitflake explain 334385199974967042 --around 2017-07-11" },
    { run: "bitflake explain 017f22e2-79b0-7cc3-98c4-dc0c0c07398f --json" },
  ],
  async run({ args, values, isJson, io }) {
    const { bold } = colorsFor(io.stdout, io.env);
    let [gap, code] = ["", 0];
    for await (const text of argsOrLines("IDs", args, io)) {
      const explanations = explain(text, { nowMs: io.now(), aroundMs: values.around });
      if (explanations.length === 0) code = 1;
      if (isJson) {
        await io.stdout.write(`${JSON.stringify({ id: text, explanations })}\n`);
        continue;
      }
      const shown = values.all ? explanations : explanations.slice(0, SHOWN);
      const more = explanations.length - shown.length;
      await io.stdout.write(
        [
          gap,
          `${text === "" ? '""' : printable(text)} ${shown.length > 0 ? "may be" : "has the form of no known ID"}\n`,
          ...shown.map((explanation) => formatLines(explanation, bold)),
          more > 0 ? `  and ${more} more with less weight: --all prints them\n` : "",
        ].join(""),
      );
      gap = "\n";
    }
    return code;
  },
});
