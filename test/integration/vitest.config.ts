// The integration tests, with real clients and servers: `npm run test:integration`.

import { BaseSequencer, type TestSpecification } from "vitest/node";
import unit, { onServers } from "../vitest.base.ts";
import { sqliteHere } from "./sqlite-here.ts";

// vitest reports a file without a test as an error.
const sqlite = sqliteHere.node || sqliteHere.better ? [] : ["test/integration/**/sqlite*.test.ts"];

/** The files that take longest. They run first, so that none of them is left for the end, when only one worker is busy. */
const LONGEST = ["idempotency", "chaos", "guides", "service", "lease", "numeric", "counter", "ratelimit"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/integration/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default {
  ...unit,
  test: {
    ...unit.test,
    include: ["test/integration/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...sqlite],
    globalSetup: ["test/integration/globalSetup.ts"],
    sequence: { sequencer: LongestFirst },
    coverage: {
      ...unit.test?.coverage,
      include: onServers,
      exclude: [],
      // The unit tests cover the branches for unexpected responses, by scripted ports.
      thresholds: { branches: 85, statements: 94, functions: 94, lines: 94 },
    },
    expect: { poll: { timeout: 60_000 } },
    // More workers than cores, because these tests mostly wait.
    maxWorkers: 3,
  },
};
