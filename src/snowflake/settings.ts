// Settings: a generator's options, validated once. Nothing is checked again after this point.

import { ArgumentError, EpochError } from "../errors.ts";
import { assertOneOf, assertWhole } from "../validate.ts";
import { type ClockRules, isSystemClock, systemClock } from "./clock.ts";
import { compileFormat, DATE_END, type Format } from "./layout.ts";
import type { GeneratorOptions } from "./options.ts";

/** The settings of a generator. */
export interface Settings extends Format, ClockRules {
  readonly datacenterId: number;
  readonly machineId: number;
  /** Whether the caller chose a node, be it node 0. */
  readonly isNodeChosen: boolean;
  /** The datacenter and machine fields, shifted to their position in an ID. */
  readonly nodeBits: bigint;
  readonly timestampShift: number;
  readonly sequenceBits: number;
  readonly sequenceStart: 0 | "random";
  readonly clock: () => number;
}

/**
 * Validates the options of a generator.
 *
 * @param options as `mergeOptions` returns them
 */
export function compileSettings(options: GeneratorOptions): Settings {
  const { layout, epochMs, tickMs, maxTick } = compileFormat(options);
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
  // A custom clock is not read before the first ID. That ID then checks the epoch.
  if (isSystemClock(clock)) {
    const now = clock();
    // A Worker's clock reads 0 at module scope: skip the check.
    if (now !== 0 && epochMs > now) throw new EpochError(now, epochMs);
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
    nodeBits: ((BigInt(datacenterId) << BigInt(machineBits)) | BigInt(machineId)) << BigInt(sequenceBits),
    maxBackwardMs,
    maxBorrowMs,
    onExhausted,
    sequenceStart,
    clock,
  };
}
