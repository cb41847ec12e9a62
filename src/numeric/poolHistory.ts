// PoolHistory: the store history that a pool issues on, and the IDs to mark as taken once more on another one.
//
// A failover, or a restore to another server or timeline, starts another history, and may have forgotten IDs that were issued.
// A pool refuses to issue on it until an operator accepts it. A restore in place is not detected. Each pool object ("this
// process" below) first marks the IDs it issued as taken there.

import type { Backend } from "../backend/ports.ts";
import { IdPoolHistoryError } from "../internal.ts";
import { isOnHistory, type PoolPort, type StoreHistory } from "./port.ts";
import { RecentlyIssued } from "./recentlyIssued.ts";
import { type IdShape, isRegistered, register } from "./registry.ts";

/** How many IDs one statement marks as taken, or reads. */
export const IDS_PER_STATEMENT = 500;

/** The histories of one pool's store, as this process has seen them. */
export class PoolHistory {
  readonly #backend: Backend;
  readonly #store: PoolPort;
  readonly #type: string;
  readonly #shape: IdShape;
  /** The IDs to mark as taken again. */
  readonly #issued: RecentlyIssued = new RecentlyIssued();
  /** Histories after which this process has seen another one. A server that still is on one of them has been replaced. */
  readonly #superseded: Set<string> = new Set();
  /** The newest history that this process has seen. */
  #newest = "";
  /** The history that this process issues on. The store may be on another one: see {@link StoreHistory}. */
  #issuedOn = "";
  /**
   * For each pair of recorded and current history, the last marking: the value of `#issued.additions` when it began, which
   * shows whether IDs were added since, and the promise of its end. Emptied when this process goes on to issue on a history.
   */
  readonly #markedAgain: Map<string, { readonly additions: number; readonly done: Promise<void> }> =
    new Map();
  #registered: Promise<void> | undefined;

  /** @param shape what every process must agree on, see {@link register} */
  constructor(backend: Backend, store: PoolPort, type: string, shape: IdShape) {
    this.#backend = backend;
    this.#store = store;
    this.#type = type;
    this.#shape = shape;
  }

  /**
   * The history that this process issues on; an empty string before the pool is registered, or if none is recorded because the
   * store does not report its history.
   */
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
      this.#newest = this.#issuedOn;
    };
    this.#registered ??= registerAndReadHistory().catch((error) => {
      this.#registered = undefined;
      throw error;
    });
    return this.#registered;
  }

  /** Returns whether this process has seen the store on another history since this one. */
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
  async adopt(history: StoreHistory): Promise<void> {
    await this.markTakenOnNewHistory(history);
    const refusal = this.refusalOf(history);
    if (refusal) throw refusal;
    this.#issuedOn = history.current;
    this.#markedAgain.clear();
  }

  /** Returns why the pool issues nothing on the history that the store is on, or `undefined` if it issues. */
  refusalOf({ recorded, current }: StoreHistory): IdPoolHistoryError | undefined {
    if (recorded === current) {
      const isRefused = this.#superseded.has(current);
      return isRefused ? new IdPoolHistoryError(this.#type, this.#newest, current) : undefined;
    }
    // A pool that began under an earlier version has no recorded history before its next issue, fill or import.
    if (recorded === "" && this.#issuedOn === "") return undefined;
    // A store that was restored to a state without the pool has nothing recorded. Then the history that this process issued on
    // is named, unless the store is still on it, which would read as if nothing had changed.
    const acceptedBefore = recorded === "" && this.#issuedOn !== current ? this.#issuedOn : recorded;
    return new IdPoolHistoryError(this.#type, acceptedBefore, current);
  }

  /**
   * If the store is on another history than this process issues on, or has another one recorded, marks the IDs that this
   * process issued as taken again there: also on a superseded history, which an operator may have returned to.
   */
  async markTakenOnNewHistory(history: StoreHistory): Promise<void> {
    if (isOnHistory(history, this.#issuedOn)) return;
    this.#note(history.current);
    // Before any process issues on the new history, because the one that accepts it does not know the IDs of this one.
    await this.#markTakenAgain(history);
  }

  /**
   * Marks this process's IDs as taken again on the history that the store is on, and records that history as accepted.
   *
   * @returns whether it was not accepted already
   */
  async accept(): Promise<boolean> {
    // The store may have forgotten the type as well. Once it is registered again, nothing shows that.
    const isForgotten = !(await isRegistered(this.#backend, this.#type, this.#shape));
    if (isForgotten && this.hasRegistered)
      await this.markTakenOnNewHistory(await this.#store.readOrRecordHistory());
    await register(this.#backend, this.#type, this.#shape);
    for (;;) {
      const { recorded, current } = await this.#store.readOrRecordHistory();
      // First, so that IDs which arrive late from the server before are dropped, and not missed by the marking.
      this.#note(current);
      // An operator has returned to a superseded one.
      if (current !== this.#newest) this.#superseded.add(this.#newest);
      if (!isOnHistory({ recorded, current }, this.#issuedOn))
        await this.#markTakenAgain({ recorded, current });
      // Repeat if there was another failover in the meantime.
      if (current === recorded || (await this.#store.acceptHistory(current))) {
        this.#superseded.delete(current);
        this.#newest = current;
        this.#issuedOn = current;
        this.#markedAgain.clear();
        this.#registered = Promise.resolve();
        return isForgotten || current !== recorded;
      }
    }
  }

  /** Notes a history that the store is on. If it is a new one, the one before is superseded. */
  #note(current: string): void {
    if (current === this.#newest || this.#superseded.has(current)) return;
    this.#superseded.add(this.#newest);
    this.#newest = current;
  }

  /** Marks all IDs that this process remembers as taken again, unless they are all marked on the history. */
  #markTakenAgain({ recorded, current }: StoreHistory): Promise<void> {
    const { additions } = this.#issued;
    const history = JSON.stringify([recorded, current]);
    const last = this.#markedAgain.get(history);
    if (last?.additions === additions) return last.done;
    const markAll = async () => {
      const ids = this.#issued.all();
      for (let i = 0; i < ids.length; i += IDS_PER_STATEMENT) {
        await this.#store.markTaken(ids.slice(i, i + IDS_PER_STATEMENT));
      }
    };
    const done = markAll().catch((error) => {
      this.#markedAgain.delete(history);
      throw error;
    });
    this.#markedAgain.set(history, { additions, done });
    return done;
  }
}
