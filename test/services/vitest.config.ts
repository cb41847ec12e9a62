// The tests that need servers, run by `npm run test:services`: nothing in them is skipped, and nothing stands in.

import unit from "../vitest.config.ts";

export default {
  ...unit,
  test: { ...unit.test, include: ["test/services/**/*.test.ts"], exclude: [] },
};
