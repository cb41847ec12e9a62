// bitflake new: generates Snowflake IDs.

import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { COUNT_FLAG } from "../flags/countFlag.ts";
import { FORMAT_FLAG, idFormat, idLine, PREFIX_FLAG } from "../flags/formatFlag.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { openIdProducer } from "../state/idProducer.ts";

/** Returns the setting of a node field. The generator checks the limit, which depends on the layout. */
const node = (field: string, variable: string) =>
  ({
    kind: "integer",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    description: `the ${field} of the IDs`,
    defaultText: `$${variable}, or a leased node that no other process on this machine has`,
  }) as const;

const flags = {
  count: COUNT_FLAG,
  format: FORMAT_FLAG,
  prefix: PREFIX_FLAG,
  datacenterId: node("datacenter", "FLAKEID_DATACENTER_ID"),
  machineId: node("machine", "FLAKEID_MACHINE_ID"),
  ...LAYOUT_FLAGS,
} as const;

export const newCommand: Command = defineCommand({
  name: "new",
  summary: "Generates Snowflake IDs, one per line.",
  notes: [
    "Calls that run at the same time on one machine generate different IDs, also beside a `bitflake serve` without a store: each call leases its own node while it runs or, in a layout without nodes, reserves its own ticks. Leases and reservations are in a folder of the user ($BITFLAKE_STATE_DIR).",
    "On several machines, give each its own node, with --datacenter-id and --machine-id or the variables FLAKEID_DATACENTER_ID and FLAKEID_MACHINE_ID. Two calls with the same node can generate the same ID.",
  ],
  flags,
  examples: [
    { run: "bitflake new" },
    { run: "bitflake new -n 1000 --machine-id 7 --format base32" },
    { run: "bitflake new --prefix user" },
    { run: "bitflake new --preset safe_integer --json" },
  ],
  async run({ values, isJson, io }) {
    const { count, format, prefix, datacenterId, machineId } = values;
    const lineOf = idLine(idFormat(format, prefix), isJson);
    const producer = await openIdProducer(layoutOptions(values), { datacenterId, machineId }, io);
    try {
      for (let remaining = count; remaining > 0; ) {
        const ids = await producer.produce(Math.min(remaining, producer.chunk));
        remaining -= ids.length;
        await io.stdout.write(ids.map(lineOf).join(""));
      }
    } finally {
      await producer.close();
    }
    return 0;
  },
});
