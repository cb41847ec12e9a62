// The request IDs that the service makes, for requests that bring none.

import { randomString } from "../internal.ts";

const PREFIX_LENGTH = 18;

/** How many IDs have one prefix. They end with its three digits. */
const IDS_PER_PREFIX = 1000;

/** Makes request IDs: 18 random characters, and a number of three digits. */
export class RequestIds {
  #prefix = "";
  #used = IDS_PER_PREFIX;

  /**
   * Returns the next ID. Random characters for each would take as long as the rest of a short answer. A copy of the process,
   * made while it runs, may repeat those of one prefix: they only lead from an answer to its line of the log.
   */
  next(): string {
    if (this.#used === IDS_PER_PREFIX) {
      this.#prefix = randomString(PREFIX_LENGTH);
      this.#used = 0;
    }
    return `${this.#prefix}${String(this.#used++).padStart(3, "0")}`;
  }
}
