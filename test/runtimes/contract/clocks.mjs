// Clocks that do not move, or hardly: fake timers, edge runtimes, module scope, coarse steps.

import { equal, fails, increasing, truth } from "./expect.mjs";

/** Puts another clock in the place of `Date.now` while `act` runs. */
async function withClock(clock, act) {
  const { now } = Date;
  Date.now = clock;
  try {
    await act();
  } finally {
    Date.now = now;
  }
}

/** A burst past what a tick holds, on a clock that stands still. */
async function standingStill(bitflake, options) {
  const { makeGenerator } = bitflake;
  const patient = makeGenerator("twitter", { ...options, machineId: 20 });
  increasing(patient.nextIds(4096), 4096);
  for (const call of [
    () => patient.nextId(),
    () => patient.nextIds(2),
    () => patient.fill(new BigInt64Array(2)),
  ]) {
    await fails(bitflake, "ClockStalledError", call, { nowMs: Date.now() });
  }
  const borrower = makeGenerator("twitter", { ...options, machineId: 21, onExhausted: "borrow" });
  increasing(
    [...borrower.nextIds(10_000), ...Array.from({ length: 10_000 }, () => borrower.nextId())],
    20_000,
  );
}

export const clocks = {
  // As deployed Cloudflare Workers have it: Date.now() moves between turns only. A local workerd moves it always.
  "frozen clock: wait, borrow": ({ bitflake }) => {
    const frozenAt = Date.now();
    return withClock(
      () => frozenAt,
      () => standingStill(bitflake),
    );
  },

  "frozen clock: nextIdAsync": async ({ bitflake }) => {
    const generator = bitflake.makeGenerator("twitter", { machineId: 22 });
    const { now } = Date;
    let shown = now();
    const turns = setInterval(() => {
      shown = now();
    });
    const clock = () => shown;
    await withClock(clock, async () => {
      const ids = [];
      while (ids.length < 10_000) ids.push(await generator.nextIdAsync());
      increasing(ids, 10_000);
      clearInterval(turns);
      // Frozen for good, also between turns.
      const more = async () => {
        for (;;) await generator.nextIdAsync();
      };
      await fails(bitflake, "ClockStalledError", more, { nowMs: shown });
    });
  },
};

/** workerd while it loads modules: the clock reads 0 and never moves, and `crypto` refuses. */
export const moduleScope = {
  "module scope: nothing but named errors": async ({ bitflake }) => {
    equal(Date.now(), 0, "Date.now() at module scope");
    const { makeGenerator, nextId, nextIds, randomString, uuid, uuidv7 } = bitflake;
    const twitter = makeGenerator("twitter");
    const calls = [nextId, () => nextIds(1), () => twitter.nextId(), () => twitter.nextIdAsync()];
    for (const call of calls) await fails(bitflake, "EpochError", call, { nowMs: 0 });
    for (const call of [uuid, uuidv7, randomString]) await fails(bitflake, "UnsupportedError", call);
    // At an epoch of 1970 that clock makes IDs; when they are used up, waiting takes a timer.
    const old = makeGenerator("twitter", { epochMs: 0, machineId: 3 });
    old.nextIds(4096);
    await fails(bitflake, "UnsupportedError", () => old.nextIdAsync(), { feature: "timers here" });
    equal(bitflake.decode("175928847299117063", "twitter").sequence, 7, "what needs no clock works");
  },

  // With an epoch of 1970 that clock is in range: the real thing, not a stand-in for it.
  "module scope: a clock frozen for real": ({ bitflake }) => standingStill(bitflake, { epochMs: 0 }),
};

/** Firefox with privacy.resistFingerprinting. */
export const coarse = {
  "resistFingerprinting: 16 ms steps": ({ bitflake }) => {
    const readings = [];
    while (readings.length < 10) {
      const now = Date.now();
      if (now !== readings.at(-1)) readings.push(now);
    }
    const steps = readings.slice(2).map((ms, i) => ms - readings[i + 1]);
    truth(
      steps.every((ms) => ms >= 16),
      `the clock steps by 16 ms and more: ${steps}`,
    );
    const generator = bitflake.makeGenerator("twitter", { machineId: 23 });
    const ids = Array.from({ length: 40_000 }, () => generator.nextId());
    increasing([...ids, ...generator.nextIds(40_000)], 80_000);
    increasing(Array.from({ length: 5000 }, bitflake.nextId), 5000);
  },
};
