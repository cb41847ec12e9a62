// Internal API that all entry points share. It is built as a file of its own, so that each class exists once per
// module format, however many subpaths a program loads.

export * from "./errors.ts";
export * from "./globalState.ts";
export * from "./snowflake/capacity.ts";
export * from "./snowflake/charCode.ts";
export { isSystemClock, type TickLimit, tickOf } from "./snowflake/clock.ts";
export * from "./snowflake/decode.ts";
export * from "./snowflake/defaultGenerator.ts";
export * from "./snowflake/encode.ts";
export * from "./snowflake/entryStep.ts";
export * from "./snowflake/env.ts";
export { assertMoment, DATE_END, type Format, resolveFormat } from "./snowflake/format.ts";
export * from "./snowflake/generator.ts";
export * from "./snowflake/grant.ts";
export * from "./snowflake/halves.ts";
export * from "./snowflake/idSource.ts";
export * from "./snowflake/largestId.ts";
export * from "./snowflake/ledger.ts";
export * from "./snowflake/localSource.ts";
export * from "./snowflake/observedRule.ts";
export * from "./snowflake/options.ts";
export * from "./snowflake/parse.ts";
export * from "./snowflake/presets.ts";
export * from "./snowflake/range.ts";
export * from "./snowflake/result.ts";
export * from "./snowflake/settings.ts";
export * from "./snowflake/sharedNode.ts";
export * from "./snowflake/waitBudget.ts";
export * from "./standardSchema.ts";
export * from "./validate.ts";
export * from "./wrappers/entropy.ts";
export * from "./wrappers/random.ts";
export * from "./wrappers/timestamp.ts";
export * from "./wrappers/uuid.ts";
