// Flags of the pool commands, and the errors that these commands share.

import { BackendError } from "../../internal.ts";
import { CommandError, UsageError } from "../errors.ts";
import { storeKindOf } from "../stores/address.ts";
import { STORE_SETTINGS } from "./storeFlags.ts";

const OWN_FLAGS = {
  store: {
    kind: "text",
    placeholder: "URL",
    env: "BITFLAKE_STORE",
    required: true,
    description: "the store of the pool: postgres://..., sqlite:PATH or memory:",
  },
  types: {
    kind: "document",
    required: true,
    description: "a JSON file of types, in the form that defineIdTypes takes",
  },
  type: {
    kind: "text",
    placeholder: "NAME",
    required: true,
    description: "the name of a type in the file",
  },
} as const;

/** The settings of a pool. */
export const POOL_FLAGS: typeof OWN_FLAGS & typeof STORE_SETTINGS = { ...OWN_FLAGS, ...STORE_SETTINGS };

/**
 * Asserts that a store can keep pools, before it is opened.
 *
 * @throws {@link UsageError} for Redis
 */
export function assertKeepsPools(url: string, source = "--store"): void {
  if (storeKindOf(url, source) !== "redis") return;
  throw new UsageError(
    `${source} must be postgres://..., sqlite:PATH or memory:, because Redis cannot keep pools`,
  );
}

/** Returns an error about missing tables with the command that creates them; other errors unchanged. */
export function explainMissingTables(error: unknown, description: string): unknown {
  return error instanceof BackendError && error.message.includes("setup()")
    ? new CommandError(error.code, `${description} has no pool tables; \`bitflake pool fill\` creates them`)
    : error;
}
