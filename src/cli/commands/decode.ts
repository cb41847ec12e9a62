// bitflake decode: prints the fields of Snowflake IDs.

import { type DecodedId, decode, InvalidIdError } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { reportError } from "../errors.ts";
import { FORMAT_FLAG, idFormat } from "../flags/formatFlag.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { argsOrLines } from "../terminal/input.ts";
import { keyValueLines } from "../terminal/table.ts";

const flags = {
  format: { ...FORMAT_FLAG, description: "the text form of the arguments" },
  ...LAYOUT_FLAGS,
} as const;

/** Returns the fields of an ID as JSON, the ID as a string, because a number would lose digits. */
function jsonLine(decoded: DecodedId): string {
  return `${JSON.stringify({ ...decoded, id: String(decoded.id) })}\n`;
}

/** Returns the fields of an ID as text. */
function textLines({ id, generatedAt, timestampMs, datacenterId, machineId, sequence }: DecodedId): string {
  return keyValueLines({
    id,
    "generated at": generatedAt,
    "timestamp ms": timestampMs,
    datacenter: datacenterId,
    machine: machineId,
    sequence,
  });
}

export const decodeCommand: Command = defineCommand({
  name: "decode",
  args: "ID...",
  summary: "Prints the fields of Snowflake IDs: time, node, sequence.",
  notes: [
    "Without arguments it reads IDs from the standard input, one per line.",
    "An ID does not contain its layout: pass the preset, widths, epoch and tick of its generator, otherwise the fields are wrong. An invalid ID is reported, the other IDs are printed all the same, and the exit code is 1.",
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
      run: "bitflake decode 04W86BB0G4007 --format base32 --epoch-ms 1420070400000 --json",
      output:
        '{"id":"175928847299117063","timestampMs":1462015105796,"generatedAt":"2016-04-30T11:18:25.796Z","datacenterId":1,"machineId":0,"sequence":7}',
    },
  ],
  async run({ values, args, isJson, io }) {
    const options = layoutOptions(values);
    decode(0n, options); // Report a wrong layout before any ID.
    const idForm = idFormat(values.format);
    let [printed, failed] = [0, 0];
    for await (const text of argsOrLines("IDs", args, io)) {
      try {
        const decoded = decode(idForm.decode(text), options);
        const gap = printed > 0 && !isJson ? "\n" : "";
        await io.stdout.write(gap + (isJson ? jsonLine(decoded) : textLines(decoded)));
        printed++;
      } catch (error) {
        if (!(error instanceof InvalidIdError)) throw error;
        await reportError(io, isJson, error);
        failed++;
      }
    }
    return failed > 0 ? 1 : 0;
  },
});
