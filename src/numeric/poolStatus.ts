// Status of a pool, computed from what the store has counted.

import { type IdPoolHistoryError, serializable } from "../internal.ts";
import { isScanComplete } from "./exhaustiveScan.ts";
import type { PoolCounts } from "./port.ts";
import type { NumericIdType } from "./type.ts";

/** State of a pool, as {@link IdPool.status} returns it. In JSON its bigints are text. */
export interface IdPoolStatus {
  /** How many IDs are available, exact up to `highMark`. If there are more, it is `highMark + 1`. */
  readonly available: number;
  /** How many IDs were issued or imported. */
  readonly taken: number;
  /** How many more IDs can be issued: the type's capacity, which may be an estimate, minus those that are taken. */
  readonly remaining: bigint;
  /** @deprecated Use {@link IdPoolStatus.remaining}, which is the same number. */
  readonly left: bigint;
  /** Whether `remaining` is exact. */
  readonly isExact: boolean;
  /** Whether all IDs are taken, so that the pool never issues another one. */
  readonly isExhausted: boolean;
  /** Whether some process refills the pool now. */
  readonly isFilling: boolean;
  /**
   * Why the pool issues nothing, or soon will not: an {@link IdPoolHistoryError} while the store's history is not
   * accepted, otherwise the error of this process's last refill or count. `undefined` if there is no error.
   */
  readonly lastError: unknown;
}

/** Counts of a pool that does not exist in the store. */
export const EMPTY_COUNTS: PoolCounts = {
  available: 0,
  taken: 0,
  scan: "",
  isFilling: false,
  recorded: "",
  current: "",
};

/**
 * Returns the status of a pool.
 *
 * @param highMark available IDs are counted up to one more than this
 * @param lastError see {@link IdPoolStatus.lastError}
 */
export function poolStatus(
  type: NumericIdType,
  { available, taken, scan, isFilling }: PoolCounts,
  highMark: number,
  lastError: unknown,
): IdPoolStatus {
  const isComplete = isScanComplete(scan);
  const isAllCounted = isComplete && available <= highMark;
  const { ids, isExact } = type.capacity();
  const untaken = ids - BigInt(taken);
  const remaining = isAllCounted || untaken < available ? BigInt(available) : untaken;
  return serializable({
    available,
    taken,
    remaining,
    left: remaining,
    isExact: isAllCounted || isExact,
    isExhausted: isComplete && available === 0,
    isFilling,
    lastError,
  });
}
