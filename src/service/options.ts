// Public types of the service: its options, its log entries and its events.

import type { Backend } from "../backend/ports.ts";
import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import type { GeneratorOptions, PresetName } from "../internal.ts";
import type { IdTypeDefinition } from "../numeric/index.ts";

/** The rate limit of each client. A request costs 1; a request for many IDs costs its `count`. */
export interface ServiceRateLimit {
  /** The quota: what a client may spend at once, and again in each window. A larger `count` is refused. */
  readonly limit: number;
  /** The window, in milliseconds. Default 60 000. */
  readonly windowMs?: number | undefined;
  /** What happens while the store is down: `"fail"`, the default, answers 503; `"allow"` lets requests pass. */
  readonly onStoreError?: "fail" | "allow" | undefined;
  /** @deprecated Use `onStoreError`: `"fail"` is `"closed"`, `"allow"` is `"open"`. */
  readonly onFailure?: "closed" | "open" | undefined;
}

/** What an API key may do: `"issue"` makes IDs, `"watch"` reads metrics and the status. Routes that only read IDs accept either. */
export type ServiceScope = "issue" | "watch";

/**
 * A client and its API keys. Rate limits, the log and request keys use the client's name, whichever of its keys it sends.
 */
export interface ServiceApiKey {
  /** The name of the client: 1 to 100 characters in one line, without braces. Names are unique. */
  readonly name: string;
  /** At least one key. To rotate: add the new key, distribute it, remove the old key. */
  readonly keys: readonly string[];
  /** What the keys may do. Default: everything. */
  readonly scopes?: readonly ServiceScope[] | undefined;
}

/** A log entry: an answered request. It has no API key, no query and no body. */
export interface ServiceLogEntry {
  /** When the request arrived, in ISO 8601. */
  readonly time: string;
  /** `"error"` for a status from 500, `"warn"` from 400 or with an `error` or `code`, else `"info"`. */
  readonly level: "info" | "warn" | "error";
  /** The method; empty if the request could not be parsed. */
  readonly method: string;
  /** The route, such as `/decode/{id}`; empty if none was found. */
  readonly route: string;
  /** The path without the query, at most 256 characters of it. */
  readonly path: string;
  /** The status of the response. */
  readonly status: number;
  /** How long the response took, in milliseconds with three decimals. */
  readonly durationMs: number;
  /**
   * The client: its name if the service has API keys; otherwise its address, for IPv6 the /56 network, or `unknown` without
   * a valid address. `anyone` on public routes; empty if the request was refused before the client was known.
   */
  readonly client: string;
  /** The client's address; empty if it is unknown. */
  readonly address: string;
  /** The request's `X-Request-Id`, or a new one. The response has it too. */
  readonly requestId: string;
  /** The request's trace (W3C Trace Context), if the header is valid. */
  readonly traceparent?: string;
  /** The user agent, at most 256 characters of it. */
  readonly userAgent?: string;
  /** The code of the failure: of `error` if that has one, otherwise of the response, such as `IDG-003`. */
  readonly code?: string;
  /** The error itself, if the service or its store failed. */
  readonly error?: unknown;
}

/** The name of a {@link ServiceEvent}. */
export type ServiceEventName =
  | "lease_fenced"
  | "lease_renewal_failed"
  | "lease_lost"
  | "lease_regained"
  | "store_down"
  | "store_up"
  | "generator_failing"
  | "generator_recovered"
  | "refill_failed";

/** An event of the service itself, not of one request. */
export interface ServiceEvent {
  /** When the service noticed it, in ISO 8601. */
  readonly time: string;
  /** The severity: `"info"` if something works again. */
  readonly level: "info" | "warn" | "error";
  /** The name of the event. */
  readonly event: ServiceEventName;
  /** A description in one sentence. */
  readonly message: string;
  /** The leased node. Present in events of a lease, except `lease_fenced`. */
  readonly node?: number;
  /** The store. Present in `store_down` and `store_up`. */
  readonly store?: "backend" | "poolBackend";
  /** The type of numeric IDs. Present in `refill_failed`. */
  readonly type?: string;
  /** The error, with its cause. An error of a database may contain its address. */
  readonly error?: unknown;
}

