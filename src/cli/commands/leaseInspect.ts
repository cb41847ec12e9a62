// bitflake lease inspect: who holds which node.

import { BackendError } from "../../internal.ts";
import { inspect, type NamespaceReport } from "../../lease/index.ts";
import { type Command, defineCommand } from "../defineCommand.ts";
import { CommandError } from "../errors.ts";
import { openStore, STORE_FLAG, STORE_SETTINGS } from "../stores/openStore.ts";
import { printable } from "../terminal/color.ts";
import { tableLines } from "../terminal/table.ts";

const flags = {
  store: STORE_FLAG,
  ...STORE_SETTINGS,
  namespace: {
    kind: "text",
    placeholder: "NAME",
    default: "default",
    description: "what the leases belong to; those of `bitflake serve` with a --store to its --name",
  },
} as const;

/** Who holds what, for a person. */
function textLines({ name, shape, used, held, storeTime }: NamespaceReport): string {
  if (shape === undefined) return `No node was ever leased in ${printable(name)}.\n`;
  const current = held.filter(({ isCurrent }) => isCurrent).length;
  const head = [
    `${printable(name)}: ${current} held, ${held.length - current} expired, ${used} ever used; layout ${shape}`,
    `time of the store: ${storeTime.toISOString()}`,
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
  summary: "Lists who holds which node of a namespace.",
  notes: [
    "A holder whose lease is expired crashed, or cannot reach the store; its node is given to the next who asks.",
  ],
  flags,
  examples: [
    { run: "bitflake lease inspect --store memory:", output: "No node was ever leased in default." },
    { run: "bitflake lease inspect --store $REDIS_URL --namespace service --json" },
  ],
  async run(call) {
    const { values, isJson, io } = call;
    const store = await openStore(values.store, call, { isNew: false });
    try {
      const report = await inspect(store.backend, values.namespace);
      await io.stdout.write(isJson ? `${JSON.stringify(report)}\n` : textLines(report));
      return 0;
    } catch (error) {
      const isBare = error instanceof BackendError && error.message.includes("setup()");
      throw isBare
        ? new CommandError(
            error.code,
            `${store.description} has no tables of leases: no node was ever leased`,
          )
        : error;
    } finally {
      await store.close();
    }
  },
});
