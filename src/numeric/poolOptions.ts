// Options of IdPool, and the settings that they resolve to.

import { MAX_TIMER_MS } from "../backend/call.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { assertFunction, assertKnownOptions, assertWhole } from "../internal.ts";
import type { IdShape } from "./registry.ts";
import { assertType, type NumericIdType } from "./type.ts";

/** The greatest number of IDs that a pool keeps available. */
export const MAX_MARK: number = 2 ** 31 - 1;

/** Options of {@link IdPool}. An unknown option is refused. */
export interface IdPoolOptions {
  /** PostgreSQL, MySQL, SQLite or memory. SQL needs its tables: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /** The type of the IDs. A store has one pool for each name of a type. */
  readonly type: NumericIdType;
  /** The number of available IDs at which a background refill starts. Default 1000, or `highMark` if that is less. */
  readonly lowMark?: number | undefined;
  /** The number of available IDs at which a refill ends. Default 6000, or `lowMark` if that is more. */
  readonly highMark?: number | undefined;
  /** How long an issue waits for a refill if too few IDs are available, in milliseconds. Default 5000. */
  readonly waitMs?: number | undefined;
  /**
   * Called with the error when a background refill fails, or when the available IDs cannot be counted: for logs. Not called
   * if {@link IdPool.fill} rejects with the error. Errors that it throws are ignored. {@link IdPoolStatus.lastError} keeps the error until a refill succeeds.
   */
  readonly onRefillFailed?: ((error: unknown) => void) | undefined;
}

/** Options of a pool, validated and complete. */
export interface PoolSettings {
  readonly backend: Backend;
  readonly type: NumericIdType;
  readonly lowMark: number;
  readonly highMark: number;
  readonly waitMs: number;
  readonly onRefillFailed: ((error: unknown) => void) | undefined;
}

/** Asserts that options are valid, and returns them complete. */
export function resolvePoolSettings(options: IdPoolOptions): PoolSettings {
  assertKnownOptions(options, ["backend", "type", "lowMark", "highMark", "waitMs", "onRefillFailed"]);
  const { backend, type, lowMark, highMark, waitMs = 5000, onRefillFailed } = options;
  assertType(type);
  // Each by itself first, because the default of one depends on the other.
  if (lowMark !== undefined) assertWhole("lowMark", lowMark, 0, MAX_MARK);
  if (highMark !== undefined) assertWhole("highMark", highMark, 1, MAX_MARK);
  const high = highMark ?? Math.max(6000, lowMark ?? 0);
  const low = assertWhole("lowMark", lowMark ?? Math.min(1000, high), 0, high);
  assertWhole("waitMs", waitMs, 0, MAX_TIMER_MS);
  if (onRefillFailed !== undefined) assertFunction("onRefillFailed", onRefillFailed);
  assertBackend(backend);
  return { backend, type, lowMark: low, highMark: high, waitMs, onRefillFailed };
}

/** Returns the facts about a pool that must be the same in every process. */
export function poolShape({ length, rules }: NumericIdType): IdShape {
  // Lists are compared as sets, because their order does not matter.
  const facts = Object.entries(rules).map(([name, rule]) => [
    name,
    Array.isArray(rule) ? [...new Set(rule)].sort() : rule,
  ]);
  return { kind: "pool", length, ...Object.fromEntries(facts) };
}
