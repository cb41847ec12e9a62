// Loads each entry within a test. Stryker counts failed tests and no failed imports, so a mutant that breaks the loading of a
// module would survive without these tests.

import { expect, test } from "vitest";

test.each(["", "counter/", "idempotency/", "lease/", "numeric/", "ratelimit/", "text/"])(
  "src/%sindex.ts loads",
  async (folder) => {
    const names = Object.keys(await import(`../../src/${folder}index.ts`));
    expect(names.length).toBeGreaterThan(3);
  },
);
