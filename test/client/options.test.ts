// Options of a client: wrong ones are refused, and no error shows a secret.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ArgumentError, BitflakeClient, type ClientOptions } from "../../src/client/index.ts";
import { resolveClientSettings } from "../../src/client/options.ts";

const url = "http://ids.internal:3000";

/** Returns the error of options. */
function refusal(options: unknown): ArgumentError {
  try {
    new BitflakeClient(options as ClientOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return error as ArgumentError;
  }
  throw new Error("the options were accepted");
}

describe("the options of a client", () => {
  test.each<[string, unknown, string]>([
    ["no options", undefined, "options"],
    ["no URL", {}, "url"],
    ["an unknown option", { url, key: "k" }, "option"],
    ["an empty URL", { url: "" }, "url"],
    ["a URL without a scheme", { url: "ids.internal" }, "url"],
    ["another scheme", { url: "ftp://ids.internal" }, "url"],
    ["a URL object", { url: new URL(url) }, "url"],
    ["no URLs", { url: [] }, "url"],
    ["a wrong one of several URLs", { url: [url, "x"] }, "url[1]"],
    ["the same URL twice", { url: [url, `${url}/`] }, "url[1]"],
    ["too many URLs", { url: Array.from({ length: 101 }, (_, at) => `${url}/${at}`) }, "url"],
    ["a query", { url: `${url}?a=b` }, "url"],
    ["a fragment", { url: `${url}#a` }, "url"],
    ["an empty API key", { url, apiKey: "" }, "apiKey"],
    ["an API key with a line break", { url, apiKey: "a\nb" }, "apiKey"],
    ["a negative prefetch", { url, prefetch: -1 }, "prefetch"],
    ["a prefetch above the service's limit", { url, prefetch: 1001 }, "prefetch"],
    ["a maxAgeMs of 0", { url, maxAgeMs: 0 }, "maxAgeMs"],
    ["an endless timeout", { url, timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs"],
    ["a timeout that no timer has", { url, attemptTimeoutMs: 2 ** 31 }, "attemptTimeoutMs"],
    ["a retry that is no boolean", { url, retry: 3 }, "retry"],
    ["a fetch that is no function", { url, fetch: {} }, "fetch"],
  ])("%s: refused", (_title, options, field) => {
    expect(refusal(options).field).toBe(field);
  });

  test("have defaults, and URLs without a slash at the end", () => {
    expect(resolveClientSettings({ url: ["http://a/", "https://b/ids/"] })).toEqual({
      urls: ["http://a", "https://b/ids"],
      apiKey: undefined,
      prefetch: 1000,
      maxAgeMs: 1000,
      timeoutMs: 10_000,
      attemptTimeoutMs: 3000,
      retry: true,
      fetch: expect.any(Function),
    });
  });

  test.each([
    { url: "http://ada:secret@ids.internal" },
    { url: "http://secret@ids.internal" },
    { url: "http://:secret@ids.internal" },
    { url: ["http://ids.internal:secret"] },
    { url: "ids.internal?key=secret" },
    { url: "http://ids.internal?key=secret" },
    { url: "http://ids.internal#secret" },
    { url, apiKey: "secret\n" },
    { url, apiKey: { key: "secret" } },
    { url, apiKey: ["secret"] },
  ])("%j: refused without showing the secret", (options) => {
    const error = refusal(options);
    expect(inspect(error, { depth: 9 })).not.toContain("secret");
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test("are not visible in a client", () => {
    const client = new BitflakeClient({ url, apiKey: "secret" });
    expect(inspect(client, { showHidden: true, depth: 9 })).not.toContain("secret");
    expect(JSON.stringify(client)).toBe("{}");
  });
});
