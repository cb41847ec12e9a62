// How a command is told which pool it works with.

import { BackendError } from "../../internal.ts";
import { CommandError, UsageError } from "../errors.ts";
import { kindOf, STORE_SETTINGS } from "../stores/openStore.ts";

const OWN_FLAGS = {
  store: {
    kind: "text",
    value: "URL",
    env: "BITFLAKE_STORE",
    required: true,
    what: "where the pool is: postgres://..., sqlite:PATH or memory:",
  },
  types: { kind: "document", required: true, what: "a JSON file of types, as defineIdTypes takes it" },
  type: { kind: "text", value: "NAME", required: true, what: "which type of the file" },
} as const;

/** The settings of a pool. */
export const POOL_FLAGS: typeof OWN_FLAGS & typeof STORE_SETTINGS = { ...OWN_FLAGS, ...STORE_SETTINGS };

/** Refuses a store that keeps no pools, before it is connected to. */
export function refuseRedis(url: string, source = "--store"): void {
  if (kindOf(url, source) !== "redis") return;
  throw new UsageError(
    `${source} must be postgres://..., sqlite:PATH or memory:, for a Redis keeps no pools`,
  );
}

/** Returns an error in the words of the command line, where the tables are missing. */
export function explained(error: unknown, description: string): unknown {
  return error instanceof BackendError && error.message.includes("setup()")
    ? new CommandError(error.code, `${description} has no tables of pools; \`bitflake pool fill\` makes them`)
    : error;
}
