// UUIDs: version 4, which is random, and version 7, which sorts by time.

import { globalState } from "../globalState.ts";
import { randomUint16, turnCount, useRandomBytes16 } from "./entropy.ts";
import { toUnixMs } from "./unixMs.ts";

const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Returns two hexadecimal digits. */
function hex8(byte: number | undefined): string {
  return HEX[byte as number] as string;
}

/** Returns four hexadecimal digits. */
function hex16(value: number): string {
  return (HEX[value >>> 8] as string) + (HEX[value & 255] as string);
}

/**
 * Returns a UUID v4 from `crypto.getRandomValues`. `crypto.randomUUID` is missing on pages served over plain http, and
 * Node's repeats UUIDs in processes that start from one V8 snapshot.
 *
 * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that does not return random bytes
 *
 * @example
 * ```ts
 * import { uuid } from "bitflake";
 *
 * uuid().length; // => 36
 * ```
 */
export function uuid(): string {
  return useRandomBytes16(writeV4);
}

/** Writes 16 random bytes as a UUID v4. Concatenated, because a template of so many parts takes a tenth longer. */
function writeV4(b: Uint8Array, at: number): string {
  const time = hex8(b[at]) + hex8(b[at + 1]) + hex8(b[at + 2]) + hex8(b[at + 3]);
  const version = hex8(0x40 | ((b[at + 6] as number) & 0x0f)) + hex8(b[at + 7]);
  const variant = hex8(0x80 | ((b[at + 8] as number) & 0x3f)) + hex8(b[at + 9]);
  const head = time + "-" + hex8(b[at + 4]) + hex8(b[at + 5]) + "-" + version + "-" + variant + "-";
  return (
    head +
    hex8(b[at + 10]) +
    hex8(b[at + 11]) +
    hex8(b[at + 12]) +
    hex8(b[at + 13]) +
    hex8(b[at + 14]) +
    hex8(b[at + 15])
  );
}

/** The state after the last UUID v7: its milliseconds, and the counter of 42 bits that follows them. */
export interface V7State {
  ms: number;
  /** The upper 12 bits of the counter. */
  high: number;
  /** The lower 30 bits of the counter. */
  low: number;
  /** The part of the text that `ms` and `high` determine. */
  head: string;
}

/**
 * Advances the state to the next UUID v7 and returns its text. If it throws, the state does not change.
 *
 * @param isCarried whether the state comes from an earlier event-loop turn, after which the process may have been
 *   copied. Then the counter advances by 31 random bits instead of 1, so that two copies do not count alike. Together
 *   with the 32 random bits at the end these are 63. More would use up the counter within a millisecond: its 41 free
 *   bits are enough for 1000 turns, and a turn takes longer than 1 µs.
 */
export function nextV7(
  state: V7State,
  nowMs: number,
  random: () => number,
  isCarried: boolean = false,
): string {
  let ms = toUnixMs(nowMs);
  let { high } = state;
  let low = state.low + 1;
  const tail = hex16(random()) + hex16(random());
  if (ms <= state.ms) {
    // The same millisecond, or a clock that stepped back: the counter advances, and the time too if the counter is
    // full.
    ms = state.ms;
    if (isCarried) low += (random() & 0x7fff) * 2 ** 16 + random();
    if (low >= 2 ** 30) {
      high += low >>> 30;
      low &= 2 ** 30 - 1;
      if (high >= 2 ** 12) ms = toUnixMs(ms + 1);
    }
  }
  if (ms > state.ms) {
    // A random start, because other processes count in the same millisecond. Its top bit is 0, to leave room.
    high = random() & 0x7ff;
    low = ((random() & 0x3fff) << 16) | random();
  }
  if (ms !== state.ms || high !== state.high) {
    const time = ms.toString(16).padStart(12, "0");
    state.head = `${time.slice(0, 8)}-${time.slice(8)}-${hex16(0x7000 | high)}-`;
  }
  state.ms = ms;
  state.high = high;
  state.low = low;
  return `${state.head + hex16(0x8000 | (low >>> 16))}-${hex16(low & 0xffff)}${tail}`;
}

/** Returns the state before the first UUID v7. */
export function freshV7State(): V7State {
  return { ms: -1, high: 0, low: 0, head: "" };
}

/** Returns the state of the realm. */
export function sharedV7State(): V7State {
  return globalState("bitflake.uuidv7.v1", freshV7State);
}

/** The event-loop turn of this copy's last UUID v7. */
let lastTurn = -1;

/**
 * Returns a UUID v7 (RFC 9562): 48 bits of Unix milliseconds, a counter of 42 bits that starts at random in each
 * millisecond, and 32 random bits. Within a thread UUIDs strictly increase, also as text, whatever the clock does: if
 * it steps back, the last time is kept and the counter advances. Each thread of a process has its own counter.
 *
 * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that does not return random bytes
 * @throws {@link ArgumentError} if the clock returns no time from 1970 to the year 10889, where 48 bits end
 *
 * @example
 * ```ts
 * import { uuidv7 } from "bitflake";
 *
 * const first = uuidv7();
 * uuidv7() > first; // => true
 * ```
 */
export function uuidv7(): string {
  const state = sharedV7State();
  const isCarried = turnCount !== lastTurn;
  const text = nextV7(state, Date.now(), randomUint16, isCarried);
  lastTurn = turnCount;
  return text;
}
