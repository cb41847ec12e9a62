// bitflake/service: IDs over HTTP.

export type { Backend } from "../backend/ports.ts";
export { ArgumentError, BackendError } from "../core.ts";
export type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export {
  type Listening,
  listen,
  type NodeRequest,
  type NodeResponse,
  type NodeSocket,
  nodeListener,
} from "./node.ts";
export type {
  Service,
  ServiceContext,
  ServiceLogEntry,
  ServiceOptions,
  ServiceRateLimit,
} from "./options.ts";
export { createService } from "./service.ts";
