// Observers of the calls to a store, for metrics. All calls pass through call.ts (callStore, or callMemory for a memory that
// answers at once), so it reports each call here. Every entry of the package is built with its own copy of this file, so the observers are global state.

import { findGlobalState, globalState } from "../internal.ts";
import type { Backend } from "./ports.ts";

/**
 * Called when a call to a store has ended.
 *
 * @param operation the operation's name in errors, such as `"lease: acquire"`
 * @param durationMs how long the call took, in milliseconds
 * @param error why it failed; `undefined` if it succeeded
 */
export type CallObserver = (operation: string, durationMs: number, error: unknown) => void;

/** By backend, so that the observers of a backend that is no longer used are collected with it. */
type CallObservers = WeakMap<Backend, Set<CallObserver>>;

const STATE = "bitflake.callObservers.v1";

/**
 * Observes the calls to a store from now on, of all features that use this backend object.
 *
 * @param observer must not throw
 * @throws {@link UnsupportedError} if `globalThis` cannot be extended
 * @returns a function that removes the observer
 */
export function observeCalls(backend: Backend, observer: CallObserver): () => void {
  const observersOf = globalState(STATE, (): CallObservers => new WeakMap());
  const observers = observersOf.get(backend) ?? new Set();
  observersOf.set(backend, observers);
  observers.add(observer);
  return () => {
    observers.delete(observer);
    if (observers.size === 0 && observersOf.get(backend) === observers) observersOf.delete(backend);
  };
}

/** Reports a call to the observers of its store. */
export function reportCall(backend: Backend, operation: string, durationMs: number, error?: unknown): void {
  const observers = findGlobalState<CallObservers>(STATE)?.get(backend);
  if (!observers) return;
  for (const observer of observers) observer(operation, durationMs, error);
}
