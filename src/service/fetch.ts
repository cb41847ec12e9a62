// The adapter for the fetch standard: Request to ServiceRequest, ServiceResponse to Response.

import { readBody } from "../http/body.ts";
import type { ServiceRequest, ServiceResponse } from "./message.ts";

/** Adapts a fetch `Request`. */
export function fromFetchRequest(request: Request, address: string | undefined): ServiceRequest {
  const { url } = request;
  // A Request's URL is absolute and has a path: without one it is "/".
  const path = url.indexOf("/", url.indexOf("//") + 2);
  const hash = url.indexOf("#");
  return {
    method: request.method,
    target: url.slice(path, hash < 0 ? undefined : hash),
    address,
    header: (name) => request.headers.get(name) ?? undefined,
    body: async (maxBytes) => {
      const read = await readBody(request.body, maxBytes);
      if ("bytes" in read) return read.bytes;
      void read.rest.cancel().catch(() => {}); // The stream's error changes nothing: the answer is 413.
      return undefined;
    },
  };
}

/** Creates the fetch `Response`. */
export function toFetchResponse({ status, headers, body }: ServiceResponse, method: string): Response {
  const isEmpty = method === "HEAD" || status === 204;
  return new Response(isEmpty ? null : body, { status, headers });
}
