// The trace of one node: counters from the ticks of its IDs, in the order in which they come.

/** Counters of one node. */
export class NodeTrace {
  readonly datacenterId: number;
  readonly machineId: number;
  ids = 0;
  firstTick: number;
  highTick: number;
  /** The tick of its last ID. */
  #lastTick: number;
  /**
   * How often its ticks went far below the highest so far, or farther below by one step. A slow descent is one time, as is a
   * clock that stays behind.
   */
  backSteps = 0;
  /** The farthest below the highest, in ticks. */
  farthestBack = 0;
  /** Whether the ticks are far below the highest, and have not come back to it. */
  #isBack = false;
  /** How many IDs have a lower tick than the one before. */
  falls = 0;
  /** How many have a higher one. */
  rises = 0;
  /** How many IDs jump from far below the highest tick to above it, as if a second writer went on with its own clock. */
  returns = 0;
  /** How many of its IDs are far after those of other nodes that came just before and just after. */
  ahead = 0;
  farthestAhead = 0;
  /** How many of its IDs are far before those. */
  behind = 0;
  farthestBehind = 0;

  constructor(datacenterId: number, machineId: number, tick: number) {
    this.datacenterId = datacenterId;
    this.machineId = machineId;
    this.firstTick = tick;
    this.highTick = tick;
    this.#lastTick = tick;
  }

  /** Compares the tick of one of its IDs with those of two other nodes. */
  compare(tick: number, low: number, high: number, tolerance: number): void {
    if (tick > high + tolerance) {
      this.ahead++;
      if (tick - high > this.farthestAhead) this.farthestAhead = tick - high;
    }
    if (tick < low - tolerance) {
      this.behind++;
      if (low - tick > this.farthestBehind) this.farthestBehind = low - tick;
    }
  }

  /** Takes the tick of the node's next ID. IDs may be out of order by `tolerance` ticks. */
  add(tick: number, tolerance: number): void {
    this.ids++;
    const last = this.#lastTick;
    this.#lastTick = tick;
    if (tick < last) this.falls++;
    else if (tick > last) this.rises++;
    if (tick < this.firstTick) this.firstTick = tick;
    if (tick < this.highTick - tolerance) {
      if (!this.#isBack || tick < last - tolerance) this.backSteps++;
      this.#isBack = true;
      if (this.highTick - tick > this.farthestBack) this.farthestBack = this.highTick - tick;
    }
    if (tick < this.highTick) return;
    this.#isBack = false;
    if (last < this.highTick - tolerance) this.returns++;
    this.highTick = tick;
  }
}
