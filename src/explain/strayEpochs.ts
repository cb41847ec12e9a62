// IDs whose time differs from that of their neighbors by the distance of two known epochs.

import { KNOWN_EPOCHS, type KnownEpoch } from "./epochs.ts";

const DAY_MS = 86_400_000;

/** From this distance on a time is compared with the epochs. */
const FAR_MS = 30 * DAY_MS;

/** After how many strays in a row the others are compared with them. */
const STREAK = 64;

/** Finds IDs of another epoch in a stream. */
export class StrayEpochs {
  readonly #epochs: readonly KnownEpoch[];
  readonly #counts: number[];
  readonly #epochMs: number;
  /** The time of the last ID that is no stray. */
  #anchorMs: number | undefined;
  #streak = 0;
  #streakOf = -1;

  /** @param epochMs the epoch with which the IDs are decoded */
  constructor(epochMs: number) {
    this.#epochMs = epochMs;
    this.#epochs = KNOWN_EPOCHS.filter((known) => known.epochMs !== epochMs);
    this.#counts = this.#epochs.map(() => 0);
  }

  /** Returns whether a time is that of a stray. */
  add(timeMs: number): boolean {
    const far = this.#anchorMs === undefined ? 0 : timeMs - this.#anchorMs;
    const at = Math.abs(far) < FAR_MS ? -1 : this.#epochs.findIndex((known) => this.#fits(far, known));
    if (at >= 0) {
      this.#streak = at === this.#streakOf ? this.#streak + 1 : 1;
      this.#streakOf = at;
      this.#counts[at] = (this.#counts[at] as number) + 1;
      if (this.#streak < STREAK) return true;
      // The time has changed for good: the input goes on with another file, or began with a stray. Those before stay counted.
      this.#counts[at] = (this.#counts[at] as number) - 1;
    }
    this.#streak = 0;
    this.#streakOf = -1;
    this.#anchorMs = timeMs;
    return false;
  }

  /** Returns the epochs with strays, and how many they have. */
  read(): (KnownEpoch & { readonly count: number })[] {
    const all = this.#epochs.map((known, i) => ({ ...known, count: this.#counts[i] as number }));
    return all.filter(({ count }) => count > 0);
  }

  /** Returns whether the distance is that of an ID of this epoch that was made at the time of the anchor. */
  #fits(far: number, { epochMs }: KnownEpoch): boolean {
    return Math.abs(far - (this.#epochMs - epochMs)) < DAY_MS;
  }
}
