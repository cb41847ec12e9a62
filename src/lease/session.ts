// Holds a lease: takes a node, renews it for as long as it is wanted, and says so when it is lost.

import { AsyncDisposer } from "../asyncDispose.ts";
import { type CallOptions, startTimer } from "../backend/call.ts";
import {
  ArgumentError,
  BackendError,
  ClockSkewError,
  EpochError,
  freshToken,
  type Grant,
  type Grantable,
  LeaseExpiredError,
  LeaseFenceError,
  NamespaceError,
  NoNodeAvailableError,
  type SnowflakeGenerator,
  StoreCutOffError,
  TimestampOverflowError,
} from "../internal.ts";
import type { Lease, LeaseStatus } from "./lease.ts";
import { nodeFields, type NodeFields } from "./nodeSpace.ts";
import type { LeaseSettings } from "./options.ts";
import { type LeasePort, leasePort } from "./port.ts";
import type { LeaseAnswer, LeaseClaim, LeaseRequest } from "./rule.ts";

/**
 * When a new grant is renewed for the first time, unless a third of it is less: a grant that a store forgot is then known
 * to be lost a second later, and a copy of the process as well.
 */
const FIRST_RENEWAL_MS = 1000;

/** How soon a renewal that failed is tried again, the first time. It doubles from time to time. */
const FIRST_RETRY_MS = 100;

/** When less is left of a lease than this, in milliseconds, no further renewal is tried. */
const LAST_RETRY_MS = 10;

