// bitflake capacity: how much a layout holds.

import { capacity } from "../../internal.ts";
import { type Command, defineCommand } from "../defineCommand.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { keyValueLines } from "../terminal/table.ts";

/** A number as people write it. */
const formatCount = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

export const capacityCommand: Command = defineCommand({
  name: "capacity",
  summary: "Says how much a layout holds: years, nodes, IDs.",
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
    const holds = capacity(layoutOptions(values));
    const text = isJson
      ? `${JSON.stringify(holds)}\n`
      : keyValueLines({
          years: formatCount(holds.years),
          "expires at": holds.expiresAt,
          datacenters: formatCount(holds.datacenters),
          "machines per datacenter": formatCount(holds.machinesPerDatacenter),
          nodes: formatCount(holds.nodes),
          "IDs per tick": formatCount(holds.idsPerTick),
          "IDs per second": formatCount(holds.idsPerSecond),
        });
    await io.stdout.write(text);
    return 0;
  },
});
