// What `npm run mutate` mutates and which tests it runs for that: area by area. A mutant that is run at load ("static") is tested
// by every test of its area, so that an area of few tests is the difference between half an hour and three.

const LOAD = "test/mutation/load.test.ts";

/** The files of the core whose functions depend on their arguments alone, and the options of a generator. */
const PURE =
  "capacity,charCode,decode,encode,env,format,halves,isoText,largestId,options,parse,presets,range,result,sharedNode";

export const areas = {
  // The core in three areas: the tests of waits take half a minute, and those of texts and options have no part in it.
  ids: {
    mutate: ["src/snowflake/*.ts", `!src/snowflake/{${PURE},waitBudget}.ts`],
    tests: [LOAD, "test/snowflake/!(isoText.slow|stall.slow).test.ts", "test/events/generatorEvents.test.ts"],
  },
  waits: {
    mutate: ["src/snowflake/waitBudget.ts"],
    tests: [LOAD, "test/snowflake/{budget,clock,generator,stall.slow}.test.ts"],
  },
  pure: {
    mutate: [`src/snowflake/{${PURE}}.ts`],
    tests: [LOAD, "test/snowflake/!(budget|clock|generator|stall.slow).test.ts"],
  },
  text: { mutate: ["src/text/**/*.ts"], tests: [LOAD, "test/text/*.test.ts"] },
  mask: { mutate: ["src/mask/*.ts"], tests: [LOAD, "test/mask/*.test.ts"] },
  rules: {
    mutate: ["src/{counter,idempotency,lease,ratelimit}/rule.ts"],
    tests: [LOAD, "test/{counter,idempotency,lease,ratelimit}/{memory,properties,rule}.test.ts"],
  },
  numeric: {
    mutate: ["src/numeric/{digitBuilder,runTable,validate,verhoeff}.ts"],
    tests: [LOAD, "test/numeric/{digitBuilder,rules,verhoeff}.test.ts"],
  },
};

/** The area that BITFLAKE_MUTATION_AREA names: run.mjs sets it. */
export const area = () => areas[process.env.BITFLAKE_MUTATION_AREA];

export const reportFile = (name) => `reports/mutation-${name}.json`;
