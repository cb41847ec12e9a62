// Issues the IDs of whichever node is leased, and none while no node is.

import {
  type Entry,
  type Grant,
  type Grantee,
  Issuer,
  LeaseExpiredError,
  lastOfTick,
  type MovingTerms,
  nodeBits,
  type Settings,
  underGrant,
} from "../core.ts";

export class LeasedIssuer extends Issuer implements Grantee {
  readonly #settings: Settings;
  readonly #terms: MovingTerms;
  readonly #mask: number;
  #node = 0;
  #isOpen = false;

  constructor(settings: Settings) {
    const terms: MovingTerms = { ...settings };
    super(terms);
    this.#settings = settings;
    this.#terms = terms;
    this.#mask = this.lowMask;
    this.close();
  }

  /** The first tick that was not stamped. */
  get #unused(): number {
    return Number((this.entry.word[0] as bigint) >> BigInt(this.#settings.timestampShift)) + 1;
  }

  open({ node, from, until }: Grant, nowMs: number): void {
    const before = lastOfTick(this.#settings, node, Math.max(from, this.#unused) - 1);
    this.#terms.node = nodeBits(this.#settings, node);
    // The entry of the ledger, so that another generator of this node in this thread repeats nothing either.
    const { entry } = new Issuer({ ...this.#settings, node: this.#terms.node });
    if ((entry.word[0] as bigint) < before) {
      entry.word[0] = before;
      entry.readingMs = nowMs;
    }
    this.entry = entry;
    this.lowMask = this.#mask;
    this.#node = node;
    this.#isOpen = true;
    this.extend(until);
  }

  extend(until: number): void {
    this.#terms.maxTick = Math.min(until - 1, this.#settings.maxTick);
  }

  close(): number {
    this.#isOpen = false;
    this.lowMask = 0; // So that each call takes the step, also within the tick that was stamped last.
    return this.#unused;
  }

  override take(entry: Entry, nowMs: number, mostMs: number): number {
    const { epochMs, tickMs } = this.#settings;
    const until = this.#terms.maxTick + 1;
    if (!this.#isOpen) throw new LeaseExpiredError(this.#node, epochMs + until * tickMs, nowMs);
    return underGrant(this.#terms, this.#settings, until, nowMs, () => super.take(entry, nowMs, mostMs));
  }
}
