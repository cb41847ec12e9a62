// The flag table of `bitflake serve`.

import type { PresetName } from "../../internal.ts";
import { EPOCH_LIMITS, PRESET_NAMES } from "../flags/layoutFlags.ts";
import { STORE_SETTINGS } from "../flags/storeFlags.ts";
import { STORE_FORMS } from "../stores/address.ts";

/** The value of `workers` that means one for each core. */
export const AUTO_WORKERS = 0;

/**
 * A connection pool and a pool of numeric IDs are both called a pool: `storePoolSize` is the number of connections to a
 * store, `poolStore` the store of the numeric IDs.
 */
const OWN_SETTINGS = {
  config: {
    kind: "text",
    placeholder: "FILE",
    env: "BITFLAKE_CONFIG",
    description: 'a JSON file with settings by name: { "port": 3000 }',
    notInFile: true,
  },
  store: {
    kind: "text",
    placeholder: "URL",
    env: "BITFLAKE_STORE",
    short: "s",
    description: STORE_FORMS as string,
    defaultText: "a file of this user, or memory: on a runtime without SQLite",
  },
  storePoolSize: {
    kind: "integer",
    min: 1,
    max: 1000,
    env: "BITFLAKE_STORE_POOL_SIZE",
    default: 10,
    description:
      "maximum number of connections to a postgres:// or mysql:// store; up to twice as many while a silent client is replaced",
  },
  poolStore: {
    kind: "text",
    placeholder: "URL",
    env: "BITFLAKE_POOL_STORE",
    description: "the store of the pools of numeric IDs, if the store cannot keep them",
    defaultText: "the store",
  },
  name: {
    kind: "text",
    placeholder: "NAME",
    env: "BITFLAKE_NAME",
    default: "service",
    description: "the name that separates this service from others on the same store",
  },
  preset: {
    kind: "choice",
    choices: PRESET_NAMES as readonly PresetName[],
    env: "BITFLAKE_PRESET",
    short: "p",
    default: "twitter",
    description: "the layout of the Snowflake IDs",
  },
  epochMs: {
    kind: "integer",
    min: EPOCH_LIMITS.min as number,
    max: EPOCH_LIMITS.max as number,
    env: "BITFLAKE_EPOCH_MS",
    description: "the epoch of the Snowflake IDs, in milliseconds since 1970",
    defaultText: "2020-01-01 UTC",
    otherForm: { name: "epoch", flag: { kind: "moment", description: "the same as a date" } },
  },
  datacenterId: {
    kind: "integer",
    min: 0,
    max: 9_007_199_254_740_991,
    env: "BITFLAKE_DATACENTER_ID",
    description: "the datacenter of this service",
    defaultText: "part of the leased node",
  },
  machineId: {
    kind: "integer",
    min: 0,
    max: 9_007_199_254_740_991,
    env: "BITFLAKE_MACHINE_ID",
    description: "the machine of this service",
    defaultText: "a leased node",
  },
  noFence: {
    kind: "switch",
    env: "BITFLAKE_NO_FENCE",
    description:
      "leases a node at once from a store that is new, restarted or failed over, although it may have forgotten leases",
  },
  types: {
    kind: "document",
    env: "BITFLAKE_TYPES",
    description:
      "a JSON file with the types of numeric IDs, in the form that defineIdTypes takes; the configuration file can also contain the types themselves",
    defaultText: "none",
  },
  apiKeys: {
    kind: "list",
    placeholder: "KEYS",
    env: "BITFLAKE_API_KEYS",
    description:
      "the accepted API keys, 16 to 255 visible characters each, separated by commas; the configuration file can also contain clients, { name, keys, scopes }",
    mayHoldObjects: true,
    defaultText: "every client that reaches the service is accepted",
    noFlagReason:
      "the process list would show the keys; set BITFLAKE_API_KEYS, or apiKeys in the --config file",
  },
  rateLimit: {
    kind: "integer",
    min: 1,
    max: 1_000_000_000,
    env: "BITFLAKE_RATE_LIMIT",
    description: "how many requests and IDs a client can get in each window",
    defaultText: "no limit",
  },
  rateWindowMs: {
    kind: "integer",
    min: 1,
    max: 2_147_483_647,
    env: "BITFLAKE_RATE_WINDOW_MS",
    defaultText: "60000",
    description: "the length of the window, in milliseconds",
  },
  rateLimitOnStoreError: {
    kind: "choice",
    choices: ["fail", "allow"],
    env: "BITFLAKE_RATE_LIMIT_ON_STORE_ERROR",
    deprecatedName: {
      name: "onRateFailure",
      env: "BITFLAKE_ON_RATE_FAILURE",
      values: { open: "allow", closed: "fail" },
    },
    defaultText: "fail",
    description: "whether requests fail or are allowed while the store cannot count them",
  },
  proxies: {
    kind: "integer",
    min: 0,
    max: 100,
    env: "BITFLAKE_PROXIES",
    default: 0,
    description: "the number of your own proxies in front of the service",
  },
  maxBodyBytes: {
    kind: "integer",
    min: 0,
    max: 268_435_456,
    env: "BITFLAKE_MAX_BODY_BYTES",
    default: 65_536,
    description: "the maximum size of a request body",
  },
  host: {
    kind: "text",
    placeholder: "HOST",
    env: "BITFLAKE_HOST",
    default: "127.0.0.1",
    description: "the address to listen on; 0.0.0.0 means every address",
  },
  public: {
    kind: "switch",
    env: "BITFLAKE_PUBLIC",
    description: "allows a host that other machines can reach, without API keys",
  },
  port: {
    kind: "integer",
    min: 0,
    max: 65_535,
    env: "BITFLAKE_PORT",
    default: 3000,
    description: "the port to listen on; 0 means a free one",
  },
  allowedHosts: {
    kind: "list",
    placeholder: "NAMES",
    env: "BITFLAKE_ALLOWED_HOSTS",
    description: "the accepted names in the Host header of requests, without ports",
    defaultText: "on a loopback address the names of this machine, elsewhere any",
  },
  corsOrigins: {
    kind: "list",
    placeholder: "ORIGINS",
    env: "BITFLAKE_CORS_ORIGINS",
    description:
      "the origins whose web pages may call the service, such as https://app.example.org; * means any",
    defaultText: "none but the service's own",
  },
  tlsCert: {
    kind: "text",
    placeholder: "FILE",
    env: "BITFLAKE_TLS_CERT",
    description:
      "the certificate chain in PEM: the service then speaks HTTPS. It is read again when it changes",
    defaultText: "HTTP",
  },
  tlsKey: {
    kind: "text",
    placeholder: "FILE",
    env: "BITFLAKE_TLS_KEY",
    description: "the private key of the certificate, in PEM",
  },
  noConsole: {
    kind: "switch",
    env: "BITFLAKE_NO_CONSOLE",
    description:
      "answers browsers at / with links, as other clients, instead of the console, and has no /docs",
  },
  keepAliveTimeoutMs: {
    kind: "integer",
    min: 1,
    max: 2_147_483_647,
    env: "BITFLAKE_KEEP_ALIVE_TIMEOUT_MS",
    description: "how long a connection may be idle; set it longer than the balancer's own limit",
    defaultText: "65000",
  },
  headersTimeoutMs: {
    kind: "integer",
    min: 1,
    max: 2_147_483_647,
    env: "BITFLAKE_HEADERS_TIMEOUT_MS",
    description: "how long a client may take to send the headers of a request",
    defaultText: "66000",
  },
  requestTimeoutMs: {
    kind: "integer",
    min: 1,
    max: 2_147_483_647,
    env: "BITFLAKE_REQUEST_TIMEOUT_MS",
    description: "how long a client may take to send a whole request",
    defaultText: "120000",
  },
  maxConnections: {
    kind: "integer",
    min: 1,
    max: 2_147_483_647,
    env: "BITFLAKE_MAX_CONNECTIONS",
    description: "the maximum number of open connections",
    defaultText: "10000",
  },
  workers: {
    kind: "integer",
    min: 1,
    max: 1024,
    words: { auto: AUTO_WORKERS as number },
    env: "BITFLAKE_WORKERS",
    description:
      "serves with this many processes on one port, each with a node of its own; auto means one for each core",
    defaultText: "this process alone",
  },
  lameDuckMs: {
    kind: "integer",
    min: 0,
    max: 2_147_483_647,
    env: "BITFLAKE_LAME_DUCK_MS",
    default: 0,
    description:
      "how long to serve requests after the stop signal while the health route reports stopping, so that a balancer notices",
  },
  log: {
    kind: "choice",
    choices: ["json", "text", "none"],
    env: "BITFLAKE_LOG",
    description: "the form of the log of requests and events on the standard error output",
    defaultText: "text on a terminal, json elsewhere",
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
