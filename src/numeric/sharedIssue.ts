// SharedIssue: calls for one ID that arrive while another such call takes its ID share the next take, so a busy pool sends one
// statement for many calls. A call that arrives alone is sent at once.

import { startTimer } from "../backend/call.ts";

/** The most calls that share a take. */
const MAX_CALLS = 1000;

/** How long a call waits for a take that is under way, in milliseconds. A connection that hangs must not hold up the others. */
const MAX_WAIT_MS = 50;

/** A call that waits. */
interface WaitingCall<T> {
  readonly resolve: (result: string | T) => void;
  readonly reject: (error: unknown) => void;
}

/** Collects calls for one ID. `T` is the reason why a take got no IDs. */
export class SharedIssue<T extends object> {
  readonly #take: (count: number) => Promise<readonly string[] | T>;
  #waiting: WaitingCall<T>[] = [];
  /** How many takes are under way: one, and more if they are slow. */
  #running = 0;
  #stopTimer: (() => void) | undefined;

  /** @param take takes `count` IDs, or none, and then resolves to the reason */
  constructor(take: (count: number) => Promise<readonly string[] | T>) {
    this.#take = take;
  }

  /** Resolves to an ID, or to the reason why the take got none for its calls. Rejects with an error of the take. */
  takeOne(): Promise<string | T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#running === 0) void this.#run();
      else this.#limitWait();
    });
  }

  /** Starts another take if calls still wait after {@link MAX_WAIT_MS}. */
  #limitWait(): void {
    this.#stopTimer ??= startTimer(() => void this.#run(), MAX_WAIT_MS);
  }

  /** Runs one take after another, until no call waits. */
  async #run(): Promise<void> {
    this.#running++;
    while (this.#waiting.length > 0) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
      const calls = this.#waiting.slice(0, MAX_CALLS);
      this.#waiting = this.#waiting.slice(MAX_CALLS);
      if (this.#waiting.length > 0) this.#limitWait();
      try {
        const ids = await this.#take(calls.length);
        for (const [at, { resolve }] of calls.entries()) {
          resolve("length" in ids ? (ids[at] as string) : ids);
        }
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    this.#running--;
  }
}
