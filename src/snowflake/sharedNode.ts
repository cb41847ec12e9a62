// Warning for processes that may share a node: several run the same program, and none was given a node ID.

import { globalState } from "../globalState.ts";

/** The parts of a runtime's globals that show how it was started. */
interface Runtime {
  readonly Bun?: unknown;
  readonly Deno?: unknown;
  readonly process?: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly send?: unknown;
    emitWarning(message: string, options: { type: string; code: string; detail: string }): void;
    getBuiltinModule?(name: "node:cluster"): { readonly isWorker: boolean } | undefined;
  };
}

type Process = NonNullable<Runtime["process"]>;

/** Returns the sign that there are other processes like this one, if there is a sign. */
function signOfSiblings(process: Process): string | undefined {
  const { env } = process;
  // A worker of node:cluster has a channel to its primary. Without a channel the module need not be loaded.
  if (process.send && process.getBuiltinModule?.("node:cluster")?.isWorker) return "a worker of node:cluster";
  if ((env["NODE_APP_INSTANCE"] ?? env["pm_id"]) !== undefined) return "a process of PM2";
  return env["KUBERNETES_SERVICE_HOST"] === undefined ? undefined : "in a Kubernetes pod";
}

function warn(process: Process): void {
  const what = signOfSiblings(process);
  if (what === undefined) return;
  process.emitWarning(
    `this process is ${what}, and makes IDs with no datacenterId and no machineId: such processes repeat each ` +
      "other's IDs. Give each a node of its own: a machineId, makeGeneratorFromEnv with required: true, or a lease",
    {
      type: "BitflakeWarning",
      code: "BITFLAKE_SHARED_NODE_ID",
      detail: "See README.md#node-ids in the package bitflake",
    },
  );
}

/**
 * Warns, once in a realm, if the process is probably one of several that make the IDs of node 0. The caller builds a generator
 * without a node ID. Without a sign of other processes, without `process.emitWarning`, and on Deno and Bun it does nothing.
 */
export function warnOfSharedNode(): void {
  const state = globalState<{ isChecked?: boolean }>("bitflake.sharedNode.v1", () => ({}));
  if (state.isChecked) return;
  state.isChecked = true;
  try {
    const { Bun, Deno, process } = globalThis as unknown as Runtime;
    // Only in Node: Deno would ask the user for permission to read the environment.
    if (!Bun && !Deno && process) warn(process);
  } catch {
    // Globals that are unreadable or incomplete must not keep a generator from making IDs.
  }
}
