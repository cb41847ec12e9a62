// bitflake/service: IDs over HTTP.

export type { Backend } from "../backend/ports.ts";
export type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export { type Listening, listen } from "./node/listen.ts";
export { nodeListener } from "./node/listener.ts";
export type { CloseOptions, ListenOptions, TlsOptions } from "./node/options.ts";
export type { NodeRequest, NodeResponse, NodeSocket } from "./node/types.ts";
export type {
  Service,
  ServiceApiKey,
  ServiceContext,
  ServiceEvent,
  ServiceEventName,
  ServiceLogEntry,
  ServiceOptions,
  ServiceRateLimit,
  ServiceScope,
} from "./options.ts";
export { createService } from "./service.ts";
