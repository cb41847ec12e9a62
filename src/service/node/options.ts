// The options of `listen`, validated.

import { ArgumentError, assertKnownOptions, assertObject, assertOneOf, assertWhole } from "../../internal.ts";

/** The longest delay of a timer, in every runtime. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How often Node looks for connections that exceed a timeout, in milliseconds, unless `headersTimeoutMs` is shorter. */
const TIMEOUT_CHECK_MS = 30_000;

/** Certificate and key of a server with TLS. */
export interface TlsOptions {
  /** The certificate, and those of its issuers up to one that clients know, in PEM. */
  readonly cert: string;
  /** The private key of the certificate, in PEM. */
  readonly key: string;
}

/** Limits of Node's HTTP server, under its names. */
export interface ServerOptions {
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/** Options of the `close` of a server that listens. */
export interface CloseOptions {
  /**
   * How long an idle connection stays open for one more request, in milliseconds from 0 to 2^31 - 1. The response to that request
   * closes it. For a server with others on its port: their clients lose no request that they send just then. Default 0.
   */
  readonly idleMs?: number | undefined;
}

/** Options of {@link listen}. All are optional; an unknown name is refused. */
export interface ListenOptions {
  /** The address or name to listen on. Default `"127.0.0.1"`: this machine alone. */
  readonly host?: string | undefined;
  /** The port. Default 3000; 0 takes a free one. */
  readonly port?: number | undefined;
  /**
   * The names, without ports, that requests may have in their `Host` header. Default: on a loopback address
   * `localhost` and loopback addresses, which are always allowed there; elsewhere any.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Certificate and key: the server then speaks HTTPS, and no HTTP. Default: HTTP. */
  readonly tls?: TlsOptions | undefined;
  /**
   * How long a connection may be idle before it is closed, in milliseconds. Default 65 000, longer than the 60 s after
   * which most load balancers close theirs: a balancer that closes later would send a request into a closed connection.
   */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** How long the headers of a request may take to arrive, in milliseconds. Default 66 000. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a request may take to arrive, in milliseconds. Default 120 000; not less than `headersTimeoutMs`. */
  readonly requestTimeoutMs?: number | undefined;
  /** How many connections may be open at once; further ones are closed. Default 10 000. */
  readonly maxConnections?: number | undefined;
}

/** {@link ListenOptions}, validated. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: ReadonlySet<string> | undefined;
  readonly tls: TlsOptions | undefined;
  readonly maxConnections: number;
  readonly server: ServerOptions;
}

/** A name or an IPv4 address, or an IPv6 address without brackets. */
const HOST = /^([\w.-]+|[\da-f:.]*:[\da-f:.]*:[\da-f:.]*)$/i;

/** Asserts that `allowedHosts` are names without ports, and returns them in lower case. */
function resolveAllowedHosts(allowedHosts: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (allowedHosts === undefined) return undefined;
  if (!Array.isArray(allowedHosts) || allowedHosts.length === 0) {
    throw new ArgumentError("allowedHosts", "an array of at least one name", allowedHosts);
  }
  const names = (allowedHosts as readonly unknown[]).map((host, index) => {
    if (typeof host === "string" && HOST.test(host)) return host.toLowerCase();
    throw new ArgumentError(`allowedHosts[${index}]`, "a name or an address, without a port", host);
  });
  return new Set(names);
}

/** Asserts that certificate and key are texts. Node checks that they are PEM and belong together. */
export function resolveTls(tls: TlsOptions): TlsOptions {
  assertObject("tls", tls);
  for (const name of Object.keys(tls)) assertOneOf("a name in tls", name, ["cert", "key"]);
  const { cert, key } = tls;
  for (const [name, text] of Object.entries({ cert, key })) {
    // The message has the type alone: the text may be the key.
    if (typeof text !== "string") throw new ArgumentError(`tls.${name}`, "a string in PEM", typeof text);
  }
  return { cert, key };
}

/** Asserts that the options are valid, and returns them with defaults. */
export function resolveListenOptions(options: ListenOptions): ListenSettings {
  assertKnownOptions(options, [
    "host",
    "port",
    "allowedHosts",
    "tls",
    "keepAliveTimeoutMs",
    "headersTimeoutMs",
    "requestTimeoutMs",
    "maxConnections",
  ]);
  const { host = "127.0.0.1", port = 3000, allowedHosts } = options;
  const { keepAliveTimeoutMs = 65_000, headersTimeoutMs = 66_000, maxConnections = 10_000 } = options;
  const { requestTimeoutMs = Math.max(120_000, Number(headersTimeoutMs) || 0) } = options;
  if (typeof host !== "string" || host === "") throw new ArgumentError("host", "an address or a name", host);
  assertWhole("headersTimeoutMs", headersTimeoutMs, 1, MAX_TIMER_MS);
  assertWhole(
    "requestTimeoutMs",
    requestTimeoutMs,
    headersTimeoutMs,
    MAX_TIMER_MS,
    ", not less than headersTimeoutMs",
  );
  return {
    host,
    port: assertWhole("port", port, 0, 65_535),
    allowedHosts: resolveAllowedHosts(allowedHosts),
    tls: options.tls && resolveTls(options.tls),
    maxConnections: assertWhole("maxConnections", maxConnections, 1, MAX_TIMER_MS),
    server: {
      keepAliveTimeout: assertWhole("keepAliveTimeoutMs", keepAliveTimeoutMs, 1, MAX_TIMER_MS),
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeoutMs),
    },
  };
}

/** Validates the options of a close, and returns its `idleMs`. */
export function resolveCloseOptions(options: CloseOptions = {}): number {
  assertKnownOptions(options, ["idleMs"]);
  return assertWhole("idleMs", options.idleMs ?? 0, 0, MAX_TIMER_MS);
}
