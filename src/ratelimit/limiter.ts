// RateLimit: limits how often something may be done, counted in a store that many processes share.

import { assertKey } from "../backend/names.ts";
import type { Backend } from "../backend/ports.ts";
import { publish } from "../events/channels.ts";
import type { FetchAbortSignal } from "../http/fetchTypes.ts";
import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  assertObject,
  assertOneOf,
  assertWhole,
  BackendError,
} from "../internal.ts";
import { type Decision, toDecision } from "./decision.ts";
import { denialsOf, readClocks } from "./denials.ts";
import { consumeTogether, rateLimitPort } from "./openPort.ts";
import {
  MAX_WINDOW,
  type RateLimitInsurance,
  type RateLimitOptions,
  type RateLimitSettings,
  resolveOptions,
} from "./options.ts";
import { areAllowed } from "./parseAnswer.ts";
import type { KeyCall, RateLimitPort } from "./port.ts";
import type { ConsumeResult } from "./rule.ts";
import { assertDistinct, decideInTurn, strictestOf } from "./together.ts";
import { Turns } from "./turns.ts";

/** Options of {@link RateLimit.limitOrWait}. An unknown name is refused. */
export interface LimitOrWaitOptions {
  /** How much of the quota the call takes: see {@link RateLimit.limit}. Default 1. */
  readonly cost?: number | undefined;
  /** How long the call may wait, in milliseconds from 0 to 2^31 - 1. */
  readonly maxWaitMs: number;
  /** Ends the wait when it is aborted. The call then rejects with the signal's reason. */
  readonly signal?: FetchAbortSignal | undefined;
}

/** One of the calls of {@link RateLimit.limitAll}. */
export interface LimitCall {
  /** The limit. */
  readonly limiter: RateLimit;
  /** The key whose quota the call takes: see {@link RateLimit.limit}. */
  readonly key: string;
  /** How much of the quota the call takes. Default 1. */
  readonly cost?: number | undefined;
}

/** The result of {@link RateLimit.limitAll}: the decision of the strictest limit, and all decisions. */
export interface CombinedDecision extends Decision {
  /** The strictest limit: the one whose denial lasts longest or, if all allow the call, with the lowest `remaining`. */
  readonly limiter: RateLimit;
  /**
   * The decision of each call, in their order. `undefined` for a limit that was not called because the denial of another one
   * was remembered, or because its store failed after another one had denied the call. If `allowed` is `false`, none of them
   * has taken anything.
   */
  readonly decisions: readonly (Decision | undefined)[];
}

/** A validated {@link LimitCall}. */
type CheckedCall = LimitCall & { readonly cost: number };

/** The quota of a key that a decision has taken and that was not refunded. */
interface Taken {
  readonly key: string;
  readonly costUs: number;
  /** The key's TAT after the call. */
  readonly tat: number;
}

/** A decision, and where its quota was taken: here, on the insurance, or nowhere. */
interface Outcome {
  readonly decision: Decision;
  readonly taken?: Taken;
  readonly insured?: Decision;
}

/** The origin of a decision, in a property that is not enumerable: a WeakMap would cost a microsecond for each. */
interface Origin extends Pick<Outcome, "insured"> {
  readonly limiter: RateLimit;
  taken: Taken | undefined;
}

const ORIGIN = /* @__PURE__ */ Symbol("origin");

/** Later than any TAT, so that it does not bound a refund. */
const ANY_TAT = Number.MAX_SAFE_INTEGER;

/**
 * Limits how often something may be done, counted in a store for all processes that use it.
 *
 * - **The rule** is GCRA. An idle key may do `burst` calls at once, which is `limit` unless you set it, and after that one
 *   every `windowMs / limit`. In any period of `t` milliseconds, at most `burst` + `t` × `limit` / `windowMs` calls pass.
 *   `{ limit: 100, windowMs: 60_000, burst: 10 }` is 100 a minute, but never more than 10 at once.
 * - **Rounding.** `windowMs / limit` is rounded up to a whole microsecond. That matters only for hundreds of thousands
 *   of calls a second: 700,000 in 1000 ms are one every 2 µs, so 500,000.
 * - **Denied calls cost nothing.** A client that keeps calling gets the same share as one that waits.
 * - **Time** is the store's. If its clock is set back, or the window was larger before, a key waits at most the time of the
 *   burst and a second, counted from its next call; a block lasts longer by as much as the clock was set back. On a store
 *   without a clock time is that of the processes, and a key waits at most the time of the burst and a minute, because
 *   their clocks may disagree.
 * - **One step.** Concurrent calls, from any number of processes, never pass more than the limit.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { RateLimit } from "bitflake/ratelimit";
 *
 * const logins = new RateLimit({ backend: memory({ clock: () => 0 }), name: "logins", limit: 2, windowMs: 60_000 });
 * await logins.limit("ada"); // => { allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 30000 }
 * await logins.limit("ada"); // => { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 60000 }
 * await logins.limit("ada"); // => { allowed: false, remaining: 0, retryAfterMs: 30000, resetMs: 60000 }
 * ```
 */
