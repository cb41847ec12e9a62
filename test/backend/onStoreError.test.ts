// resolveOnStoreError: the option, its deprecated name, and both together.

import { describe, expect, test } from "vitest";
import { resolveOnStoreError } from "../../src/backend/onStoreError.ts";
import { ArgumentError } from "../../src/index.ts";

describe("resolveOnStoreError", () => {
  test.each([
    [{}, "fail"],
    [{ onStoreError: undefined, onFailure: undefined }, "fail"],
    [{ onStoreError: "fail" }, "fail"],
    [{ onStoreError: "allow" }, "allow"],
    [{ onFailure: "closed" }, "fail"],
    [{ onFailure: "open" }, "allow"],
    [{ onStoreError: undefined, onFailure: "open" }, "allow"],
  ])("of %o is %s", (options, expected) => {
    expect(resolveOnStoreError(options, ["closed", "open"])).toBe(expected);
  });

  test.each([
    ["onStoreError", { onStoreError: "open" }],
    ["onStoreError", { onStoreError: null }],
    ["onStoreError", { onStoreError: "" }],
    ["onStoreError", { onStoreError: true }],
    ["onFailure", { onFailure: "allow" }],
    ["onFailure", { onFailure: "bypass" }],
    ["onFailure", { onFailure: null }],
    ["onFailure", { onFailure: "open", onStoreError: "allow" }],
    ["onFailure", { onFailure: "closed", onStoreError: null }],
  ])("throws and names %s for %o", (field, options) => {
    const resolve = () => resolveOnStoreError(options, ["closed", "open"]);
    expect(resolve).toThrow(ArgumentError);
    expect(resolve).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", field }));
  });
});
