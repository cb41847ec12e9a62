// Requests and responses of the fetch standard, as a service sees them.

import { readBody } from "../http/body.ts";
import type { ServiceRequest, ServiceResponse } from "./message.ts";

/** What a request asks. */
export function fromFetchRequest(request: Request, address: string | undefined): ServiceRequest {
  const { url } = request;
  // There is one in each: without a path it is "/".
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
      void read.rest.cancel().catch(() => {}); // Whatever the other side makes of it.
      return undefined;
    },
  };
}

/** The response that says a reply. */
export function toFetchResponse({ status, headers, body }: ServiceResponse, method: string): Response {
  const isEmpty = method === "HEAD" || status === 204;
  return new Response(isEmpty ? null : body, { status, headers });
}
