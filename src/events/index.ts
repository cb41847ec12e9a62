// The public exports of "bitflake/events".

export { publishGeneratorEvents } from "./generatorEvents.ts";
export type * from "./messages.ts";
