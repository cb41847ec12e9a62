// bitflake range: prints the smallest and the largest ID of a span of time, for queries by time.

import { type IdRange, SnowflakeGenerator } from "../../internal.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { FORMAT_FLAG, idFormat, PREFIX_FLAG } from "../flags/formatFlag.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { keyValueLines } from "../terminal/table.ts";

/** The names of columns that need no further quotes: plain ones, or in the quotes of a database, each with its table. */
const COLUMN = /^(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\])(?:\.(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\]))*$/;

const flags = {
  from: { kind: "moment", required: true, description: "the first moment" },
  to: { kind: "moment", required: true, description: "the first moment after the span" },
  column: {
    kind: "text",
    placeholder: "NAME",
    description: "print a condition for SQL on this column",
    defaultText: "print min and max",
  },
  format: { ...FORMAT_FLAG, description: "the text form of the IDs in the column" },
  prefix: PREFIX_FLAG,
  ...LAYOUT_FLAGS,
} as const;

/** Asserts that a value is a column; returns it. */
function assertColumn(column: string, source = "--column"): string {
  if (COLUMN.test(column)) return column;
  throw new UsageError(
    `${source} must be the name of a column, such as id or orders.id, got ${JSON.stringify(column.slice(0, 64))}`,
  );
}

export const rangeCommand: Command = defineCommand({
  name: "range",
  summary: "Prints the smallest and largest ID of a span of time.",
  notes: [
    "They are those of any node, so a query by time can use the index of the IDs: WHERE id BETWEEN min AND max. In a span without a tick, max is less than min, and the condition is false.",
    "A moment is a date, which begins at midnight in UTC, or a time with its zone: 2026-01-31T12:00:00Z, 2026-01-31T13:00:00+01:00. Pass the preset, widths, epoch and tick of the generator.",
  ],
  flags,
  examples: [
    {
      run: "bitflake range --from 2026-11-01 --to 2026-12-01",
      output: `min  904520112537600000
max  915391748505599999`,
    },
    {
      run: "bitflake range --from 2026-11-21T00:49:40.605Z --to 2026-11-21T00:49:40.606Z --column orders.id",
      output: "orders.id BETWEEN 911780371413073920 AND 911780371417268223",
    },
    {
      run: "bitflake range --from 2016-04-30 --to 2016-05-01 --preset discord --format base32 --column id --json",
      output:
        '{"from":"2016-04-30T00:00:00.000Z","to":"2016-05-01T00:00:00.000Z","min":"04W3B2C000000","max":"04WDMN7ZZZZZZ","sql":"id BETWEEN \'04W3B2C000000\' AND \'04WDMN7ZZZZZZ\'"}',
    },
  ],
  async run({ values, sources, isJson, io }) {
    const { from, to, column } = values;
    if (to < from) throw new UsageError(`${sources["to"]} must not be before ${sources["from"]}`);
    const format = idFormat(values.format, values.prefix);
    const name = column === undefined ? undefined : assertColumn(column, sources["column"]);
    // Any node, so that no process is warned of a shared one: the range is that of all nodes.
    const range: IdRange = new SnowflakeGenerator({ ...layoutOptions(values), machineId: 0 }).range(from, to);
    if (!format.isDecimal && range.max < 0n) {
      throw new UsageError(
        `${sources["to"]} must be after the epoch, because no text form has the ID ${range.max}`,
      );
    }
    const [min, max] = [format.encode(range.min), format.encode(range.max)];
    // The digits of text forms, and of prefixes, need no escapes in SQL.
    const [least, most] = format.isDecimal ? [min, max] : [`'${min}'`, `'${max}'`];
    const sql = name === undefined ? {} : { sql: `${name} BETWEEN ${least} AND ${most}` };
    const moments = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const text = isJson
      ? `${JSON.stringify({ ...moments, min, max, ...sql })}\n`
      : (sql.sql ?? keyValueLines({ min, max }).trimEnd()) + "\n";
    await io.stdout.write(text);
    return 0;
  },
});
