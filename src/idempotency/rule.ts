// The life of a key, as pure steps: absent, in progress, completed. Memory runs them; Redis and SQL say the same in
// their own language.

import { GRACE_MS } from "../backend/expiry.ts";

/** What is known of a key. It is forgotten at `ends`. */
export interface KeyRecord {
  /** What the key was first used for: it is good for nothing else. */
  readonly fingerprint: string;
  /** Who works on it, or has done so last. */
  readonly owner: string;
  /** The end of the lock; `null` once the work is done. */
  readonly lockedUntil: number | null;
  /** For how long the lock was taken, or extended the last time. */
  readonly lockMs: number;
  /** What came of the work; `null` before, and for what was not kept. */
  readonly value: string | null;
  readonly ends: number;
}

/** What beginning comes to. */
export type AcquireResult =
  | { readonly outcome: "started" }
  | { readonly outcome: "running"; readonly waitMs: number }
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "completed"; readonly value: string | null };

/** What an owner asks for. */
export interface LockRequest {
  readonly fingerprint: string;
  readonly owner: string;
  readonly lockMs: number;
  /** How long the key is known from now on. */
  readonly keepMs: number;
}

/** Whether a key is known, and an owner's. */
function isOwnedBy(held: KeyRecord | undefined, owner: string, now: number): held is KeyRecord {
  return held?.owner === owner && held.ends > now;
}

/** Whether a lock ends later than its owner can have asked for: the store's clock was set back since. */
function isImplausiblyFar(until: number, lockMs: number, now: number): boolean {
  return until - now > lockMs + GRACE_MS;
}

/**
 * Begins, unless another has; it may be asked twice by the same owner.
 *
 * A lock that is out of all reach is pulled back to what its owner would get now, or a dead owner would keep the key until
 * the clock is there again. One that lives extends it in time.
 */
export function acquire(
  held: KeyRecord | undefined,
  { fingerprint, owner, lockMs, keepMs }: LockRequest,
  now: number,
): readonly [KeyRecord, AcquireResult] {
  const mine = { fingerprint, owner, lockedUntil: now + lockMs, lockMs, value: null, ends: now + keepMs };
  const started = [mine, { outcome: "started" }] as const;
  if (held === undefined || held.ends <= now) return started;
  if (held.fingerprint !== fingerprint) return [held, { outcome: "mismatch" }];
  if (held.lockedUntil === null) return [held, { outcome: "completed", value: held.value }];
  if (held.owner === owner || held.lockedUntil <= now) return started;
  const lockedUntil = isImplausiblyFar(held.lockedUntil, held.lockMs, now)
    ? now + held.lockMs
    : held.lockedUntil;
  return [
    { ...held, lockedUntil },
    { outcome: "running", waitMs: lockedUntil - now },
  ];
}

/** Moves the end of an owner's lock. Also of one that has ended, while no other has taken it. */
export function extend(
  held: KeyRecord | undefined,
  { owner, lockMs, keepMs }: Omit<LockRequest, "fingerprint">,
  now: number,
): KeyRecord | undefined {
  if (!isOwnedBy(held, owner, now) || held.lockedUntil === null) return undefined;
  return { ...held, lockedUntil: now + lockMs, lockMs, ends: now + keepMs };
}

/** Ends an owner's work with a value. It may be said twice. */
export function complete(
  held: KeyRecord | undefined,
  { owner, keepMs }: Pick<LockRequest, "owner" | "keepMs">,
  value: string | null,
  now: number,
): KeyRecord | undefined {
  if (!isOwnedBy(held, owner, now)) return undefined;
  return { ...held, lockedUntil: null, value, ends: now + keepMs };
}

/** Whether an owner's work can be undone, so that the key is absent again. */
export function isReleasable(held: KeyRecord | undefined, owner: string, now: number): boolean {
  return isOwnedBy(held, owner, now) && held.lockedUntil !== null;
}
