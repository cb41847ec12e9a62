// What running once is set up with: validated once.

import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { assertKnownOptions, assertOneOf, assertWhole } from "../internal.ts";
import { type OncePort, oncePort } from "./port.ts";

/** The longest time that a key is kept: a hundred years. */
const MAX_TTL = 100 * 366 * 86_400_000;

/** The longest timer there is, in every runtime. */
const MAX_LOCK = 2 ** 31 - 1;

/** What {@link Idempotency} is made of. An unknown name is refused. */
export interface IdempotencyOptions {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * Whose keys they are: 1 to 100 characters of one line, without braces. The same key under another name is
   * another key.
   */
  readonly name: string;
  /** How long a result is kept, in milliseconds from its end, up to a hundred years. Default 86 400 000: a day. */
  readonly ttlMs?: number | undefined;
  /**
   * How long a lock holds that is not extended, in milliseconds from 100 to 2^31 - 1. Default 30 000. It is extended
   * while the work goes on; after a crash, a key is free to be taken over when it ends.
   */
  readonly lockMs?: number | undefined;
  /**
   * The largest result that is kept, in bytes up to 2^28. Default 2^20. A larger one is returned to whom it belongs, and
   * afterwards the key is done without a result: see {@link NotKeptError}.
   */
  readonly maxBytes?: number | undefined;
  /**
   * What happens while the store is down. `"fail"`, the default: nothing is run, and no result is given that was not
   * kept. `"bypass"`: work is run as if there were no key, more than once if it is asked for more than once.
   */
  readonly onFailure?: "fail" | "bypass" | undefined;
}

/** The names of the options. */
const OPTIONS: readonly string[] = ["backend", "name", "ttlMs", "lockMs", "maxBytes", "onFailure"];

/** The same, validated. */
export interface IdempotencySettings {
  readonly store: OncePort;
  readonly lockMs: number;
  /** How long a key is known after each of its steps. */
  readonly keepMs: number;
  readonly maxBytes: number;
  readonly onFailure: "fail" | "bypass";
}

/** Validates the options, with others that the caller knows. */
export function resolveIdempotencySettings(
  options: IdempotencyOptions,
  ...more: string[]
): IdempotencySettings {
  assertKnownOptions(options, [...OPTIONS, ...more]);
  const { backend, name, ttlMs = 86_400_000, lockMs = 30_000, maxBytes = 2 ** 20 } = options;
  const { onFailure = "fail" } = options;
  assertWhole("ttlMs", ttlMs, 1, MAX_TTL);
  return {
    store: oncePort(assertBackend(backend), assertName("name", name)),
    lockMs: assertWhole("lockMs", lockMs, 100, MAX_LOCK),
    // Of work in progress as well: its key is good for nothing else, and is not to be free before its lock ends.
    keepMs: Math.max(ttlMs, lockMs),
    maxBytes: assertWhole("maxBytes", maxBytes, 0, 2 ** 28),
    onFailure: assertOneOf("onFailure", onFailure, ["fail", "bypass"]),
  };
}
