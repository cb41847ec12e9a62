// Mutants that change nothing a caller can see: each was read, and the reason is given. score.mjs leaves them out, counts them,
// and fails if one of them is killed or no longer there. `source` is the mutated line, `replacement` the mutated part of it.

const SPEED = "It only decides between a fast and a slow path, which return the same.";
const BIG_ENDIAN = "lowAt is 0 on a little-endian machine, and none other runs the tests.";

export const equivalents = [
  {
    file: "src/snowflake/batch.ts",
    source: "for (let i = 1; i < count; i++) {",
    replacement: "i <= count",
    reason: "The element after the last is written outside of the array, which a typed array ignores.",
  },
  {
    file: "src/snowflake/batch.ts",
    source: "halves[2 * (at + i) + lowAt] = low + i;",
    replacement: "2 * (at + i) - lowAt",
    reason: BIG_ENDIAN,
  },
  {
    file: "src/snowflake/batch.ts",
    source: "halves[2 * (at + i) + 1 - lowAt] = high;",
    replacement: "2 * (at + i) + 1 + lowAt",
    reason: BIG_ENDIAN,
  },
  {
    file: "src/snowflake/clock.ts",
    source: "const highestReadingMs = backwardMs > 0 ? state.highestReadingMs : nowMs;",
    replacement: "backwardMs >= 0",
    reason: "At 0 both are the same reading.",
  },
  {
    file: "src/snowflake/generator.ts",
    source: "const iteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([].values()));",
    replacement: '["Stryker was here"]',
    reason: "The prototype of an iterator does not depend on the elements.",
  },
  ...["this.leftInRun(draft) > count", "this.leftInRun(draft) < count", "true"].map((replacement) => ({
    file: "src/snowflake/localSource.ts",
    source: "const hasRoom = nowMs === readingMs && this.leftInRun(draft) >= count;",
    replacement,
    reason: SPEED,
  })),
  {
    file: "src/snowflake/localSource.ts",
    source: "if (nowMs === entry.readingMs && (low & lowMask) !== lowMask) entry.low[0] = low + 1;",
    replacement: "false",
    reason: SPEED,
  },
];
