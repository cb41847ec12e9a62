// bitflake/idempotency: runs work once for a key, and replays its result.

export type { Backend } from "../backend/ports.ts";
export type { FetchAbortSignal, FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export {
  ArgumentError,
  BackendError,
  FingerprintError,
  InFlightError,
  LockLostError,
  NotKeptError,
  UnsupportedError,
} from "../internal.ts";
export { fingerprint } from "./fingerprint.ts";
export { Idempotency, type Once } from "./idempotency.ts";
export { type IdempotentOptions, idempotent } from "./idempotent.ts";
export type { IdempotencyOptions } from "./options.ts";
