// Progress of a long task: a bar that is redrawn in place on a terminal, a line now and then elsewhere.

import type { Output } from "../io.ts";

/** How often the bar is redrawn, in milliseconds. */
const REDRAW_INTERVAL_MS = 100;

/** How often a line is written where there is no terminal, in milliseconds. */
const LINE_INTERVAL_MS = 1000;

/** The width of the widest bar. */
const MAX_BAR_WIDTH = 40;

/** How much of a task is done. */
export interface ProgressState {
  readonly done: number;
  /** Missing if it is not known. */
  readonly total?: number;
}

/** Returns a number with thousands separators. */
const formatCount = (value: number): string => value.toLocaleString("en-US");

function progressText(label: string, { done, total }: ProgressState): string {
  if (total === undefined) return `${label} ${formatCount(done)}`;
  const percent = total > 0 ? Math.floor((100 * Math.min(done, total)) / total) : 100;
  return `${label} ${formatCount(done)} of ${formatCount(total)}, ${percent}%`;
}

/**
 * Returns the bar as one line that is narrower than the terminal.
 *
 * @param columns the width of the terminal
 */
export function renderBar(label: string, state: ProgressState, columns: number): string {
  const { done, total } = state;
  const text = progressText(label, state);
  if (total === undefined) return text.slice(0, Math.max(0, columns - 1));
  // The bar keeps its width, because the text has room for its final length. One column stays free, because many
  // terminals break the line after the last one.
  const longest = Math.max(text.length, progressText(label, { done: total, total }).length);
  const room = Math.min(MAX_BAR_WIDTH, columns - 1 - longest - 3);
  if (room < 5) return text.slice(0, Math.max(0, columns - 1));
  const filled = total > 0 ? Math.floor((room * Math.min(done, total)) / total) : room;
  return `[${"#".repeat(filled)}${"-".repeat(room - filled)}] ${text}`;
}

/** Shows progress on an output, no more often than its interval. */
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

  /** Shows a state, unless the last one is more recent than the interval. */
  update(state: ProgressState): void {
    this.#last = state;
    const now = this.#now();
    if (now - this.#lastMs < (this.#output.isTTY ? REDRAW_INTERVAL_MS : LINE_INTERVAL_MS)) return;
    this.#lastMs = now;
    this.#draw(state);
  }

  /** Draws the last state on a terminal, and moves the cursor below it. */
  async end(): Promise<void> {
    if (this.#isDrawn && this.#output.isTTY) {
      if (this.#last) this.#draw(this.#last);
      this.#write("\n");
    }
    await this.#writing;
  }

  #draw(state: ProgressState): void {
    this.#isDrawn = true;
    if (!this.#output.isTTY) this.#write(`${progressText(this.#label, state)}\n`);
    // From the first column; the rest of the previous bar is erased.
    else this.#write(`\r${renderBar(this.#label, state, this.#output.columns ?? 80)}\u001b[K`);
  }

  #write(text: string): void {
    // A closed output must not fail the task.
    this.#writing = this.#output.write(text).catch(() => {});
  }
}
