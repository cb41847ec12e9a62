// The IDs that this process has issued last, for a store that may forget them.

/** How many are remembered: some megabytes, and the issues of 100 seconds at 1000 a second. */
export const REMEMBERED = 100_000;

/** An ID that is taken, with the request that it was issued for if there was one. */
export type TakenId = readonly [id: string, request: string | null];

/** Remembers the last IDs of one pool. */
export class Issued {
  readonly #ids: string[] = [];
  readonly #requests: Map<string, string> = new Map();
  /** Where the oldest is, once there are as many as are remembered. */
  #oldest = 0;

  /** Remembers an ID, and forgets the oldest where there are too many. */
  add(id: string, request: string | undefined): void {
    if (this.#ids.length < REMEMBERED) this.#ids.push(id);
    else {
      this.#requests.delete(this.#ids[this.#oldest] as string);
      this.#ids[this.#oldest] = id;
      this.#oldest = (this.#oldest + 1) % REMEMBERED;
    }
    if (request !== undefined) this.#requests.set(id, request);
  }

  /** Returns all of them, in the order of the IDs; a request that was given two IDs keeps the first of them. */
  all(): TakenId[] {
    const requests = new Set<string>();
    return [...new Set(this.#ids)].sort().map((id) => {
      const request = this.#requests.get(id);
      if (request === undefined || requests.has(request)) return [id, null];
      requests.add(request);
      return [id, request];
    });
  }
}
