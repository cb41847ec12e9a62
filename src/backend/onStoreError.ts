// The option onStoreError: what happens to a call while its store fails. Shared by rate limits and idempotency.

import { ArgumentError, assertOneOf } from "../internal.ts";

/** What happens to a call while its store fails: it throws the store's error, or it goes on without the store. */
export type OnStoreError = "fail" | "allow";

/**
 * Resolves the option `onStoreError` and its deprecated name `onFailure`.
 *
 * @param deprecated the values of `onFailure` that mean `"fail"` and `"allow"`
 * @returns `"fail"` if neither is given
 * @throws {@link ArgumentError} if both are given, or if one has another value
 */
export function resolveOnStoreError(
  { onStoreError, onFailure }: { readonly onStoreError?: unknown; readonly onFailure?: unknown },
  deprecated: readonly [fail: string, allow: string],
): OnStoreError {
  if (onFailure === undefined) {
    return assertOneOf("onStoreError", onStoreError === undefined ? "fail" : onStoreError, [
      "fail",
      "allow",
    ]) as OnStoreError;
  }
  if (onStoreError !== undefined) {
    throw new ArgumentError("onFailure", "left out if onStoreError is given", onFailure);
  }
  return assertOneOf<unknown>("onFailure", onFailure, deprecated) === deprecated[0] ? "fail" : "allow";
}
