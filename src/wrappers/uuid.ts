// UUIDs: version 4 (random) and version 7 (time first, so that they sort).

import { realmWide } from "../realm.ts";
import { random16, refusal, webCrypto } from "./entropy.ts";
import { millis } from "./millis.ts";

const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Four hexadecimal digits. */
function hex16(value: number): string {
  return (HEX[value >>> 8] as string) + (HEX[value & 255] as string);
}

/**
 * Makes a UUID v4 by `crypto.randomUUID`, or from `crypto.getRandomValues` where that is missing, as it is on pages
 * served over plain http.
 *
 * @throws {@link UnsupportedError} if the runtime has no `crypto`
 *
 * @example
 * ```ts
 * import { uuid } from "bitflake";
 *
 * uuid().length; // => 36
 * ```
 */
export function uuid(): string {
  const crypto = webCrypto();
  if (!crypto.randomUUID) return uuidv4(random16);
  try {
    return crypto.randomUUID();
  } catch (cause) {
    throw refusal(cause);
  }
}

function uuidv4(random: () => number): string {
  const r = () => hex16(random());
  return `${r()}${r()}-${r()}-${hex16(0x4000 | (random() & 0x0fff))}-${hex16(0x8000 | (random() & 0x3fff))}-${r()}${r()}${r()}`;
}

/** The last UUID v7: its milliseconds, and the counter of 42 bits that stands behind them. */
export interface V7State {
  ms: number;
  /** The upper 12 bits of the counter. */
  high: number;
  /** The lower 30 bits of the counter. */
  low: number;
  /** The text as far as `ms` and `high` decide it. */
  head: string;
}

/** Moves the state to the next UUID v7 and writes it out; if it throws, the state is as it was. */
export function nextV7(state: V7State, nowMs: number, random: () => number): string {
  let ms = millis(nowMs);
  let { high } = state;
  let low = state.low + 1;
  const tail = hex16(random()) + hex16(random());
  if (ms <= state.ms) {
    // The same millisecond, or a clock that stepped back: the counter goes on, and when it is full, so does the time.
    ms = state.ms;
    if (low === 2 ** 30) {
      low = 0;
      if (++high === 2 ** 12) ms = millis(ms + 1);
    }
  }
  if (ms > state.ms) {
    // A random start, so that UUIDs of one millisecond made elsewhere do not collide; its top bit is 0 to leave room.
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

/**
 * Makes a UUID v7 (RFC 9562): 48 bits of Unix milliseconds, a counter of 42 bits that starts at random in each
 * millisecond, and 32 random bits. Within a thread they strictly increase, as text too, whatever the clock does:
 * if it steps back, the last time is kept and the counter goes on. Threads of a process have a counter each.
 *
 * @throws {@link UnsupportedError} if the runtime has no `crypto`
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
  const state = realmWide<V7State>("bitflake.uuidv7.v1", () => ({ ms: -1, high: 0, low: 0, head: "" }));
  return nextV7(state, Date.now(), random16);
}
