// Tests for `npm run mutate`: those that cover the files that test/stryker.json mutates.

import unit from "../vitest.base.ts";

export default {
  ...unit,
  test: {
    ...unit.test,
    include: [
      "test/mutation/load.test.ts",
      "test/{snowflake,text}/*.test.ts",
      "test/{counter,idempotency,lease,ratelimit}/{memory,properties,rule}.test.ts",
      "test/numeric/{digitBuilder,rules,verhoeff}.test.ts",
    ],
    // 2^27 readings are too many for each of hundreds of mutants: stall.slow.test.ts has the rule. The other two start processes
    // that load dist, which has no mutants.
    exclude: ["test/snowflake/{frozenGlobal,sharedNode.slow,stallBound.slow}.test.ts"],
  },
};
