// The sweep: one pass over all numbers of a length, each once, to find the IDs that no draw has met.
//
// When more than half of a space is used, draws bring more and more of what is there already, and never tell that
// nothing is left. A sweep ends, and then every ID is known to be in the pool. It goes by a stride that has no factor in
// common with the size of the space, so it comes by each number, far apart from the one before.

import type { DigitBuilder } from "./digitBuilder.ts";
import type { Digits } from "./draw.ts";

/** Where a sweep is. */
export interface ScanState {
  /** The next number: an ID without its check digit. */
  readonly at: bigint;
  readonly stride: bigint;
  /** How many numbers are left. */
  readonly left: bigint;
}

/** The sweep as one text, for the store. */
export function textOf({ at, stride, left }: ScanState): string {
  return `${at} ${stride} ${left}`;
}

/** The sweep that a store keeps, `undefined` if it has not begun. */
export function sweepOf(text: string): ScanState | undefined {
  const [at, stride, left] = text.split(" ");
  if (at === undefined || stride === undefined || left === undefined) return undefined;
  return { at: BigInt(at), stride: BigInt(stride), left: BigInt(left) };
}

/** A sweep over all numbers of so many digits, from anywhere. */
export function beginSweep(digits: number, digit: Digits): ScanState {
  const random = (count: number) => Array.from({ length: count }, digit).join("");
  // Neither even nor divisible by 5.
  const stride = BigInt(`${random(digits - 1)}${[1, 3, 7, 9][(digit() + 10 * digit()) % 4]}`);
  return { at: BigInt(random(digits)), stride, left: 10n ** BigInt(digits) };
}

/**
 * Goes on until it has found so many IDs, or looked at so many numbers.
 *
 * @returns what it found, and where it is then
 */
export function sweepOn(
  walk: DigitBuilder,
  sweep: ScanState,
  most: number,
  looks: number,
): [string[], ScanState] {
  const digits = walk.length - 1;
  const size = 10n ** BigInt(digits);
  const ids: string[] = [];
  let { at, left } = sweep;
  for (let looked = 0; left > 0n && ids.length < most && looked < looks; looked++) {
    walk.clear();
    const number = at.toString().padStart(digits, "0");
    for (let i = 0; i < digits && walk.push(number.charCodeAt(i) - 48); i++);
    if (walk.size === digits && walk.finish()) ids.push(walk.toString());
    at = (at + sweep.stride) % size;
    left--;
  }
  return [ids, { at, stride: sweep.stride, left }];
}
