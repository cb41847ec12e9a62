// LeasedSource: issues the IDs of the leased node, and none while no node is leased.

import {
  createEntry,
  type Grant,
  type GrantedSource,
  grantLimit,
  type LedgerEntry,
  LocalSource,
  lastOfTick,
  leaseExpired,
  type NodeFields,
  type Settings,
  shiftNode,
  stepEntry,
} from "../internal.ts";
import { nodeFields } from "./nodeSpace.ts";

export class LeasedSource extends LocalSource implements GrantedSource {
  #node = 0;
  #shiftedNode = 0n;
  #until = 0;
  #isOpen = false;

  constructor(settings: Settings) {
    // An entry of its own: the hot path does not check the grant while the reading is that of the last ID. In a shared entry
    // that could be the ID of another generator of this node, for example of another lease name.
    super(settings, createEntry());
  }

  override get node(): NodeFields {
    return nodeFields(this.#node, this.settings.layout.machineBits);
  }

  /** The tick after the last one stamped. */
  get #nextTick(): number {
    return Number((this.entry.word[0] as bigint) >> BigInt(this.settings.timestampShift)) + 1;
  }

  open({ node, from, until }: Grant, nowMs: number): void {
    // The last tick stamped may have IDs of a larger node. Begin after it, because IDs have to increase.
    this.entry.word[0] = lastOfTick(this.settings, node, Math.max(from, this.#nextTick) - 1);
    this.entry.highestReadingMs = nowMs;
    this.#node = node;
    this.#shiftedNode = shiftNode(this.settings, node);
    this.#until = until;
    this.#isOpen = true;
  }

  setEnd(until: number): void {
    this.#until = until;
  }

  close(): number {
    this.#isOpen = false;
    // NaN equals no reading, so that each call takes the step and throws, even within the last tick stamped.
    this.entry.highestReadingMs = Number.NaN;
    return this.#nextTick;
  }

  protected override tryStep(entry: LedgerEntry, nowMs: number, count: number): number {
    const { settings } = this;
    if (!this.#isOpen) throw leaseExpired(settings, this.#node, this.#until, nowMs);
    const limit = grantLimit(settings, this.#node, this.#until);
    return stepEntry(settings, entry, this.#shiftedNode, nowMs, count, limit);
  }
}
