// Listeners of the user's: what they throw is no reason to leave a client without its answer.

/** Tells a listener something. */
export function tell<T>(listener: (what: T) => void, what: T): void {
  try {
    listener(what);
  } catch {
    // It has been told.
  }
}
