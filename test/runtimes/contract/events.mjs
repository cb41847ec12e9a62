// bitflake/events: one event for each fact where the runtime has node:diagnostics_channel, and nothing elsewhere.

import { equal, fails } from "./expect.mjs";

export const events = {
  "events: a step back and a denial, once each where there are channels": async ({ bitflake, load }) => {
    const { memory } = await load("bitflake/backend");
    const { publishGeneratorEvents } = await load("bitflake/events");
    const { RateLimit } = await load("bitflake/ratelimit");
    const channels = globalThis.process?.getBuiltinModule?.("node:diagnostics_channel");
    const seen = [];
    const listener = (_message, name) => seen.push(name);
    const names = ["bitflake:clock:backwards", "bitflake:ratelimit:denied"];
    for (const name of names) channels?.subscribe(name, listener);
    publishGeneratorEvents();
    let nowMs = Date.now() + 60_000;
    const generator = bitflake.makeGenerator("twitter", { machineId: 9, clock: () => nowMs });
    generator.nextId();
    nowMs -= 1000;
    for (let i = 0; i < 2; i++) await fails(bitflake, "ClockBackwardsError", () => generator.nextId());
    const limiter = new RateLimit({ backend: memory(), name: "runtime", limit: 1, windowMs: 60_000 });
    for (let i = 0; i < 2; i++) await limiter.limit("ada");
    await Promise.resolve();
    equal(seen, channels ? names : [], "events");
    for (const name of names) channels?.unsubscribe(name, listener);
  },
};
