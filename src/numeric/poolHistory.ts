// PoolHistory: the store history that a pool issues on, and the IDs to take again on another one.
//
// A failover or a restore starts another history, and may have forgotten IDs that were issued. A pool refuses to issue on
// it until an operator accepts it. Each process first marks the IDs it issued as taken there.

import type { Backend } from "../backend/ports.ts";
import { IdPoolHistoryError } from "../internal.ts";
import type { PoolPort, StoreHistory } from "./port.ts";
import { RecentlyIssued } from "./recentlyIssued.ts";
import { type PoolFacts, register } from "./registry.ts";

/** How many IDs one step marks as taken. */
export const IDS_PER_STEP = 500;

/** The histories of one pool's store, as one process has seen them. */
export class PoolHistory {
  readonly #backend: Backend;
  readonly #store: PoolPort;
  readonly #type: string;
  readonly #shape: PoolFacts;
  /** The IDs to take again. */
  readonly #issued: RecentlyIssued = new RecentlyIssued();
  /** Histories that the store was on before. A server that still is on one of them has been replaced. */
  readonly #superseded: Set<string> = new Set();
  #current = "";
  /** The last history on which this process has taken its IDs again. */
  #retaken: { readonly history: string; readonly done: Promise<void> } | undefined;
  #registered: Promise<void> | undefined;

  /** @param shape what every process must agree on, see {@link register} */
  constructor(backend: Backend, store: PoolPort, type: string, shape: PoolFacts) {
    this.#backend = backend;
    this.#store = store;
    this.#type = type;
    this.#shape = shape;
  }

  /** The history that this process issues on; an empty text if the store does not report its history. */
  get current(): string {
    return this.#current;
  }

  /** Whether this process has registered the pool, or is about to. */
  get hasRegistered(): boolean {
    return this.#registered !== undefined;
  }

  /** Registers the pool in the store and reads its history, once. */
  ensureRegistered(): Promise<void> {
    const begin = async () => {
      await register(this.#backend, this.#type, this.#shape);
      // On any history except this one the store refuses to issue.
      this.#current = (await this.#store.beginHistory()).recorded;
    };
    this.#registered ??= begin().catch((error) => {
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
   * @throws {@link IdPoolHistoryError} if none has
   */
  async adopt({ recorded, current }: StoreHistory): Promise<void> {
    await this.retakeOnNewHistory(current);
    if (recorded !== current || this.#superseded.has(current)) {
      throw new IdPoolHistoryError(this.#type, this.#current, current);
    }
    this.#current = current;
  }

  /** If the store is on a new history, marks the IDs that this process issued as taken there. */
  async retakeOnNewHistory(current: string): Promise<void> {
    if (current === this.#current || this.#superseded.has(current)) return;
    this.#superseded.add(this.#current);
    // Before any process issues on the new history, because the one that accepts it does not know the IDs of this one.
    await this.#retake(current);
  }

  /** Takes this process's IDs again on the history that the store is on, and records that history as accepted. */
  async accept(): Promise<void> {
    // The store may have forgotten the type as well.
    await register(this.#backend, this.#type, this.#shape);
    for (;;) {
      const { recorded, current } = await this.#store.beginHistory();
      if (current !== this.#current || current !== recorded) await this.#retake(current);
      // Repeat if there was another failover in the meantime.
      if (current === recorded || (await this.#store.acceptHistory(current))) {
        if (current !== this.#current) this.#superseded.add(this.#current);
        this.#superseded.delete(current);
        this.#current = current;
        this.#registered = Promise.resolve();
        return;
      }
    }
  }

  /** Marks all IDs that this process remembers as taken, once on each history. */
  #retake(history: string): Promise<void> {
    if (this.#retaken?.history !== history) {
      const retake = async () => {
        const ids = this.#issued.all();
        for (let i = 0; i < ids.length; i += IDS_PER_STEP) {
          await this.#store.markTaken(ids.slice(i, i + IDS_PER_STEP));
        }
      };
      const done = retake().catch((error) => {
        this.#retaken = undefined;
        throw error;
      });
      this.#retaken = { history, done };
    }
    return this.#retaken.done;
  }
}
