// The states of a key as pure steps: absent, locked, completed. Memory runs them. Redis and SQL implement them in their
// own language.

import { GRACE_MS } from "../backend/expiry.ts";

/** The record of a key in the store. The store deletes it at `ends`. */
export interface KeyRecord {
  /** What the key was first used for. Every later use must have the same fingerprint. */
  readonly fingerprint: string;
  /** The run that holds the lock, or held it last. */
  readonly owner: string;
  /** The end of the lock; `null` once the work is completed. */
  readonly lockedUntil: number | null;
  /** The duration for which the lock was last acquired or extended. */
  readonly lockMs: number;
  /** The result; `null` before completion, and if the result was not stored. */
  readonly value: string | null;
  readonly ends: number;
}

/** The outcome of an acquire. */
export type AcquireResult =
  | { readonly outcome: "acquired" }
  /** Another run holds the lock for another `waitMs`. */
  | { readonly outcome: "running"; readonly waitMs: number }
  /** The key was used with another fingerprint. */
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "completed"; readonly value: string | null };

/** The state of a key. */
export type PeekResult =
  | { readonly outcome: "absent" }
  /** Locked for another `waitMs`, which is 0 once the lock has ended. */
  | { readonly outcome: "running"; readonly waitMs: number }
  | { readonly outcome: "completed"; readonly value: string | null };

/** The outcome of a forget. */
export type ForgetResult =
  | { readonly outcome: "forgotten" | "absent" }
  /** A run holds the lock for another `waitMs`, so the key stays. */
  | { readonly outcome: "running"; readonly waitMs: number };

/** An owner's request for the lock of a key. */
export interface LockRequest {
  readonly fingerprint: string;
  readonly owner: string;
  readonly lockMs: number;
  /** How long the store keeps the record from now on. */
  readonly keepMs: number;
}

/** Whether a record exists and belongs to an owner. */
function isOwnedBy(record: KeyRecord | undefined, owner: string, now: number): record is KeyRecord {
  return record?.owner === owner && record.ends > now;
}

/** Whether a lock ends later than its owner can have requested, because the store's clock was set back since. */
function isImplausiblyFar(lockedUntil: number, lockMs: number, now: number, graceMs: number): boolean {
  return lockedUntil - now > lockMs + graceMs;
}

/**
 * Acquires the lock of a key, unless another owner holds it or the work is completed. The same owner may repeat it.
 *
 * A lock with an implausibly late end is shortened to the end that its owner would get now, because a dead owner would
 * keep the key until the clock gets there. A living owner extends its lock in time.
 *
 * @param graceMs how much too late a lock may end before the clock is taken to have been set back
 * @returns the record afterwards, which is the same object if nothing changes, and the result
 */
export function acquire(
  record: KeyRecord | undefined,
  { fingerprint, owner, lockMs, keepMs }: LockRequest,
  now: number,
  graceMs: number = GRACE_MS,
): readonly [KeyRecord, AcquireResult] {
  const locked = { fingerprint, owner, lockedUntil: now + lockMs, lockMs, value: null, ends: now + keepMs };
  const acquired = [locked, { outcome: "acquired" }] as const;
  if (record === undefined || record.ends <= now) return acquired;
  if (record.fingerprint !== fingerprint) return [record, { outcome: "mismatch" }];
  if (record.lockedUntil === null) return [record, { outcome: "completed", value: record.value }];
  if (record.owner === owner || record.lockedUntil <= now) return acquired;
  if (!isImplausiblyFar(record.lockedUntil, record.lockMs, now, graceMs))
    return [record, { outcome: "running", waitMs: record.lockedUntil - now }];
  return [
    { ...record, lockedUntil: now + record.lockMs },
    { outcome: "running", waitMs: record.lockMs },
  ];
}

/**
 * Extends an owner's lock, also one that has ended if no other owner has acquired it.
 *
 * @returns the new record; `undefined` if the owner does not hold the lock
 */
export function extend(
  record: KeyRecord | undefined,
  { owner, lockMs, keepMs }: Omit<LockRequest, "fingerprint">,
  now: number,
): KeyRecord | undefined {
  if (!isOwnedBy(record, owner, now) || record.lockedUntil === null) return undefined;
  return { ...record, lockedUntil: now + lockMs, lockMs, ends: now + keepMs };
}

/**
 * Completes an owner's work with a value. The owner may repeat it.
 *
 * @returns the new record; `undefined` if the key is not the owner's
 */
export function complete(
  record: KeyRecord | undefined,
  { owner, keepMs }: Pick<LockRequest, "owner" | "keepMs">,
  value: string | null,
  now: number,
): KeyRecord | undefined {
  if (!isOwnedBy(record, owner, now)) return undefined;
  return { ...record, lockedUntil: null, value, ends: now + keepMs };
}

/** Whether an owner may release the key, so that it is absent again. */
export function isReleasable(record: KeyRecord | undefined, owner: string, now: number): boolean {
  return isOwnedBy(record, owner, now) && record.lockedUntil !== null;
}

/** Returns the state of a key. */
export function peek(record: KeyRecord | undefined, now: number): PeekResult {
  if (record === undefined || record.ends <= now) return { outcome: "absent" };
  const { lockedUntil, value } = record;
  return lockedUntil === null
    ? { outcome: "completed", value }
    : { outcome: "running", waitMs: Math.max(0, lockedUntil - now) };
}

/** Returns whether a key may become absent: a record that is completed, or whose lock has ended. */
export function forget(record: KeyRecord | undefined, now: number): ForgetResult {
  const before = peek(record, now);
  if (before.outcome === "running" && before.waitMs > 0) return { outcome: "running", waitMs: before.waitMs };
  return { outcome: before.outcome === "absent" ? "absent" : "forgotten" };
}