export class RateLimit {
  /** The store. */
  declare readonly backend: Backend;
  /** The limit's name in the store. */
  declare readonly name: string;
  /** How many calls of cost 1 may pass in each window: the option `limit`. */
  declare readonly quota: number;
  /** The window, in milliseconds. */
  declare readonly windowMs: number;
  /** How many calls of cost 1 may pass at once. */
  declare readonly burst: number;
  /** Whether calls that the limit would deny pass. */
  declare readonly shadow: boolean;

  readonly #settings: RateLimitSettings;
  readonly #store: RateLimitPort;
  readonly #turns = new Turns();

  /**
   * Creates a limit. Does not call the store.
   *
   * @param options `backend`, `name`, `limit` and `windowMs`; `burst`, default `limit`; `rememberDenials` and `shadow`,
   *   default `false`; `insurance`, default none; `onStoreError`, default `"fail"`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or if the backend's `prefix` makes a table
   *   name too long
   */
  constructor(options: RateLimitOptions) {
    const settings = resolveOptions(options);
    this.backend = settings.backend;
    this.name = settings.name;
    this.quota = settings.limit;
    this.windowMs = settings.windowMs;
    this.burst = settings.burst;
    this.shadow = settings.shadow;
    this.#settings = settings;
    this.#store = rateLimitPort(settings.backend, settings.name, settings.gcra);
  }

  /**
   * Decides whether a call may pass now, and counts it if it may.
   *
   * @param key the client or the resource: 1 to 255 characters, without U+0000 and lone surrogates. Each key has a
   *   quota of its own. For a client's address use {@link addressKey}
   * @param cost how much of the quota the call takes, a whole number from 1. Default 1. It passes as a whole or not at
   *   all, so a cost above the burst is always denied, with a `retryAfterMs` of `Infinity`
   * @throws {@link ArgumentError} if the key or the cost is not valid
   * @throws {@link BackendError} if the store fails, is too slow or gives an unexpected response, unless there is an
   *   `insurance`, or `onStoreError` is `"allow"`
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const exports = new RateLimit({ backend: memory(), name: "exports", limit: 100, windowMs: 3_600_000 });
   * const rows = 9000;
   * const { allowed, remaining } = await exports.limit("team-7", Math.ceil(rows / 100));
   * [allowed, remaining]; // => [ true, 10 ]
   * ```
   */
  async limit(key: string, cost = 1): Promise<Decision> {
    assertCall(key, cost);
    const decision = await this.#decide(key, cost);
    this.#publishDenial(decision, cost);
    return decision;
  }

