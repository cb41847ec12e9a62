// Flags of the pool commands, and the errors that these commands share.

import { ArgumentError, BackendError } from "../../internal.ts";
import { poolPort } from "../../numeric/openPort.ts";
import { CommandError, UsageError } from "../errors.ts";
import { schemeOf, storeKindOf } from "../stores/address.ts";
import { unconnectedBackend } from "../stores/unconnected.ts";
import { STORE_SETTINGS } from "./storeFlags.ts";

const OWN_FLAGS = {
  store: {
    kind: "text",
    placeholder: "URL",
    env: "BITFLAKE_STORE",
    short: "s",
    required: true,
    description: "the store of the pool: postgres://..., mysql://..., sqlite:PATH or memory:",
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
 * @param remedy the end of the message
 * @throws {@link UsageError} if not, with the reason that the pool itself gives
 */
export function assertKeepsPools(url: string, source = "--store", remedy = ""): void {
  const kind = storeKindOf(url, source);
  try {
    poolPort(unconnectedBackend(kind), "pool");
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const reason = `pools of numeric IDs require ${error.rule}`;
    throw new UsageError(`${source} must not be ${schemeOf(url)}:, because ${reason}${remedy}`, error.code);
  }
}

/** Returns an error about missing tables with the command that creates them; other errors unchanged. */
export function explainMissingTables(error: unknown, description: string): unknown {
  return error instanceof BackendError && error.message.includes("setup()")
    ? new CommandError(error.code, `${description} has no pool tables; \`bitflake pool fill\` creates them`)
    : error;
}
