// bitflake/counter: durable, strictly increasing counters.

export type { Backend } from "../backend/ports.ts";
export { ArgumentError, BackendError, CounterBackwardsError, CounterExhaustedError } from "../internal.ts";
export { Counter, type CounterOptions } from "./counter.ts";
