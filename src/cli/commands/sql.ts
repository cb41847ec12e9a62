// bitflake sql: prints the SQL that makes IDs in a database.

import { type SqlNode, type SqlOptions, sqlFunctions } from "../../sql/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { LAYOUT_FLAGS, layoutOptions } from "../flags/layoutFlags.ts";
import { quoted } from "../redact.ts";
import type { IntegerFlag } from "../settings/flagTable.ts";

/** The setting of a whole number. The library checks its limit, which for a node depends on the layout. */
const whole = (description: string, defaultText: string): IntegerFlag => ({
  kind: "integer",
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  description,
  defaultText,
});

/** A setting that is part of a name in the SQL. */
const identifier = (description: string, defaultText: string) =>
  ({ kind: "text", placeholder: "NAME", description, defaultText }) as const;

const flags = {
  dialect: {
    kind: "choice",
    choices: ["postgres", "mysql", "sqlite"],
    required: true,
    description: "the database; mysql is for MariaDB too",
  },
  datacenterId: whole("the datacenter of the IDs", "0; with --name: all datacenters"),
  machineId: whole("the machine of the IDs, which no process may have", "0"),
  name: identifier("take a node from this namespace of leases instead", "the node given"),
  ...LAYOUT_FLAGS,
  maxBackwardMs: whole("how far the clock may step back, in milliseconds", "10"),
  schema: identifier("the schema in PostgreSQL", "public"),
  storePrefix: identifier("the prefix of the tables", "bitflake"),
  functionPrefix: identifier("the start of the names of the functions", "none"),
  column: identifier("print the SQL that gives the column of a table IDs: orders.id", "print the functions"),
  uninstall: { kind: "switch", description: "print the SQL that removes the functions" },
} as const;

/** Returns the script for the command-line client, which in MySQL ends statements at a semicolon, also inside of functions. */
function scriptOf(dialect: SqlOptions["dialect"], sql: string): string {
  return dialect === "mysql" ? `DELIMITER //\n${sql}//\nDELIMITER ;\n` : sql;
}

export const sqlCommand: Command = defineCommand({
  name: "sql",
  summary: "Prints the SQL for functions that make IDs in a database.",
  notes: [
    "The functions are next_id(), decode_id() and id_range(). In SQLite, which has no functions, the SQL is for a state and a trigger. The script may be run again: it keeps the state, and refuses another layout or node.",
    "Give the database a node of its own by --machine-id, or a --name: then the script takes a node from the leases of that name in the same database, and no process gets that node.",
  ],
  flags,
  examples: [
    { run: "bitflake sql --dialect postgres --machine-id 5" },
    { run: "bitflake sql --dialect mysql --name orders --preset twitter" },
    {
      run: "bitflake sql --dialect postgres --machine-id 5 --column orders.id",
      output: 'ALTER TABLE "public"."orders" ALTER COLUMN "id" SET DEFAULT "public"."next_id"();',
    },
  ],
  async run({ values, sources, isJson, io }) {
    const { dialect, datacenterId, machineId, name, maxBackwardMs, schema, storePrefix, functionPrefix } =
      values;
    const node: SqlNode = { datacenterId, machineId };
    const sql = sqlFunctions({
      ...{ dialect, preset: layoutOptions(values), name, maxBackwardMs, schema, functionPrefix },
      prefix: storePrefix,
      ...(datacenterId === undefined && machineId === undefined ? {} : { node }),
    });
    const [table = "", column, ...more] = values.column?.split(".") ?? [];
    // With a schema before it, the table would be read as the column.
    if (more.length > 0)
      throw new UsageError(
        `${sources["column"]} must be a table and a column, as orders.id, got ${quoted(values.column as string)}`,
      );
    if (values.column !== undefined && values.uninstall)
      throw new UsageError(
        "--uninstall and --column exclude each other: remove the default of the column by hand",
      );
    const script = values.uninstall ? sql.uninstall : sql.install;
    const text = values.column === undefined ? script : sql.columnDefault(table, column);
    // DELIMITER is a command of the client, so a program gets the SQL alone.
    await io.stdout.write(isJson ? `${JSON.stringify({ sql: text })}\n` : scriptOf(dialect, text));
    return 0;
  },
});
