// The life of a key, as pure steps: absent, in progress, completed. Memory runs them; Redis and SQL say the same in
// their own language.

import { GRACE_MS } from "../backend/expiry.ts";

/** What is known of a key. It is forgotten at `ends`. */
export interface Held {
  /** What the key was first used for: it is good for nothing else. */
  readonly fingerprint: string;
  /** Who works on it, or has done so last. */
  readonly owner: string;
  /** The end of the lock; `null` once the work is done. */
  readonly until: number | null;
  /** For how long the lock was taken, or extended the last time. */
  readonly lockMs: number;
  /** What came of the work; `null` before, and for what was not kept. */
  readonly value: string | null;
  readonly ends: number;
}

/** What beginning comes to. */
export type Beginning =
  | { readonly outcome: "started" }
  | { readonly outcome: "running"; readonly waitMs: number }
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "completed"; readonly value: string | null };

/** What an owner asks for. */
export interface Claim {
  readonly fingerprint: string;
  readonly owner: string;
  readonly lockMs: number;
  /** How long the key is known from now on. */
  readonly keepMs: number;
}

/** Whether a key is known, and an owner's. */
function isOf(held: Held | undefined, owner: string, now: number): held is Held {
  return held?.owner === owner && held.ends > now;
}

/** Whether a lock ends later than its owner can have asked for: the store's clock was set back since. */
function isOutOfReach(until: number, lockMs: number, now: number): boolean {
  return until - now > lockMs + GRACE_MS;
}

/**
 * Begins, unless another has; it may be asked twice by the same owner.
 *
 * A lock that is out of all reach is pulled back to what its owner would get now, or a dead owner would keep the key until
 * the clock is there again. One that lives extends it in time.
 */
export function begin(
  held: Held | undefined,
  { fingerprint, owner, lockMs, keepMs }: Claim,
  now: number,
): readonly [Held, Beginning] {
  const mine = { fingerprint, owner, until: now + lockMs, lockMs, value: null, ends: now + keepMs };
  const started = [mine, { outcome: "started" }] as const;
  if (held === undefined || held.ends <= now) return started;
  if (held.fingerprint !== fingerprint) return [held, { outcome: "mismatch" }];
  if (held.until === null) return [held, { outcome: "completed", value: held.value }];
  if (held.owner === owner || held.until <= now) return started;
  const until = isOutOfReach(held.until, held.lockMs, now) ? now + held.lockMs : held.until;
  return [
    { ...held, until },
    { outcome: "running", waitMs: until - now },
  ];
}

/** Moves the end of an owner's lock. Also of one that has ended, while no other has taken it. */
export function extend(
  held: Held | undefined,
  { owner, lockMs, keepMs }: Omit<Claim, "fingerprint">,
  now: number,
): Held | undefined {
  if (!isOf(held, owner, now) || held.until === null) return undefined;
  return { ...held, until: now + lockMs, lockMs, ends: now + keepMs };
}

/** Ends an owner's work with a value. It may be said twice. */
export function complete(
  held: Held | undefined,
  { owner, keepMs }: Pick<Claim, "owner" | "keepMs">,
  value: string | null,
  now: number,
): Held | undefined {
  if (!isOf(held, owner, now)) return undefined;
  return { ...held, until: null, value, ends: now + keepMs };
}

/** Whether an owner's work can be undone, so that the key is absent again. */
export function isReleasable(held: Held | undefined, owner: string, now: number): boolean {
  return isOf(held, owner, now) && held.until !== null;
}
