// What may ask a server that only this machine is to reach: programs here, and no web page of anybody else's.

/** Whether an address or a name stands for this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The name in a `Host` header, without its port and the brackets of an IPv6 address. */
export function nameIn(host: string): string {
  const [, inside] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  return (inside ?? host.replace(/:\d*$/, "")).toLowerCase();
}

/**
 * Says why a request is not to be answered: a browser sends it for a page of another site, or by a name that is not
 * this server's, as it does after DNS rebinding. `undefined` if nothing speaks against it.
 *
 * @param allowed the names that the server is asked by, besides those of this machine
 * @param isLocal whether the server listens on this machine alone
 */
export function foreignOf(
  header: (name: string) => string | undefined,
  allowed: ReadonlySet<string>,
  isLocal: boolean,
): string | undefined {
  const site = isLocal ? header("sec-fetch-site") : undefined;
  if (site === "cross-site" || site === "same-site") {
    return "A web page of another origin must not ask a server on this machine (Sec-Fetch-Site).";
  }
  // Browsers always send one, so a client without it is none.
  const host = header("host") ?? "";
  const name = nameIn(host);
  if (name === "" || allowed.has(name) || (isLocal && isLoopback(name))) return undefined;
  return `The Host header must be ${isLocal ? "localhost, a loopback address or " : ""}one of allowedHosts, got ${JSON.stringify(host.slice(0, 64))}.`;
}