/** A lease, from its first question to the store on. */
export class LeaseSession<Generator extends SnowflakeGenerator = SnowflakeGenerator>
  extends AsyncDisposer
  implements Lease<Generator>
{
  declare readonly generator: Generator;
  readonly #plan: LeaseSettings;
  readonly #store: LeasePort;
  readonly #grantee: Grantable;
  readonly #clock: () => number;
  readonly #onLost: Listeners<LeaseExpiredError> = new Set();
  readonly #onRenewalFailed: Listeners<unknown> = new Set();
  readonly #onReacquired: Listeners<LeaseStatus> = new Set();
  /** The request for a node that has had no answer yet, to be sent again as it is. */
  #ask: LeaseRequest | undefined;
  /** The requests that were granted, of which an answer may still come late. */
  readonly #granted: WeakSet<LeaseRequest> = new WeakSet();
  /** What names the grant to the store. */
  #held: Omit<LeaseClaim, "nonce"> | undefined;
  /** The nonce of the renewal that has had no answer yet; `""` if there is none. */
  #nonce = "";
  #grant: Grant = { node: 0, from: 0, until: 0 };
  #state: LeaseStatus["state"] = "lost";
  #loss: LeaseExpiredError | undefined;
  #release: Promise<void> | undefined;
  /** The first tick that was not stamped, until the store knows it. */
  #owed: number | undefined;
  #stopTimer: () => void = () => {};
  #renewedMs = 0;
  #skewMs = 0;
  #failures = 0;
  #lastError: unknown;
  #grants = 0;

  constructor(plan: LeaseSettings, generator: Generator, grantee: Grantable, clock: () => number) {
    super(() => this.release());
    this.generator = generator;
    this.#plan = plan;
    this.#store = leasePort(plan.backend, plan.name);
    this.#grantee = grantee;
    this.#clock = clock;
  }

  get node(): number {
    return this.#grant.node;
  }

  get until(): Date {
    return new Date(this.#untilMs);
  }

  #fields(): NodeFields {
    return nodeFields(this.node, this.generator.layout.machineBits);
  }

  get #untilMs(): number {
    const { epochMs, tickMs } = this.#plan.space;
    return epochMs + this.#grant.until * tickMs;
  }

  onLost(listener: (error: LeaseExpiredError) => void): () => void {
    const remove = add(this.#onLost, listener);
    if (this.#state === "lost") call(listener, this.#loss as LeaseExpiredError);
    return remove;
  }

  onRenewalFailed(listener: (error: unknown) => void): () => void {
    return add(this.#onRenewalFailed, listener);
  }

  onReacquired(listener: (status: LeaseStatus) => void): () => void {
    return add(this.#onReacquired, listener);
  }

  status(): LeaseStatus {
    return {
      // By the clock, for a process that was paused has had no time yet to notice.
      state: this.#state === "held" && this.#leftMs() <= 0 ? "lost" : this.#state,
      namespace: this.#plan.name,
      node: this.node,
      ...this.#fields(),
      until: this.until,
      renewedAt: new Date(this.#renewedMs),
      skewMs: this.#skewMs,
      failures: this.#failures,
      lastError: this.#lastError,
      grants: this.#grants,
    };
  }

  release(): Promise<void> {
    this.#release ??= this.#giveBack().catch((error) => {
      this.#release = undefined;
      throw error;
    });
    return this.#release;
  }

  async #giveBack(): Promise<void> {
    // What was lost is not ours to give: the store has ended it as well, or someone else has it.
    if (this.#state === "held") this.#owed = this.#grantee.close();
    this.abandon();
    if (this.#owed === undefined) return;
    this.#grantee.extend(this.#owed); // For who asks why there are no IDs: that is where it ended.
    await this.#store.release(this.#plan.space, this.#claim(this.#nonce), this.#owed);
    this.#owed = undefined;
  }

  /** Wants no node any more. One that an answer on its way still brings is given back. */
  abandon(): void {
    this.#stopTimer();
    this.#state = "released";
  }

  #claim(nonce: string): LeaseClaim {
    return { ...(this.#held as Omit<LeaseClaim, "nonce">), nonce };
  }

  /** Asks for a node. */
  async acquire(asking?: CallOptions): Promise<void> {
    const { space, name, holder } = this.#plan;
    const nowMs = this.#read();
    // Drawn for each request, and kept only until that has its answer: what is drawn before may be in a snapshot that
    // many processes start from.
    const ask = this.#ask ?? askFor(holder);
    this.#ask = ask;
    const heldOf = (node: number) => ({ owner: ask.owner, node, generation: 0, grantNonce: ask.nonce });
    const giveBack = ({ node, from }: Grant) =>
      this.#store.release(space, { ...heldOf(node), nonce: "" }, from);
    // Sent again, the same request gets the same node. So an answer that comes too late to be used matters only where
    // nobody asks again. Where a node was had by that request, it says nothing of what was stamped since.
    const onLateAnswer = (tardy: LeaseAnswer | null) => {
      if (this.#state !== "released" || this.#granted.has(ask) || tardy?.outcome !== "granted") return;
      giveBack(tardy).catch(() => {}); // Then it is free in a while.
    };
    const answer = await this.#store.acquire(space, ask, nowMs, { ...asking, onLateAnswer });
    this.#ask = undefined;
    if (answer.outcome === "shape") {
      throw new NamespaceError(
        `namespace ${name}`,
        `used as it was first, for ${answer.shape}`,
        space.shape,
      );
    }
    if (answer.outcome === "skew") throw new ClockSkewError(nowMs, answer.storeMs, space.maxSkewMs);
    if (answer.outcome === "taken") {
      throw new NoNodeAvailableError(name, space.count, space.epochMs + answer.soonest * space.tickMs);
    }
    if (answer.outcome === "fenced") {
      throw new LeaseFenceError(name, space.epochMs + answer.until * space.tickMs);
    }
    if (answer.outcome === "cut") throw new StoreCutOffError(name, answer.seenMs, answer.storeMs);
    if (answer.outcome !== "granted")
      throw new BackendError("lease: acquire", "answer", "the answer makes no sense");
    if (this.#state === "released") {
      // Given back while the answer was on its way.
      return giveBack(answer);
    }
    const { maxTick } = this.#plan.generatorSettings;
    if (answer.from > maxTick) {
      await giveBack(answer);
      throw new TimestampOverflowError(nowMs, answer.from, maxTick);
    }
    this.#grant = answer;
    this.#granted.add(ask);
    this.#held = heldOf(answer.node);
    this.#nonce = "";
    this.#grantee.open(answer, nowMs);
    this.#state = "held";
    this.#grants++;
    this.#succeed(nowMs, answer.storeMs, FIRST_RENEWAL_MS);
    if (this.#grants > 1) callAll(this.#onReacquired, this.status());
  }

  /** The clock, as far as it tells a time that a lease can begin at. */
  #read(): number {
    const nowMs = this.#clock();
    if (!Number.isFinite(nowMs)) throw new ArgumentError("clock()", "a finite number", nowMs);
    const { epochMs } = this.#plan.space;
    if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
    return Math.floor(nowMs);
  }

  #succeed(nowMs: number, storeMs: number, mostMs = Infinity): void {
    this.#renewedMs = nowMs;
    this.#skewMs = nowMs - storeMs;
    this.#failures = 0;
    this.#lastError = undefined;
    this.#later(Math.min(this.#plan.ttlMs / 3, mostMs));
  }

  #later(ms: number): void {
    this.#stopTimer();
    this.#stopTimer = startTimer(() => void this.#keep(), ms, true);
  }

  /** One attempt to renew, or to get a new lease where the old one is lost. It never rejects. */
  async #keep(): Promise<void> {
    try {
      if (this.#state === "lost") await this.acquire({ background: true });
      else if (this.#leftMs() > 0) await this.#renew();
      else this.#lose(this.#lastError ?? new Error("no renewal ran in time: paused or blocked"));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#state === "released") return;
    this.#failures++;
    this.#lastError = error;
    if (this.#state === "held") callAll(this.#onRenewalFailed, error);
    const pauseMs = pauseOf(this.#failures, this.#plan.ttlMs);
    const leftMs = this.#state === "held" ? this.#leftMs() : Infinity;
    // The nearer the end, the more often, so that a store which is back just in time is in time.
    if (leftMs > LAST_RETRY_MS) this.#later(Math.min(pauseMs, leftMs / 2));
    else if (leftMs > 0) this.#later(leftMs);
    else this.#lose(error);
  }

  /** How long the lease has to go. A clock is a function of the user's, and may fail: then it is not over yet. */
  #leftMs(): number {
    try {
      return this.#untilMs - this.#read();
    } catch {
      return Infinity;
    }
  }

  async #renew(): Promise<void> {
    const { space, name } = this.#plan;
    const nowMs = this.#read();
    // The same again until it has its answer, so that the store can tell a request that comes twice from a copy of this
    // process.
    this.#nonce ||= freshToken();
    const claim = this.#claim(this.#nonce);
    // Not past its end: who is told too late that it has ended, is told of the loss too late.
    const asking = { background: true, maxWaitMs: this.#untilMs - nowMs + 1 };
    const answer = await this.#store.renew(space, claim, nowMs, asking);
    if (this.#state !== "held") return;
    // A grant with another beginning is another grant: an acquire sent earlier under this owner's name has come late, and
    // in between the node may have been someone else's.
    if (answer.outcome === "granted" && answer.from === this.#grant.from) {
      // Its end may be nearer, in a store that has gone back or where a copy has given the node back: what the store
      // knows is what counts.
      this.#grant = answer;
      this.#held = { ...claim, generation: claim.generation + 1, grantNonce: claim.nonce };
      this.#nonce = "";
      this.#grantee.extend(answer.until);
      this.#succeed(nowMs, answer.storeMs);
    } else if (answer.outcome === "skew") {
      throw new ClockSkewError(nowMs, answer.storeMs, space.maxSkewMs);
    } else if (answer.outcome === "cut") {
      throw new StoreCutOffError(name, answer.seenMs, answer.storeMs);
    } else {
      const why = `node ${this.node} is another's, or a copy of this process renewed it, or the store lost it`;
      this.#lose(new BackendError("lease: renew", "answer", why));
    }
  }

  #lose(cause: unknown): void {
    this.#grantee.close();
    this.#state = "lost";
    this.#loss = new LeaseExpiredError(this.node, this.#untilMs, this.#untilMs - this.#leftMs(), { cause });
    this.#lastError = cause;
    callAll(this.#onLost, this.#loss);
    if (this.#plan.isReacquired) this.#later(pauseOf(0, this.#plan.ttlMs));
  }
}

/**
 * A request under a name that no other holder has, with the one that the user gave this process. The name is drawn for
 * this request alone, so it is a nonce as well.
 */
function askFor(holder: string): LeaseRequest {
  const nonce = freshToken();
  return { owner: holder === "" ? nonce : `${nonce} ${holder}`, nonce };
}

/** Functions of the program, to be called with what happened. */
type Listeners<T> = Set<(event: T) => void>;

/** Adds a listener; returns a function that takes it away. */
function add<T>(listeners: Listeners<T>, listener: (event: T) => void): () => void {
  if (typeof listener !== "function") throw new ArgumentError("listener", "a function", listener);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Calls a listener later: what it throws is the program's, and does not keep a lease from being renewed. */
function call<T>(listener: (event: T) => void, event: T): void {
  queueMicrotask(() => listener(event));
}

function callAll<T>(listeners: Listeners<T>, event: T): void {
  for (const listener of listeners) call(listener, event);
}

/** How long to wait after so many failures: twice as long each time, and never all processes at the same moment. */
function pauseOf(failures: number, ttlMs: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** failures, ttlMs / 6) * (0.5 + Math.random() / 2);
}
