// The IDs that this process has issued last, for a store that may forget them.

/** How many are remembered: some megabytes, and the issues of 100 seconds at 1000 a second. */
export const REMEMBERED = 100_000;

/** An ID that is taken, with the request that it was issued for if there was one. */
export type TakenId = readonly [id: string, request: string | null];

/** Remembers the last IDs of one pool. */
export class Issued {
  /** The IDs, the oldest first, with the requests that they were issued for. */
  readonly #ids: Map<string, string | undefined> = new Map();

  /** Remembers an ID, and forgets the oldest where there are too many. One that is replayed is remembered once. */
  add(id: string, request: string | undefined): void {
    this.#ids.delete(id);
    this.#ids.set(id, request);
    if (this.#ids.size <= REMEMBERED) return;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      break;
    }
  }

  /** Returns all of them, in the order of the IDs; a request that was given two IDs keeps the first of them. */
  all(): TakenId[] {
    const requests = new Set<string>();
    return [...this.#ids.keys()].sort().map((id) => {
      const request = this.#ids.get(id);
      if (request === undefined || requests.has(request)) return [id, null];
      requests.add(request);
      return [id, request];
    });
  }
}
