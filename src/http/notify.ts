// Listeners of the user's: what they throw is no reason to leave a client without its answer.

/** Calls a listener. What it throws is ignored, and so is what a promise that it returns rejects with. */
export function notifyListener<T>(listener: (what: T) => unknown, what: T): void {
  try {
    const done = listener(what);
    // Of an async function nobody else would catch it, and Node would end the process.
    if (done instanceof Promise) done.catch(() => {});
  } catch {
    // Listener errors are ignored by contract.
  }
}
