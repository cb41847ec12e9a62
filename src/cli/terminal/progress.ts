// How far something is: a bar that is redrawn in place for a person, a line now and then for a log.

import type { Output } from "../io.ts";

/** How often a bar is redrawn, in milliseconds. */
const REDRAW_INTERVAL_MS = 100;

/** How often there is a line where there is no bar. */
const LINE_INTERVAL_MS = 1000;

/** The widest bar that there is. */
const MAX_BAR_WIDTH = 40;

/** Done so many of so many. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
}

/** A number as people write it. */
const formatCount = (value: number): string => value.toLocaleString("en-US");

/** What is known in words. */
function progressText(label: string, { done, total }: ProgressState): string {
  const percent = total > 0 ? Math.floor((100 * Math.min(done, total)) / total) : 100;
  return `${label} ${formatCount(done)} of ${formatCount(total)}, ${percent}%`;
}

/**
 * One picture of the bar, in one line that is never wider than the terminal.
 *
 * @param columns how wide that is
 */
export function renderBar(label: string, stage: ProgressState, columns: number): string {
  const { done, total } = stage;
  const text = progressText(label, stage);
  // As long as it will be, so that the bar keeps its width; one column stays free, for many terminals break the line
  // after the last.
  const longest = Math.max(text.length, progressText(label, { done: total, total }).length);
  const room = Math.min(MAX_BAR_WIDTH, columns - 1 - longest - 3);
  if (room < 5) return text.slice(0, Math.max(0, columns - 1));
  const filled = total > 0 ? Math.floor((room * Math.min(done, total)) / total) : room;
  return `[${"#".repeat(filled)}${"-".repeat(room - filled)}] ${text}`;
}

/** Tells how far something is, as often as the output bears. */
export class Progress {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #label: string;
  #lastMs = -Infinity;
  #last: ProgressState | undefined;
  #isDrawn = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(output: Output, now: () => number, label: string) {
    this.#output = output;
    this.#now = now;
    this.#label = label;
  }

  /** Tells of a stage, unless the last was told just before. */
  update(stage: ProgressState): void {
    this.#last = stage;
    const now = this.#now();
    if (now - this.#lastMs < (this.#output.isTTY ? REDRAW_INTERVAL_MS : LINE_INTERVAL_MS)) return;
    this.#lastMs = now;
    this.#draw(stage);
  }

  /** Leaves the last stage standing, and the cursor below it. */
  async end(): Promise<void> {
    if (this.#isDrawn && this.#output.isTTY) {
      if (this.#last) this.#draw(this.#last);
      this.#write("\n");
    }
    await this.#writing;
  }

  #draw(stage: ProgressState): void {
    this.#isDrawn = true;
    if (!this.#output.isTTY) this.#write(`${progressText(this.#label, stage)}\n`);
    // From the first column, and what is left of the picture before is erased.
    else this.#write(`\r${renderBar(this.#label, stage, this.#output.columns ?? 80)}\u001b[K`);
  }

  #write(text: string): void {
    // Whether anybody looks is no matter to the work.
    this.#writing = this.#output.write(text).catch(() => {});
  }
}
