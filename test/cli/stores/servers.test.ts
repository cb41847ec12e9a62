// Addresses with one or more servers: their fields.

import { describe, expect, test } from "vitest";
import { parseServers } from "../../../src/cli/stores/servers.ts";

const none = { scheme: "x", username: "", password: "", path: "", parameters: new Map() };

describe("an address with servers", () => {
  test.each([
    ["x://h", { hosts: ["h 7"] }],
    ["x://h:1,h2,[::1]:3", { hosts: ["h 1", "h2 7", "::1 3"] }],
    [
      "x://h/a/b?c=d&e=%2F",
      {
        hosts: ["h 7"],
        path: "a/b",
        parameters: new Map([
          ["c", "d"],
          ["e", "/"],
        ]),
      },
    ],
    ["x://user@h", { hosts: ["h 7"], username: "user" }],
    ["x://user:@h", { hosts: ["h 7"], username: "user" }],
    ["x://:pass@h", { hosts: ["h 7"], password: "pass" }],
    ["x://u%40:p%3A%2F@h", { hosts: ["h 7"], username: "u@", password: "p:/" }],
    ["x://u:p/a@s:s?1@h/p", { hosts: ["h 7"], username: "u", password: "p/a@s:s?1", path: "p" }],
    ["x://u:100%@h", { hosts: ["h 7"], username: "u", password: "100%" }],
  ])("%s has its fields", (url, fields) => {
    const hosts = fields.hosts.map((text) => {
      const [host = "", port] = text.split(" ");
      return { host, port: Number(port) };
    });
    expect(parseServers(url, 7)).toEqual({ ...none, ...fields, hosts });
  });

  test.each(["x://", "x://h,", "x://h:", "x://h:65536", "x://h:1:2", "x://[h]", "x:h", "x://h#f", "x://a b"])(
    "%s is none",
    (url) => {
      expect(parseServers(url, 7)).toBeUndefined();
    },
  );
});