  /**
   * Decides whether a call may pass several limits, and counts it in all of them if it may, else in none.
   *
   * | store | limits of one backend |
   * |---|---|
   * | memory, Redis | one step |
   * | Redis Cluster | one step if all have the same key, else as below |
   * | other stores, and limits of several backends | one after the other; when one denies, the others get their quota back |
   *
   * Without one step, other calls may be denied in that moment because of quota that is then given back. It is lost if the
   * process ends or the store fails in between. Never do more calls pass than each limit allows.
   *
   * Limits with `shadow`, and costs above a burst, also count one after the other. List the limit first that is denied
   * most often, because the ones before it take quota and give it back.
   *
   * @param calls one or more, each with `limiter` and `key`, and `cost`, default 1. No two may have the same key of a limit
   * @throws {@link ArgumentError} if a call is not valid
   * @throws {@link BackendError} as {@link RateLimit.limit} of each limit
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const backend = memory({ clock: () => 0 });
   * const byAddress = new RateLimit({ backend, name: "address", limit: 100, windowMs: 60_000 });
   * const byAccount = new RateLimit({ backend, name: "account", limit: 1, windowMs: 60_000 });
   * const calls = [
   *   { limiter: byAddress, key: "192.0.2.7" },
   *   { limiter: byAccount, key: "ada" },
   * ];
   * (await RateLimit.limitAll(calls)).allowed; // => true
   * const { allowed, limiter, retryAfterMs } = await RateLimit.limitAll(calls);
   * [allowed, limiter.name, retryAfterMs]; // => [ false, 'account', 60000 ]
   * (await byAddress.peek("192.0.2.7")).remaining; // => 99
   * ```
   */
  static async limitAll(calls: readonly LimitCall[]): Promise<CombinedDecision> {
    const checked = assertCalls(calls);
    const decisions =
      RateLimit.#recallDenials(checked) ??
      (await RateLimit.#decideTogether(checked)) ??
      (await decideInTurn(checked, {
        decide: ({ limiter, key, cost }) => limiter.#decide(key, cost),
        refund: ({ limiter }, decision) => limiter.refund(decision),
        peek: ({ limiter, key, cost }) => limiter.peek(key, cost),
      }));
    for (const [index, { limiter, cost }] of checked.entries()) {
      limiter.#publishDenial(decisions[index], cost);
    }
    const strictest = strictestOf(decisions);
    const { limiter } = checked[strictest] as CheckedCall;
    return { ...(decisions[strictest] as Decision), limiter, decisions };
  }

  /**
   * Decides whether a call would pass now, and counts nothing.
   *
   * @param key see {@link RateLimit.limit}
   * @param cost how much of the quota the call would take. Default 1
   * @throws as {@link RateLimit.limit}
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const mails = new RateLimit({ backend: memory({ clock: () => 0 }), name: "mails", limit: 5, windowMs: 60_000 });
   * await mails.limit("ada", 3);
   * await mails.peek("ada"); // => { allowed: true, remaining: 2, retryAfterMs: 0, resetMs: 36000 }
   * await mails.peek("ada", 4); // => { allowed: false, remaining: 2, retryAfterMs: 24000, resetMs: 36000 }
   * ```
   */
  async peek(key: string, cost = 1): Promise<Decision> {
    assertCall(key, cost);
    let outcome: Outcome;
    try {
      outcome = await this.#peek(key, cost);
    } catch (error) {
      outcome = await this.#decideWithoutStore(error, (insurance) => insurance.peek(key, cost));
    }
    return this.#register(outcome);
  }

  /**
   * Waits until a call may pass, and counts it. The waiting calls of this process with one key pass in their order; calls
   * of {@link RateLimit.limit} and of other processes may pass in between.
   *
   * @param key see {@link RateLimit.limit}
   * @param options `maxWaitMs`; `cost`, default 1; `signal`, default none
   * @returns the decision. If it is not allowed, the call cannot pass within `maxWaitMs`; this is known at once if no
   *   other calls wait
   * @throws {@link ArgumentError} if the key or an option is not valid
   * @throws {@link BackendError} as {@link RateLimit.limit}
   * @throws the reason of the signal if it is aborted before the call passes
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const partner = new RateLimit({ backend: memory(), name: "partner", limit: 1, windowMs: 20 });
   * await partner.limit("api");
   * (await partner.limitOrWait("api", { maxWaitMs: 5000 })).allowed; // => true
   * ```
   */
  async limitOrWait(key: string, options: LimitOrWaitOptions): Promise<Decision> {
    assertKnownOptions(options, ["cost", "maxWaitMs", "signal"]);
    const { cost = 1, maxWaitMs } = options;
    const signal = options.signal as AbortSignal | undefined;
    assertCall(key, cost);
    assertWhole("maxWaitMs", maxWaitMs, 0, MAX_WINDOW);
    if (signal !== undefined) assertFunction("signal.throwIfAborted", Object(signal).throwIfAborted);
    // Denials that only lead to a wait are not published.
    const decision = await this.#turns.wait(key, { maxWaitMs, signal }, () => this.#decide(key, cost));
    this.#publishDenial(decision, cost);
    return decision;
  }

  /**
   * Gives quota back, as if a call had not been made: after a success, or if the call took less than its cost. A key never
   * gets more than its whole quota.
   *
   * With a decision, each call is refunded once at most, and nothing is given back when the decision's `resetMs` is over,
   * because time has given the call back by then. A decision that took nothing is ignored. With a key, such as in another
   * process, neither is known.
   *
   * @param call an unchanged decision of this limit, or a key
   * @param cost how much to give back, a whole number from 1. Default: with a decision all that the call took, with a key 1
   * @throws {@link ArgumentError} if the decision is not one of this limit, or the key or the cost is not valid
   * @throws {@link BackendError} if the store fails, unless there is an `insurance`, or `onStoreError` is `"allow"`
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const failures = new RateLimit({ backend: memory(), name: "failures", limit: 5, windowMs: 60_000 });
   * const decision = await failures.limit("192.0.2.7");
   * const isRightPassword = true;
   * if (isRightPassword) await failures.refund(decision);
   * (await failures.peek("192.0.2.7")).remaining; // => 5
   * ```
   */
  async refund(call: Decision | string, cost?: number): Promise<void> {
    if (cost !== undefined) assertCost(cost);
    if (typeof call === "string") {
      assertKey("call", call);
      const costUs = Math.min(cost ?? 1, this.burst) * this.#settings.gcra.interval;
      return this.#refund({ key: call, costUs, tat: ANY_TAT }, (insurance) => insurance.refund(call, cost));
    }
    const origin = (Object(call) as { readonly [ORIGIN]?: Origin })[ORIGIN];
    if (origin?.limiter !== this) throw new ArgumentError("call", "a key, or a decision of this limit", call);
    const { taken, insured } = origin;
    const { insurance, gcra } = this.#settings;
    if (insured) return this.#orLose(async () => insurance?.refund(insured, cost));
    if (!taken) return;
    const costUs = cost === undefined ? taken.costUs : Math.min(cost * gcra.interval, taken.costUs);
    if (costUs === 0) return;
    // Before the store answers, so that a second refund of the call cannot come in between.
    const { key, tat } = taken;
    origin.taken = { key, costUs: taken.costUs - costUs, tat: tat - costUs };
    return this.#refund({ key, costUs, tat }, async () => {});
  }

  /**
   * Denies all calls with a key for a time. It never shortens a block, and the key's quota comes back meanwhile.
   *
   * @param key see {@link RateLimit.limit}
   * @param forMs how long, in milliseconds from 1 to 2^31 - 1, which is 24 days
   * @throws {@link ArgumentError} if the key or the time is not valid
   * @throws {@link BackendError} as {@link RateLimit.refund}
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const api = new RateLimit({ backend: memory({ clock: () => 0 }), name: "api", limit: 10, windowMs: 1000 });
   * await api.block("ada", 3_600_000);
   * const { allowed, blockedMs } = await api.limit("ada");
   * [allowed, blockedMs]; // => [ false, 3600000 ]
   * await api.reset("ada");
   * (await api.limit("ada")).allowed; // => true
   * ```
   */
  async block(key: string, forMs: number): Promise<void> {
    assertKey("key", key);
    assertWhole("forMs", forMs, 1, MAX_WINDOW);
    return this.#change(
      () => this.#store.block(key, forMs * 1000),
      (insurance) => insurance.block(key, forMs),
    );
  }

