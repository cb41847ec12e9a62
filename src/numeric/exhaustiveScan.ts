// Exhaustive scan: one pass over all numbers that an ID can have before its check digit, each once. It finds the IDs that no
// random draw has found.
//
// When more than half of a type's IDs are in the pool, most draws repeat known ones, and no number of draws proves that none
// is left. A scan ends, and then every ID is known to be in the pool. Its stride has no factor in common with the count of
// these numbers, so it visits every number. The stride is random, so two numbers in a row are seldom
// neighbours.

import type { DigitBuilder } from "./digitBuilder.ts";
import type { DigitSource } from "./draw.ts";

/** Position of a scan. */
export interface Scan {
  /** The next number: an ID without its check digit. */
  readonly next: bigint;
  readonly stride: bigint;
  /** How many numbers remain. */
  readonly remaining: bigint;
}

/** Returns a scan as a string for the store. */
export function formatScan({ next, stride, remaining }: Scan): string {
  return `${next} ${stride} ${remaining}`;
}

/** Parses the string that the store keeps. Returns `undefined` if no scan has started. */
export function parseScan(text: string): Scan | undefined {
  const [next, stride, remaining] = text.split(" ");
  if (next === undefined || stride === undefined || remaining === undefined) return undefined;
  return { next: BigInt(next), stride: BigInt(stride), remaining: BigInt(remaining) };
}

/** Returns whether a scan has visited every number, so that every ID is in the pool. */
export function isScanComplete(text: string): boolean {
  return parseScan(text)?.remaining === 0n;
}

/** Returns a scan over all numbers of `digits` digits, with a random start and a random stride. */
export function startScan(digits: number, drawDigit: DigitSource): Scan {
  const random = (count: number) => Array.from({ length: count }, drawDigit).join("");
  // Odd and not divisible by 5, so coprime to a power of ten.
  const stride = BigInt(`${random(digits - 1)}${[1, 3, 7, 9][(drawDigit() + 10 * drawDigit()) % 4]}`);
  return { next: BigInt(random(digits)), stride, remaining: 10n ** BigInt(digits) };
}

/**
 * Continues a scan until it has found `maxIds` IDs or visited `maxNumbers` numbers.
 *
 * @returns the IDs that it found, and its position after them
 */
export function continueScan(
  builder: DigitBuilder,
  scan: Scan,
  maxIds: number,
  maxNumbers: number,
): [string[], Scan] {
  const digits = builder.length - 1;
  const size = 10n ** BigInt(digits);
  const ids: string[] = [];
  let { next, remaining } = scan;
  for (let visited = 0; remaining > 0n && ids.length < maxIds && visited < maxNumbers; visited++) {
    if (builder.pushNumber(next) && builder.pushCheckDigit()) ids.push(builder.toString());
    next = (next + scan.stride) % size;
    remaining--;
  }
  return [ids, { next, stride: scan.stride, remaining }];
}
