// The time as an ID, for the few places where that is enough.

import { toUnixMs } from "./unixMs.ts";

/**
 * The milliseconds since 1970, as a string. **Not unique**: every call within a millisecond, anywhere, returns the
 * same. For labels and file names that a person reads; for an ID, use {@link nextId} or {@link uuidv7}.
 *
 * @throws {@link ArgumentError} if `Date.now` has been replaced, and returns no time since 1970
 *
 * @example
 * ```ts
 * import { timestampId } from "bitflake";
 *
 * timestampId().length; // => 13
 * ```
 */
export function timestampId(): string {
  return String(toUnixMs(Date.now()));
}
