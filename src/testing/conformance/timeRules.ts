// Rules of time: how long a value is kept, the state after its end, and the store's clock.

import { startTimer } from "../../backend/call.ts";
import type { Cell } from "../../backend/ports.ts";
import { contentsOf, NOTHING } from "./checkedPort.ts";
import { expectSame, expectThat } from "./expect.ts";
import { KEEP_MS, type Rule, type Trial } from "./rule.ts";
import { create } from "./swapRules.ts";

/** How long a value is kept that is to end during a check. */
const SHORT_MS = 60;

/** How long a check waits after that. */
const PAUSE_MS = 60;

/** How many swaps compete for a key whose value has ended. */
const COMPETITORS = 10;

/** How far the store's clock may go back between two answers: features allow for that. */
const MAX_BACKWARD_MS = 1000;

/** How long a check waits for the store's clock to move. */
const MAX_STILL_MS = 3000;

/** The earliest and the latest time of a store: 2020 and 2100. A time in seconds or microseconds is outside. */
const EARLIEST_MS = 1_577_836_800_000;
const LATEST_MS = 4_102_444_800_000;

function pause(ms: number): Promise<void> {
  return new Promise((wake) => startTimer(wake, ms));
}

/** Returns how long a value is kept, in words. */
const timeOf = (keepMs: number | undefined) => (keepMs === undefined ? "ever" : `${keepMs} ms`);

/** Writes a value that is kept for a short time, then one that is kept for ever, and asserts that this one stays. */
async function expectKept({ cells, keyOf }: Trial): Promise<void> {
  for (let keepMs = SHORT_MS; ; keepMs *= 2) {
    const key = keyOf(`short then kept ${keepMs}`);
    const { version } = await cells.swap(key, "", "short", keepMs);
    const { swapped } = await cells.swap(key, version, "kept");
    // The first value may have ended before: then this is tried again with more time.
    if (!swapped && keepMs < 100 * SHORT_MS) continue;
    expectThat(key, `a swap over a value that is kept for ${keepMs} ms to write`, swapped, { swapped });
    await pause(keepMs + PAUSE_MS);
    expectSame(
      key,
      "read of a value that is kept for ever, written over one that has ended since, to return",
      (await cells.read(key)).value,
      "kept",
    );
    return;
  }
}

/**
 * Writes over the cell that a read returns, by several swaps at once, until one writes. Without other processes only the end
 * of the value between read and swap lets them all fail.
 */
async function overwrite({ cells }: Trial, key: string): Promise<{ seen: Cell; version: string }> {
  for (let tries = 0; ; tries++) {
    const seen = await cells.read(key);
    const results = await Promise.all(
      Array.from({ length: COMPETITORS }, () => cells.swap(key, seen.version, "next", KEEP_MS)),
    );
    const [won, ...others] = results.filter(({ swapped }) => swapped);
    expectSame(key, "the number of further swaps over one version that write to be", others.length, 0);
    if (won) return { seen, version: won.version };
    expectThat(key, "a swap over the version that a read returns to write", tries < 4, {
      read: contentsOf(seen),
      swap: results[0],
    });
  }
}

export const timeRules: readonly Rule[] = [
  {
    name: "a value is kept for as long as the swap says",
    async check(trial) {
      const { cells, keyOf } = trial;
      const kept = [undefined, 60_000, 30 * 24 * 3_600_000].map((keepMs) => ({
        keepMs,
        key: keyOf(`kept for ${timeOf(keepMs)}`),
      }));
      for (const { key, keepMs } of kept) await cells.swap(key, "", "kept", keepMs);
      await Promise.all([expectKept(trial), pause(PAUSE_MS)]);
      for (const { key, keepMs } of kept) {
        const what = `read of a value that is kept for ${timeOf(keepMs)} to return`;
        expectSame(key, what, (await cells.read(key)).value, "kept");
      }
    },
  },
  {
    name: "a version never comes back, also after its value has ended",
    async check(trial) {
      const { cells, keyOf, port } = trial;
      const key = keyOf("k");
      const first = await cells.swap(key, "", "short", SHORT_MS);
      expectThat(key, "the first swap over the version of nothing to write", first.swapped, first);
      await pause(SHORT_MS + PAUSE_MS);
      // The store may delete it, so it may also be there still.
      const after = await cells.read(key);
      if (after.value === undefined) {
        const { swapped, ...cell } = await cells.swap(key, first.version, "stale", KEEP_MS);
        expectSame(
          key,
          "a swap over the version of a value that has ended to return",
          { swapped, ...contentsOf(cell) },
          { swapped: false, ...NOTHING },
        );
        if (port.list) {
          const listed = await cells.list(key);
          expectSame(
            key,
            "a list after the value has ended to return",
            listed.filter(({ value }) => value !== undefined),
            [],
          );
        }
      }
      const { version } = await overwrite(trial, key);
      expectThat(key, "a version that the key has not had before", version !== first.version, version);
      const { swapped } = await cells.swap(key, first.version, "stale", KEEP_MS);
      expectSame(
        key,
        "a swap over the version of the value that has ended to return",
        { swapped },
        { swapped: false },
      );
      expectSame(key, "read to return", contentsOf(await cells.read(key)), { value: "next", version });
    },
  },
  {
    name: "nowMs is the store's time in milliseconds, in every answer or in none",
    async check(trial) {
      const { cells, keyOf, port } = trial;
      const key = keyOf("k");
      const first = await cells.read(key);
      const version = await create(trial, key, "one");
      const answers: Cell[] = [
        first,
        await cells.swap(key, version, "two", KEEP_MS),
        await cells.swap(key, version, "stale", KEEP_MS),
        ...(port.list ? await cells.list(key) : []),
      ];
      for (let reads = 0; reads < 20; reads++) answers.push(await cells.read(key));
      const hasClock = first.nowMs !== undefined;
      const isTime = ({ nowMs }: Cell) => nowMs !== undefined && nowMs > EARLIEST_MS && nowMs < LATEST_MS;
      for (const [index, answer] of answers.entries()) {
        const { nowMs } = answer;
        expectThat(
          key,
          `nowMs ${hasClock ? "" : "not "}in an answer, as in the first one`,
          hasClock === (nowMs !== undefined),
          nowMs,
        );
        if (!hasClock) continue;
        expectThat(key, "nowMs as milliseconds since 1970", isTime(answer), nowMs);
        const before = answers[index - 1]?.nowMs ?? 0;
        expectThat(
          key,
          `nowMs at most ${MAX_BACKWARD_MS} ms before ${before}, that of the answer before`,
          (nowMs as number) >= before - MAX_BACKWARD_MS,
          nowMs,
        );
      }
      const started = performance.now();
      while (hasClock && (await cells.read(key)).nowMs === first.nowMs) {
        expectThat(
          key,
          `nowMs to change within ${MAX_STILL_MS} ms`,
          performance.now() - started < MAX_STILL_MS,
          first.nowMs,
        );
        await pause(10);
      }
    },
  },
];
