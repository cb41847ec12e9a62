// bitflake/threads: one generator for many workers, and its error on runtimes that cannot share memory.

import { equal, fails, increasing, truth } from "./expect.mjs";

const COUNT = 20_000;

/** For runtimes with a SharedArrayBuffer, with or without workers to share it. */
export const shared = {
  "SharedGenerator, one thread": async ({ load }) => {
    const { SharedGenerator } = await load("bitflake/threads");
    const { SnowflakeGenerator } = await load("bitflake");
    const generator = new SharedGenerator("twitter", { machineId: 2 });
    truth(generator instanceof SnowflakeGenerator, "a SharedGenerator is a SnowflakeGenerator");
    const ids = Array.from({ length: COUNT }, () => generator.nextId());
    const attached = SharedGenerator.attach(generator.handle);
    ids.push(
      ...attached.nextIds(COUNT),
      ...generator.fill(new BigUint64Array(COUNT)),
      await attached.nextIdAsync(),
    );
    increasing(ids, 3 * COUNT + 1);
    equal(attached.decode(ids[0]).machineId, 2, "machineId");
  },
};

export const threads = {
  "SharedGenerator, two workers": async ({ load, runThread }) => {
    const { SharedGenerator } = await load("bitflake/threads");
    // On a busy machine workers may run one after the other, at different times, and make different IDs without a shared
    // state. On a clock that stands still they cannot.
    for (const frozenAt of [undefined, Date.now()]) {
      const clock = frozenAt && (() => frozenAt);
      const generator = new SharedGenerator("twitter", { machineId: 3, onExhausted: "borrow", clock });
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const job = { handle: generator.handle, frozenAt, gate, parties: 2, count: COUNT };
      const made = await Promise.all([runThread(job), runThread(job)]);
      for (const { ids, error } of made) {
        truth(ids, error);
        increasing(ids, COUNT);
      }
      const all = new Set(made.flatMap(({ ids }) => [...ids]));
      equal(all.size, 2 * COUNT, "different IDs");
      truth(!all.has(generator.nextId()), "the thread that created the generator continues after their IDs");
      for (const id of all) equal(generator.decode(id).machineId, 3, "machineId");
    }
  },
};

/** Pages that are not cross-origin isolated. */
export const unshared = {
  "no SharedArrayBuffer: an UnsupportedError": async ({ bitflake, load }) => {
    equal(typeof SharedArrayBuffer, "undefined", "typeof SharedArrayBuffer");
    const { SharedGenerator } = await load("bitflake/threads");
    await fails(bitflake, "UnsupportedError", () => new SharedGenerator("twitter"), {
      message: /SharedArrayBuffer/,
    });
  },
};
