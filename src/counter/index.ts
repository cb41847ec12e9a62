// bitflake/counter: durable increasing counters.

export type { Backend } from "../backend/ports.ts";
// The type of what it throws; as a value ArgumentError is in "bitflake".
export type { ArgumentError } from "../core.ts";
export { BackendError, CounterBackwardsError, CounterExhaustedError } from "../core.ts";
export { Counter, type CounterOptions } from "./counter.ts";
