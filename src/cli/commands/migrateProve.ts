// bitflake migrate prove: whether a migration from one kind of IDs to another can repeat an ID.

import { ArgumentError, readId } from "../../internal.ts";
import {
  type IssuedId,
  type Migration,
  type NodeEntry,
  proveMigration,
  type Scheme,
  type SchemeName,
  type SchemeSide,
  type SerialSide,
  type UuidSide,
  type Verdict,
} from "../../migrate/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { EPOCH_LIMITS, LAYOUT_FLAGS, PRESET_NAMES } from "../flags/layoutFlags.ts";
import type { Io } from "../io.ts";
import { quoted } from "../redact.ts";
import { flagName, type IntegerFlag, type Values } from "../settings/flagTable.ts";
import { colorsFor } from "../terminal/color.ts";
import { keyValueLines } from "../terminal/table.ts";

const scheme = (description: string) =>
  ({ kind: "text", placeholder: "SCHEME", required: true, description }) as const;
const epoch = (name: string): Omit<IntegerFlag, "default"> => ({
  kind: "integer",
  ...EPOCH_LIMITS,
  description: "its epoch, in milliseconds since 1970",
  defaultText: "that of the scheme",
  otherForm: { name, flag: { kind: "moment", description: "the same as a date" } },
});
const tick = {
  kind: "integer",
  min: 1,
  max: 8.64e15,
  description: "its tick, in milliseconds",
  defaultText: "that of the scheme",
} as const;
const nodes = {
  kind: "list",
  placeholder: "NODES",
  description: "the nodes that it uses: 0-31,40 (repeatable)",
  defaultText: "all nodes of the layout",
} as const;
const moment = (description: string, defaultText: string) =>
  ({ kind: "moment", description, defaultText }) as const;
const number = (description: string, defaultText: string) =>
  ({ kind: "text", placeholder: "N", description, defaultText }) as const;

const flags = {
  from: scheme("the scheme of the old IDs"),
  fromEpochMs: epoch("fromEpoch"),
  fromTickMs: tick,
  fromNodes: nodes,
  fromSince: moment("when the first old ID was made", "the epoch"),
  fromUntil: moment("when the old generators stop", "the cut-over"),
  fromMin: number("with serial, the smallest number", "1"),
  fromMax: number("with serial, the largest number, which is required", "none"),
  to: scheme("the scheme of the new IDs"),
  toEpochMs: epoch("toEpoch"),
  toTickMs: tick,
  toNodes: nodes,
  toSince: moment("when the new generators start", "the cut-over"),
  toUntil: moment("when the new generators stop", "the end of the layout"),
  cutOver: { kind: "moment", required: true, description: "when the new generators replace the old ones" },
  maxSkewMs: {
    kind: "integer",
    min: 0,
    max: 1_000_000_000_000,
    default: 5000,
    description: "how far the clock of a generator may be off, in milliseconds",
  },
} as const;

/** Parses a list of nodes: `0-31,40`. */
function parseNodes(lists: readonly string[] | undefined, source = "the nodes"): NodeEntry[] | undefined {
  return lists
    ?.flatMap((list) => list.split(","))
    .map((part): NodeEntry => {
      const [, first, last] = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(part) ?? [];
      if (first === undefined) {
        throw new UsageError(
          `${source} must be nodes or ranges of them, such as 0-31,40, got ${quoted(part)}`,
        );
      }
      return last === undefined ? Number(first) : [Number(first), Number(last)];
    });
}

/** Parses a scheme: its name, or the widths of a layout, such as 41.5.5.12. */
function parseScheme(text: string): SchemeName | Scheme {
  const widths = /^\d\d?(?:\.\d\d?){3}$/.test(text) ? text.split(".").map(Number) : undefined;
  if (widths === undefined) return text as SchemeName;
  const [timestampBits = 0, datacenterBits = 0, machineBits = 0, sequenceBits = 0] = widths;
  return { timestampBits, datacenterBits, machineBits, sequenceBits };
}

/** Parses a number of a serial column, which may be larger than an integer flag can be. */
function parseNumber(text: string, source = "the number"): bigint {
  const number = readId(text);
  if (number !== undefined) return number;
  throw new UsageError(`${source} must be a whole number from 0 to 2^63-1, got ${quoted(text)}`);
}

/** Returns the side of the old IDs. */
function oldSide(values: Values<typeof flags>, sources: Readonly<Record<string, string>>) {
  const { from, fromMax: max } = values;
  const timed = {
    epochMs: values.fromEpochMs,
    tickMs: values.fromTickMs,
    nodes: parseNodes(values.fromNodes, sources["fromNodes"]),
    since: values.fromSince,
    until: values.fromUntil,
  };
  const isTimed = from !== "serial" && from !== "uuid";
  const ofSchemes = ["fromEpochMs", "fromTickMs", "fromNodes", "fromSince", "fromUntil"] as const;
  const ofSerial = ["fromMin", "fromMax"] as const;
  for (const name of [...(isTimed ? [] : ofSchemes), ...(from === "serial" ? [] : ofSerial)]) {
    if (values[name] === undefined) continue;
    throw new UsageError(`${sources[name]} cannot be combined with --from ${quoted(from)}`);
  }
  if (from === "uuid") return { scheme: from } satisfies UuidSide;
  if (from !== "serial") return { scheme: parseScheme(from), ...timed } satisfies SchemeSide;
  if (max === undefined) throw new UsageError("--from-max is required with --from serial");
  const min = values.fromMin === undefined ? undefined : parseNumber(values.fromMin, sources["fromMin"]);
  return { scheme: from, min, max: parseNumber(max, sources["fromMax"]) } satisfies SerialSide;
}

