// What a service is set up with.

import type { Backend } from "../backend/ports.ts";
import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import type { GeneratorOptions, Preset, PresetName } from "../internal.ts";
import type { IdTypeDefinition } from "../numeric/index.ts";

/** How much a client may ask for: each request counts as one, and one for many IDs as its `count`. */
export interface ServiceRateLimit {
  /** How much at once, and in each window. A `count` above it is refused. */
  readonly limit: number;
  /** The window, in milliseconds. Default 60 000. */
  readonly windowMs?: number | undefined;
  /** What happens while the store is down: `"closed"`, the default, answers 503; `"open"` lets requests through. */
  readonly onFailure?: "closed" | "open" | undefined;
}

/** What an API key is for: `"issue"` makes IDs, `"watch"` reads metrics. Routes that only read IDs take either. */
export type ServiceScope = "issue" | "watch";

/** A client with API keys of its own. Limits, logs and request keys go by its name, whichever of its keys it sends. */
export interface ServiceApiKey {
  /** Who it is: 1 to 100 characters in one line, without braces. No two clients have the same name. */
  readonly name: string;
  /** Its keys, at least one: to rotate, add the new one, hand it out, and take the old one away. */
  readonly keys: readonly string[];
  /** What the keys are for. Default: everything. */
  readonly scopes?: readonly ServiceScope[] | undefined;
}

/** One line of the log: a request that was answered. It has no API key, no query and no body. */
export interface ServiceLogEntry {
  /** When it came, as ISO 8601. */
  readonly time: string;
  /** `"error"` for a status from 500 on, `"warn"` from 400 on or with an `error`, else `"info"`. */
  readonly level: "info" | "warn" | "error";
  /** Its method; empty if it could not be read. */
  readonly method: string;
  /** Its route, such as `/decode/{id}`; empty if there is none. */
  readonly route: string;
  /** Its path without the query, at most 256 characters of it. */
  readonly path: string;
  /** The status of the answer. */
  readonly status: number;
  /** How long it took, in milliseconds with three decimals. */
  readonly durationMs: number;
  /** Who sent it: the name of the API key, or the client's address; empty if that was not found out. */
  readonly client: string;
  /** The client's address, as far as it is known; empty if it is not. */
  readonly address: string;
  /** The `X-Request-Id` that came, or one that was made; the answer has it too. */
  readonly requestId: string;
  /** The trace that it belongs to (W3C Trace Context), if its header is one. */
  readonly traceparent?: string;
  /** What sent it, at most 256 characters of it. */
  readonly userAgent?: string;
  /** The code of the error, if it was one. */
  readonly code?: string;
  /** The error itself, where it was a failure of this side. */
  readonly error?: unknown;
}

/** What {@link ServiceEvent} tells of. */
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

/** Something that happened to the service itself, and not to one request. */
export interface ServiceEvent {
  /** When it was noticed, as ISO 8601. */
  readonly time: string;
  /** How bad it is: `"info"` where something works again. */
  readonly level: "info" | "warn" | "error";
  /** What it is. */
  readonly event: ServiceEventName;
  /** The same in a sentence. */
  readonly message: string;
  /** The node that is leased, or was: of events of a lease. */
  readonly node?: number;
  /** Which store: of `store_down` and `store_up`. */
  readonly store?: "backend" | "poolBackend";
  /** The type of numeric IDs: of `refill_failed`. */
  readonly type?: string;
  /** Why, with its cause. An error of a database can have its address in it. */
  readonly error?: unknown;
}

/** What {@link createService} takes. Each may be left out but `backend`; an unknown name is refused. */
export interface ServiceOptions {
  /** Where leases, counters and rate limits are kept, and pools if there is no `poolBackend`. */
  readonly backend: Backend;
  /** Where the pools of numeric IDs are kept: PostgreSQL, SQLite or memory. Default: `backend`. */
  readonly poolBackend?: Backend | undefined;
  /** Where the node is leased. Default: `backend`. */
  readonly leaseBackend?: Backend | undefined;
  /** Names the service among others on the same store: its leases, its counter, its limits. Default `"service"`. */
  readonly name?: string | undefined;
  /** Widths and options of the Snowflake IDs, as for `makeGenerator`. Default `"twitter"`. */
  readonly preset?: PresetName | Preset | GeneratorOptions | undefined;
  /**
   * Whether a store that restarted, failed over or is new grants no node until all leases that it may have forgotten have
   * ended, as for `leaseNode`. The start then waits for 40 s by default, and requests that need a node get a 503. Default
   * `true`.
   */
  readonly fence?: boolean | undefined;
  /** The datacenter field. Default: part of what is leased, or 0 where `machineId` is given. */
  readonly datacenterId?: number | undefined;
  /** The machine field. Default: a node is leased from `leaseBackend`. */
  readonly machineId?: number | undefined;
  /** The types of numeric IDs by their names, as for `defineIdTypes`; or JSON of that. Default none. */
  readonly types?: string | Readonly<Record<string, IdTypeDefinition>> | undefined;
  /**
   * Who may ask: clients by their names, or keys alone, of 16 to 255 visible ASCII characters. A key alone is a client
   * by the name of `key-` and the first 12 digits of its SHA-256. Default: anyone may ask; an empty list is refused.
   */
  readonly apiKeys?: readonly (string | ServiceApiKey)[] | undefined;
  /** How many IDs and answers a client may have. Default: as many as it likes. */
  readonly rateLimit?: ServiceRateLimit | undefined;
  /** How many proxies of your own requests come through; the client's address is what the first of them saw. Default 0. */
  readonly proxies?: number | undefined;
  /** The largest body of a request, in bytes. Default 65 536. */
  readonly maxBodyBytes?: number | undefined;
  /** Whether the tables that are missing are made at the start. Default `true`. */
  readonly setup?: boolean | undefined;
  /** Called with each request when it is answered; what it throws is ignored. Default: none. */
  readonly log?: ((entry: ServiceLogEntry) => void) | undefined;
  /** Called when a lease, a store, the generator or a refill fails or recovers; what it throws is ignored. Default: none. */
  readonly onEvent?: ((event: ServiceEvent) => void) | undefined;
}

/** What a runtime knows of a request besides the request. */
export interface ServiceContext {
  /** The address that the connection comes from. */
  readonly address?: string | undefined;
}

/** A service: a fetch handler that begins and ends. */
export interface Service {
  /** Answers a request. It never rejects. */
  (request: FetchRequest, context?: ServiceContext): Promise<FetchResponse>;
  /**
   * Makes tables, leases a node and begins to fill pools. A request that needs them begins it too, and waits for it.
   *
   * @throws whatever the store or the options refuse
   */
  start(): Promise<void>;
  /**
   * Announces the end: from now on `/health` answers 503 with `stopping`, and requests are served as before. Resolves
   * after the time that a balancer needs to notice; then close the server and call {@link Service.stop}.
   *
   * @param ms how long, in milliseconds from 0 to 2^31 - 1
   * @throws {@link ArgumentError} if it is no such number
   */
  drain(ms: number): Promise<void>;
  /** Refuses further requests, finishes those under way, gives the node back and stops refills. */
  stop(): Promise<void>;
}
