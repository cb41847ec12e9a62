// Listeners of a lease's events.

import { ArgumentError } from "../internal.ts";

/** The listeners of one event. */
export class Listeners<T> {
  readonly #listeners: Set<(event: T) => void> = new Set();

  /** Adds a listener. Returns a function that removes it. */
  add(listener: (event: T) => void): () => void {
    if (typeof listener !== "function") throw new ArgumentError("listener", "a function", listener);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Calls all listeners. */
  notify(event: T): void {
    for (const listener of this.#listeners) notifyLater(listener, event);
  }
}

/** Calls a listener in a microtask, so that an error that it throws does not stop the renewal of a lease. */
export function notifyLater<T>(listener: (event: T) => void, event: T): void {
  queueMicrotask(() => listener(event));
}
