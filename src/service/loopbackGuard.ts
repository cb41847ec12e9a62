// What may ask a server that only this machine is to reach: programs here, and no web page of anybody else's.

import type { ServiceRequest } from "./message.ts";

/** Whether an address or a name stands for this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(host);
}

/** The name in a `Host` header, without its port and the brackets of an IPv6 address. */
function parseHostName(host: string): string {
  const [, inside] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  return (inside ?? host.replace(/:\d*$/, "")).toLowerCase();
}

/** Says why a request must not be answered; `undefined` if nothing speaks against it. */
export type RequestGuard = (ask: ServiceRequest) => string | undefined;

/**
 * Makes the guard of a server: it refuses what a browser sends for a page of another site, or by a name that is not
 * the server's, as it does after DNS rebinding.
 *
 * @param isLocal whether only this machine can reach the server
 * @param allowed the names that it may be asked by, besides those of this machine on a loopback address
 * @returns nothing where any request may come
 */
export function createRequestGuard(
  isLocal: boolean,
  allowed: ReadonlySet<string> | undefined,
): RequestGuard | undefined {
  if (!isLocal && !allowed) return undefined;
  const names = isLocal ? "localhost, a loopback address or one of allowedHosts" : "one of allowedHosts";
  // Nearly all requests have the same.
  let lastGood = "";
  return (ask) => {
    const site = isLocal ? ask.header("sec-fetch-site") : undefined;
    if (site === "cross-site" || site === "same-site") {
      return "A web page of another origin must not ask a server on this machine (Sec-Fetch-Site).";
    }
    // Browsers always send one, so a client without it is none.
    const given = ask.header("host") ?? "";
    if (given === "" || given === lastGood) return undefined;
    const name = parseHostName(given);
    if (!allowed?.has(name) && !(isLocal && isLoopback(name))) {
      return `The Host header must be ${names}, got ${JSON.stringify(given.slice(0, 64))}.`;
    }
    lastGood = given;
    return undefined;
  };
}
