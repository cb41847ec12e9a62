// bitflake/client: a client of the HTTP service that fetches IDs ahead.

export type { AsyncDisposal } from "../asyncDispose.ts";
export type { FetchAbortSignal } from "../http/fetchTypes.ts";
export {
  ArgumentError,
  type Capacity,
  type DecodedId,
  InvalidIdError,
  type PresetName,
  ServiceError,
  type ServiceFailure,
} from "../internal.ts";
export type { ServiceHealth, ServiceLeaseHealth, ServicePartHealth, ServicePoolHealth } from "./answers.ts";
export {
  BitflakeClient,
  type ClientCallOptions,
  type ClientUuidOptions,
  type IssuedNumericId,
  type IssuedNumericIds,
  type IssueNumericIdOptions,
} from "./client.ts";
export type { ClientFetch, ClientHeaders, ClientRequestInit, ClientResponse } from "./fetchPort.ts";
export type { ClientOptions } from "./options.ts";
