// Loads each entry within a test. Stryker counts failed tests and no failed imports, so a mutant that breaks the loading of a
// module would survive without these tests.

import { expect, test } from "vitest";

test.each([
  ["bitflake", () => import("../../src/index.ts")],
  ["bitflake/counter", () => import("../../src/counter/index.ts")],
  ["bitflake/idempotency", () => import("../../src/idempotency/index.ts")],
  ["bitflake/lease", () => import("../../src/lease/index.ts")],
  ["bitflake/numeric", () => import("../../src/numeric/index.ts")],
  ["bitflake/ratelimit", () => import("../../src/ratelimit/index.ts")],
  ["bitflake/text", () => import("../../src/text/index.ts")],
])("%s loads", async (_, load) => {
  expect(Object.keys(await load()).length).toBeGreaterThan(3);
});
