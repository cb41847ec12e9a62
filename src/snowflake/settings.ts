// Options, validated once, as what a generator goes by: after this, nothing is checked again.

import { ArgumentError, EpochError } from "../errors.ts";
import { assertOneOf, assertWhole } from "../validate.ts";
import { isSystemClock, systemClock } from "./clock.ts";
import type { Terms } from "./issuer.ts";
import { compileFormat, DATE_END, type Format } from "./layout.ts";
import type { Given } from "./options.ts";

/** What a generator goes by. */
export interface Settings extends Format, Terms {
  readonly datacenterId: number;
  readonly machineId: number;
  /** Whether the caller chose a node, be it node 0. */
  readonly isNodeGiven: boolean;
}

/** Validates all options of a generator. */
export function compileSettings(given: Given): Settings {
  const format = compileFormat(given);
  const { datacenterBits, machineBits, sequenceBits } = format.layout;
  const id = (field: "datacenterId" | "machineId", bits: number) => {
    const { [field]: value = 0 } = given;
    return assertWhole(field, value, 0, 2 ** bits - 1, ` (${bits} bits)`);
  };
  const datacenterId = id("datacenterId", datacenterBits);
  const machineId = id("machineId", machineBits);
  assertWhole("maxBackwardMs", given.maxBackwardMs, 0, DATE_END);
  assertWhole("maxBorrowMs", given.maxBorrowMs, 0, DATE_END);
  assertOneOf("onExhausted", given.onExhausted, ["wait", "throw", "borrow"]);
  assertOneOf("sequenceStart", given.sequenceStart, [0, "random"]);
  const { clock = systemClock } = given;
  if (typeof clock !== "function") throw new ArgumentError("clock", "a function", clock);
  // A clock of the user's own is not read before the first ID is wanted, and the system's may read 0: so it does in
  // a Worker at module scope, too early to judge an epoch by. In both cases the first ID will tell.
  const now = isSystemClock(clock) && clock();
  if (now && format.epochMs > now) throw new EpochError(now, format.epochMs);
  return {
    ...given,
    ...format,
    timestampShift: datacenterBits + machineBits + sequenceBits,
    datacenterId,
    machineId,
    isNodeGiven: given.datacenterId !== undefined || given.machineId !== undefined,
    node: ((BigInt(datacenterId) << BigInt(machineBits)) | BigInt(machineId)) << BigInt(sequenceBits),
    maxSequence: 2 ** sequenceBits - 1,
    clock,
  };
}
