// bitflake decode: prints the fields of Snowflake IDs.

import { type DecodedId, decode } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { FORMAT_FLAG, idFormat, PREFIX_FLAG } from "../flags/formatFlag.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { writeEachId } from "../idInput.ts";
import { keyValueLines } from "../terminal/table.ts";

/** How far ahead the clock of a generator may be, in milliseconds. An ID that is further ahead is probably decoded wrongly. */
const MAX_AHEAD_MS = 60_000;

const flags = {
  format: { ...FORMAT_FLAG, description: "the text form of the arguments" },
  prefix: PREFIX_FLAG,
  ...LAYOUT_FLAGS,
} as const;

/** Returns the fields of an ID as JSON, the ID as a string, because a number would lose digits. */
function jsonLine(decoded: DecodedId, isFuture: boolean): string {
  return `${JSON.stringify({ ...decoded, id: String(decoded.id), ...(isFuture && { isFuture }) })}\n`;
}

/** Returns the fields of an ID as text. */
function textLines(
  { id, generatedAt, timestampMs, datacenterId, machineId, sequence }: DecodedId,
  isFuture: boolean,
): string {
  return keyValueLines({
    id,
    "generated at": generatedAt,
    "timestamp ms": timestampMs,
    datacenter: datacenterId,
    machine: machineId,
    sequence,
    ...(isFuture && {
      note: "this time is in the future: another epoch? Set --epoch, --epoch-ms or --preset",
    }),
  });
}

export const decodeCommand: Command = defineCommand({
  name: "decode",
  args: "ID...",
  summary: "Prints the fields of Snowflake IDs: time, node, sequence.",
  notes: [
    "Without arguments it reads IDs from the standard input, one per line. A decimal ID may end in n, as Node prints it.",
    "An ID does not contain its layout: pass the preset, widths, epoch and tick of its generator, otherwise the fields are wrong. A time in the future is a sign of that, and a note says so. An invalid ID is reported, the other IDs are printed all the same, and the exit code is 1.",
  ],
  flags,
  examples: [
    {
      run: "bitflake decode 911780371413233664",
      output: `id            911780371413233664
generated at  2026-11-21T00:49:40.605Z
timestamp ms  1795222180605
datacenter    1
machine       7
sequence      0`,
    },
    {
      run: "bitflake decode user_04W86BB0G4007 --prefix user --epoch 2015-01-01 --json",
      output:
        '{"id":"175928847299117063","timestampMs":1462015105796,"generatedAt":"2016-04-30T11:18:25.796Z","datacenterId":1,"machineId":0,"sequence":7}',
    },
  ],
  async run(call) {
    const { values, isJson, io } = call;
    const options = layoutOptions(values);
    decode(0n, options); // Report a wrong layout before any ID.
    const format = idFormat(values.format, values.prefix);
    const render = isJson ? jsonLine : textLines;
    return writeEachId(call, (text) => {
      const decoded = decode(format.decode(text), options);
      return render(decoded, decoded.timestampMs > io.now() + MAX_AHEAD_MS);
    });
  },
});
