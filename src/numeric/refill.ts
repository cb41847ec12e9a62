// Refiller: refills a pool in small steps, in one process at a time, until enough IDs are available or no more exist.

import { startTimer } from "../backend/call.ts";
import { freshToken, NoValidIdError } from "../internal.ts";
import type { DigitBuilder } from "./digitBuilder.ts";
import { drawId, MAX_PLAIN_LENGTH } from "./draw.ts";
import { continueScan, formatScan, parseScan, startScan } from "./exhaustiveScan.ts";
import type { PoolPort, RankedId } from "./port.ts";
import { randomDigit, randomRank } from "./random.ts";

/** How many IDs one step adds. */
const IDS_PER_STEP = 500;

/** How many numbers one step of a scan visits. */
const NUMBERS_PER_STEP = 20_000;

/** How long a claim lasts. Each step renews it. */
export const CLAIM_MS = 3000;

/** The longest IDs that are scanned for even if no draw finds one: that takes some minutes. */
const MAX_SCANNED_LENGTH = 10;

/** How many draws are needed to judge how much of the space is used. */
const MIN_DRAWS = 64;

/** Progress of a refill. */
export interface FillProgress {
  /** How many IDs this call has added. */
  readonly added: number;
  /** How many IDs are available, if no other caller has taken any meanwhile. */
  readonly available: number;
  /** How many IDs are to be available at the end. */
  readonly target: number;
}

/**
 * How a refill ended: enough IDs are available, every ID that exists is in the pool, another process refills, or it was
 * stopped.
 */
export type RefillResult = "filled" | "complete" | "busy" | "stopped";

type ProgressListener = (progress: FillProgress) => void;

/** The refills of one pool in this process, one at a time. */
export class Refiller {
  readonly #store: PoolPort;
  readonly #builder: DigitBuilder;
  readonly #type: string;
  /** Identifies the refill in the store. Drawn when it starts, so that processes restored from one snapshot have different ones. */
  #token = "";
  #running: Promise<RefillResult> | undefined;
  #isStopping = false;

  constructor(store: PoolPort, type: string, builder: DigitBuilder) {
    this.#type = type;
    this.#store = store;
    this.#builder = builder;
  }

  /** The running refill, if there is one. */
  get running(): Promise<RefillResult> | undefined {
    return this.#running;
  }

  /**
   * Refills until `target` IDs are available. If a refill is running, returns that one instead.
   *
   * @param onProgress called after each step
   */
  start(target: number, onProgress?: ProgressListener): Promise<RefillResult> {
    this.#running ??= this.#refill(target, onProgress).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Stops the running refill after its current step. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running?.catch(() => {}); // The caller of `start` gets the error.
    this.#isStopping = false;
  }

  async #refill(target: number, onProgress?: ProgressListener): Promise<RefillResult> {
    this.#token = freshToken();
    if ((await this.#store.claimRefill(this.#token, CLAIM_MS)) === null) return "busy";
    try {
      return await this.#runSteps(target, onProgress);
    } finally {
      await this.#store.releaseRefill(this.#token).catch(() => {}); // The claim then ends by itself.
    }
  }

  async #runSteps(target: number, onProgress?: ProgressListener): Promise<RefillResult> {
    let { available, scan } = await this.#store.count(target);
    let [drawn, addedByDraws, added] = [0, 0, 0];
    while (available < target) {
      if (this.#isStopping) return "stopped";
      const position = parseScan(scan);
      if (position?.remaining === 0n) return "complete";
      const wanted = Math.min(IDS_PER_STEP, target - available);
      let addedNow: number;
      if (position) {
        const [ids, next] = continueScan(this.#builder, position, wanted, NUMBERS_PER_STEP);
        // Add first: if this process ends in between, the same numbers are visited again.
        addedNow = await this.#add(ids);
        await this.#store.advanceScan(scan, formatScan(next));
      } else {
        const ids = this.#draw(wanted);
        addedNow = await this.#add(ids);
        drawn += ids.length;
        addedByDraws += addedNow;
        // No draw found an ID, and a scan of that many numbers would not end.
        const isHopeless = ids.length === 0 && this.#builder.length > MAX_SCANNED_LENGTH;
        if (isHopeless) throw new NoValidIdError(this.#type, this.#builder.length);
        // Most of the space is used, or there are hardly any IDs. No draw can tell that none is left; a scan can.
        if (ids.length < wanted || (drawn >= MIN_DRAWS && addedByDraws < drawn / 2)) {
          const next = startScan(this.#builder.length - 1, randomDigit);
          await this.#store.advanceScan(scan, formatScan(next));
        }
      }
      available += addedNow;
      added += addedNow;
      onProgress?.({ added, available, target });
      const claimed = await this.#store.claimRefill(this.#token, CLAIM_MS);
      if (claimed === null) return "busy";
      scan = claimed;
      // Other callers have taken IDs meanwhile.
      if (available >= target) ({ available, scan } = await this.#store.count(target));
      // A store in memory does not wait, so let other tasks run.
      await new Promise<void>((wake) => startTimer(wake, 0));
    }
    return "filled";
  }

  /** Draws `count` IDs, or fewer if no more are found. */
  #draw(count: number): string[] {
    const ids: string[] = [];
    while (ids.length < count) {
      const id = drawId(this.#builder, randomDigit, this.#builder.length <= MAX_PLAIN_LENGTH);
      if (id === undefined) break;
      ids.push(id);
    }
    return ids;
  }

  /** Adds IDs at random ranks. Returns how many were new. */
  async #add(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    // Sorted, because two transactions that add the same rows in different orders deadlock.
    const ranked = [...new Set(ids)].sort().map((id): RankedId => [id, randomRank()]);
    return this.#store.add(ranked);
  }
}
