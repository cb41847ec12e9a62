// bitflake new: Snowflake IDs.

import { makeGeneratorFromEnv, type SnowflakeGenerator } from "../core.ts";
import { type Command, define } from "./command.ts";
import { FORMAT_FLAG, formOf } from "./forms.ts";
import { LAYOUT_FLAGS, layoutOptions } from "./layoutFlags.ts";

/** The most IDs that are made before they are written. */
const CHUNK = 10_000;

/** The settings of a node; how far its numbers go depends on the layout. */
const node = (field: string, variable: string) =>
  ({
    kind: "whole",
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    what: `which ${field} this is`,
    otherwise: `$${variable}, or 0`,
  }) as const;

const flags = {
  count: { kind: "whole", least: 1, most: 1_000_000, default: 1, what: "how many" },
  format: FORMAT_FLAG,
  datacenterId: node("datacenter", "FLAKEID_DATACENTER_ID"),
  machineId: node("machine", "FLAKEID_MACHINE_ID"),
  ...LAYOUT_FLAGS,
} as const;

/** Makes IDs: many at once where they come fast, and one by one, asleep between ticks, where they do not. */
async function make(generator: SnowflakeGenerator, count: number): Promise<bigint[]> {
  return count > 1 ? generator.nextIds(count) : [await generator.nextIdAsync()];
}

export const newIds: Command = define({
  words: "new",
  summary: "Makes Snowflake IDs, one a line.",
  notes: [
    "Two that run at the same time must be told apart: by --datacenter-id and --machine-id, or the variables FLAKEID_DATACENTER_ID and FLAKEID_MACHINE_ID. With the same numbers they may make the same ID.",
  ],
  flags,
  examples: [
    { run: "bitflake new" },
    { run: "bitflake new --count 1000 --machine-id 7 --format base32" },
    { run: "bitflake new --preset safe_integer --json" },
  ],
  async run({ values, isJson, world }) {
    const { count, format, datacenterId, machineId } = values;
    // A variable would win over an option; a flag wins over both.
    const env = {
      ...world.env,
      ...(datacenterId === undefined ? {} : { FLAKEID_DATACENTER_ID: undefined }),
      ...(machineId === undefined ? {} : { FLAKEID_MACHINE_ID: undefined }),
      FLAKEID_EPOCH_MS: undefined, // Settled with the layout.
    };
    const generator = makeGeneratorFromEnv(layoutOptions(values), { env, datacenterId, machineId });
    // So many that it takes a tenth of a second at most.
    const chunk = Math.max(1, Math.min(CHUNK, Math.floor(generator.capacity().idsPerSecond / 10)));
    const { encode } = formOf(format);
    const lineOf = (id: bigint) => {
      if (!isJson) return `${encode(id)}\n`;
      const form = format === "decimal" ? {} : { text: encode(id) };
      return `${JSON.stringify({ id: String(id), ...form })}\n`;
    };
    for (let left = count; left > 0; ) {
      const ids = await make(generator, Math.min(left, chunk));
      left -= ids.length;
      await world.stdout.write(ids.map(lineOf).join(""));
    }
    return 0;
  },
});
