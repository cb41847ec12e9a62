// Refilling a pool: by one process at a time, in small steps, and so that the end of the space is known.

import { startTimer } from "../backend/call.ts";
import { freshToken, NoValidIdError } from "../internal.ts";
import type { DigitBuilder } from "./digitBuilder.ts";
import { draw, LONGEST_PLAIN } from "./draw.ts";
import { beginSweep, sweepOf, sweepOn, textOf } from "./exhaustiveScan.ts";
import type { Entry, PoolPort } from "./port.ts";
import { randomDigit, randomRank } from "./random.ts";

/** How many IDs are added at once. */
const STEP = 500;

/** How many numbers a step of the sweep looks at. */
const LOOKS = 20_000;

/** How long a process is the one that refills, unless it says so again; each step does. */
export const CLAIM_MS = 3000;

/** The longest IDs that are looked for in a sweep, even if no draw finds one: that takes some minutes. */
const LONGEST_SWEPT = 10;

/** How many draws it takes to judge by them. */
const ENOUGH = 64;

/** How far a refill is. */
export interface FillProgress {
  /** How many IDs this call has added. */
  readonly added: number;
  /** How many are available, but for what others have taken meanwhile. */
  readonly available: number;
  /** How many there are to be. */
  readonly target: number;
}

/** How a refill ended: there are enough, there are no more, another process refills, or it was stopped. */
type FillEnd = "filled" | "whole" | "busy" | "stopped";

/** The refills of one pool in this process, one at a time. */
export class Refiller {
  readonly #store: PoolPort;
  readonly #walk: DigitBuilder;
  readonly #type: string;
  /** The name of the refill under way, drawn when it begins: copies of one process are not one filler. */
  #name = "";
  #run: Promise<FillEnd> | undefined;
  #isStopping = false;

  constructor(store: PoolPort, type: string, walk: DigitBuilder) {
    this.#type = type;
    this.#store = store;
    this.#walk = walk;
  }

  /** The refill that is under way. */
  get run(): Promise<FillEnd> | undefined {
    return this.#run;
  }

  /**
   * Refills until so many IDs are available; where a refill is under way, that one goes on instead.
   *
   * @param tell hears of each step
   */
  fill(target: number, tell?: (progress: FillProgress) => void): Promise<FillEnd> {
    this.#run ??= this.#fill(target, tell).finally(() => {
      this.#run = undefined;
    });
    return this.#run;
  }

  /** Ends the refill that is under way after its step. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#run?.catch(() => {}); // Who waits for it hears of it.
    this.#isStopping = false;
  }

  async #fill(target: number, tell?: (progress: FillProgress) => void): Promise<FillEnd> {
    this.#name = freshToken();
    if ((await this.#store.claim(this.#name, CLAIM_MS)) === null) return "busy";
    try {
      return await this.#steps(target, tell);
    } finally {
      await this.#store.leave(this.#name).catch(() => {}); // Then another process may refill in a while.
    }
  }

  async #steps(target: number, tell?: (progress: FillProgress) => void): Promise<FillEnd> {
    let { available, sweep } = await this.#store.count(target);
    let [drawn, fresh, added] = [0, 0, 0];
    while (available < target) {
      if (this.#isStopping) return "stopped";
      const wanted = Math.min(STEP, target - available);
      const current = sweepOf(sweep);
      let news = 0;
      if (current?.left === 0n) return "whole";
      if (current) {
        const [ids, next] = sweepOn(this.#walk, current, wanted, LOOKS);
        // Added first: should this process end in between, the same numbers are looked at again.
        news = await this.#add(ids);
        await this.#store.advance(sweep, textOf(next));
      } else {
        const ids = this.#draw(wanted);
        news = await this.#add(ids);
        drawn += ids.length;
        fresh += news;
        // So many draws found nothing, and looking at every number would take for ever.
        const isHopeless = ids.length === 0 && this.#walk.length > LONGEST_SWEPT;
        if (isHopeless) throw new NoValidIdError(this.#type, this.#walk.length);
        // Most of the space is used, or there is hardly any. No draw can tell that nothing is left.
        if (ids.length < wanted || (drawn >= ENOUGH && fresh < drawn / 2)) {
          await this.#store.advance(sweep, textOf(beginSweep(this.#walk.length - 1, randomDigit)));
        }
      }
      available += news;
      added += news;
      tell?.({ added, available, target });
      const claimed = await this.#store.claim(this.#name, CLAIM_MS);
      if (claimed === null) return "busy";
      sweep = claimed;
      // Others have taken of them meanwhile.
      if (available >= target) ({ available, sweep } = await this.#store.count(target));
      // With a store in memory nothing else waits.
      await new Promise<void>((wake) => startTimer(wake, 0));
    }
    return "filled";
  }

  /** Draws IDs, fewer if there is none to be found. */
  #draw(count: number): string[] {
    const ids: string[] = [];
    while (ids.length < count) {
      const id = draw(this.#walk, randomDigit, this.#walk.length <= LONGEST_PLAIN);
      if (id === undefined) break;
      ids.push(id);
    }
    return ids;
  }

  async #add(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    // In order, for two that add the same rows in different orders wait for each other.
    const entries = [...new Set(ids)].sort().map((id): Entry => [id, randomRank()]);
    return this.#store.add(entries);
  }
}
