// IdPool: IDs made ahead, kept in a store, and each issued once.

import { AsyncDisposer } from "../asyncDispose.ts";
import { startTimer } from "../backend/call.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  assertWhole,
  IdPoolEmptyError,
  IdPoolExhaustedError,
  IdPoolHistoryError,
} from "../internal.ts";
import { sweepOf } from "./exhaustiveScan.ts";
import { Issued } from "./issued.ts";
import { type History, type Issue, type PoolPort, poolPort } from "./port.ts";
import { randomRank } from "./random.ts";
import { CLAIM_MS, type FillProgress, Refiller } from "./refill.ts";
import { recall, register, type Shape } from "./registry.ts";
import { aType, type NumericIdType, walkOf } from "./type.ts";

/** The most IDs that one call issues. */
const MAX_ISSUE = 10_000;

/** The most that a pool keeps at hand. */
const MAX_MARK = 2 ** 31 - 1;

/** How many IDs one step of an import takes. */
const IMPORT_STEP = 500;

/** How long to wait before looking again for what another process refills. */
const LOOK_MS = 50;

/** How many issues there are from one merging of the store's counts to the next. */
const MERGE_EVERY = 200;

/** The longest timer there is, in every runtime. */
const MAX_TIMER = 2 ** 31 - 1;

/** The stock of a pool that has not begun. */
const NOTHING = { available: 0, taken: 0, sweep: "", isFilling: false, recorded: "", current: "" };

/** What an {@link IdPool} is made of. An unknown name is refused. */
export interface IdPoolOptions {
  /** PostgreSQL, SQLite or memory. SQL needs its tables: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /** What the IDs are. A store has one pool for each name of a type. */
  readonly type: NumericIdType;
  /** When as few are left, a refill begins in the background. Default 1000, or `highMark` if that is less. */
  readonly lowMark?: number | undefined;
  /** How many a refill leaves at hand. Default 6000, or `lowMark` if that is more. */
  readonly highMark?: number | undefined;
  /** How long an issue waits for a refill where not enough are at hand, in milliseconds. Default 5000. */
  readonly waitMs?: number | undefined;
  /**
   * Called with the reason when a refill in the background fails, or the look at how many IDs are left: for a log. What
   * it throws is ignored. {@link IdPoolStatus.lastError} keeps the reason until a refill succeeds.
   */
  readonly onRefillFailed?: ((error: unknown) => void) | undefined;
}

/** What {@link IdPool.status} says. */
export interface IdPoolStatus {
  /** How many IDs are at hand, exact up to `highMark`; where there are more, it is `highMark + 1`. */
  readonly available: number;
  /** How many were issued or imported. */
  readonly taken: number;
  /** How many more can be issued: the type's capacity, which may be an estimate, without those that are taken. */
  readonly remaining: bigint;
  /** @deprecated Use {@link IdPoolStatus.remaining}, which is the same number. */
  readonly left: bigint;
  /** Whether `remaining` is exact. */
  readonly isExact: boolean;
  /** Whether none is at hand, and none will come. */
  readonly isExhausted: boolean;
  /** Whether some process refills the pool now. */
  readonly isFilling: boolean;
  /**
   * Why the pool issues nothing, or will not for long: an {@link IdPoolHistoryError} while the store's history is not
   * accepted, otherwise what went wrong with the last refill of this process. `undefined` if nothing did.
   */
  readonly lastError: unknown;
}

/** What {@link IdPool.import} did. */
export interface IdImport {
  /** How many IDs were taken. */
  readonly taken: number;
  /** How many had been taken before, or were given twice. */
  readonly known: number;
  /** Those that are no IDs of the type: it never issues them, so there is nothing to take. */
  readonly outside: readonly string[];
}

