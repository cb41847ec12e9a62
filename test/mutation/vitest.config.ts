// Tests for `npm run mutate`: those that cover what test/stryker.json mutates, without the slow ones.

import unit from "../vitest.config.ts";

export default {
  ...unit,
  test: {
    ...unit.test,
    include: [
      "test/{snowflake,text,wrappers}/**/*.test.ts",
      "test/{counter,idempotency,lease,numeric,ratelimit}/**/*.test.ts",
    ],
    // They test other files, or repeat at length what the rest tests.
    exclude: [
      "**/*.slow.test.ts",
      "test/lease/{lease,model,session,stamps}.test.ts",
      "test/numeric/{ff1,history,issued,permuted,pool,refill}*.test.ts",
      "test/{counter/counter,ratelimit/limiter,ratelimit/headers,ratelimit/rateLimited,idempotency/idempotent}.test.ts",
    ],
  },
};
