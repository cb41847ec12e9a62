// How a command is told which pool it works with.

import { BackendError } from "../../internal.ts";
import { CommandError, UsageError } from "../errors.ts";
import { STORE_SETTINGS, storeKindOf } from "../stores/openStore.ts";

const OWN_FLAGS = {
  store: {
    kind: "text",
    placeholder: "URL",
    env: "BITFLAKE_STORE",
    required: true,
    description: "where the pool is: postgres://..., sqlite:PATH or memory:",
  },
  types: { kind: "document", required: true, description: "a JSON file of types, as defineIdTypes takes it" },
  type: { kind: "text", placeholder: "NAME", required: true, description: "which type of the file" },
} as const;

/** The settings of a pool. */
export const POOL_FLAGS: typeof OWN_FLAGS & typeof STORE_SETTINGS = { ...OWN_FLAGS, ...STORE_SETTINGS };

/** Refuses a store that keeps no pools, before it is connected to. */
export function assertKeepsPools(url: string, source = "--store"): void {
  if (storeKindOf(url, source) !== "redis") return;
  throw new UsageError(
    `${source} must be postgres://..., sqlite:PATH or memory:, for a Redis keeps no pools`,
  );
}

/** Returns an error in the words of the command line, where the tables are missing. */
export function explainMissingTables(error: unknown, description: string): unknown {
  return error instanceof BackendError && error.message.includes("setup()")
    ? new CommandError(error.code, `${description} has no tables of pools; \`bitflake pool fill\` makes them`)
    : error;
}
