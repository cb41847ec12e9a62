// Options of rate limits, and the settings that they resolve to.

import { assertName } from "../backend/names.ts";
import { type OnStoreError, resolveOnStoreError } from "../backend/onStoreError.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { ArgumentError, assertFunction, assertKnownOptions, assertOneOf, assertWhole } from "../internal.ts";
import type { Decision } from "./decision.ts";
import { type Gcra, gcraOf } from "./rule.ts";

/** The largest limit. */
const MAX_LIMIT = 1_000_000_000;

/** The longest window, block and wait: 24 days. */
export const MAX_WINDOW: number = 2 ** 31 - 1;

/** A limit that decides while the store of another one fails: usually a {@link RateLimit} on `memory()`. */
export interface RateLimitInsurance {
  /** As {@link RateLimit.limit}. */
  limit(key: string, cost?: number): Promise<Decision>;
  /** As {@link RateLimit.peek}. */
  peek(key: string, cost?: number): Promise<Decision>;
  /** As {@link RateLimit.refund}. */
  refund(call: Decision | string, cost?: number): Promise<void>;
  /** As {@link RateLimit.block}. */
  block(key: string, forMs: number): Promise<void>;
  /** As {@link RateLimit.reset}. */
  reset(key: string): Promise<void>;
}

/** Options of {@link RateLimit}. An unknown name is refused. */
export interface RateLimitOptions {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * The limit's name in the store: 1 to 100 characters of one line, without braces. All limits of one name in one store
   * count together, in all processes, and should have the same `limit`, `windowMs` and `burst`.
   */
  readonly name: string;
  /**
   * How many calls of cost 1 may pass in each window: from 1 to 1,000,000,000, and at most one for each microsecond of
   * the window.
   */
  readonly limit: number;
  /** The time in which `limit` calls become available, in milliseconds from 1 to 2^31 - 1, which is 24 days. */
  readonly windowMs: number;
  /**
   * How many calls of cost 1 may pass at once, from 1 to 1,000,000,000. Default: `limit`. It becomes available again in
   * `burst` × `windowMs` / `limit` milliseconds, which may be at most 2^31 - 1.
   */
  readonly burst?: number | undefined;
  /**
   * Whether this process remembers denials, so that a call that would be denied again needs no call to the store. It
   * remembers up to 10,000 keys of a backend, each until its denial ends by the store's time. A reset or a refund in this
   * process counts at once; one in another process counts when the remembered denial has ended. Default `false`. Memory
   * is always read, because that needs no call.
   */
  readonly rememberDenials?: boolean | undefined;
  /**
   * Whether calls that the limit would deny pass, and only have `wouldDeny` in their decision: to try a limit before it
   * is enforced. Calls then also pass if the store fails. Default `false`.
   */
  readonly shadow?: boolean | undefined;
  /**
   * A limit that decides while the store fails. Default: none. Its decisions have the store's error as `error`. If it
   * fails too, `onStoreError` decides.
   */
  readonly insurance?: RateLimitInsurance | undefined;
  /**
   * What happens to calls while the store fails. `"fail"`, the default: they throw its error. `"allow"`: they pass, and
   * their decisions have it as `error`; refunds, resets and blocks are lost.
   */
  readonly onStoreError?: "fail" | "allow" | undefined;
  /**
   * The old name of `onStoreError`: `"closed"` is `"fail"`, and `"open"` is `"allow"`.
   *
   * @deprecated Use `onStoreError`. Both together are refused.
   */
  readonly onFailure?: "closed" | "open" | undefined;
}

/** Validated options. */
export interface RateLimitSettings {
  readonly backend: Backend;
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly burst: number;
  readonly gcra: Gcra;
  readonly rememberDenials: boolean;
  readonly shadow: boolean;
  readonly insurance: RateLimitInsurance | undefined;
  readonly onStoreError: OnStoreError;
}

const OPTIONS: readonly string[] = [
  "backend",
  "name",
  "limit",
  "windowMs",
  "burst",
  "rememberDenials",
  "shadow",
  "insurance",
  "onStoreError",
  "onFailure",
];

/**
 * Validates the options.
 *
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 */
export function resolveOptions(options: RateLimitOptions): RateLimitSettings {
  assertKnownOptions(options, OPTIONS);
  const { insurance } = options;
  const backend = assertBackend(options.backend);
  const name = assertName("name", options.name);
  const limit = assertWhole("limit", options.limit, 1, MAX_LIMIT);
  const windowMs = assertWhole("windowMs", options.windowMs, 1, MAX_WINDOW);
  if (limit > windowMs * 1000) {
    throw new ArgumentError(
      "limit",
      `at most ${windowMs * 1000}, one for each microsecond of windowMs`,
      limit,
    );
  }
  const burst = resolveBurst(options, limit, windowMs);
  for (const method of ["limit", "peek", "refund", "block", "reset"] as const) {
    if (insurance !== undefined) assertFunction(`insurance.${method}`, Object(insurance)[method]);
  }
  return {
    backend,
    name,
    limit,
    windowMs,
    burst,
    gcra: gcraOf(limit, windowMs, burst),
    rememberDenials: resolveSwitch("rememberDenials", options.rememberDenials),
    shadow: resolveSwitch("shadow", options.shadow),
    insurance,
    onStoreError: resolveOnStoreError(options, ["closed", "open"]),
  };
}

function resolveBurst({ burst }: RateLimitOptions, limit: number, windowMs: number): number {
  if (burst === undefined) return limit;
  assertWhole("burst", burst, 1, MAX_LIMIT);
  const most = Math.max(limit, Math.floor((MAX_WINDOW / windowMs) * limit));
  if (burst <= most) return burst;
  throw new ArgumentError("burst", `at most ${most}, which ${MAX_WINDOW} ms make available`, burst);
}

function resolveSwitch(field: string, value: unknown): boolean {
  return assertOneOf<unknown>(field, value === undefined ? false : value, [true, false]) === true;
}
