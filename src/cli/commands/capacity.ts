// bitflake capacity: prints the capacity of a layout.

import { capacity } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { keyValueLines } from "../terminal/table.ts";

/** Returns a number with thousands separators and at most one decimal. */
const formatCount = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

export const capacityCommand: Command = defineCommand({
  name: "capacity",
  summary: "Prints the capacity of a layout: years, nodes, IDs.",
  flags: LAYOUT_FLAGS,
  examples: [
    {
      run: "bitflake capacity --preset twitter",
      output: `years                    69.7
expires at               2089-09-06T15:47:35.552Z
datacenters              32
machines per datacenter  32
nodes                    1,024
IDs per tick             4,096
IDs per second           4,096,000`,
    },
    {
      run: "bitflake capacity --timestamp-bits 39 --machine-bits 16 --sequence-bits 8 --tick-ms 10 --json",
      output:
        '{"years":174.207105067559,"expiresAt":"2194-03-18T03:28:58.880Z","datacenters":1,"machinesPerDatacenter":65536,"nodes":65536,"idsPerTick":256,"idsPerSecond":25600}',
    },
  ],
  async run({ values, isJson, io }) {
    const result = capacity(layoutOptions(values));
    const text = isJson
      ? `${JSON.stringify(result)}\n`
      : keyValueLines({
          years: formatCount(result.years),
          "expires at": result.expiresAt,
          datacenters: formatCount(result.datacenters),
          "machines per datacenter": formatCount(result.machinesPerDatacenter),
          nodes: formatCount(result.nodes),
          "IDs per tick": formatCount(result.idsPerTick),
          "IDs per second": formatCount(result.idsPerSecond),
        });
    await io.stdout.write(text);
    return 0;
  },
});