/**
 * Asserts that a preset has its epoch as a flag if a variable sets that of the generators: the proof must not be about the
 * preset's own epoch then, and the variable may belong to either side.
 */
function assertEpochs(values: Values<typeof flags>, env: Io["env"]): void {
  const { env: variable = "" } = LAYOUT_FLAGS.epochMs;
  if (!env[variable]) return;
  for (const [side, epochMs] of [
    ["from", values.fromEpochMs],
    ["to", values.toEpochMs],
  ] as const) {
    if (epochMs !== undefined || !PRESET_NAMES.some((name) => name === values[side])) continue;
    throw new UsageError(
      `--${side}-epoch or --${side}-epoch-ms is required with --${side} ${values[side]}, because ${variable} sets the epoch of generators`,
    );
  }
}

/** Proves a migration. An error about an option of a side names its flag: `--to-until` for `to.until`. */
function proveOrName(migration: Migration, sources: Readonly<Record<string, string>>): Verdict {
  try {
    return proveMigration(migration);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const [, side = "", letter = "", rest = ""] = /^(from|to)\.(\w)(\w*)/.exec(error.field) ?? [];
    if (side === "") throw error;
    const name = side + letter.toUpperCase() + rest;
    // The scheme and its widths are one flag.
    const flag = Object.hasOwn(flags, name) ? (sources[name] ?? flagName(name)) : `--${side}`;
    throw new UsageError(`${flag} must be ${error.rule}, got ${error.value}`, error.code);
  }
}

const fieldNames = ["timestampMs", "datacenterId", "machineId", "sequence"] as const;

/** Returns an ID as one line: with its time, and its fields if its scheme has any. */
function idLine(issued: IssuedId): string {
  const [time, datacenter, machine, sequence] = fieldNames.map((name) => issued[name]);
  if (time === undefined) return `${issued.id}`;
  return `${issued.id}  ${new Date(time).toISOString()}  datacenter ${datacenter}  machine ${machine}  sequence ${sequence}`;
}

/** Returns a verdict as text. */
function textLines(verdict: Verdict, paint: (text: string) => string): string {
  const remedy = "remedy" in verdict ? verdict.remedy : undefined;
  const rows = verdict.disjoint
    ? verdict.largestOld &&
      verdict.smallestNew && {
        "largest old": idLine(verdict.largestOld),
        "smallest new": idLine(verdict.smallestNew),
      }
    : { old: idLine(verdict.pair.from), new: idLine(verdict.pair.to) };
  const title = verdict.ordered
    ? "disjoint and ordered"
    : verdict.disjoint
      ? "disjoint, not ordered"
      : "collision";
  return [
    `${paint(title)}: ${verdict.reason}\n`,
    rows ? keyValueLines(rows) : "",
    remedy
      ? `ordered with --to-since ${remedy.since.toISOString()} or later${remedy.epochMs === undefined ? "" : `, or with --to-epoch-ms=${remedy.epochMs} or earlier`}\n`
      : "",
  ].join("");
}

export const migrateProveCommand: Command = defineCommand({
  name: "migrate prove",
  summary: "Proves that a migration repeats no ID.",
  notes: [
    "It compares every ID that the old side can have issued with every ID that the new side can issue. The exit code is 0 if no ID is in both, 1 if one is: the smallest of them is printed.",
    "A SCHEME is the name of a preset, sapphire, nodejs-snowflake, sonyflake, sonyflake-v2, instagram or mastodon, or the widths of timestamp, datacenter, machine and sequence: 41.5.5.12, with an epoch. The old IDs may also be serial, with --from-max, or uuid.",
    "A node is a number over both of its fields: datacenter 3, machine 7 of twitter is 103.",
  ],
  flags,
  examples: [
    {
      run: "bitflake migrate prove --from serial --from-max 48000000 --to twitter --cut-over 2026-12-01",
      output: `disjoint and ordered: the smallest new ID, 915391727534080000, is larger than the largest old one, 48000000
largest old   48000000
smallest new  915391727534080000  2026-11-30T23:59:55.000Z  datacenter 0  machine 0  sequence 0`,
    },
    {
      run: "bitflake migrate prove --from sonyflake --from-nodes 0-255 --to twitter --cut-over 2026-12-01 --json",
    },
  ],
  async run({ values, sources, isJson, io }) {
    assertEpochs(values, io.env);
    const to = {
      scheme: parseScheme(values.to),
      epochMs: values.toEpochMs,
      tickMs: values.toTickMs,
      nodes: parseNodes(values.toNodes, sources["toNodes"]),
      since: values.toSince,
      until: values.toUntil,
    };
    const { cutOver, maxSkewMs } = values;
    const verdict = proveOrName({ from: oldSide(values, sources), to, cutOver, maxSkewMs }, sources);
    const { green, red } = colorsFor(io.stdout, io.env);
    const paint = verdict.disjoint ? green : red;
    await io.stdout.write(isJson ? `${JSON.stringify(verdict)}\n` : textLines(verdict, paint));
    return verdict.disjoint ? 0 : 1;
  },
});
