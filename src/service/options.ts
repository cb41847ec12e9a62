// What a service is set up with.

import type { Backend } from "../backend/ports.ts";
import type { GeneratorOptions, Preset, PresetName } from "../core.ts";
import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import type { IdTypeDefinition } from "../numeric/index.ts";

/** How many requests a client may make. */
export interface ServiceRateLimit {
  /** How many at once, and in each window. */
  readonly limit: number;
  /** The window, in milliseconds. Default 60 000. */
  readonly windowMs?: number | undefined;
  /** What happens while the store is down: `"closed"`, the default, answers 503; `"open"` lets requests through. */
  readonly onFailure?: "closed" | "open" | undefined;
}

/** One line of the log: a request that was answered. Nothing in it is secret. */
export interface ServiceLogEntry {
  /** When it came, as ISO 8601. */
  readonly time: string;
  /** Its method. */
  readonly method: string;
  /** Its route, such as `/decode/{id}`; empty if there is none. */
  readonly route: string;
  /** The status of the answer. */
  readonly status: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** Whose request it was: the position of the API key among the configured ones from 0, or the client's address. */
  readonly client: string;
  /** The code of the error, if it was one. */
  readonly code?: string;
  /** The error itself, where it was a failure of this side. */
  readonly error?: unknown;
}

/** What {@link createService} takes. Each may be left out but `backend`; an unknown name is refused. */
export interface ServiceOptions {
  /** Where leases, counters and rate limits are kept, and pools if there is no `poolBackend`. */
  readonly backend: Backend;
  /** Where the pools of numeric IDs are kept: PostgreSQL, SQLite or memory. Default: `backend`. */
  readonly poolBackend?: Backend | undefined;
  /** Names the service among others on the same store: its leases, its counter, its limits. Default `"service"`. */
  readonly name?: string | undefined;
  /** Widths and options of the Snowflake IDs, as for `makeGenerator`. Default `"twitter"`. */
  readonly preset?: PresetName | Preset | GeneratorOptions | undefined;
  /** The datacenter field. Default: part of what is leased, or 0 where `machineId` is given. */
  readonly datacenterId?: number | undefined;
  /** The machine field. Default: a node is leased from `backend`. */
  readonly machineId?: number | undefined;
  /** The types of numeric IDs by their names, as for `defineIdTypes`; or JSON of that. Default none. */
  readonly types?: string | Readonly<Record<string, IdTypeDefinition>> | undefined;
  /** Who may ask: keys of 16 to 255 visible ASCII characters. Default none, and then anyone may. */
  readonly apiKeys?: readonly string[] | undefined;
  /** How many requests a client may make. Default: as many as it likes. */
  readonly rateLimit?: ServiceRateLimit | undefined;
  /** How many proxies of your own requests come through; the client's address is what the first of them saw. Default 0. */
  readonly proxies?: number | undefined;
  /** The largest body of a request, in bytes. Default 65 536. */
  readonly maxBodyBytes?: number | undefined;
  /** Whether the tables that are missing are made at the start. Default `true`. */
  readonly setup?: boolean | undefined;
  /** Hears of each request when it is answered; what it throws is ignored. Default: nobody does. */
  readonly log?: ((entry: ServiceLogEntry) => void) | undefined;
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
  /** Refuses further requests, finishes those under way, gives the node back and stops refills. */
  stop(): Promise<void>;
}
