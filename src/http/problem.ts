// Error responses by RFC 9457: problem+json with the stable code of the error.

/** The titles of the statuses. */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The content type of {@link problemJson}. */
export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** Returns the JSON of a problem. */
export function problemJson(status: number, code: string, detail: string): string {
  return JSON.stringify({ type: "about:blank", title: TITLES[status], status, detail, code });
}

/** Creates the response of a problem. */
export function problemResponse(
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(problemJson(status, code, detail), {
    status,
    headers: { "cache-control": "no-store", ...headers, "content-type": PROBLEM_CONTENT_TYPE },
  });
}

/** Returns the header that links to a page of documentation. */
export function documentationLink(url: string): { readonly link: string } {
  return { link: `<${url}>; rel="describedby"; type="text/html"` };
}

/** Returns a duration as whole seconds, rounded up, for headers such as `Retry-After`. */
export function wholeSeconds(ms: number): string {
  return String(Math.ceil(ms / 1000));
}
