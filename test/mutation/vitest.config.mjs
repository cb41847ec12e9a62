// Tests for `npm run mutate`: those that cover the files of the area that is mutated.

import unit from "../vitest.base.ts";
import { area } from "./areas.mjs";

export default {
  ...unit,
  test: {
    ...unit.test,
    include: area().tests,
    // 2^27 readings are too many for each of hundreds of mutants: stall.slow.test.ts has the rule. The other two start processes
    // that load dist, which has no mutants.
    exclude: ["test/snowflake/{frozenGlobal.slow,sharedNode.slow,stallBound.slow}.test.ts"],
  },
};
