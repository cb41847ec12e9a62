// etcd, over fetch: it needs no package.

import { type EtcdFetch, fromEtcd } from "../../backend/index.ts";
import { serversOf } from "./address.ts";
import { type Connection, type ConnectionOptions, waitUntilConnected } from "./connection.ts";

/**
 * Connects to an etcd. Each call has a time limit, after which its connection is closed, so a silent one needs no other care.
 *
 * @param send the function that sends requests, for tests. Default the global `fetch`
 */
export function openEtcd(
  url: string,
  { prefix, timeoutMs }: ConnectionOptions,
  send: EtcdFetch = (...args) => fetch(...args),
): Promise<Connection> {
  const { scheme, hosts, username, password } = serversOf(url, 2379);
  const protocol = scheme === "etcds" ? "https" : "http";
  let isClosed = false;
  const backend = fromEtcd({
    endpoints: hosts.map(
      ({ host, port }) => `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ),
    ...(username !== "" && { auth: { name: username, password } }),
    prefix,
    timeoutMs,
    async fetch(endpoint, request) {
      if (isClosed) throw new Error("the connection is closed");
      try {
        return await send(endpoint, request);
      } catch (error) {
        // The message of fetch is only "fetch failed".
        const { message, code } = Object((error as { cause?: unknown }).cause) as Record<string, unknown>;
        throw message || code ? new Error(String(message || code), { cause: error }) : error;
      }
    },
  });
  const close = () => {
    isClosed = true;
  };
  const connecting = backend.read(`${prefix}:ping`);
  return waitUntilConnected(timeoutMs, connecting, { backend, close });
}
