// Keys for client addresses. A customer has billions of IPv6 addresses, and gets one quota for all of them.

import { ArgumentError, assertKnownOptions, assertWhole } from "../internal.ts";

/** Four octets, without leading zeros, because some readers take a number with them for octal. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Parses a part of an IPv6 address into groups of 16 bits. Returns `undefined` if the string is not one. */
function parseGroups(text: string, mayEndInIPv4: boolean): number[] | undefined {
  const groups: number[] = [];
  const fields = text === "" ? [] : text.split(":");
  for (const [at, field] of fields.entries()) {
    if (/^[\da-f]{1,4}$/i.test(field)) groups.push(Number.parseInt(field, 16));
    else {
      if (!mayEndInIPv4 || at !== fields.length - 1 || !IPV4.test(field)) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = field.split(".").map(Number);
      groups.push(a * 256 + b, c * 256 + d);
    }
  }
  return groups;
}

/** Parses an IPv6 address into eight groups. Returns `undefined` if the string is not one. */
function parseIPv6(text: string): number[] | undefined {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = parseGroups(left, right === undefined);
  if (before === undefined || right === undefined) return before?.length === 8 ? before : undefined;
  const after = parseGroups(right, true);
  // "::" stands for at least one group.
  if (after === undefined || before.length + after.length > 7) return undefined;
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...gap, ...after];
}

/** Options of {@link addressKey}. An unknown name is refused. */
export interface AddressKeyOptions {
  /**
   * The length of the prefix that makes an IPv6 network one client, from 32 to 64 bits. Default 56. Use 48 if your clients have
   * such a network each, or 64 if several of them share a /56.
   */
  readonly ipv6Bits?: number | undefined;
}

/**
 * Returns the rate limit key of a client's address. The key of an IPv4 address is the address. The key of an IPv6
 * address is its /56 network, because providers assign a /56 to one customer, who would otherwise have 2^72 quotas. An
 * IPv4 address that is written as IPv6 (`::ffff:192.0.2.7`) is the IPv4 address. A zone (`%eth0`) is removed.
 *
 * Take the address from the connection, or from a header that your own proxy sets. If the client can set the header, it
 * chooses its own keys.
 *
 * @param address a string without a port or brackets
 * @param options `ipv6Bits`, default 56
 * @returns the IPv4 address, or the network of the IPv6 address in the form of RFC 5952
 * @throws {@link ArgumentError} if it is not an address, or if an option is wrong or unknown
 *
 * @example
 * ```ts
 * import { addressKey } from "bitflake/ratelimit";
 *
 * addressKey("192.0.2.7"); // => '192.0.2.7'
 * addressKey("::ffff:192.0.2.7"); // => '192.0.2.7'
 * addressKey("2001:db8:1:2ff::1"); // => '2001:db8:1:200::/56'
 * addressKey("fe80::1%eth0"); // => 'fe80::/56'
 * addressKey("2001:db8:1:2ff::1", { ipv6Bits: 48 }); // => '2001:db8:1::/48'
 * ```
 */
export function addressKey(address: string, options: AddressKeyOptions = {}): string {
  assertKnownOptions(options, ["ipv6Bits"]);
  const bits = assertWhole("ipv6Bits", options.ipv6Bits ?? 56, 32, 64);
  const invalid = () => new ArgumentError("address", "an IPv4 or IPv6 address", address);
  if (typeof address !== "string") throw invalid();
  if (IPV4.test(address)) return address;
  const groups = parseIPv6(address.replace(/%[\w.:~-]+$/, ""));
  if (groups === undefined) throw invalid();
  const [a, b, c, d = 0, e, mark, g = 0, h = 0] = groups;
  if (![a, b, c, d, e].some(Boolean) && mark === 0xffff) {
    return [g >> 8, g & 255, h >> 8, h & 255].join(".");
  }
  const network = [a, b, c, d].map((group = 0, at) => {
    // How many of its 16 bits, from the right, the prefix does not reach.
    const rest = Math.min(16, Math.max(0, 16 * (at + 1) - bits));
    return group & ~(2 ** rest - 1);
  });
  // The last four groups are zero. Together with zeros before them they are the longest run, which "::" replaces.
  while (network.at(-1) === 0) network.pop();
  return `${network.map((group) => group.toString(16)).join(":")}::/${bits}`;
}
