// bitflake/threads: one generator shared by many worker threads.

export { SharedGenerator, type SharedHandle } from "./generator.ts";
