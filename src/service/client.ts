// Who asks: the holder of an API key, or an address.

import { addressKey } from "../ratelimit/index.ts";
import type { Ask } from "./exchange.ts";
import { Refusal } from "./reply.ts";

/** Who asks. */
export interface Client {
  /** For the log: the position of the key among the configured ones, or the address. */
  readonly name: string;
  /** For limits. */
  readonly limitKey: string;
  /** The API key, or nothing: whose requests are whose. Never logged, never stored. */
  readonly apiKey: string;
}

/** Whether two texts are equal, in a time that tells nothing of the second but its length. */
function isSame(given: string, known: string): boolean {
  let difference = given.length ^ known.length;
  for (let at = 0; at < given.length; at++) {
    difference |= given.charCodeAt(at) ^ known.charCodeAt(at % known.length);
  }
  return difference === 0;
}

/** The key that a request has, wherever it has it. */
function keyOf(ask: Ask): string | undefined {
  const [, token] = /^Bearer +([^ ]+) *$/i.exec(ask.header("authorization") ?? "") ?? [];
  return token ?? ask.header("x-api-key");
}

/** An address without port and brackets, as proxies write them. */
function bare(text: string): string {
  const trimmed = text.trim();
  const [, inside] = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed) ?? [];
  const [, v4] = /^([\d.]+):\d+$/.exec(trimmed) ?? [];
  return inside ?? v4 ?? trimmed;
}

/** The address that counts: what the first of one's own proxies saw, or the other end of the connection. */
function addressOf(ask: Ask, proxies: number): string {
  const direct = ask.address ?? "";
  if (proxies === 0) return direct;
  const seen = (ask.header("x-forwarded-for") ?? "").split(",").filter((part) => part.trim() !== "");
  return bare(seen[Math.max(0, seen.length - proxies)] ?? direct);
}

/** The key that an address counts under; whoever has none shares one. */
function limitKeyOf(address: string): string {
  try {
    return addressKey(address);
  } catch {
    return "unknown";
  }
}

/** Says who asks, or refuses whom it does not know. */
export function clientOf(ask: Ask, apiKeys: readonly string[], proxies: number): Client {
  if (apiKeys.length > 0) {
    const given = keyOf(ask) ?? "";
    let found = -1;
    // All of them, so that the time does not tell which one it was.
    for (const [at, known] of apiKeys.entries()) if (isSame(given, known)) found = at;
    if (found >= 0) return { name: `key ${found}`, limitKey: `key ${found}`, apiKey: given };
    throw new Refusal(
      401,
      "ERR_UNAUTHORIZED",
      "A valid API key is needed, as Authorization: Bearer or X-API-Key.",
      {
        "www-authenticate": "Bearer",
      },
    );
  }
  const address = limitKeyOf(addressOf(ask, proxies));
  return { name: address, limitKey: address, apiKey: "" };
}