/**
 * IDs of one type in a store, for all processes that use the store: made ahead at random, then issued, each once.
 *
 * - **Available, then taken, for ever.** An ID is taken in the same step that issues it. What a process had been given
 *   when it ended is not issued again; {@link IdPool.issue} with a `requestKey` gives it to whoever asks again.
 * - **Refills** run in the background, in whichever process finds the pool low, and in one of them at a time.
 * - **The end is counted.** When most of a space is used, the pool looks at every number that there is, and issues the
 *   last ID. Then it is an {@link IdPoolExhaustedError}, also after a restart.
 * - **Another pool** of the same type, with other rules, another length or by {@link PermutedIds}, is refused in the
 *   same store: it would issue the same IDs.
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
  /** What the IDs are. */
  declare readonly type: NumericIdType;

  readonly #backend: Backend;
  readonly #store: PoolPort;
  readonly #filler: Refiller;
  readonly #lowMark: number;
  readonly #highMark: number;
  readonly #waitMs: number;
  readonly #onRefillFailed: ((error: unknown) => void) | undefined;
  /** What the store remembers of the pool. */
  readonly #shape: Shape;
  /** For a store that may forget it. */
  readonly #issued: Issued = new Issued();
  /** The history that this process issues on, and the one on which it has taken its IDs again. */
  #history = "";
  #retaken: { readonly history: string; readonly done: Promise<void> } | undefined;
  /** The histories that the store was on before: a server that still is on one of them has been replaced. */
  readonly #left: Set<string> = new Set();
  #begun: Promise<void> | undefined;
  #stops = 0;
  /** Whether every ID there is is in the store. */
  #isWhole = false;
  #lastError: unknown;
  #looking: Promise<void> | undefined;
  /** How many IDs this process may issue before it looks how many are left. */
  #unwatched = 1;
  #issues = 0;
  #merging: Promise<unknown> | undefined;
  #status: Promise<IdPoolStatus> | undefined;

  /**
   * Asks nothing of the store yet.
   *
   * @param options `backend` and `type`; `lowMark`, default 1000; `highMark`, default 6000; `waitMs`, default
   *   5000; `onRefillFailed`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, the backend is Redis, or its `prefix`
   *   makes too long a name of a table
   */
  constructor(options: IdPoolOptions) {
    super(() => this.stop());
    assertKnownOptions(options, ["backend", "type", "lowMark", "highMark", "waitMs", "onRefillFailed"]);
    const { backend, type, waitMs = 5000, onRefillFailed } = options;
    const { lowMark, highMark } = options;
    this.type = aType(type);
    if (lowMark !== undefined) assertWhole("lowMark", lowMark, 0, MAX_MARK);
    if (highMark !== undefined) assertWhole("highMark", highMark, 1, MAX_MARK);
    this.#highMark = highMark ?? Math.max(6000, lowMark ?? 0);
    this.#lowMark = assertWhole("lowMark", lowMark ?? Math.min(1000, this.#highMark), 0, this.#highMark);
    this.#waitMs = assertWhole("waitMs", waitMs, 0, MAX_TIMER);
    if (onRefillFailed !== undefined) assertFunction("onRefillFailed", onRefillFailed);
    this.#onRefillFailed = onRefillFailed;
    this.#backend = assertBackend(backend);
    // In lists the order does not matter.
    const rules = Object.entries(type.rules).map(([name, rule]) => [
      name,
      Array.isArray(rule) ? [...new Set(rule)].sort() : rule,
    ]);
    this.#shape = { kind: "pool", length: type.length, ...Object.fromEntries(rules) };
    this.#store = poolPort(backend, type.name);
    this.#filler = new Refiller(this.#store, type.name, walkOf(type));
  }

  /**
   * Issues an ID.
   *
   * @param options.requestKey what the ID is for, 1 to 255 characters of one line, unique among all requests to the
   *   pool for all time. Whoever asks with the same key gets the same ID, for ever
   * @param options.onReplay called if the ID was issued for the `requestKey` before
   * @throws {@link IdPoolEmptyError} if none is at hand, and no refill has brought one within `waitMs`; its `cause` is
   *   what is wrong with the refill, if anything is
   * @throws {@link IdPoolExhaustedError} if all are issued
   * @throws {@link IdPoolHistoryError} if the store was failed over or put back: see {@link IdPool.acceptHistory}
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense. Whether an ID was taken is then not
   *   known: ask again with the same `requestKey`, and there is no loss
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind
   * @throws {@link ArgumentError} if the key is none, or an option is unknown
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
    if (typeof onReplay !== "function") throw new ArgumentError("onReplay", "a function", onReplay);
    if (requestKey === undefined) return (await this.issueIds(1))[0] as string;
    if (typeof requestKey !== "string" || !/^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(requestKey)) {
      throw new ArgumentError("requestKey", "a text of 1 to 255 characters in one line", requestKey);
    }
    const issue = (history: string) => this.#store.issueFor(requestKey, randomRank(), history, onReplay);
    const [id] = await this.#take(1, issue, requestKey);
    return id as string;
  }

  /**
   * Issues several IDs in one step: all of them, or none.
   *
   * @param count 1 to 10,000
   * @throws {@link IdPoolEmptyError} if not as many are at hand, and no refill has brought them within `waitMs`
   * @throws {@link IdPoolExhaustedError} if there are not as many left; it says how many are
   * @throws {@link IdPoolHistoryError} if the store was failed over or put back: see {@link IdPool.acceptHistory}
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense: whether IDs were taken is then not
   *   known, and if they were, they are lost
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind
   * @throws {@link ArgumentError} if the count is out of its limits
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
    return [...(await this.#take(count, (history) => this.#store.issue(count, randomRank(), history)))];
  }

  /** @deprecated Use {@link IdPool.issueIds}, which this calls. */
  issueMany(count: number): Promise<string[]> {
    return this.issueIds(count);
  }

  /**
   * Refills the pool now, and resolves when it is full, or holds all there is. Nothing needs it: an issue refills what
   * it finds empty. It is for filling a pool before the first issue, and for large numbers.
   *
   * @param options.to how many are to be at hand, 1 to 2^31 - 1; default `highMark`
   * @param options.onProgress called after each step, of some hundred IDs
   * @returns how many are at hand, counted up to as many as asked for; fewer if there are no more, or `stop` was called
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense. What was added stays
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind
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
    const { to = this.#highMark, onProgress = () => {} } = options;
    assertWhole("to", to, 1, MAX_MARK);
    if (typeof onProgress !== "function") throw new ArgumentError("onProgress", "a function", onProgress);
    const stops = this.#stops;
    await this.#begin();
    for (;;) {
      // Others are to other marks, and not ours to fail for.
      while (this.#filler.run) await this.#filler.run.catch(() => {});
      const end = stops === this.#stops ? await this.#filler.fill(to, onProgress) : "stopped";
      this.#isWhole = end === "whole";
      this.#lastError = undefined;
      const { available } = await this.#store.count(to);
      if (available >= to || end === "whole" || end === "stopped") return available;
      await pause(LOOK_MS); // Another process refills, perhaps to a lower mark.
    }
  }

  /**
   * Takes IDs that were issued elsewhere, so that the pool never issues them. It may be run again with the same IDs.
   *
   * @param ids the IDs; all are looked at before the first is taken
   * @throws {@link ArgumentError} if one of them is not made of digits alone: take spaces and hyphens out first
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense. What was taken until then stays so
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind
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
      // Spaces or hyphens, and the pool would issue the very ID that somebody has already.
      if (typeof id === "string" && /^\d+$/.test(id)) return id;
      throw new ArgumentError(`ids[${i}]`, "a string of digits", id);
    });
    const outside = all.filter((id) => !this.type.validate(id).valid);
    const foreign = new Set(outside);
    // In order, as all that adds rows does, so that no two wait for each other.
    const own = [...new Set(all)].filter((id) => !foreign.has(id)).sort();
    await this.#begin();
    let taken = 0;
    for (let i = 0; i < own.length; i += IMPORT_STEP) {
      taken += await this.#store.take(own.slice(i, i + IMPORT_STEP).map((id) => [id, null]));
    }
    this.#unwatched = 1;
    return { taken, known: all.length - outside.length - taken, outside };
  }

  /**
   * Returns how the pool is. It costs the same however many IDs are taken. Calls while one is under way get its answer.
   *
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind
   */
  status(): Promise<IdPoolStatus> {
    this.#status ??= this.#look().finally(() => {
      this.#status = undefined;
    });
    return this.#status;
  }

  /**
   * Lets the pool issue again after a failover of PostgreSQL, or after the database was put back from a backup. Until
   * then each issue is an {@link IdPoolHistoryError}, because the store may have forgotten IDs that were issued, and
   * would issue them again. It does nothing where there is nothing to accept.
   *
   * The pool first takes again the last 100,000 IDs that this object has issued, with their request keys; every pool
   * that is refused an issue does so as well. What no living process remembers is yours to look for first, among the
   * rows, cards or logs that IDs were written to: {@link IdPool.import} takes them, and works before this call. A request
   * whose ID was forgotten, and that no process remembers, gets another ID when it is asked for again.
   *
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind
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
  async acceptHistory(): Promise<void> {
    // The type itself may be among what was forgotten.
    await register(this.#backend, this.type.name, this.#shape);
    for (;;) {
      const { recorded, current } = await this.#store.begin();
      if (current !== this.#history || current !== recorded) await this.#retake(current);
      // Not if there was another failover meanwhile.
      if (current === recorded || (await this.#store.accept(current))) {
        if (current !== this.#history) this.#left.add(this.#history);
        this.#left.delete(current);
        this.#history = current;
        this.#begun = Promise.resolve();
        return;
      }
    }
  }

  /**
   * Ends the refill that is under way, after its step, and begins no other in the background: for the end of a program.
   * IDs that are at hand are still issued. `await using` calls it at the end of a block.
   */
  async stop(): Promise<void> {
    this.#stops++;
    await this.#filler.stop();
    await Promise.all([this.#looking, this.#merging]);
  }

  async #look(): Promise<IdPoolStatus> {
    const { name } = this.type;
    // A look leaves nothing behind: with the first ID only is it settled what the type is.
    const isBegun = await recall(this.#backend, name, this.#shape);
    const stock = isBegun ? await this.#store.stock(this.#highMark + 1, CLAIM_MS) : NOTHING;
    const { available, taken, isFilling, recorded, current } = stock;
    // Also where nothing is issued meanwhile: once another process accepts the history, it does not know of these.
    if (isBegun && this.#begun) await this.#leave(current);
    const isWhole = sweepOf(stock.sweep)?.left === 0n;
    const isAllKnown = isWhole && available <= this.#highMark;
    const { ids, isExact } = this.type.capacity();
    const untaken = ids - BigInt(taken);
    const remaining = isAllKnown || untaken < available ? BigInt(available) : untaken;
    return {
      available,
      taken,
      remaining,
      left: remaining,
      isExact: isAllKnown || isExact,
      isExhausted: isWhole && available === 0,
      isFilling,
      // Of a pool that began under an earlier version nothing is recorded before its next issue.
      lastError:
        recorded === current || recorded === ""
          ? this.#lastError
          : new IdPoolHistoryError(name, recorded, current),
    };
  }

  /** Has the store remember what the pool is, once. */
  #begin(): Promise<void> {
    const begin = async () => {
      await register(this.#backend, this.type.name, this.#shape);
      // On another history than this one an issue is refused.
      this.#history = (await this.#store.begin()).recorded;
    };
    this.#begun ??= begin().catch((error) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  /** Goes on where another process has accepted the history that the store is on, and refuses to otherwise. */
  async #meet({ recorded, current }: History): Promise<void> {
    await this.#leave(current);
    if (recorded !== current || this.#left.has(current)) {
      throw new IdPoolHistoryError(this.type.name, this.#history, current);
    }
    this.#history = current;
  }

  /** Leaves the history that this process was on, if the store is on a new one. */
  async #leave(current: string): Promise<void> {
    if (current === this.#history || this.#left.has(current)) return;
    this.#left.add(this.#history);
    // Before any process issues on the new history: the one that accepts it does not know what this one has issued.
    await this.#retake(current);
  }

  /** Takes again all that this process remembers to have issued, once on each history. */
  #retake(history: string): Promise<void> {
    if (this.#retaken?.history !== history) {
      const retake = async () => {
        const all = this.#issued.all();
        for (let i = 0; i < all.length; i += IMPORT_STEP) {
          await this.#store.take(all.slice(i, i + IMPORT_STEP));
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

  /** Takes IDs, and waits for a refill where there are not enough. */
  async #take(
    count: number,
    attempt: (history: string) => Promise<Issue>,
    request?: string,
  ): Promise<readonly string[]> {
    await this.#begin();
    let isOver = this.#waitMs === 0;
    let isFailed = false;
    let stopTimer: (() => void) | undefined;
    try {
      for (;;) {
        const history = this.#history;
        const outcome = await attempt(history);
        if ("recorded" in outcome) {
          await this.#meet(outcome);
          continue;
        }
        if (!("available" in outcome)) {
          // Perhaps issued by a server that another one has replaced since: then that one may issue them as well.
          if (this.#left.has(history)) {
            await this.#meet(await this.#store.begin());
            continue;
          }
          if (history !== "") for (const id of outcome) this.#issued.add(id, request);
          this.#watch(count);
          return outcome;
        }
        const { available } = outcome;
        this.#isWhole = sweepOf(outcome.sweep)?.left === 0n;
        if (this.#isWhole) throw new IdPoolExhaustedError(this.type.name, count, available);
        if (isFailed) throw this.#emptiness(count, available);
        const refill = this.#stops > 0 ? undefined : this.#refill(Math.max(count, this.#highMark));
        if (isOver || !refill) throw this.#emptiness(count, available);
        stopTimer ??= startTimer(() => {
          isOver = true;
        }, this.#waitMs);
        // The first step of a refill can be enough; and where another process refills, there is nothing to wait for.
        // One that fails may have brought enough before it did.
        isFailed = await Promise.race([refill, pause(LOOK_MS)]);
        if (!isFailed && !this.#filler.run) await pause(LOOK_MS);
      }
    } finally {
      stopTimer?.();
    }
  }

  #emptiness(count: number, available: number): IdPoolEmptyError {
    const cause = this.#lastError;
    return new IdPoolEmptyError(
      this.type.name,
      count,
      available,
      cause === undefined ? undefined : { cause },
    );
  }

  /** After an issue: looks now and then how many are left, and refills if they are few. It never rejects. */
  #watch(count: number): void {
    const isStopped = this.#stops > 0;
    if (this.#issues++ % MERGE_EVERY === 0 && !this.#merging && !isStopped) {
      this.#merging = this.#store
        .mergeCounts()
        .catch(() => {}) // Then the next one merges more.
        .finally(() => {
          this.#merging = undefined;
        });
    }
    this.#unwatched -= count;
    if (this.#unwatched > 0 || this.#isWhole || isStopped || this.#filler.run) return;
    // Until the answer is there, one look is enough.
    this.#unwatched = Infinity;
    this.#looking = this.#lookForLow().catch((error) => {
      this.#failed(error);
      this.#unwatched = 1;
    });
  }

  async #lookForLow(): Promise<void> {
    const { available } = await this.#store.count(this.#highMark);
    if (available <= this.#lowMark && this.#stops === 0) await this.#refill(this.#highMark);
    const above = Math.max(0, available - this.#lowMark);
    // Others issue as well: with up to eight processes, one of them looks in time.
    this.#unwatched = Math.max(1, Math.floor(above / 8));
  }

  /** A refill in the background. It never rejects: what goes wrong is kept, and the answer is whether anything did. */
  async #refill(target: number): Promise<boolean> {
    try {
      this.#isWhole = (await this.#filler.fill(target)) === "whole";
      this.#lastError = undefined;
    } catch (error) {
      this.#failed(error);
    }
    return this.#lastError !== undefined;
  }

  #failed(error: unknown): void {
    // Every issue that waits for a refill hears of its failure, and the listener once.
    if (error === this.#lastError) return;
    this.#lastError = error;
    try {
      this.#onRefillFailed?.(error);
    } catch {
      // A listener's own errors are ignored by contract.
    }
  }
}

function pause(ms: number): Promise<false> {
  return new Promise((wake) => startTimer(() => wake(false), ms));
}
