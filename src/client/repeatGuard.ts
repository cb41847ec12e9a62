// Blocks that came before: a cache between the client and the service may repeat an answer.

/** How many blocks are remembered. A cache that answers repeats its answer at once, so a few suffice. */
const REMEMBERED = 64;

/** Detects a block that the client has had before. */
export class RepeatGuard {
  /** The first IDs of the last blocks, the oldest first. */
  readonly #firsts = new Set<bigint>();

  /** Remembers a block by its first ID. Returns whether it is one of the last blocks. */
  isRepeat(first: bigint): boolean {
    if (this.#firsts.has(first)) return true;
    this.#firsts.add(first);
    if (this.#firsts.size > REMEMBERED) {
      for (const oldest of this.#firsts) {
        this.#firsts.delete(oldest);
        break;
      }
    }
    return false;
  }
}
