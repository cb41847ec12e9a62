// Buffer of IDs: serves calls from memory, in their order, and fetches the next block while the current one is in use.

import { startTimer } from "../backend/call.ts";
import { ServiceError } from "../internal.ts";
import { Demand } from "./demand.ts";
import { MAX_COUNT } from "./options.ts";

const noop = () => {};

/** IDs that one request got, in increasing order. */
export interface IdBlock {
  readonly ids: readonly bigint[];
  /** When the request was sent, in milliseconds since 1970: no ID is older. */
  readonly sentMs: number;
}

/** The limits of a fetch. */
export interface FetchLimits {
  /** Returns until when the fetch is wanted, by `performance.now()`. */
  readonly untilMs: () => number;
  /** Is called with the error of each attempt that failed. */
  readonly onFailure: (error: ServiceError) => void;
}

/** Fetches a block of so many IDs. */
export type FetchBlock = (count: number, limits: FetchLimits) => Promise<IdBlock>;

/** The part of the settings of a client that the buffer uses. */
export interface BufferSettings {
  readonly prefetch: number;
  readonly maxAgeMs: number;
  readonly timeoutMs: number;
}

/** A call that waits for IDs. */
interface WaitingCall {
  /** How many it wants. */
  readonly count: number;
  /** Those that it has got so far. */
  readonly ids: bigint[];
  /** When it ends without them, by `performance.now()`. */
  readonly untilMs: number;
  /** The number of fetches that had been started when it came. */
  readonly fetchesBefore: number;
  readonly resolve: (ids: bigint[]) => void;
  readonly reject: (error: unknown) => void;
  /** Whether it was aborted. It is removed when its turn comes. */
  isAborted: boolean;
}

/** The part of a block that is left. */
class Remainder {
  readonly #ids: readonly bigint[];
  readonly #sentMs: number;
  #at: number;
  /** The index from which on less than half is left. */
  readonly #middle: number;
  readonly #end: number;

  /**
   * @param at the index of the first ID that is left
   * @param most how many are kept. The others are lost
   */
  constructor({ ids, sentMs }: IdBlock, at: number, most: number) {
    this.#ids = ids;
    this.#sentMs = sentMs;
    this.#at = at;
    this.#end = Math.min(ids.length, at + most);
    this.#middle = (at + this.#end) / 2;
  }

  /** Takes an ID, unless none is left or they are too old. */
  take(nowMs: number, maxAgeMs: number): bigint | undefined {
    if (this.#at === this.#end) return undefined;
    const ageMs = nowMs - this.#sentMs;
    // After a step back of the clock the age is not known.
    if (ageMs < 0 || ageMs > maxAgeMs) {
      this.#at = this.#end;
      return undefined;
    }
    return this.#ids[this.#at++];
  }

  /** Whether at least half of it is used. */
  get isHalfUsed(): boolean {
    return this.#at >= this.#middle;
  }
}

const nothingLeft = () => new Remainder({ ids: [], sentMs: 0 }, 0, 0);

/**
 * Serves IDs in the order of their calls. At most one fetch is pending, however many calls wait.
 *
 * The next block is fetched when half of the current one is used. So the fetch has as long as the other half lasts, and at most
 * one and a half blocks are lost when the process ends.
 */
export class IdBuffer {
  readonly #fetch: FetchBlock;
  readonly #prefetch: number;
  readonly #maxAgeMs: number;
  readonly #timeoutMs: number;
  readonly #demand: Demand;
  #current: Remainder = nothingLeft();
  /** The block after the current one. */
  #next: Remainder | undefined;
  #isFetching = false;
  /** The number of fetches so far. */
  #fetches = 0;
  /** Whether a fetch ahead was started for the current block, so that a failure is not repeated with each call. */
  #isFetchedAhead = false;
  /** In the order of the calls, and so of their ends. While a call waits, no ID is left, and a fetch is pending. */
  readonly #waiting: WaitingCall[] = [];
  /** How many IDs the waiting calls want. */
  #wanted = 0;
  /** Until when the pending fetch is wanted. */
  #untilMs = 0;
  /** The error of the last attempt of the pending fetch. */
  #lastFailure: ServiceError | undefined;
  /** Stops the timer that ends waiting calls. It keeps the process alive while a call waits. */
  #stopTimer = noop;
  #closed: ServiceError | undefined;

