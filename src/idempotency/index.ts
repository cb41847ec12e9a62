// bitflake/idempotency: runs work once for a key, and replays its result.

export type { Backend, SqlPort } from "../backend/ports.ts";
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
export { fingerprint, jsonFingerprint } from "./fingerprint.ts";
export type { KeyConflict, KeyEvent, KeyHooks } from "./hooks.ts";
export { Idempotency, type KeyState, type Once, type OnceOptions } from "./idempotency.ts";
export { type IdempotentOptions, idempotent } from "./idempotent.ts";
export type { IdempotencyOptions } from "./options.ts";
export type { RequestProblem } from "./problem.ts";
export { type RequestKey, storedKey } from "./storedKey.ts";
