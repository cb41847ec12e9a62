// Warnings of `bitflake serve` when it starts.

import { isSharedKind } from "../stores/address.ts";
import { resolveLogFormat } from "./log.ts";
import type { ServeContext, ServeStores } from "./stores.ts";

/** Writes a warning in the form of the log, because it stands among the lines of the log. */
export async function warn({ values, isJson, io }: ServeContext, text: string): Promise<void> {
  const line =
    isJson || resolveLogFormat(values.log, isJson, io) === "json"
      ? JSON.stringify({ warning: text })
      : `warning: ${text}`;
  await io.stderr.write(`${line}\n`).catch(() => {});
}

/** Warns in a Kubernetes pod about other pods, if this service shares no store with them. */
export async function warnAboutPods(context: ServeContext, { kind }: ServeStores): Promise<void> {
  const { values, io } = context;
  if (!io.env["KUBERNETES_SERVICE_HOST"] || values.machineId !== undefined) return;
  if (isSharedKind(kind)) return;
  await warn(
    context,
    "the services of other pods can repeat these IDs: set a --store that all pods share, or a --machine-id for each pod",
  );
}

/** Warns about a store in memory that the user did not choose. */
export async function warnAboutMemory(
  context: ServeContext,
  { kind }: ServeStores,
  hasPools: boolean,
): Promise<void> {
  const { store, poolStore } = context.values;
  if (store !== undefined || kind !== "memory") return;
  const pools = hasPools && poolStore === undefined ? ", and issued numeric IDs are issued again" : "";
  await warn(
    context,
    `this runtime has no SQLite, so everything except the node is kept in memory: when the service stops, counters restart at 1${pools}. Other services on this machine have their own counters and pools. Use Node 22.13 or later, install better-sqlite3, or set --store`,
  );
}
