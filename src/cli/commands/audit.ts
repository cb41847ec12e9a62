// bitflake audit: reports faults of generators, from the IDs that they made.

import { Audit, type AuditReport, drawHistogram, FINDING_KINDS } from "../../explain/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { CommandError, UsageError } from "../errors.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { quoted } from "../redact.ts";
import { colorsFor, printable } from "../terminal/color.ts";
import { keyValueLines } from "../terminal/table.ts";

const flags = {
  sorted: { kind: "switch", description: "the IDs are sorted by value: find every duplicate" },
  toleranceMs: {
    kind: "integer",
    min: 0,
    max: 86_400_000,
    default: 1000,
    description: "how far IDs may be out of order, and clocks apart, if the IDs are not sorted",
  },
  shards: {
    kind: "integer",
    min: 2,
    max: 4096,
    description: "count id % N, and exit with 1 if a shard has far more than its part",
    defaultText: "16, without effect on the exit code",
  },
  ignore: {
    kind: "list",
    placeholder: "KIND",
    description: "leave this kind of finding out: sequence-end (repeatable)",
    defaultText: "none",
  },
  svg: { kind: "text", placeholder: "FILE", description: "write a histogram over time to this file" },
  ...LAYOUT_FLAGS,
} as const;

/** Returns the report as text. `isMore`: there are more nodes than it counts. */
function reportLines(report: AuditReport, isMore: boolean, io: Io): string {
  const { red, green } = colorsFor(io.stdout, io.env);
  const { ids, invalid, first, last, nodeCount, wrapsAt, daysToWrap, findings } = report;
  const facts = keyValueLines({
    IDs: ids,
    ...(invalid > 0 && { "no IDs": invalid }),
    ...(first && last && { from: first.toISOString(), to: last.toISOString() }),
    nodes: isMore ? `${nodeCount} or more` : nodeCount,
    "timestamp full": `${wrapsAt.toISOString()}, ${daysToWrap < 0 ? `${-daysToWrap} days ago` : `in ${daysToWrap} days`}`,
  });
  const lines = findings.map(({ certainty, kind, message, example }) => {
    const from = example === undefined ? "" : `; the first is ${printable(example)}`;
    return `${red(`${certainty}: ${kind}`)}: ${message}${from}\n`;
  });
  return `${facts}\n${lines.length > 0 ? lines.join("") : `${green("nothing found")}\n`}`;
}

export const auditCommand: Command = defineCommand({
  name: "audit",
  summary: "Finds faults of generators in the IDs that they made.",
  notes: [
    "It reads decimal IDs from the standard input, one per line, as in `bitflake audit < ids.txt`, in the order in which they were made or stored: duplicates, two writers on one node, clocks that step or differ, full sequences, other epochs, the days until the timestamp is full, uneven shards. Its memory does not grow with the number of IDs.",
    "A certain finding is a fact of the IDs. A likely one is the usual reason of such IDs. Duplicates that lie far apart can be missed: sort the IDs by value and pass --sorted to find all.",
    "Pass the preset, widths, epoch and tick of the generators. The exit code is 1 if something is found, except for uneven shards without --shards. `--ignore sequence-end` leaves out a kind that is no fault for you.",
  ],
  flags,
  examples: [
    { run: "bitflake audit --preset twitter --tolerance-ms 5000" },
    { run: "bitflake audit --sorted --json" },
    { run: "bitflake audit --ignore shard-skew --ignore sequence-end" },
  ],
  async run({ values, isJson, io }) {
    const { sorted, toleranceMs, shards, ignore = [], svg, ...layout } = values;
    for (const kind of ignore) {
      if (FINDING_KINDS.some((known) => known === kind)) continue;
      throw new UsageError(`--ignore must be one of ${FINDING_KINDS.join(", ")}, got ${quoted(kind)}`);
    }
    if (svg === "-") throw new UsageError("--svg must be a file: the report is on the standard output");
    const audit = new Audit(layoutOptions(layout), {
      clock: () => io.now(),
      order: sorted ? "sorted" : "issued",
      toleranceMs,
      shards,
    });
    if (io.stdin.isTTY) await io.stderr.write("Reading IDs, one per line; Ctrl-D ends.\n");
    for await (const chunk of io.stdin) audit.write(chunk);
    const whole = audit.report();
    const findings = whole.findings.filter(({ kind }) => !ignore.includes(kind));
    if (whole.ids === 0 && findings.length === 0) {
      const { invalid } = whole;
      const input =
        invalid === 0 ? "the input is empty" : `none of the lines that were read, ${invalid}, is one`;
      throw new CommandError("ERR_NO_INPUT", `no IDs were read: ${input}`);
    }
    const isMore = whole.findings.some(({ kind }) => kind === "untracked");
    const report = { ...whole, findings };
    // First of all the report, which may have taken long and does not need the file.
    await io.stdout.write(isJson ? `${JSON.stringify(report)}\n` : reportLines(report, isMore, io));
    if (svg !== undefined) {
      const { writeFile } = await nodeModule(io, "node:fs/promises");
      await writeFile(await pathFrom(io, svg), drawHistogram(report)).catch((cause: Error) => {
        throw new CommandError("ERR_WRITE_FILE", `--svg: ${cause.message}`, { cause });
      });
    }
    // Few IDs in a tick are uneven by nature, which is a fault only for a table that is split so.
    const faults = shards === undefined ? findings.filter(({ kind }) => kind !== "shard-skew") : findings;
    return faults.length > 0 ? 1 : 0;
  },
});
