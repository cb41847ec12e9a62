// timestampId: the current time as a label.

import { toUnixMs } from "./unixMs.ts";

/**
 * Returns the milliseconds since 1970 as a string. **Not unique**: all calls within a millisecond return the same. Use
 * it for labels and file names, and {@link nextId} or {@link uuidv7} for IDs.
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
