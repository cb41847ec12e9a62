// Keys of requests as the store has them.

import { ArgumentError } from "../internal.ts";
import { fingerprint } from "./fingerprint.ts";

/** A key of a request, with all that it belongs to. */
export interface RequestKey {
  /** The result of the option `tenant`. */
  readonly tenant: string;
  /** The method, in capitals. */
  readonly method: string;
  /** The path as `new URL(request.url).pathname` returns it. */
  readonly path: string;
  /** The key in the header, without quotes. */
  readonly key: string;
}

/**
 * Returns the key under which `idempotent` stores a request: a digest. With it, {@link Idempotency.peek} and
 * {@link Idempotency.forget} of the same `backend` and `name` find the request.
 *
 * @throws {@link ArgumentError} if a field is not a string
 * @throws {@link UnsupportedError} if the runtime has no `crypto.subtle`
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { Idempotency, idempotent, storedKey } from "bitflake/idempotency";
 *
 * const options = { backend: memory(), name: "orders" };
 * const handler = idempotent(() => new Response("made"), { ...options, tenant: () => "ada" });
 * const headers = { "Idempotency-Key": "a1" };
 * await handler(new Request("https://shop.example/orders", { method: "POST", headers }));
 *
 * const keys = new Idempotency(options);
 * const key = await storedKey({ tenant: "ada", method: "POST", path: "/orders", key: "a1" });
 * (await keys.peek(key)).state; // => 'completed'
 * await keys.forget(key); // => true
 * ```
 */
export function storedKey({ tenant, method, path, key }: RequestKey): Promise<string> {
  for (const [field, value] of Object.entries({ tenant, method, path, key })) {
    if (typeof value !== "string") throw new ArgumentError(field, "a string", value);
  }
  // The store gets only digests, so that its readers learn neither keys nor tenants.
  return fingerprint(JSON.stringify([tenant, method, path, key]));
}