/** Options of {@link createService}. All but `backend` are optional; an unknown name is refused. */
export interface ServiceOptions {
  /** The store of leases, counters and rate limits, and of the pools if there is no `poolBackend`. */
  readonly backend: Backend;
  /** The store of the pools of numeric IDs: PostgreSQL, MySQL, SQLite or memory. Default: `backend`. */
  readonly poolBackend?: Backend | undefined;
  /** The store of the node's lease. Default: `backend`. */
  readonly leaseBackend?: Backend | undefined;
  /**
   * The name of the service's leases, counter and rate limits on a store that others share. It is also part of every
   * request key: after a change, the Idempotency-Keys of earlier requests are unknown. Default `"service"`.
   */
  readonly name?: string | undefined;
  /** Layout and options of the Snowflake IDs, as for `makeGenerator`. Default `"twitter"`. */
  readonly preset?: PresetName | GeneratorOptions | undefined;
  /**
   * Whether a store that restarted, failed over or is new grants no node until all leases that it may have forgotten have
   * ended, as for `leaseNode`. The start then waits for 40 s by default, and requests that need a node get a 503. Default
   * `true`.
   */
  readonly fence?: boolean | undefined;
  /** The datacenter field. Default: part of the leased node, or 0 if `machineId` is given. */
  readonly datacenterId?: number | undefined;
  /** The machine field. Default: a node is leased from `leaseBackend`. */
  readonly machineId?: number | undefined;
  /**
   * The name of this process among the holders of leased nodes, which the console and `bitflake lease inspect` show: 1 to
   * 100 characters in one line, without braces. Default: none.
   */
  readonly holder?: string | undefined;
  /** The types of numeric IDs by name, as for `defineIdTypes`, or as JSON text. Default none. */
  readonly types?: string | Readonly<Record<string, IdTypeDefinition>> | undefined;
  /**
   * The clients: by name, or keys alone, of 16 to 255 visible ASCII characters. A key alone is a client with the name
   * `key-` and the first 12 digits of its SHA-256. Default: every client is authorized. An empty list is refused.
   */
  readonly apiKeys?: readonly (string | ServiceApiKey)[] | undefined;
  /** The rate limit of each client. Default: none. */
  readonly rateLimit?: ServiceRateLimit | undefined;
  /**
   * How many of the deployment's own proxies requests pass through, from 0 to 100. The client's address is the one that
   * the outermost of them saw. Default 0.
   */
  readonly proxies?: number | undefined;
  /**
   * The origins whose web pages may call the service: `["https://app.example.org"]`, or `["*"]` for any. A page needs an API key
   * of its own where the service has keys, because cookies are not used. Default: only pages of the service's own origin.
   */
  readonly corsOrigins?: readonly string[] | undefined;
  /** The largest body of a request, in bytes, at most 2^28. Default 65 536. */
  readonly maxBodyBytes?: number | undefined;
  /** Whether the start creates missing tables. Default `true`. */
  readonly setup?: boolean | undefined;
  /**
   * Whether `GET /` answers browsers with a page that shows the state of the service and tries its routes, and `GET /docs`
   * with its reference. Default `true`.
   */
  readonly console?: boolean | undefined;
  /** Called with each answered request; its errors are ignored. Default: none. */
  readonly log?: ((entry: ServiceLogEntry) => void) | undefined;
  /** Called when a lease, a store, the generator or a refill fails or recovers; its errors are ignored. Default: none. */
  readonly onEvent?: ((event: ServiceEvent) => void) | undefined;
}

/** What a runtime knows of a request besides the request itself. */
export interface ServiceContext {
  /** The address of the connection's other side. */
  readonly address?: string | undefined;
}

/** A service: a fetch handler with a lifecycle. */
export interface Service {
  /** Answers a request. It never rejects. */
  (request: FetchRequest, context?: ServiceContext): Promise<FetchResponse>;
  /**
   * Creates tables, leases a node and begins to fill the pools. Otherwise the first request that needs them does, and
   * waits for it.
   *
   * @throws {@link BackendError} if a store is down, and the errors of `leaseNode` and `IdPool`
   */
  start(): Promise<void>;
  /**
   * Announces the stop: from now on `/health` answers 503 with `stopping`, and other requests are served as before.
   * Resolves after the time that a load balancer needs to notice; then close the server and call {@link Service.stop}.
   *
   * @param ms how long, in milliseconds from 0 to 2^31 - 1
   * @throws {@link ArgumentError} if `ms` is out of range
   */
  drain(ms: number): Promise<void>;
  /** Refuses new requests, waits for requests in flight, releases the node and stops the refills. */
  stop(): Promise<void>;
}
