// Options of idempotency, and the settings that they resolve to.

import { assertName } from "../backend/names.ts";
import { type OnStoreError, resolveOnStoreError } from "../backend/onStoreError.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { ArgumentError, assertKnownOptions, assertOneOf, assertWhole } from "../internal.ts";
import { HOOKS, type KeyHooks, resolveHooks } from "./hooks.ts";
import { oncePort } from "./openPort.ts";
import type { OncePort } from "./port.ts";

/** The longest time for which a key is kept: a hundred years. */
const MAX_TTL = 100 * 366 * 86_400_000;

/** The longest lock and the longest wait: the longest timer in every runtime. */
const MAX_LOCK = 2 ** 31 - 1;

/** Options of {@link Idempotency}. An unknown name is refused. */
export interface IdempotencyOptions extends KeyHooks {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * The name of a set of keys in the store: 1 to 100 characters of one line, without braces. The same key under another
   * name is another key.
   */
  readonly name: string;
  /**
   * How long a result is kept, in milliseconds after its completion, up to a hundred years. Default 86,400,000: a day.
   */
  readonly ttlMs?: number | undefined;
  /**
   * How long a lock holds without an extension, in milliseconds from 100 to 2^31 - 1. Default 30,000. It is extended
   * while the work runs. After a crash, another call can take the key over when the lock ends.
   */
  readonly lockMs?: number | undefined;
  /**
   * The largest result that is stored, in bytes up to 2^28. Default 2^20. A larger one is returned to its own caller,
   * and after that the key is completed without a result: see {@link NotKeptError}.
   */
  readonly maxBytes?: number | undefined;
  /**
   * What happens while the store fails. `"fail"`, the default: no work runs, and a result that was not stored is not
   * returned. `"allow"`: work runs as if there were no key, so it may run several times.
   */
  readonly onStoreError?: "fail" | "allow" | undefined;
  /**
   * The old name of `onStoreError`: `"bypass"` is `"allow"`.
   *
   * @deprecated Use `onStoreError`. Both together are refused.
   */
  readonly onFailure?: "fail" | "bypass" | undefined;
  /**
   * The outcome of a call while another call does the work of its key. `"reject"`, the default: an {@link InFlightError} at once.
   * `"wait"`: the result of that call as soon as it is stored. If that call fails or its process dies, this call does the work
   * itself. It reads the store after pauses that grow from 20 ms to half a second.
   */
  readonly inFlight?: "reject" | "wait" | undefined;
  /**
   * How long a call waits, in milliseconds from 1 to 2^31 - 1. Then it gets the {@link InFlightError}. Default 10,000. Only with
   * `inFlight: "wait"`.
   */
  readonly waitMs?: number | undefined;
}

const OPTIONS: readonly string[] = [
  "backend",
  "name",
  "ttlMs",
  "lockMs",
  "maxBytes",
  "onStoreError",
  "onFailure",
  "inFlight",
  "waitMs",
  ...HOOKS,
];

/** Validated options, with defaults and the store's port. */
export interface IdempotencySettings {
  readonly store: OncePort;
  /** The name of the set of keys. */
  readonly name: string;
  readonly lockMs: number;
  /** How long a record is kept after each of its steps before the last. */
  readonly keepMs: number;
  /** How long a result is kept. */
  readonly ttlMs: number;
  readonly maxBytes: number;
  readonly onStoreError: OnStoreError;
  /** How long a call waits for another one with its key; 0 if it does not. */
  readonly waitMs: number;
  readonly hooks: KeyHooks;
}

/**
 * Validates the options and returns the settings.
 *
 * @param more names of further options, which the caller validates
 */
export function resolveIdempotencySettings(
  options: IdempotencyOptions,
  ...more: string[]
): IdempotencySettings {
  assertKnownOptions(options, [...OPTIONS, ...more]);
  const { backend, name, ttlMs = 86_400_000, lockMs = 30_000, maxBytes = 2 ** 20 } = options;
  const { inFlight = "reject", waitMs } = options;
  assertWhole("ttlMs", ttlMs, 1, MAX_TTL);
  const isWaiting = assertOneOf("inFlight", inFlight, ["reject", "wait"]) === "wait";
  if (!isWaiting && waitMs !== undefined) {
    throw new ArgumentError("waitMs", 'left out unless inFlight is "wait"', waitMs);
  }
  return {
    store: oncePort(assertBackend(backend), assertName("name", name)),
    name,
    lockMs: assertWhole("lockMs", lockMs, 100, MAX_LOCK),
    // At least the lock's duration, because a key must not be absent before its lock ends.
    keepMs: Math.max(ttlMs, lockMs),
    ttlMs,
    maxBytes: assertWhole("maxBytes", maxBytes, 0, 2 ** 28),
    onStoreError: resolveOnStoreError(options, ["fail", "bypass"]),
    waitMs: isWaiting ? assertWhole("waitMs", waitMs ?? 10_000, 1, MAX_LOCK) : 0,
    hooks: resolveHooks(options),
  };
}
