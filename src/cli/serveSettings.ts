// What the service may be told, by flags, variables and a file: the one table of it.

import { STORE_SETTINGS } from "./store.ts";

const OWN_SETTINGS = {
  config: {
    kind: "text",
    value: "FILE",
    env: "BITFLAKE_CONFIG",
    what: 'a JSON file with settings, by their names: { "port": 3000 }',
    notInFile: true,
  },
  store: {
    kind: "text",
    value: "URL",
    env: "BITFLAKE_STORE",
    what: "redis://..., rediss://..., postgres://..., sqlite:PATH or memory:",
    otherwise: "a file of this user, or memory: where the runtime has no SQLite",
  },
  storePoolSize: {
    kind: "whole",
    least: 1,
    most: 1000,
    env: "BITFLAKE_STORE_POOL_SIZE",
    default: 10,
    what: "how many connections to a postgres:// there are at most",
  },
  poolStore: {
    kind: "text",
    value: "URL",
    env: "BITFLAKE_POOL_STORE",
    what: "where the pools of numeric IDs are kept; not in a Redis",
    otherwise: "the store",
  },
  name: {
    kind: "text",
    value: "NAME",
    env: "BITFLAKE_NAME",
    default: "service",
    what: "tells this service from others on the same store",
  },
  preset: {
    kind: "choice",
    choices: ["twitter", "minimal", "single_dc", "large_cluster", "high_throughput", "safe_integer"],
    env: "BITFLAKE_PRESET",
    default: "twitter",
    what: "the layout of the Snowflake IDs",
  },
  epochMs: {
    kind: "whole",
    least: -100_000_000_000_000,
    most: 8_640_000_000_000_000,
    env: "BITFLAKE_EPOCH_MS",
    what: "their epoch, in milliseconds since 1970",
    otherwise: "2020-01-01 UTC",
  },
  datacenterId: {
    kind: "whole",
    least: 0,
    most: 9_007_199_254_740_991,
    env: "BITFLAKE_DATACENTER_ID",
    what: "which datacenter this is",
    otherwise: "part of what is leased",
  },
  machineId: {
    kind: "whole",
    least: 0,
    most: 9_007_199_254_740_991,
    env: "BITFLAKE_MACHINE_ID",
    what: "which machine this is",
    otherwise: "a node is leased",
  },
  types: {
    kind: "document",
    env: "BITFLAKE_TYPES",
    what: "a JSON file with the types of numeric IDs, as defineIdTypes takes it; in the configuration file also the types themselves",
    otherwise: "none",
  },
  apiKeys: {
    kind: "list",
    value: "KEYS",
    env: "BITFLAKE_API_KEYS",
    what: "who may ask: keys of 16 to 255 visible characters, with commas between them",
    otherwise: "anyone who reaches it may ask",
    noFlag:
      "the list of processes would show the keys; set BITFLAKE_API_KEYS, or apiKeys in the --config file",
  },
  rateLimit: {
    kind: "whole",
    least: 1,
    most: 1_000_000_000,
    env: "BITFLAKE_RATE_LIMIT",
    what: "how many requests a client may make in each window",
    otherwise: "no limit",
  },
  rateWindowMs: {
    kind: "whole",
    least: 1,
    most: 2_147_483_647,
    env: "BITFLAKE_RATE_WINDOW_MS",
    otherwise: "60000",
    what: "that window, in milliseconds",
  },
  onRateFailure: {
    kind: "choice",
    choices: ["open", "closed"],
    env: "BITFLAKE_ON_RATE_FAILURE",
    otherwise: "closed",
    what: "whether requests pass while the store cannot count them",
  },
  proxies: {
    kind: "whole",
    least: 0,
    most: 100,
    env: "BITFLAKE_PROXIES",
    default: 0,
    what: "how many proxies of your own requests come through",
  },
  maxBodyBytes: {
    kind: "whole",
    least: 0,
    most: 268_435_456,
    env: "BITFLAKE_MAX_BODY_BYTES",
    default: 65_536,
    what: "the largest body of a request",
  },
  host: {
    kind: "text",
    value: "HOST",
    env: "BITFLAKE_HOST",
    default: "127.0.0.1",
    what: "the address to listen on; 0.0.0.0 is every one",
  },
  public: {
    kind: "switch",
    env: "BITFLAKE_PUBLIC",
    what: "allows a host that others can reach, without API keys",
  },
  port: {
    kind: "whole",
    least: 0,
    most: 65_535,
    env: "BITFLAKE_PORT",
    default: 3000,
    what: "the port to listen on; 0 takes a free one",
  },
  log: {
    kind: "choice",
    choices: ["json", "text", "none"],
    env: "BITFLAKE_LOG",
    what: "how requests are logged, on the standard error output",
    otherwise: "text on a terminal, json elsewhere",
  },
} as const;

const { config, store, ...others } = OWN_SETTINGS;

/** The settings of `bitflake serve`. */
export const SERVE_SETTINGS: typeof OWN_SETTINGS & typeof STORE_SETTINGS = {
  config,
  store,
  ...STORE_SETTINGS,
  ...others,
};
