// Hooks: listeners for the outcome of each call with a key.

import { publish } from "../events/channels.ts";
import type { FetchRequest } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { assertFunction } from "../internal.ts";
import type { AcquireResult } from "./rule.ts";

/** An event of a key, which hooks get. */
export interface KeyEvent {
  /** The key, as the caller or the client sent it. */
  readonly key: string;
  /** The request with the key, if it is one of `idempotent`. Its body has been read. */
  readonly request?: FetchRequest;
}

/** The event of a call that gets an error instead of a result. */
export interface KeyConflict extends KeyEvent {
  /**
   * `"in-flight"`: another call does the work, also after `waitMs`; `"fingerprint"`: the key was used with another
   * fingerprint; `"not-kept"`: the work is done, and its result was not stored.
   */
  readonly reason: "in-flight" | "fingerprint" | "not-kept";
}

/**
 * Hooks for logs and metrics. The store's answer to a call leads to one of them; a failure of the store leads to none. Nothing
 * waits for a hook, and an error that it throws is ignored.
 */
export interface KeyHooks {
  /** A call gets the stored result of an earlier one. */
  readonly onHit?: ((event: KeyEvent) => unknown) | undefined;
  /** A call has the lock, and its work begins next. */
  readonly onMiss?: ((event: KeyEvent) => unknown) | undefined;
  /** A call gets an error: another call does the work, or the key was used for other work. */
  readonly onConflict?: ((event: KeyConflict) => unknown) | undefined;
}

/** The names of the hooks. */
export const HOOKS: readonly (keyof KeyHooks)[] = ["onHit", "onMiss", "onConflict"];

/** Asserts that the hooks are functions. Returns them. */
export function resolveHooks(options: KeyHooks): KeyHooks {
  for (const name of HOOKS) if (options[name] !== undefined) assertFunction(name, options[name]);
  const { onHit, onMiss, onConflict } = options;
  return { onHit, onMiss, onConflict };
}

/**
 * Publishes the result of an acquire, and calls its hook.
 *
 * @param name the name of the set of keys
 */
export function reportResult(name: string, hooks: KeyHooks, event: KeyEvent, result: AcquireResult): void {
  const { onHit, onMiss, onConflict } = hooks;
  const conflict = (reason: KeyConflict["reason"]) => {
    publish("bitflake:idempotency:conflict", () => ({ name, reason }));
    onConflict && notifyListener(onConflict, { ...event, reason });
  };
  if (result.outcome === "acquired") {
    publish("bitflake:idempotency:miss", () => ({ name }));
    onMiss && notifyListener(onMiss, event);
  } else if (result.outcome === "running") conflict("in-flight");
  else if (result.outcome === "mismatch") conflict("fingerprint");
  else if (result.value === null) conflict("not-kept");
  else {
    publish("bitflake:idempotency:hit", () => ({ name }));
    onHit && notifyListener(onHit, event);
  }
}
