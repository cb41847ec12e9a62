// bitflake new: Snowflake IDs.

import { type Command, defineCommand } from "../defineCommand.ts";
import { FORMAT_FLAG, idFormat } from "../flags/formatFlag.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { openIdProducer } from "../state/idProducer.ts";

/** The settings of a node; how far its numbers go depends on the layout. */
const node = (field: string, variable: string) =>
  ({
    kind: "integer",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    description: `which ${field} this is`,
    defaultText: `$${variable}, or a node that no other process on this machine has`,
  }) as const;

const flags = {
  count: { kind: "integer", min: 1, max: 1_000_000, default: 1, description: "how many" },
  format: FORMAT_FLAG,
  datacenterId: node("datacenter", "FLAKEID_DATACENTER_ID"),
  machineId: node("machine", "FLAKEID_MACHINE_ID"),
  ...LAYOUT_FLAGS,
} as const;

export const newCommand: Command = defineCommand({
  name: "new",
  summary: "Makes Snowflake IDs, one a line.",
  notes: [
    "Several that run at the same time on one machine repeat no ID, and none of a service that `bitflake serve` runs there without a store: each gets a node of its own for as long as it runs or, in a layout without nodes, a time of its own. What is taken stands in a folder of the user ($BITFLAKE_STATE_DIR).",
    "On several machines, say which node each is, by --datacenter-id and --machine-id or the variables FLAKEID_DATACENTER_ID and FLAKEID_MACHINE_ID. Two that are given the same node may make the same ID.",
  ],
  flags,
  examples: [
    { run: "bitflake new" },
    { run: "bitflake new --count 1000 --machine-id 7 --format base32" },
    { run: "bitflake new --preset safe_integer --json" },
  ],
  async run({ values, isJson, io }) {
    const { count, format, datacenterId, machineId } = values;
    const source = await openIdProducer(layoutOptions(values), { datacenterId, machineId }, io);
    const { encode } = idFormat(format);
    const lineOf = (id: bigint) => {
      if (!isJson) return `${encode(id)}\n`;
      const form = format === "decimal" ? {} : { text: encode(id) };
      return `${JSON.stringify({ id: String(id), ...form })}\n`;
    };
    try {
      for (let left = count; left > 0; ) {
        const ids = await source.make(Math.min(left, source.chunk));
        left -= ids.length;
        await io.stdout.write(ids.map(lineOf).join(""));
      }
    } finally {
      await source.close();
    }
    return 0;
  },
});