  constructor(fetch: FetchBlock, { prefetch, maxAgeMs, timeoutMs }: BufferSettings) {
    this.#fetch = fetch;
    this.#prefetch = prefetch;
    this.#maxAgeMs = maxAgeMs;
    this.#timeoutMs = timeoutMs;
    this.#demand = new Demand(maxAgeMs / 4);
  }

  /** Takes an ID from memory. Returns `undefined` if none is left, which is so while a call waits. */
  take(): bigint | undefined {
    const nowMs = Date.now();
    const id = this.#takeLeft(nowMs);
    if (id !== undefined) {
      this.#demand.add(1, nowMs);
      this.#fetchAhead(nowMs);
    }
    return id;
  }

  /**
   * Takes IDs, and waits for those that are not there. A call that rejects loses those that it has got.
   *
   * @throws {@link ServiceError} if they cannot be fetched in time, or the buffer is closed; or the reason of the signal
   */
  takeMany(count: number, signal: AbortSignal | undefined): Promise<bigint[]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(this.#closed);
    const ids: bigint[] = [];
    for (let id: bigint | undefined; ids.length < count; ids.push(id)) {
      id = this.take();
      if (id === undefined) break;
    }
    if (ids.length === count) return Promise.resolve(ids);
    return new Promise((resolve, reject) => {
      const abort = () => {
        call.isAborted = true;
        this.#wanted -= call.count - call.ids.length;
        if (this.#wanted === 0) this.#endWait();
        call.reject(signal?.reason);
      };
      const forgetSignal = () => signal?.removeEventListener("abort", abort);
      const call: WaitingCall = {
        count,
        ids,
        untilMs: performance.now() + this.#timeoutMs,
        fetchesBefore: this.#fetches,
        resolve: (ids) => {
          forgetSignal();
          resolve(ids);
        },
        reject: (error) => {
          forgetSignal();
          reject(error);
        },
        isAborted: false,
      };
      signal?.addEventListener("abort", abort);
      this.#wait(call);
    });
  }

  /** Rejects the waiting calls, and those to come. The IDs in memory are lost. */
  close(error: ServiceError): void {
    this.#closed = error;
    this.#current = nothingLeft();
    this.#next = undefined;
    this.#rejectAll(error, () => true);
  }

  #takeLeft(nowMs: number): bigint | undefined {
    const id = this.#current.take(nowMs, this.#maxAgeMs);
    if (id !== undefined || this.#next === undefined) return id;
    this.#current = this.#next;
    this.#next = undefined;
    this.#isFetchedAhead = false;
    return this.#current.take(nowMs, this.#maxAgeMs);
  }

  #wait(call: WaitingCall): void {
    this.#waiting.push(call);
    this.#wanted += call.count - call.ids.length;
    this.#untilMs = call.untilMs;
    if (this.#waiting.length === 1) this.#startTimer(this.#timeoutMs);
    if (!this.#isFetching) void this.#refill();
  }

  /** Fetches the next block if the current one is half used, and callers use enough IDs. */
  #fetchAhead(nowMs: number): void {
    if (this.#isFetching || this.#isFetchedAhead || this.#next !== undefined) return;
    if (!this.#current.isHalfUsed || this.#idsAhead(nowMs) === 0 || this.#closed) return;
    this.#isFetchedAhead = true;
    this.#untilMs = performance.now() + this.#timeoutMs;
    void this.#refill();
  }

  /** Returns how many IDs to fetch beyond those that calls wait for. */
  #idsAhead(nowMs: number): number {
    return Math.min(this.#prefetch, this.#demand.idsAhead(nowMs));
  }

  /** Fetches a block. It never rejects: the waiting calls get the error. */
  async #refill(): Promise<void> {
    this.#isFetching = true;
    this.#lastFailure = undefined;
    // The calls of one turn share a request.
    await undefined;
    const number = ++this.#fetches;
    const count = Math.min(MAX_COUNT, this.#wanted + this.#idsAhead(Date.now()));
    if (count === 0 || this.#closed) {
      this.#isFetching = false;
      return;
    }
    const onFailure = (error: ServiceError) => {
      this.#lastFailure = error;
    };
    let block: IdBlock;
    try {
      block = await this.#fetch(count, { untilMs: () => this.#untilMs, onFailure });
    } catch (error) {
      this.#isFetching = false;
      // No call gets the error of a fetch ahead. Calls that came during a fetch get one of their own.
      this.#rejectAll(error, ({ fetchesBefore }) => fetchesBefore < number);
      if (this.#waiting.length > 0) void this.#refill();
      return;
    }
    this.#isFetching = false;
    if (!this.#closed) this.#serve(block, number);
  }

  /** Serves the waiting calls, and keeps the rest of the block. */
  #serve(block: IdBlock, number: number): void {
    const { ids } = block;
    const hasWaiting = this.#waiting.length > 0;
    let at = 0;
    let served = 0;
    for (const call of this.#waiting) {
      if (!call.isAborted) {
        // If nothing is fetched ahead, an ID is made after its call.
        if (this.#prefetch === 0 && call.fetchesBefore >= number) break;
        while (call.ids.length < call.count && at < ids.length) call.ids.push(ids[at++] as bigint);
        if (call.ids.length < call.count) break;
        call.resolve(call.ids);
      }
      served++;
    }
    this.#waiting.splice(0, served);
    this.#wanted -= at;
    const nowMs = Date.now();
    this.#demand.add(at, nowMs);
    const left = new Remainder(block, at, this.#prefetch);
    if (hasWaiting) {
      this.#current = left;
      this.#isFetchedAhead = false;
    } else {
      this.#next = left;
    }
    if (this.#wanted === 0) {
      this.#endWait();
      this.#fetchAhead(nowMs);
    } else {
      void this.#refill();
    }
  }

  #startTimer(ms: number): void {
    this.#stopTimer = startTimer(() => {
      const nowMs = performance.now();
      this.#rejectAll(this.#timeoutError(), ({ untilMs }) => untilMs <= nowMs);
      const [first] = this.#waiting;
      // A timer may also be early.
      if (first) this.#startTimer(Math.max(1, first.untilMs - nowMs));
    }, ms);
  }

  #timeoutError(): ServiceError {
    const {
      request = "",
      url = "",
      status,
      serviceCode,
      detail,
      retryAfterMs,
      attempts = 1,
    } = this.#lastFailure ?? {};
    const what = `no IDs within ${this.#timeoutMs} ms`;
    const facts = { request, url, status, serviceCode, detail, retryAfterMs, cause: this.#lastFailure };
    return new ServiceError({ ...facts, reason: "timeout", what }, attempts);
  }

  /** Rejects some of the waiting calls. */
  #rejectAll(error: unknown, isMeant: (call: WaitingCall) => boolean): void {
    const calls = this.#waiting.splice(0);
    for (const call of calls) {
      if (!isMeant(call)) this.#waiting.push(call);
      else if (!call.isAborted) {
        this.#wanted -= call.count - call.ids.length;
        call.reject(error);
      }
    }
    if (this.#wanted === 0) this.#endWait();
  }

  /** Ends the wait: there is no waiting call that was not aborted. */
  #endWait(): void {
    this.#waiting.length = 0;
    this.#stopTimer();
    this.#stopTimer = noop;
  }
}
