// Flags of a store.

import { STORE_FORMS } from "../stores/address.ts";

/** The address of a store. */
export const STORE_FLAG = {
  kind: "text",
  placeholder: "URL",
  env: "BITFLAKE_STORE",
  short: "s",
  required: true,
  description: STORE_FORMS as string,
} as const;

/** How a store is used. */
export const STORE_SETTINGS = {
  storePrefix: {
    kind: "text",
    placeholder: "NAME",
    env: "BITFLAKE_STORE_PREFIX",
    default: "bitflake",
    description: "prefix of the store's tables or keys",
  },
  storeTimeoutMs: {
    kind: "integer",
    min: 1,
    max: 2_147_000_000,
    env: "BITFLAKE_STORE_TIMEOUT_MS",
    default: 4000,
    description: "how long to wait for an answer, in milliseconds, before the connection is replaced",
  },
} as const;
