// IdPool: random IDs generated ahead, kept in a store, and each issued once.

import { AsyncDisposer } from "../asyncDispose.ts";
import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  assertWhole,
  IdPoolHistoryError,
} from "../internal.ts";
import { poolPort } from "./openPort.ts";
import { IDS_PER_STATEMENT, PoolHistory } from "./poolHistory.ts";
import { PoolIssuer } from "./poolIssuer.ts";
import {
  type IdPoolOptions,
  MAX_MARK,
  type PoolSettings,
  poolShape,
  resolvePoolSettings,
} from "./poolOptions.ts";
import { PoolRefills } from "./poolRefills.ts";
import { EMPTY_COUNTS, type IdPoolStatus, poolStatus } from "./poolStatus.ts";
import type { PoolPort } from "./port.ts";
import { CLAIM_MS, type FillProgress, Refiller } from "./refill.ts";
import { isRegistered } from "./registry.ts";
import { createDigitBuilder, type NumericIdType } from "./type.ts";

/** The most IDs that one call issues. */
const MAX_ISSUE = 10_000;

/** Result of {@link IdPool.import}. */
export interface IdImport {
  /** How many IDs were marked as taken. */
  readonly taken: number;
  /** How many had been taken before, or were given twice. */
  readonly known: number;
  /** The strings that are not IDs of the type. The pool never issues them, so they were skipped. */
  readonly outside: readonly string[];
}

/**
 * IDs of one type in a store, shared by all processes that use the store: generated ahead at random, and each issued once.
 *
 * - **An ID is available, then taken forever.** The step that issues an ID takes it. The IDs that a crashed process was
 *   given are not issued again; {@link IdPool.issue} with a `requestKey` returns the same ID when it is repeated.
 * - **Refills** run in the background, in a process that finds the pool low, and in one process at a time.
 * - **The end is certain.** When most of a type's IDs are in the pool, the pool scans all numbers, so it issues the very last
 *   ID. After that `issue` throws an {@link IdPoolExhaustedError}, also after a restart, except for a `requestKey` that got
 *   an ID before.
 * - **A name is one pool.** A store refuses a pool of the same name with other rules or another length, and
 *   {@link PermutedIds} of that name, because they would issue the same IDs.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { IdPool, NumericIdType } from "bitflake/numeric";
 *
 * const farmer = new NumericIdType({ name: "farmer", length: 10 });
 * const pool = new IdPool({ backend: memory(), type: farmer });
 *
 * const id = await pool.issue();
 * farmer.validate(id).valid; // => true
 * await pool.stop();
 * ```
 */
export class IdPool extends AsyncDisposer {
  /** The type of the IDs. */
  readonly type: NumericIdType;

  readonly #settings: PoolSettings;
  readonly #store: PoolPort;
  readonly #history: PoolHistory;
  readonly #refills: PoolRefills;
  readonly #issuer: PoolIssuer;
  #status: Promise<IdPoolStatus> | undefined;

