// curl commands: a shell passes each word to curl as it was meant.

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { curlCommand, shellQuote } from "../../../src/service/console/curl.ts";

/** Returns the words that a POSIX shell makes of a command, with this key in the variable. */
function wordsOf(command: string): string[] {
  const script = command.replace(/^curl /, "printf '%s\\0' ");
  const env = { BITFLAKE_KEY: "the key" };
  return execFileSync("/bin/sh", ["-c", script], { encoding: "utf8", env }).split("\0").slice(0, -1);
}

test.each([
  "plain",
  "it's",
  "$(rm -rf /)",
  "`id`",
  '"; id; "',
  "a b\tc\nd",
  "\\",
  "''",
  "*?[]{}~!#&|<>;",
  "é🙂",
  "-x",
  "",
])("%j is one word", (text) => {
  expect(wordsOf(`curl ${shellQuote(text)}`)).toEqual([text]);
});

describe("a command", () => {
  const request = { method: "GET", url: "http://localhost:3000/", headers: [], needsKey: false } as const;

  test("has no more than it needs", () => {
    expect(curlCommand(request)).toBe("curl -sS http://localhost:3000/");
    expect(curlCommand({ ...request, method: "POST" })).toBe("curl -sS -X POST http://localhost:3000/");
  });

  test("quotes the query, headers and the body", () => {
    const command = curlCommand({
      method: "POST",
      url: "http://localhost:3000/a?b=1&c='",
      headers: [
        ["Idempotency-Key", '"it\'s"'],
        ["X-Empty", ""],
      ],
      body: '{"a":"$HOME"}',
      needsKey: false,
    });
    expect(wordsOf(command)).toEqual([
      "-sS",
      "-X",
      "POST",
      "http://localhost:3000/a?b=1&c='",
      "-H",
      'Idempotency-Key: "it\'s"',
      "-H",
      "X-Empty;",
      "--data-raw",
      '{"a":"$HOME"}',
    ]);
  });

  test("reads the key from a variable", () => {
    const command = curlCommand({ ...request, needsKey: true });
    expect(command).toContain('"Authorization: Bearer $BITFLAKE_KEY"');
    expect(wordsOf(command)).toContain("Authorization: Bearer the key");
  });

  test("takes braces in a URL as they are", () => {
    expect(curlCommand({ ...request, url: "http://localhost:3000/{id}" })).toBe(
      "curl -sS -g 'http://localhost:3000/{id}'",
    );
  });
});
