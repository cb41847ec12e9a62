// Suggestions for misspelt names.

import { describe, expect, test } from "vitest";
import { suggest } from "../../../src/cli/settings/suggest.ts";

describe("a misspelt name", () => {
  test.each([
    ["decod", "; did you mean decode?"],
    ["new", "; did you mean new?"],
    ["sreve", "; did you mean serve?"],
    ["", ""],
    ["something else", ""],
    ["x".repeat(1_000_000), ""],
  ])("%.20s gets a suggestion if a known name is close", (name, hint) => {
    expect(suggest(name, ["new", "decode", "serve"])).toBe(hint);
  });
});
