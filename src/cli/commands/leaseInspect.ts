// bitflake lease inspect: lists the leases of nodes.

import { BackendError } from "../../internal.ts";
import { inspect, type NamespaceReport } from "../../lease/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { CommandError } from "../errors.ts";
import { STORE_FLAG, STORE_SETTINGS } from "../flags/storeFlags.ts";
import { openStore } from "../stores/openStore.ts";
import { printable } from "../terminal/color.ts";
import { tableLines } from "../terminal/table.ts";

const flags = {
  store: STORE_FLAG,
  ...STORE_SETTINGS,
  name: {
    kind: "text",
    placeholder: "NAME",
    default: "default",
    description: "the name of the leases; those of `bitflake serve` with a --store have its --name",
    deprecatedName: { name: "namespace" },
  },
} as const;

/** Returns the report as text. */
function textLines({ name, shape, used, held, storeTime, clock }: NamespaceReport): string {
  if (shape === undefined) return `No node has been leased under the name ${printable(name)}.\n`;
  const current = held.filter(({ isCurrent }) => isCurrent).length;
  const head = [
    `${printable(name)}: ${current} held, ${held.length - current} expired, ${used} ever used; layout ${shape}`,
    clock === "store"
      ? `time of the store: ${storeTime.toISOString()}`
      : `time of this machine, because the store has no clock: ${storeTime.toISOString()}`,
  ];
  if (held.length === 0) return `${head.join("\n")}\n`;
  const rows = held.map(({ node, datacenterId, machineId, holder, from, until, isCurrent }) => [
    String(node),
    String(datacenterId),
    String(machineId),
    from.toISOString(),
    until.toISOString(),
    isCurrent ? "held" : "expired",
    printable(holder),
  ]);
  const names = ["NODE", "DATACENTER", "MACHINE", "FROM", "UNTIL", "STATE", "HOLDER"];
  return `${head.join("\n")}\n\n${tableLines(names, rows)}`;
}

export const leaseInspectCommand: Command = defineCommand({
  name: "lease inspect",
  summary: "Lists the leased nodes of a name, and their holders.",
  notes: [
    "A holder with an expired lease has crashed, or cannot reach the store. Its node can be leased again.",
  ],
  flags,
  examples: [
    {
      run: "bitflake lease inspect --store memory:",
      output: "No node has been leased under the name default.",
    },
    { run: "bitflake lease inspect --store $REDIS_URL --name service --json" },
  ],
  async run(call) {
    const { values, isJson, io } = call;
    const store = await openStore(values.store, call, { createsMissing: false });
    try {
      const report = await inspect(store.backend, values.name);
      await io.stdout.write(isJson ? `${JSON.stringify(report)}\n` : textLines(report));
      return 0;
    } catch (error) {
      const hasNoTables = error instanceof BackendError && error.message.includes("setup()");
      throw hasNoTables
        ? new CommandError(error.code, `${store.description} has no lease tables: no node has been leased`)
        : error;
    } finally {
      await store.close();
    }
  },
});
