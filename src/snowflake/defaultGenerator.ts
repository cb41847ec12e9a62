// nextId and nextIds without configuration: one source on the minimal preset, created on the first call.

import { makeIds } from "./batch.ts";
import { systemClock } from "./clock.ts";
import { LocalSource } from "./localSource.ts";
import { PRESET_MINIMAL } from "./presets.ts";
import type { Settings } from "./settings.ts";
import { warnOfSharedNode } from "./sharedNode.ts";

/**
 * Returns the settings of the default options. They are written out, so that a page which imports `nextId` alone does not
 * load the code that validates options. A test compares the two.
 */
export function zeroConfig(): Settings {
  return {
    layout: PRESET_MINIMAL,
    epochMs: 1_577_836_800_000,
    tickMs: 1,
    maxTick: 8_638_422_163_200_000,
    timestampShift: 10,
    sequenceBits: 10,
    maxSequence: 1023,
    datacenterId: 0,
    machineId: 0,
    isNodeChosen: false,
    shiftedNode: 0n,
    maxBackwardMs: 10,
    maxBorrowMs: 1000,
    onExhausted: "wait",
    sequenceStart: 0,
    clock: systemClock,
  };
}

let source: LocalSource | undefined;

function theSource(): LocalSource {
  if (!source) {
    warnOfSharedNode();
    source = new LocalSource(zeroConfig());
  }
  return source;
}

/**
 * Makes an ID with no configuration: `PRESET_MINIMAL`, which has no node ID. For one process at a time; where
 * several make IDs for the same table or system, give each a node ID of its own with {@link makeGenerator}.
 *
 * @returns an ID larger than every one before it
 * @throws whatever {@link SnowflakeGenerator.nextId} throws
 *
 * @example
 * ```ts
 * import { nextId } from "bitflake";
 *
 * const id = nextId();
 * nextId() > id; // => true
 * ```
 */
export function nextId(): bigint {
  return theSource().nextId();
}

/**
 * Makes many IDs with no configuration; see {@link nextId}.
 *
 * @param count how many: 0 to 16,777,216
 * @throws {@link ArgumentError} if `count` is not a whole number in range
 * @throws whatever {@link SnowflakeGenerator.nextId} throws
 *
 * @example
 * ```ts
 * import { nextIds } from "bitflake";
 *
 * new Set(nextIds(5000)).size; // => 5000
 * ```
 */
export function nextIds(count: number): bigint[] {
  return makeIds(count, theSource());
}