  /**
   * Gives a key its whole quota, and ends its block.
   *
   * @param key see {@link RateLimit.limit}
   * @throws {@link ArgumentError} if the key is not valid
   * @throws {@link BackendError} as {@link RateLimit.refund}
   */
  async reset(key: string): Promise<void> {
    assertKey("key", key);
    try {
      await this.#change(
        () => this.#store.reset(key),
        (insurance) => insurance.reset(key),
      );
    } finally {
      denialsOf(this.backend).forget(this.name, key);
    }
  }

  /** Decides whether a call may pass, and counts it if it may. */
  async #decide(key: string, cost: number): Promise<Decision> {
    let outcome: Outcome;
    try {
      outcome = cost > this.burst ? await this.#peek(key, cost) : await this.#consume(key, cost);
    } catch (error) {
      outcome = await this.#decideWithoutStore(error, (insurance) =>
        RateLimit.#decideOnInsurance(insurance, key, cost),
      );
    }
    return this.#register(outcome);
  }

  /** Decides a call on an insurance. A denial is published for the limit that has it, and not for the insurance. */
  static #decideOnInsurance(insurance: RateLimitInsurance, key: string, cost: number): Promise<Decision> {
    return insurance instanceof RateLimit ? insurance.#decide(key, cost) : insurance.limit(key, cost);
  }

  /** Publishes the denial of a call, if it was denied. */
  #publishDenial(decision: Decision | undefined, cost: number): void {
    if (!decision || (decision.allowed && !decision.wouldDeny)) return;
    publish("bitflake:ratelimit:denied", () => ({
      name: this.name,
      cost,
      retryAfterMs: decision.retryAfterMs,
      isBlocked: decision.blockedMs !== undefined,
      isShadow: decision.wouldDeny === true,
      isInsured: decision.error !== undefined,
    }));
  }

  /** Returns the decision of an outcome, and notes its origin. */
  #register({ decision, taken, insured }: Outcome): Decision {
    const isShadowed = this.shadow && !decision.allowed;
    const registered: Decision = isShadowed ? { ...decision, allowed: true, wouldDeny: true } : decision;
    const origin: Origin = { limiter: this, taken, insured };
    return Object.defineProperty(registered, ORIGIN, { value: origin });
  }

  /** Decides by the options while the store fails. Throws any other error. */
  async #decideWithoutStore(
    error: unknown,
    onInsurance: (insurance: RateLimitInsurance) => Promise<Decision>,
  ): Promise<Outcome> {
    if (!(error instanceof BackendError)) throw error;
    const { insurance, shadow, onStoreError } = this.#settings;
    if (insurance) {
      try {
        const insured = await onInsurance(insurance);
        return { decision: { ...insured, error }, insured };
      } catch (second) {
        if (!(second instanceof BackendError)) throw second;
      }
    }
    if (onStoreError === "fail" && !shadow) throw error;
    return { decision: { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error } };
  }

  async #consume(key: string, cost: number): Promise<Outcome> {
    const { gcra, rememberDenials } = this.#settings;
    const costUs = cost * gcra.interval;
    const result = await (rememberDenials
      ? this.#consumeOrRecall(key, costUs)
      : this.#store.consume(key, costUs));
    const decision = toDecision(gcra, costUs, result);
    return result.allowed ? { decision, taken: { key, costUs, tat: result.tat } } : { decision };
  }

  async #consumeOrRecall(key: string, costUs: number): Promise<ConsumeResult> {
    const denial = this.#recall(key, costUs);
    if (denial) return denial;
    const remember = this.#rememberer();
    const result = await this.#store.consume(key, costUs);
    remember(key, result);
    return result;
  }

  /** Returns the remembered denial of a call. */
  #recall(key: string, costUs: number): ConsumeResult | undefined {
    const { backend, name, gcra, rememberDenials } = this.#settings;
    return rememberDenials ? denialsOf(backend).recall(gcra, name, key, costUs, readClocks()) : undefined;
  }

  /** Returns a function that remembers the outcome of a request, which is sent after this. */
  #rememberer(): (key: string, result: ConsumeResult) => void {
    const { backend, name, rememberDenials } = this.#settings;
    // Memory needs no call. Its clock may be one of its own.
    if (!rememberDenials || "change" in backend) return () => {};
    const denials = denialsOf(backend);
    const { removals } = denials;
    const sent = readClocks();
    return (key, result) => {
      if (!result.allowed) denials.remember(name, key, result, sent, removals);
    };
  }

  /** Returns decisions with the remembered denials of calls, if there are any. */
  static #recallDenials(calls: readonly CheckedCall[]): (Decision | undefined)[] | undefined {
    const decisions = calls.map(({ limiter, key, cost }) => {
      const { gcra, shadow } = limiter.#settings;
      const costUs = cost * gcra.interval;
      const denial = shadow || cost > limiter.burst ? undefined : limiter.#recall(key, costUs);
      return denial && limiter.#register({ decision: toDecision(gcra, costUs, denial) });
    });
    return decisions.some(Boolean) ? decisions : undefined;
  }

  /** Decides calls in one step, or by the options of each limit if the store fails. `undefined` if there is no such step. */
  static async #decideTogether(calls: readonly CheckedCall[]): Promise<(Decision | undefined)[] | undefined> {
    const { backend } = (calls[0] as CheckedCall).limiter;
    const isPossible = calls.every(
      ({ limiter, cost }) => limiter.backend === backend && !limiter.shadow && cost <= limiter.burst,
    );
    if (!isPossible) return undefined;
    const keyCalls = calls.map(({ limiter, key, cost }) => {
      const { name, gcra } = limiter.#settings;
      return { name, gcra, key, costUs: cost * gcra.interval };
    });
    const rememberers = calls.map(({ limiter }) => limiter.#rememberer());
    let results: readonly ConsumeResult[] | undefined;
    try {
      results = await consumeTogether(backend, keyCalls);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      const decideWithout = async (
        { limiter }: CheckedCall,
        onInsurance: (insurance: RateLimitInsurance) => Promise<Decision>,
      ) => limiter.#register(await limiter.#decideWithoutStore(error, onInsurance));
      return decideInTurn(calls, {
        decide: (call) =>
          decideWithout(call, (insurance) => RateLimit.#decideOnInsurance(insurance, call.key, call.cost)),
        refund: ({ limiter }, decision) => limiter.refund(decision),
        peek: (call) => decideWithout(call, (insurance) => insurance.peek(call.key, call.cost)),
      });
    }
    if (!results) return undefined;
    const isCounted = areAllowed(results);
    return results.map((result, index) => {
      const { limiter, key } = calls[index] as CheckedCall;
      const { gcra, costUs } = keyCalls[index] as KeyCall;
      rememberers[index]?.(key, result);
      const decision = toDecision(gcra, costUs, result);
      return limiter.#register(
        isCounted ? { decision, taken: { key, costUs, tat: result.tat } } : { decision },
      );
    });
  }

  async #peek(key: string, cost: number): Promise<Outcome> {
    const { gcra } = this.#settings;
    const costUs = cost > this.burst ? Infinity : cost * gcra.interval;
    return { decision: toDecision(gcra, costUs, await this.#store.peek(key, costUs)) };
  }

  async #refund(
    { key, costUs, tat }: Taken,
    onInsurance: (insurance: RateLimitInsurance) => Promise<void>,
  ): Promise<void> {
    try {
      await this.#change(() => this.#store.refund(key, costUs, tat), onInsurance);
    } finally {
      denialsOf(this.backend).forget(this.name, key);
    }
  }

  /** Changes a key in the store, or in the insurance if the store fails. */
  async #change(
    onStore: () => Promise<void>,
    onInsurance: (insurance: RateLimitInsurance) => Promise<void>,
  ): Promise<void> {
    const { insurance } = this.#settings;
    return this.#orLose(async () => {
      try {
        await onStore();
      } catch (error) {
        if (!insurance || !(error instanceof BackendError)) throw error;
        await onInsurance(insurance);
      }
    });
  }

  /** Makes a change, which is lost if its store fails and calls pass then. */
  async #orLose(change: () => Promise<void>): Promise<void> {
    const { onStoreError, shadow } = this.#settings;
    try {
      await change();
    } catch (error) {
      if ((onStoreError === "fail" && !shadow) || !(error instanceof BackendError)) throw error;
    }
  }
}

