// TickCounts: a number for each tick, in 21 to 43 bytes a tick. A Map takes several times as much, and ends at 2^24 entries.

/** Slots of a new table. */
const FIRST_SLOTS = 1024;

/** Returns where the search for a tick begins: the halves of the tick, mixed by the last step of MurmurHash3. */
function hash(tick: number): number {
  let mixed = (tick | 0) ^ Math.imul((tick / 0x1_0000_0000) | 0, 0x9e37_79b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Numbers by tick, in one typed array. */
export class TickCounts {
  /** Pairs of a tick plus 1 and its number. A slot whose first half is 0 is free. */
  #table: Float64Array = new Float64Array(2 * FIRST_SLOTS);
  #size = 0;

  /** Returns the index of a tick's slot, or of the free slot in which it belongs. */
  #indexOf(tick: number): number {
    const table = this.#table;
    const mask = table.length / 2 - 1;
    let slot = hash(tick) & mask;
    while (table[2 * slot] !== 0 && table[2 * slot] !== tick + 1) slot = (slot + 1) & mask;
    return 2 * slot;
  }

  /** Returns the number of a tick; 0 if none was set. */
  get(tick: number): number {
    return this.#table[this.#indexOf(tick) + 1] as number;
  }

  /** Sets the number of a tick. */
  set(tick: number, count: number): void {
    const index = this.#indexOf(tick);
    const isNew = this.#table[index] === 0;
    this.#table[index] = tick + 1;
    this.#table[index + 1] = count;
    // Three quarters full: in a table that is fuller, searches become long.
    if (isNew && ++this.#size * 8 > this.#table.length * 3) this.#grow();
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Float64Array(old.length * 2);
    for (let index = 0; index < old.length; index += 2) {
      const key = old[index] as number;
      if (key === 0) continue;
      const place = this.#indexOf(key - 1);
      this.#table[place] = key;
      this.#table[place + 1] = old[index + 1] as number;
    }
  }
}
