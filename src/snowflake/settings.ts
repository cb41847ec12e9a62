// Settings: a generator's options, validated once, with the values derived from them. Nothing validates them again.

import { ArgumentError, EpochError } from "../errors.ts";
import { assertOneOf, assertWhole } from "../validate.ts";
import { type ClockSettings, isSystemClock, systemClock } from "./clock.ts";
import { DATE_END, type Format, resolveFormat } from "./format.ts";
import type { GeneratorOptions } from "./options.ts";

/** The settings of a generator. */
export interface Settings extends Format, ClockSettings {
  readonly datacenterId: number;
  readonly machineId: number;
  /** Whether the options have a `datacenterId` or `machineId`, also if it is 0. */
  readonly isNodeChosen: boolean;
  /** The node, which is the datacenter and machine IDs together, shifted to its position in an ID. */
  readonly shiftedNode: bigint;
  readonly timestampShift: number;
  readonly sequenceBits: number;
  readonly sequenceStart: 0 | "random";
  readonly clock: () => number;
}

/**
 * Validates the options of a generator and returns its settings.
 *
 * @param options as `mergeOptions` returns them
 */
export function resolveGeneratorSettings(options: GeneratorOptions): Settings {
  const { layout, epochMs, tickMs, maxTick } = resolveFormat(options);
  const { datacenterBits, machineBits, sequenceBits } = layout;
  const assertId = (field: "datacenterId" | "machineId", bits: number) => {
    const { [field]: value = 0 } = options;
    return assertWhole(field, value, 0, 2 ** bits - 1, ` (${bits} bits)`);
  };
  const datacenterId = assertId("datacenterId", datacenterBits);
  const machineId = assertId("machineId", machineBits);
  const maxBackwardMs = assertWhole("maxBackwardMs", options.maxBackwardMs, 0, DATE_END);
  const maxBorrowMs = assertWhole("maxBorrowMs", options.maxBorrowMs, 0, DATE_END);
  const onExhausted = assertOneOf("onExhausted", options.onExhausted, ["wait", "throw", "borrow"]);
  const sequenceStart = assertOneOf("sequenceStart", options.sequenceStart, [0, "random"]);
  const { clock = systemClock } = options;
  if (typeof clock !== "function") throw new ArgumentError("clock", "a function", clock);
  // A custom clock is not read here. The clock rule checks the epoch at the first ID, and a lease when it requests its grant.
  if (isSystemClock(clock)) {
    const nowMs = clock();
    // The clock of a Cloudflare Worker reads 0 at module scope: skip the check.
    if (nowMs !== 0 && epochMs > nowMs) throw new EpochError(nowMs, epochMs);
  }
  // Each name is written out: an object literal that adds to a spread takes V8 microseconds.
  return {
    layout,
    epochMs,
    tickMs,
    maxTick,
    timestampShift: datacenterBits + machineBits + sequenceBits,
    sequenceBits,
    maxSequence: 2 ** sequenceBits - 1,
    datacenterId,
    machineId,
    isNodeChosen: options.datacenterId !== undefined || options.machineId !== undefined,
    shiftedNode: ((BigInt(datacenterId) << BigInt(machineBits)) | BigInt(machineId)) << BigInt(sequenceBits),
    maxBackwardMs,
    maxBorrowMs,
    onExhausted,
    sequenceStart,
    clock,
  };
}
