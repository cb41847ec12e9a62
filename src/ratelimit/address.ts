// Keys for client addresses: who has one address of IPv6 has billions, and is to have one quota.

import { ArgumentError } from "../internal.ts";

/** A number from 0 to 255, without zeros before it, which some read as octal. */
const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** The octets of an IPv4 address; `undefined` if it is none. */
function parseIPv4(text: string): number[] | undefined {
  const parts = text.split(".");
  const isOctet = (part: string) => OCTET.test(part) && Number(part) <= 255;
  return parts.length === 4 && parts.every(isOctet) ? parts.map(Number) : undefined;
}

/** The groups of 16 bits that are written in part of an IPv6 address; `undefined` if they are none. */
function parseGroups(text: string, mayEndInIPv4: boolean): number[] | undefined {
  const groups: number[] = [];
  const parts = text === "" ? [] : text.split(":");
  for (const [at, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const [a, b, c, d] = (mayEndInIPv4 && at === parts.length - 1 && parseIPv4(part)) || [];
      if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
      groups.push(a * 256 + b, c * 256 + d);
    }
  }
  return groups;
}

/** The eight groups of an IPv6 address; `undefined` if it is none. */
function parseIPv6(text: string): number[] | undefined {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = parseGroups(left, right === undefined);
  if (before === undefined || right === undefined) return before?.length === 8 ? before : undefined;
  const after = parseGroups(right, true);
  // The gap stands for one group at least.
  if (after === undefined || before.length + after.length > 7) return undefined;
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...gap, ...after];
}

/**
 * The key that a client's address counts under. An IPv4 address is its own. An IPv6 address counts with all of its
 * /56, the network that providers give to one customer: by single addresses, each customer would have 2^72 quotas. An
 * IPv4 address that is written as IPv6 (`::ffff:192.0.2.7`) is the IPv4 address. A zone (`%eth0`) is left out.
 *
 * Take the address from the connection, or from a header that your own proxy sets. A header that the client can set
 * too is a client's choice of keys.
 *
 * @param address as text, without a port or brackets
 * @returns the IPv4 address, or the network of the IPv6 address as RFC 5952 writes it
 * @throws {@link ArgumentError} if it is no address
 *
 * @example
 * ```ts
 * import { addressKey } from "bitflake/ratelimit";
 *
 * addressKey("192.0.2.7"); // => '192.0.2.7'
 * addressKey("::ffff:192.0.2.7"); // => '192.0.2.7'
 * addressKey("2001:db8:1:2ff::1"); // => '2001:db8:1:200::/56'
 * addressKey("fe80::1%eth0"); // => 'fe80::/56'
 * ```
 */
export function addressKey(address: string): string {
  const refusal = () => new ArgumentError("address", "an IPv4 or IPv6 address", address);
  if (typeof address !== "string") throw refusal();
  if (parseIPv4(address)) return address;
  const groups = parseIPv6(address.replace(/%[\w.:~-]+$/, ""));
  if (groups === undefined) throw refusal();
  const [a, b, c, d = 0, e, mark, g = 0, h = 0] = groups;
  if (![a, b, c, d, e].some(Boolean) && mark === 0xffff) {
    return [g >> 8, g & 255, h >> 8, h & 255].join(".");
  }
  const network = [a, b, c, d & 0xff00];
  // The last four groups are the longest run of zeros, together with those before them.
  while (network.at(-1) === 0) network.pop();
  return `${network.map((group) => group?.toString(16)).join(":")}::/56`;
}