  /**
   * Creates a pool. It does not query the store before the first call.
   *
   * @param options `backend` and `type`; `lowMark`, default 1000; `highMark`, default 6000; `waitMs`, default
   *   5000; `onRefillFailed`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, the backend is Redis, a store of cells or a
   *   single connection to MySQL, or its `prefix` makes table names too long
   */
  constructor(options: IdPoolOptions) {
    super(() => this.stop());
    const settings = resolvePoolSettings(options);
    const { backend, type } = settings;
    this.type = type;
    this.#settings = settings;
    this.#store = poolPort(backend, type.name);
    this.#history = new PoolHistory(backend, this.#store, type.name, poolShape(type));
    const refiller = new Refiller(this.#store, type.name, createDigitBuilder(type));
    this.#refills = new PoolRefills(this.#store, refiller, settings);
    this.#issuer = new PoolIssuer(this.#store, this.#history, this.#refills, settings);
  }

  /**
   * Issues an ID.
   *
   * @param options.requestKey identifies the request: 1 to 255 characters of one line, unique among all requests to the
   *   pool forever. A call with the same key always returns the same ID
   * @param options.onReplay called if the ID was issued for the `requestKey` before. Also called if this call took the ID
   *   itself, lost the answer with the connection to the store, and then found the ID by its key
   * @throws {@link IdPoolEmptyError} if no ID is available, and no refill has added one within `waitMs`. Thrown at once
   *   if the refill fails or the pool is stopped. Its `cause` is the error of the last refill or count, if that failed
   * @throws {@link IdPoolExhaustedError} if all IDs are issued
   * @throws {@link IdPoolHistoryError} after a failover or restore of the store: see {@link IdPool.acceptHistory}. The ID
   *   of a `requestKey` that the store knows is returned until this object has seen the new history
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response. It is then unknown
   *   whether an ID was taken: repeat the call with the same `requestKey`, so that none is lost
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   * @throws {@link ArgumentError} if the key is invalid, or an option is unknown
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "household", length: 8 });
   * const pool = new IdPool({ backend: memory(), type });
   * const first = await pool.issue({ requestKey: "form 17" });
   * (await pool.issue({ requestKey: "form 17" })) === first; // => true
   * await pool.stop();
   * ```
   */
  async issue(
    options: { readonly requestKey?: string | undefined; readonly onReplay?: (() => void) | undefined } = {},
  ): Promise<string> {
    assertKnownOptions(options, ["requestKey", "onReplay"]);
    const { requestKey, onReplay = () => {} } = options;
    assertFunction("onReplay", onReplay);
    if (requestKey === undefined) return (await this.issueIds(1))[0] as string;
    if (typeof requestKey !== "string" || !/^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(requestKey)) {
      throw new ArgumentError("requestKey", "a string of 1 to 255 characters in one line", requestKey);
    }
    return this.#issuer.issueForRequest(requestKey, onReplay);
  }

  /**
   * Issues several IDs in one step: all of them, or none.
   *
   * @param count 1 to 10,000
   * @throws {@link IdPoolEmptyError} if fewer are available, and no refill has added enough within `waitMs`. Thrown at
   *   once if the refill fails or the pool is stopped
   * @throws {@link IdPoolExhaustedError} if fewer remain; it says how many do
   * @throws {@link IdPoolHistoryError} after a failover or restore of the store: see {@link IdPool.acceptHistory}
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response. It is then unknown
   *   whether IDs were taken, and if they were, they are lost
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   * @throws {@link ArgumentError} if the count is out of range
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "card", length: 12, rules: "mosip" });
   * await using pool = new IdPool({ backend: memory(), type });
   * (await pool.issueIds(100)).length; // => 100
   * ```
   */
  async issueIds(count: number): Promise<string[]> {
    assertWhole("count", count, 1, MAX_ISSUE);
    return [...(await this.#issuer.issue(count))];
  }

  /** @deprecated Use {@link IdPool.issueIds}, which this calls. */
  issueMany(count: number): Promise<string[]> {
    return this.issueIds(count);
  }

  /**
   * Refills the pool now, and resolves when it is full, or holds every ID that exists. This is optional, because an issue
   * refills an empty pool: use it to fill a pool before the first issue, and for large numbers.
   *
   * @param options.to how many IDs are to be available, 1 to 2^31 - 1; default `highMark`
   * @param options.onProgress called after each step, of some hundred IDs
   * @returns how many IDs are available, counted up to `to`; fewer if no more exist, or `stop` was called
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response. Added IDs stay
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   * @throws {@link UnsupportedError} if the runtime has no `crypto`
   * @throws {@link ArgumentError} if an option is wrong or unknown
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "farmer", length: 10 });
   * await using pool = new IdPool({ backend: memory(), type });
   * let share = 0;
   * await pool.fill({ to: 2000, onProgress: ({ available, target }) => { share = available / target; } }); // => 2000
   * share; // => 1
   * ```
   */
  async fill(
    options: {
      readonly to?: number | undefined;
      readonly onProgress?: ((progress: FillProgress) => void) | undefined;
    } = {},
  ): Promise<number> {
    assertKnownOptions(options, ["to", "onProgress"]);
    const { to = this.#settings.highMark, onProgress = () => {} } = options;
    assertWhole("to", to, 1, MAX_MARK);
    assertFunction("onProgress", onProgress);
    return this.#refills.fill(to, onProgress, this.#history.ensureRegistered());
  }

  /**
   * Marks IDs that were issued elsewhere as taken, so that the pool never issues them. It may be repeated with the same
   * IDs.
   *
   * @param ids the IDs. All are validated before the first is taken
   * @throws {@link ArgumentError} if one of them has other characters than digits: remove spaces and hyphens first
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response. IDs taken until then stay
   *   taken
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "farmer", length: 10 });
   * const pool = new IdPool({ backend: memory(), type });
   * await pool.import(["8349257232", "3029384756", "1234567890"]);
   * // => { taken: 2, known: 0, outside: [ '1234567890' ] }
   * await pool.stop();
   * ```
   */
  async import(ids: Iterable<string>): Promise<IdImport> {
    if (typeof ids === "string" || typeof Object(ids)[Symbol.iterator] !== "function") {
      throw new ArgumentError("ids", "an array of strings", ids);
    }
    const all = Array.from(ids, (id, i) => {
      // With spaces or hyphens it would count as outside, and the pool would issue the same ID again.
      assertDigits(`ids[${i}]`, id);
      return id;
    });
    const outside = all.filter((id) => !this.type.validate(id).valid);
    const outsideSet = new Set(outside);
    // Sorted, as in every step that adds rows, so that no two transactions deadlock.
    const own = [...new Set(all)].filter((id) => !outsideSet.has(id)).sort();
    await this.#history.ensureRegistered();
    let taken = 0;
    for (let i = 0; i < own.length; i += IDS_PER_STATEMENT) {
      taken += await this.#store.markTaken(own.slice(i, i + IDS_PER_STATEMENT).map((id) => [id, null]));
    }
    this.#refills.countAtNextIssue();
    return { taken, known: all.length - outside.length - taken, outside };
  }

  /**
   * Returns whether an ID is taken: issued from the pool, or imported into it. The pool writes nothing.
   *
   * @param id the ID. One that breaks the rules of the type is not taken
   * @throws {@link ArgumentError} if it has other characters than digits
   * @throws {@link IdPoolHistoryError} if the store has no such ID, and may have lost some that were issued: see
   *   {@link IdPool.acceptHistory}
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "farmer", length: 10 });
   * await using pool = new IdPool({ backend: memory(), type });
   * await pool.isTaken(await pool.issue()); // => true
   * await pool.isTaken("8349257232"); // => false
   * ```
   */
  async isTaken(id: string): Promise<boolean> {
    assertDigits("id", id);
    if (!this.type.validate(id).valid) return false;
    const [taken] = await this.#readTaken(id, id, 1);
    if (taken !== undefined) return true;
    await this.#assertHistory();
    return false;
  }

  /**
   * Iterates over the taken IDs in ascending order, some hundred a query. IDs that are issued meanwhile may be among them or
   * not. The pool writes nothing.
   *
   * @param options.after starts after this ID, to go on with an export that was interrupted
   * @throws {@link ArgumentError} if `after` does not have the digits of the type, or an option is unknown
   * @throws {@link IdPoolHistoryError} after the last ID, if the store may have lost some that were issued: see
   *   {@link IdPool.acceptHistory}
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "farmer", length: 10 });
   * await using pool = new IdPool({ backend: memory(), type });
   * await pool.import(["8349257232", "3029384756"]);
   * const ids: string[] = [];
   * for await (const id of pool.takenIds()) ids.push(id);
   * ids; // => [ '3029384756', '8349257232' ]
   * ```
   */
  async *takenIds(
    options: { readonly after?: string | undefined } = {},
  ): AsyncGenerator<string, void, undefined> {
    assertKnownOptions(options, ["after"]);
    const { after } = options;
    const { length } = this.type;
    if (
      after !== undefined &&
      (typeof after !== "string" || !/^\d+$/.test(after) || after.length !== length)
    ) {
      throw new ArgumentError("after", `a string of ${length} digits`, after);
    }
    const end = 10n ** BigInt(length);
    const textOf = (value: bigint) => String(value).padStart(length, "0");
    let next = after === undefined ? 0n : BigInt(after) + 1n;
    while (next < end) {
      const ids = await this.#readTaken(textOf(next), textOf(end - 1n), IDS_PER_STATEMENT);
      yield* ids;
      next = ids.length < IDS_PER_STATEMENT ? end : BigInt(ids.at(-1) as string) + 1n;
    }
    await this.#assertHistory();
  }

  /**
   * Returns the state of the pool. The cost does not grow with the number of taken IDs, and concurrent calls share one
   * query.
   *
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   */
  status(): Promise<IdPoolStatus> {
    this.#status ??= this.#readStatus().finally(() => {
      this.#status = undefined;
    });
    return this.#status;
  }

  /**
   * Lets the pool issue again after a failover of PostgreSQL or MySQL, or a restore to another server or timeline. Until then
   * each call of `issue` that would take an ID throws an {@link IdPoolHistoryError}, because the store may have forgotten IDs
   * that were issued, and would issue them again. A restore in place, and each restore of SQLite, is not detected, unless it is to
   * a state without the pool: import the lost IDs before the pool issues again.
   *
   * The pool first marks the last 100,000 IDs that this object has issued as taken again, with their request keys; every
   * pool whose issue is refused does the same. IDs that no running process remembers have to be found first, in the tables,
   * cards or logs that they were written to: {@link IdPool.import} takes them, and works before this call. A request whose
   * ID was forgotten, and that no process remembers, gets another ID when it is repeated.
   *
   * @returns whether there was something to accept: another history, or a store that did not have the pool and has it now
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, length or rules
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { IdPool, IdPoolHistoryError, NumericIdType } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "farmer", length: 10 });
   * await using pool = new IdPool({ backend: memory(), type });
   * const idsOfFarmers: string[] = []; // all that your own tables have
   * const { lastError } = await pool.status();
   * if (lastError instanceof IdPoolHistoryError) {
   *   await pool.import(idsOfFarmers);
   *   await pool.acceptHistory();
   * }
   * ```
   */
  acceptHistory(): Promise<boolean> {
    return this.#history.accept();
  }

  /**
   * Stops the running refill after its current step, and starts no other in the background: call it when the program ends.
   * Available IDs are still issued. `await using` calls it at the end of a block.
   */
  async stop(): Promise<void> {
    await this.#refills.stop();
  }

  /** Reads taken IDs, if the store has the pool. */
  async #readTaken(from: string, to: string, max: number): Promise<readonly string[]> {
    const isKnown = await isRegistered(this.#settings.backend, this.type.name, poolShape(this.type));
    return isKnown ? this.#store.takenBetween(from, to, max) : [];
  }

  /** Asserts that the store has not lost IDs: one that has does not list them as taken. */
  async #assertHistory(): Promise<void> {
    const { lastError } = await this.status();
    if (lastError instanceof IdPoolHistoryError) throw lastError;
  }

  async #readStatus(): Promise<IdPoolStatus> {
    const { backend, highMark } = this.#settings;
    // A status does not register the pool: its first issue, fill or import does.
    const isKnown = await isRegistered(backend, this.type.name, poolShape(this.type));
    let counts = isKnown ? await this.#store.status(highMark + 1, CLAIM_MS) : EMPTY_COUNTS;
    // The store was restored to a state without the pool.
    if (!isKnown && this.#history.hasRegistered) {
      counts = { ...EMPTY_COUNTS, ...(await this.#store.readOrRecordHistory()) };
    }
    // Also if nothing is issued, because another process that accepts the history does not know the IDs of this one.
    if (this.#history.hasRegistered) await this.#history.markTakenOnNewHistory(counts);
    return poolStatus(
      this.type,
      counts,
      highMark,
      this.#history.refusalOf(counts) ?? this.#refills.lastError,
    );
  }
}

function assertDigits(field: string, id: unknown): asserts id is string {
  if (typeof id !== "string" || !/^\d+$/.test(id)) throw new ArgumentError(field, "a string of digits", id);
}
