// nextId() and nextIds() with no configuration: one issuer on the minimal preset, made on the first call.

import { claim, many } from "./batch.ts";
import { systemClock } from "./clock.ts";
import { Issuer, type Terms } from "./issuer.ts";
import { defaults } from "./options.ts";
import { warnOfSharedNode } from "./sharedNode.ts";

/**
 * What the defaults come to once compiled, spelt out: so a page that imports `nextId` alone need not load the code
 * that validates options. A test holds the two together.
 */
export function zeroConfig(): Terms {
  return {
    ...defaults(),
    timestampShift: 10,
    node: 0n,
    maxTick: 8_638_422_163_200_000,
    maxSequence: 1023,
    clock: systemClock,
  };
}

let issuer: Issuer | undefined;

function theIssuer(): Issuer {
  if (!issuer) {
    warnOfSharedNode();
    issuer = new Issuer(zeroConfig());
  }
  return issuer;
}

/**
 * Makes an ID with no configuration: `PRESET_MINIMAL`, which has no node ID. For one process at a time; where
 * several make IDs for one place, give each a node ID of its own with {@link makeGenerator}.
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
  return theIssuer().next();
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
  return many(count, (length) => claim(theIssuer(), length));
}
