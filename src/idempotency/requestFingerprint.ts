// Fingerprints of requests: of their bytes, of their JSON, or of the text that a function of the user returns.

import type { FetchRequest } from "../http/fetchTypes.ts";
import { realRequest } from "../http/realRequest.ts";
import { ArgumentError } from "../internal.ts";
import { canonicalJson } from "./canonicalJson.ts";
import { fingerprint } from "./fingerprint.ts";

/** How the fingerprint of a request is made: see `IdempotentOptions`. */
export type RequestFingerprint<Context> =
  | "bytes"
  | "json"
  | ((request: FetchRequest, context: Context) => string | Promise<string>);

/** Returns the request with its body, which has been read. A request without a body must not get one. */
export function withBody(request: Request, bytes: Uint8Array<ArrayBuffer>, init: RequestInit = {}): Request {
  return new Request(realRequest(request), request.bodyUsed ? { ...init, body: bytes } : init);
}

/** Whether a content type is JSON, such as `application/json; charset=utf-8` or `application/merge-patch+json`. */
function isJson(contentType: string | null): boolean {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type === "application/json" || type.endsWith("+json");
}

/** Returns the fingerprint of a request whose body has been read. */
export async function requestFingerprint<Context>(
  how: RequestFingerprint<Context>,
  request: Request,
  context: Context,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  if (typeof how === "function") {
    const text = await how(withBody(request, bytes), context);
    if (typeof text !== "string") throw new ArgumentError("the fingerprint", "a string", text);
    // As JSON, because a lone surrogate has no UTF-8.
    return fingerprint(JSON.stringify(text));
  }
  const json =
    how === "json" && isJson(request.headers.get("content-type")) ? canonicalJson(bytes) : undefined;
  const { search } = new URL(request.url);
  return (await fingerprint(json ?? bytes)) + (search && (await fingerprint(search)));
}
