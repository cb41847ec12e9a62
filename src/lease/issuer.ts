// Issues the IDs of whichever node is leased, and none while no node is.

import {
  createEntry,
  type Grant,
  type Grantable,
  Issuer,
  LeaseExpiredError,
  type LedgerEntry,
  lastOfTick,
  type MovingTerms,
  nodeBits,
  type Settings,
  stepWithinGrant,
} from "../internal.ts";

export class LeasedIssuer extends Issuer implements Grantable {
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
    // Not the ledger's: what other generators of the node stamp, of another namespace say, is no reading under this grant,
    // and calls within one tick ask no further. It is the grants that keep leases apart.
    this.entry = createEntry();
    this.close();
  }

  /** The first tick that was not stamped. */
  get #unused(): number {
    return Number((this.entry.word[0] as bigint) >> BigInt(this.#settings.timestampShift)) + 1;
  }

  open({ node, from, until }: Grant, nowMs: number): void {
    // As if the tick before were used up: of the last one stamped, nothing is left for another node.
    this.entry.word[0] = lastOfTick(this.#settings, node, Math.max(from, this.#unused) - 1);
    this.entry.readingMs = nowMs;
    this.#terms.node = nodeBits(this.#settings, node);
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

  override take(entry: LedgerEntry, nowMs: number, count: number): number {
    const { epochMs, tickMs } = this.#settings;
    const until = this.#terms.maxTick + 1;
    if (!this.#isOpen) throw new LeaseExpiredError(this.#node, epochMs + until * tickMs, nowMs);
    return stepWithinGrant(this.#terms, this.#settings, until, nowMs, () => super.take(entry, nowMs, count));
  }
}
