// bitflake layout: draws the bits of a layout.

import { SnowflakeGenerator } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { layoutOptions, WIDTH_FLAGS } from "../flags/layoutFlags.ts";
import { drawLayout, layoutFields } from "../terminal/drawLayout.ts";

/** The width of the drawing. */
const COLUMNS = 80;

export const layoutCommand: Command = defineCommand({
  name: "layout",
  summary: "Draws the bits of a layout.",
  flags: WIDTH_FLAGS,
  examples: [
    {
      run: "bitflake layout --preset twitter",
      output: drawLayout(
        layoutFields({ timestampBits: 41, datacenterBits: 5, machineBits: 5, sequenceBits: 12 }),
        COLUMNS,
      ).trimEnd(),
    },
    {
      run: "bitflake layout --preset safe_integer --json",
      output:
        '{"bits":53,"fields":[{"name":"timestamp","bits":41,"high":52,"low":12},{"name":"machine","bits":5,"high":11,"low":7},{"name":"sequence","bits":7,"high":6,"low":0}]}',
    },
  ],
  async run({ values, isJson, io }) {
    const fields = layoutFields(
      new SnowflakeGenerator(layoutOptions({ ...values, epochMs: undefined, tickMs: undefined })).layout,
    );
    const bits = fields.reduce((sum, field) => sum + field.bits, 0);
    await io.stdout.write(isJson ? `${JSON.stringify({ bits, fields })}\n` : drawLayout(fields, COLUMNS));
    return 0;
  },
});