/** Asserts that a value is a list of calls, and fills in their costs. */
function assertCalls(calls: readonly LimitCall[]): readonly CheckedCall[] {
  if (!Array.isArray(calls) || calls.length === 0)
    throw new ArgumentError("calls", "a list of one call or more", calls);
  const checked = calls.map((call: LimitCall, index) => {
    const field = `calls[${index}]`;
    const { limiter, key, cost = 1 } = assertObject(field, call);
    for (const option of Object.keys(call))
      assertOneOf(`a name in ${field}`, option, ["limiter", "key", "cost"]);
    if (!(limiter instanceof RateLimit)) throw new ArgumentError(`${field}.limiter`, "a RateLimit", limiter);
    assertKey(`${field}.key`, key);
    assertWhole(`${field}.cost`, cost, 1, Number.MAX_SAFE_INTEGER);
    return { limiter, key, cost };
  });
  const backends = checked.map(({ limiter }) => limiter.backend);
  // Names have no line breaks.
  assertDistinct(
    checked.map(({ limiter, key }) => `${backends.indexOf(limiter.backend)} ${limiter.name}\n${key}`),
  );
  return checked;
}

function assertCost(cost: number): void {
  assertWhole("cost", cost, 1, Number.MAX_SAFE_INTEGER);
}

function assertCall(key: string, cost: number): void {
  assertCost(cost);
  assertKey("key", key);
}
