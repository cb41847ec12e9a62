// The IDs that were seen last, in a table of fixed size that finds repeated ones.

/** The number of places, a power of two: 8 MB in all. */
const PLACES = 2 ** 20;

/**
 * Returns the place of an ID. IDs of one node differ in a few bits only, often none of the lower 22, so each half passes
 * through products and shifts until every bit of it reaches every bit of the place.
 */
function placeInTable(high: number, low: number): number {
  let mixed = Math.imul(low ^ (low >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13) ^ high, 0xc2b2_ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) >>> 12;
}

/**
 * Remembers IDs, each in the place that its hash names, where it replaces the one before. So a repeated ID is found if no
 * other ID has taken its place in between: always if it comes next, nine times in ten if it comes 100,000 IDs later, four times
 * in ten a million later, and about never ten million later. An ID that is found has been repeated for certain, because whole IDs are compared.
 */
export class RecentIds {
  /** One more than the upper half of each ID, so that 0 is an empty place. */
  readonly #high: Int32Array = new Int32Array(PLACES);
  readonly #low: Int32Array = new Int32Array(PLACES);

  /** Remembers an ID. Returns whether it was there. */
  add(high: number, low: number): boolean {
    const place = placeInTable(high, low);
    const upper = (high + 1) | 0;
    if (this.#high[place] === upper && this.#low[place] === (low | 0)) return true;
    this.#high[place] = upper;
    this.#low[place] = low;
    return false;
  }
}
