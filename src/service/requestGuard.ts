// The request guard of a server: it refuses requests that a browser sends for pages of other origins, if the server is on a
// loopback address, and requests whose Host header is not a name of the server.

import type { Refusal, ServiceRequest } from "./message.ts";

/** Returns whether an address or a name reaches this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(host);
}

/** Returns the name of a `Host` header, without its port and the brackets of an IPv6 address. */
function parseHostName(host: string): string {
  const [, ipv6] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  return (ipv6 ?? host.replace(/:\d*$/, "")).toLowerCase();
}

/** Returns why a request must be refused, or `undefined` if it may pass. */
export type RequestGuard = (request: ServiceRequest) => Refusal | undefined;

const CROSS_ORIGIN: Refusal = {
  reason: "A web page of another origin must not call a server on this machine (Sec-Fetch-Site).",
  isCrossOrigin: true,
};

/** The pages of the service, see `routes/console.ts`. They have no query parameters. */
const PAGES = ["/", "/docs"];

/** Returns whether a person follows a link to a page of the service. A page changes nothing, and the linking page cannot read it. */
function opensPage(request: ServiceRequest): boolean {
  const isVisit =
    request.method === "GET" &&
    request.header("sec-fetch-mode") === "navigate" &&
    request.header("sec-fetch-dest") === "document";
  return isVisit && PAGES.includes(request.target);
}

/**
 * Creates the guard of a server. On a loopback address it refuses requests that a browser sends for a page of another
 * origin, except those that open a page of the service by a link. There, and with `allowedHosts`, it also refuses requests under a name that is not the server's, as after DNS rebinding.
 *
 * @param isLocal whether the server listens on a loopback address
 * @param allowedHosts the names that the server may be reached by, besides those of this machine on a loopback address
 * @returns `undefined` if any request may pass
 */
export function createRequestGuard(
  isLocal: boolean,
  allowedHosts: ReadonlySet<string> | undefined,
): RequestGuard | undefined {
  if (!isLocal && !allowedHosts) return undefined;
  const rule = isLocal ? "localhost, a loopback address or one of allowedHosts" : "one of allowedHosts";
  // Nearly all requests have the same Host, so one comparison is enough for them.
  let lastAllowed = "";
  return (request) => {
    // Browsers always send Host, so a request without it is not from a web page.
    const host = request.header("host") ?? "";
    if (host !== "" && host !== lastAllowed) {
      const name = parseHostName(host);
      if (!allowedHosts?.has(name) && !(isLocal && isLoopback(name))) {
        const reason = `The Host header must be ${rule}, got ${JSON.stringify(host.slice(0, 64))}.`;
        return { reason, isCrossOrigin: false };
      }
      lastAllowed = host;
    }
    const site = isLocal ? request.header("sec-fetch-site") : undefined;
    return (site === "cross-site" || site === "same-site") && !opensPage(request) ? CROSS_ORIGIN : undefined;
  };
}
