// Requests that are created late: the adapters in web/ give handlers an object that has the method, URL and headers of a
// request, and creates the Request itself when something else of it is read.

/** The name of the method that creates the request. From the registry, because each entry has its own copy of this file. */
export const CREATE_REQUEST: unique symbol = /* @__PURE__ */ Symbol.for("bitflake.createRequest");

/** Returns the request that `new Request(…)` accepts. */
export function realRequest(request: Request): Request {
  const { [CREATE_REQUEST]: create } = request as { [CREATE_REQUEST]?: () => Request };
  return create ? create.call(request) : request;
}
