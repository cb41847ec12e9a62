// Calls listeners of the user. Their errors must not keep a client from its response.

/** Calls a listener, and ignores its errors and the rejection of a promise that it returns. */
export function notifyListener<T>(listener: (event: T) => unknown, event: T): void {
  try {
    const result = listener(event);
    // An unhandled rejection would end a Node process.
    if (result instanceof Promise) result.catch(() => {});
  } catch {
    // Listener errors are ignored by contract.
  }
}
