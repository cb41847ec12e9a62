// Keys of addresses: a table, and comparison with node:net and URL.

import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArgumentError, addressKey } from "../../src/ratelimit/index.ts";

describe("addressKey", () => {
  test.each([
    ["0.0.0.0", "0.0.0.0"],
    ["192.0.2.7", "192.0.2.7"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::/56"],
    ["::1", "::/56"],
    ["1::", "1::/56"],
    ["2001:db8:1:2ff::1", "2001:db8:1:200::/56"],
    ["2001:db8:1:200::", "2001:db8:1:200::/56"],
    ["2001:db8:1:2ff:ffff:ffff:ffff:ffff", "2001:db8:1:200::/56"],
    ["2001:db8:1:300::", "2001:db8:1:300::/56"],
    ["2001:db8:1:ff::", "2001:db8:1::/56"],
    ["2001:DB8:0001:02FF:0:0:0:1", "2001:db8:1:200::/56"],
    ["2001:0:0:100::", "2001:0:0:100::/56"],
    ["0:0:0:ff00::", "0:0:0:ff00::/56"],
    ["::1:0:0:0:0", "::/56"],
    ["::100:0:0:0:0", "0:0:0:100::/56"],
    ["1:2:3:400:5:6:7::", "1:2:3:400::/56"],
    ["::2:3:400:5:6:7:8", "0:2:3:400::/56"],
    ["1:2:3:400:5:6:192.0.2.7", "1:2:3:400::/56"],
    ["64:ff9b::192.0.2.7", "64:ff9b::/56"],
    ["::192.0.2.7", "::/56"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
    ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["::ffff:0:0", "0.0.0.0"],
    ["::ffff:192.0.2.7%eth0", "192.0.2.7"],
    ["::ffff:0:192.0.2.7", "::/56"],
    ["::fffe:192.0.2.7", "::/56"],
    ["::1:192.0.2.7", "::/56"],
    ["1::ffff:192.0.2.7", "1::/56"],
    ["fe80::1%eth0", "fe80::/56"],
    ["fe80::1%25", "fe80::/56"],
    ["fe80::%wg-home_1.2:3~", "fe80::/56"],
  ])("of %s is %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  test.each([
    [32, "2001:db8::/32"],
    [33, "2001:db8:8000::/33"],
    [47, "2001:db8:ffee::/47"],
    [48, "2001:db8:ffef::/48"],
    [49, "2001:db8:ffef:8000::/49"],
    [56, "2001:db8:ffef:ff00::/56"],
    [60, "2001:db8:ffef:fff0::/60"],
    [63, "2001:db8:ffef:fffe::/63"],
    [64, "2001:db8:ffef:ffff::/64"],
  ])("of a network of %d bits", (ipv6Bits, key) => {
    expect(addressKey("2001:db8:ffef:ffff:ffff:ffff:ffff:ffff", { ipv6Bits })).toBe(key);
    expect(addressKey("::ffff:192.0.2.7", { ipv6Bits })).toBe("192.0.2.7");
  });

  test.each([
    ["ipv6Bits", { ipv6Bits: 31 }],
    ["ipv6Bits", { ipv6Bits: 65 }],
    ["ipv6Bits", { ipv6Bits: "64" }],
    ["option", { bits: 64 }],
    ["options", 0],
  ])("refuses a wrong %s: %j", (field, options) => {
    for (const address of ["192.0.2.7", "2001:db8::1"]) {
      expect(() => addressKey(address, options as object)).toThrow(expect.objectContaining({ field }));
    }
  });

  test.each<unknown>([
    "",
    " ",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.256",
    "1.2.3.04",
    "01.2.3.4",
    "1.2.3.00",
    "1.2.3.0x4",
    "1.2.3.1e1",
    "1.2.3.-4",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "1.2.3.4:80",
    "1.2.3.4/24",
    "1.2.3.4%eth0",
    "１.2.3.4",
    "16909060",
    ":",
    ":::",
    "1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    "1:::2",
    ":1::",
    "::1:",
    "00001::",
    "12345::",
    "g::",
    "-1::",
    "+1::",
    "0x1::",
    "1.2.3.4::",
    "1.2.3.4::1",
    "::1.2.3.4:1",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1:2:3:4:5:6:1.2.3.4",
    "::1.2.3",
    "::1.2.3.256",
    "::ffff:1.2.3.04",
    "::1 ",
    " ::1",
    "::1\n",
    "[::1]",
    "[::1]:80",
    "::1/64",
    "fe80::1%",
    "fe80::1%eth0%1",
    "fe80::1%eth 0",
    "%eth0",
    "1.2.3.4, 5.6.7.8",
    undefined,
    null,
    7,
    {},
    ["::1"],
  ])("throws on %j", (address) => {
    expect(() => addressKey(address as string)).toThrow(ArgumentError);
    expect(() => addressKey(address as string)).toThrow(expect.objectContaining({ field: "address" }));
  });

  test.each(["1", ":"])("throws on a million times %j", (character) => {
    const address = character.repeat(1_000_000);
    expect(() => addressKey(address)).toThrow(ArgumentError);
    expect(() => addressKey(address)).toThrow(expect.objectContaining({ field: "address" }));
  });

  /** Pieces of addresses in any order. */
  const anyPieces = fc
    .array(
      fc.oneof(
        fc.constantFrom(":", ":", ":", "::", ".", "0", "ffff", "192.0.2.7", "%eth0", "1:2:3:4", "00", "256"),
        fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF"), maxLength: 5 }),
      ),
      { maxLength: 17 },
    )
    .map((pieces) => pieces.join(""));

  /** Addresses with too many or too few groups, or with groups left out. */
  const anyGroups = fc
    .tuple(
      fc.array(
        fc.integer({ min: 0, max: 0xffff }).map((group) => group.toString(16)),
        { minLength: 5, maxLength: 9 },
      ),
      fc.nat(9),
      fc.constantFrom("", "::", ":", "0"),
      fc.constantFrom("", "", ":192.0.2.7"),
    )
    .map(([groups, at, between, end]) => {
      const [before, after] = [groups.slice(0, at).join(":"), groups.slice(at).join(":")];
      return `${before}${between || (before && after ? ":" : "")}${after}${end}`;
    });

  test("accepts exactly the addresses that node:net accepts", () => {
    fc.assert(
      fc.property(fc.oneof(anyPieces, anyGroups, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
        if (isIP(text)) expect(isIP(addressKey(text).replace(/\/56$/, ""))).toBeGreaterThan(0);
        else expect(() => addressKey(text)).toThrow(ArgumentError);
      }),
    );
  });

  const anyGroup = fc.oneof(fc.constantFrom(0, 0xff, 0x100, 0xffff), fc.integer({ min: 0, max: 0xffff }));
  const anyAddress = fc.array(anyGroup, { minLength: 8, maxLength: 8 });
  /** A bit of an address, and whether another address differs in it. */
  const anyChange = fc.record({ bit: fc.nat(127), isChanged: fc.boolean() });
  const textOf = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(":");
  const isMapped = (groups: readonly number[]) =>
    groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;

  test("is the same for two addresses if and only if they share a /56", () => {
    fc.assert(
      fc.property(anyAddress, anyChange, (groups, { bit, isChanged }) => {
        const other = groups.map((group, at) =>
          isChanged && at === bit >> 4 ? group ^ (0x8000 >> (bit & 15)) : group,
        );
        if (isMapped(groups) || isMapped(other)) return;
        const isSame = addressKey(textOf(groups)) === addressKey(textOf(other));
        expect(isSame).toBe(!isChanged || bit >= 56);
      }),
    );
  });

  test("is the same for every form of an address, and has the form of URL", () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(7), fc.boolean(), (groups, from, isLong) => {
        const key = addressKey(textOf(groups));
        if (!isMapped(groups)) {
          const network = [...groups.slice(0, 3), groups[3] & 0xff00, 0, 0, 0, 0];
          expect(`[${key.replace(/\/56$/, "")}]`).toBe(new URL(`http://[${textOf(network)}]`).hostname);
        }
        const texts = groups.map((group) => {
          const hex = group.toString(16);
          return isLong ? hex.toUpperCase().padStart(4, "0") : hex;
        });
        expect(addressKey(texts.join(":"))).toBe(key);
        // With one of its runs of zeros left out.
        let to = from;
        while (to < 8 && groups[to] === 0) to++;
        if (to > from) {
          const short = `${texts.slice(0, from).join(":")}::${texts.slice(to).join(":")}`;
          expect(addressKey(short)).toBe(key);
        }
        const [g, h] = groups.slice(6);
        const octets = [g >> 8, g & 255, h >> 8, h & 255].join(".");
        expect(addressKey(`${texts.slice(0, 6).join(":")}:${octets}`)).toBe(key);
        expect(addressKey(`::ffff:${octets}`)).toBe(octets);
      }),
    );
  });
});
