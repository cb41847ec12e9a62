// RecentlyIssued: the last IDs that a pool object has issued, kept because the store may forget them in a failover.

/** How many IDs are kept: some megabytes, or 100 seconds at 1000 IDs a second. */
export const MAX_REMEMBERED = 100_000;

/** A taken ID, with the request key that it was issued for, if there was one. */
export type TakenId = readonly [id: string, requestKey: string | null];

/** The last {@link MAX_REMEMBERED} IDs that one pool object has issued. */
export class RecentlyIssued {
  /** IDs with the request keys that they were issued for, the oldest first. */
  readonly #ids: Map<string, string | undefined> = new Map();
  #additions = 0;

  /** How many times an ID was added. While it stays the same, so do the IDs. */
  get additions(): number {
    return this.#additions;
  }

  /** Adds an ID and drops the oldest if there are too many. A replayed ID is kept once, as the newest. */
  add(id: string, requestKey: string | undefined): void {
    this.#additions++;
    this.#ids.delete(id);
    this.#ids.set(id, requestKey);
    if (this.#ids.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      break;
    }
  }

  /** Returns all IDs in ascending order. If two of them have the same request key, only the first is returned with it. */
  all(): TakenId[] {
    const requestKeys = new Set<string>();
    return [...this.#ids.keys()].sort().map((id) => {
      const requestKey = this.#ids.get(id);
      if (requestKey === undefined || requestKeys.has(requestKey)) return [id, null];
      requestKeys.add(requestKey);
      return [id, requestKey];
    });
  }
}
