// Clocks that stand still or move in coarse steps: fake timers, edge runtimes, module scope.

import { equal, fails, increasing, truth } from "./expect.mjs";

/** Replaces `Date.now` while `call` runs. */
async function withClock(clock, call) {
  const { now } = Date;
  Date.now = clock;
  try {
    await call();
  } finally {
    Date.now = now;
  }
}

/** Checks a burst of more IDs than a tick has, on a clock that stands still. */
async function standingStill(bitflake, options) {
  const { makeGenerator } = bitflake;
  const waiting = makeGenerator("twitter", { ...options, machineId: 20 });
  increasing(waiting.nextIds(4096), 4096);
  for (const call of [
    () => waiting.nextId(),
    () => waiting.nextIds(2),
    () => waiting.fill(new BigInt64Array(2)),
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
  // In deployed Cloudflare Workers, Date.now() moves between turns only. In a local workerd it always moves.
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
      // From here on the clock is frozen between turns too.
      const more = async () => {
        for (;;) await generator.nextIdAsync();
      };
      await fails(bitflake, "ClockStalledError", more, { nowMs: shown });
    });
  },
};

/** For workerd while it loads modules: the clock reads 0 and never moves, and `crypto` throws. */
export const moduleScope = {
  "module scope: every failure is a typed error": async ({ bitflake }) => {
    equal(Date.now(), 0, "Date.now() at module scope");
    const { makeGenerator, nextId, nextIds, randomString, uuid, uuidv7 } = bitflake;
    const twitter = makeGenerator("twitter");
    const calls = [nextId, () => nextIds(1), () => twitter.nextId(), () => twitter.nextIdAsync()];
    for (const call of calls) await fails(bitflake, "EpochError", call, { nowMs: 0 });
    for (const call of [uuid, uuidv7, randomString]) await fails(bitflake, "UnsupportedError", call);
    // With an epoch of 1970 that clock gives IDs; when they are used up, a wait needs a timer.
    const old = makeGenerator("twitter", { epochMs: 0, machineId: 3 });
    old.nextIds(4096);
    await fails(bitflake, "UnsupportedError", () => old.nextIdAsync(), { feature: "timers here" });
    equal(bitflake.decode("175928847299117063", "twitter").sequence, 7, "decode works without a clock");
  },

  // With an epoch of 1970 that clock is in range, and it is a real frozen clock.
  "module scope: a real frozen clock": ({ bitflake }) => standingStill(bitflake, { epochMs: 0 }),
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
