// PoolHistory: the store history that a pool issues on, and the IDs to mark as taken again on another one.
//
// A failover or a restore starts another history, and may have forgotten IDs that were issued. A pool refuses to issue on
// it until an operator accepts it. Each process first marks the IDs it issued as taken there.

import type { Backend } from "../backend/ports.ts";
import { IdPoolHistoryError } from "../internal.ts";
import type { PoolPort, StoreHistory } from "./port.ts";
import { RecentlyIssued } from "./recentlyIssued.ts";
import { type IdShape, register } from "./registry.ts";

/** How many IDs one step marks as taken. */
export const IDS_PER_STEP = 500;

/** The histories of one pool's store, as this process has seen them. */
export class PoolHistory {
  readonly #backend: Backend;
  readonly #store: PoolPort;
  readonly #type: string;
  readonly #shape: IdShape;
  /** The IDs to mark as taken again. */
  readonly #issued: RecentlyIssued = new RecentlyIssued();
  /** Histories that the store was on before. A server that still is on one of them has been replaced. */
  readonly #superseded: Set<string> = new Set();
  /** The history that this process issues on. The store may be on another one: see {@link StoreHistory}. */
  #issuedOn = "";
  /** The last history on which this process has marked its IDs as taken again. */
  #markedAgain: { readonly history: string; readonly done: Promise<void> } | undefined;
  #registered: Promise<void> | undefined;

  /** @param shape what every process must agree on, see {@link register} */
  constructor(backend: Backend, store: PoolPort, type: string, shape: IdShape) {
    this.#backend = backend;
    this.#store = store;
    this.#type = type;
    this.#shape = shape;
  }

  /** The history that this process issues on; an empty string if the store does not report its history. */
  get issuedOn(): string {
    return this.#issuedOn;
  }

  /** Whether this process has registered the pool, or is about to. */
  get hasRegistered(): boolean {
    return this.#registered !== undefined;
  }

  /** Registers the pool in the store and reads its history, once. */
  ensureRegistered(): Promise<void> {
    const registerAndReadHistory = async () => {
      await register(this.#backend, this.#type, this.#shape);
      // On any history except this one the store refuses to issue.
      this.#issuedOn = (await this.#store.readOrRecordHistory()).recorded;
    };
    this.#registered ??= registerAndReadHistory().catch((error) => {
      this.#registered = undefined;
      throw error;
    });
    return this.#registered;
  }

  /** Returns whether the store has been on another history since this one. */
  isSuperseded(history: string): boolean {
    return this.#superseded.has(history);
  }

  /** Remembers IDs that were issued on a history, unless the store does not report its history. */
  remember(history: string, ids: readonly string[], requestKey: string | undefined): void {
    if (history !== "") for (const id of ids) this.#issued.add(id, requestKey);
  }

  /**
   * Continues on the history that the store is on, if some process has accepted it.
   *
   * @throws {@link IdPoolHistoryError} if none has, or if the history is superseded: this process has seen the store on
   *   another one since
   */
  async adopt({ recorded, current }: StoreHistory): Promise<void> {
    await this.markTakenOnNewHistory(current);
    if (recorded !== current || this.#superseded.has(current)) {
      throw new IdPoolHistoryError(this.#type, this.#issuedOn, current);
    }
    this.#issuedOn = current;
  }

  /** If the store is on a new history, marks the IDs that this process issued as taken again there. */
  async markTakenOnNewHistory(current: string): Promise<void> {
    if (current === this.#issuedOn || this.#superseded.has(current)) return;
    this.#superseded.add(this.#issuedOn);
    // Before any process issues on the new history, because the one that accepts it does not know the IDs of this one.
    await this.#markTakenAgain(current);
  }

  /** Marks this process's IDs as taken again on the history that the store is on, and records that history as accepted. */
  async accept(): Promise<void> {
    // The store may have forgotten the type as well.
    await register(this.#backend, this.#type, this.#shape);
    for (;;) {
      const { recorded, current } = await this.#store.readOrRecordHistory();
      if (current !== this.#issuedOn || current !== recorded) await this.#markTakenAgain(current);
      // Repeat if there was another failover in the meantime.
      if (current === recorded || (await this.#store.acceptHistory(current))) {
        if (current !== this.#issuedOn) this.#superseded.add(this.#issuedOn);
        this.#superseded.delete(current);
        this.#issuedOn = current;
        this.#registered = Promise.resolve();
        return;
      }
    }
  }

  /** Marks all IDs that this process remembers as taken again, once on each history. */
  #markTakenAgain(history: string): Promise<void> {
    if (this.#markedAgain?.history !== history) {
      const markAll = async () => {
        const ids = this.#issued.all();
        for (let i = 0; i < ids.length; i += IDS_PER_STEP) {
          await this.#store.markTaken(ids.slice(i, i + IDS_PER_STEP));
        }
      };
      const done = markAll().catch((error) => {
        this.#markedAgain = undefined;
        throw error;
      });
      this.#markedAgain = { history, done };
    }
    return this.#markedAgain.done;
  }
}
