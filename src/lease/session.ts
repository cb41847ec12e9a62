// LeaseSession: acquires a node, renews its grant in the background, and reports when it is lost.

import { AsyncDisposer } from "../asyncDispose.ts";
import { type CallOptions, startTimer } from "../backend/call.ts";
import { clockOf } from "../backend/storeClock.ts";
import { publish } from "../events/channels.ts";
import type { LeaseEvent } from "../events/index.ts";
import {
  ArgumentError,
  BackendError,
  EpochError,
  freshToken,
  type Grant,
  type GrantedSource,
  LeaseExpiredError,
  type NodeFields,
  type SnowflakeGenerator,
  TimestampOverflowError,
} from "../internal.ts";
import type { Lease, LeaseStatus } from "./lease.ts";
import { Listeners, notifyLater } from "./listeners.ts";
import { nodeFields } from "./nodeSpace.ts";
import { leasePort } from "./openPort.ts";
import type { LeaseSettings } from "./options.ts";
import type { LeasePort } from "./port.ts";
import { refusalError } from "./refusal.ts";
import { firstRenewalPause, pauseAfterFailure, renewalPause, retryPause } from "./renewalPause.ts";
import { type GrantProof, type LeaseRequest, tickAt } from "./rule.ts";

/** The longest timer, in milliseconds: how late the end of a lease may be noticed after the machine was suspended. */
const MAX_TIMER_PART_MS = 1000;

/** The grant as the store identifies it. */
type GrantId = Omit<GrantProof, "nonce">;

export class LeaseSession<Generator extends SnowflakeGenerator = SnowflakeGenerator>
  extends AsyncDisposer
  implements Lease<Generator>
{
  declare readonly generator: Generator;
  readonly #settings: LeaseSettings;
  readonly #port: LeasePort;
  readonly #source: GrantedSource;
  readonly #onLost: Listeners<LeaseExpiredError> = new Listeners();
  readonly #onRenewalFailed: Listeners<unknown> = new Listeners();
  readonly #onReacquired: Listeners<LeaseStatus> = new Listeners();
  /** The acquire request that has no answer yet. The next acquire sends it again unchanged. */
  #request: LeaseRequest | undefined;
  /** The acquire requests whose grant was opened. A late answer to one of them is ignored. */
  readonly #grantedRequests: WeakSet<LeaseRequest> = new WeakSet();
  #grantId: GrantId | undefined;
  /** The nonce of the renewal that was sent and is not granted yet, `""` if there is none. */
  #renewalNonce = "";
  #grant: Grant = { node: 0, from: 0, until: 0 };
  /** `"lost"` also before the first grant, because a session without a grant acquires one in either case. */
  #state: LeaseStatus["state"] = "lost";
  #loss: LeaseExpiredError | undefined;
  #release: Promise<void> | undefined;
  /** The tick after the last one stamped, while a release is not confirmed yet. */
  #nextTick: number | undefined;
  #stopTimer: () => void = () => {};
  /** The last valid reading of the clock. */
  #lastReadingMs = 0;
  #renewedMs = 0;
  #skewMs = 0;
  #failures = 0;
  #lastError: unknown;
  #grantCount = 0;

  /** @param source the source of the generator's IDs, which gets the grants */
  constructor(settings: LeaseSettings, generator: Generator, source: GrantedSource) {
    super(() => this.release());
    this.generator = generator;
    this.#settings = settings;
    this.#port = leasePort(settings.backend, settings.name);
    this.#source = source;
  }

  get node(): number {
    return this.#grant.node;
  }

  get until(): Date {
    return new Date(this.#untilMs);
  }

  get #fields(): NodeFields {
    return nodeFields(this.node, this.#settings.generatorSettings.layout.machineBits);
  }

  get #untilMs(): number {
    const { epochMs, tickMs } = this.#settings.terms;
    return epochMs + this.#grant.until * tickMs;
  }

  onLost(listener: (error: LeaseExpiredError) => void): () => void {
    const remove = this.#onLost.add(listener);
    if (this.#state === "lost") notifyLater(listener, this.#loss as LeaseExpiredError);
    return remove;
  }

  onRenewalFailed(listener: (error: unknown) => void): () => void {
    return this.#onRenewalFailed.add(listener);
  }

  onReacquired(listener: (status: LeaseStatus) => void): () => void {
    return this.#onReacquired.add(listener);
  }

  status(): LeaseStatus {
    const { name } = this.#settings;
    return {
      // By the clock, because a process that was paused has not noticed the end yet.
      state: this.#state === "held" && this.#leftMs() <= 0 ? "lost" : this.#state,
      name,
      namespace: name,
      node: this.node,
      ...this.#fields,
      until: this.until,
      renewedAt: new Date(this.#renewedMs),
      clock: clockOf(this.#settings.backend),
      skewMs: this.#skewMs,
      failures: this.#failures,
      lastError: this.#lastError,
      grants: this.#grantCount,
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
    // A lost lease is not released. If the store still has its grant, as after a leap of this process's clock, the node is
    // free when that grant ends.
    if (this.#state === "held") this.#nextTick = this.#source.close();
    this.abandon();
    if (this.#nextTick === undefined) return;
    this.#source.setEnd(this.#nextTick); // The generator's error then says where the lease ended.
    await this.#port.release(this.#settings.terms, this.#proof(this.#renewalNonce), this.#nextTick);
    this.#nextTick = undefined;
  }

  /** Ends the session. A node that a late answer still grants is released. */
  abandon(): void {
    this.#stopTimer();
    this.#state = "released";
  }

  #proof(nonce: string): GrantProof {
    return { ...(this.#grantId as GrantId), nonce };
  }

  /** Returns the facts about the grant for an event. */
  #event(): LeaseEvent {
    return { name: this.#settings.name, node: this.node, ...this.#fields, untilMs: this.#untilMs };
  }

  /** Acquires a node. */
  async acquire(options?: CallOptions): Promise<void> {
    const { terms, holder, generatorSettings } = this.#settings;
    const nowMs = this.#readClock();
    // Created per request and kept until its answer. An owner drawn earlier could be in a snapshot that many processes
    // start from.
    const request = this.#request ?? createRequest(holder);
    this.#request = request;
    const grantIdOf = (node: number) => ({
      owner: request.owner,
      node,
      generation: 0,
      grantNonce: request.nonce,
    });
    const releaseUnused = ({ node, from }: Grant) =>
      this.#port.release(terms, { ...grantIdOf(node), nonce: "" }, from);
    // Until the session has ended, a request without an answer is sent again unchanged, and gets the same node (or with cells
    // perhaps another one), so ignore late answers.
    // After that, release the node, unless an earlier answer to this request was opened: then ticks after `from` may be
    // stamped.
    const onLateGrant = (late: Grant) => {
      if (this.#state !== "released" || this.#grantedRequests.has(request)) return;
      releaseUnused(late).catch(() => {}); // The node is free when its grant ends.
    };
    const answer = await this.#port.acquire(terms, request, nowMs, { ...options, onLateGrant });
    this.#request = undefined;
    if (answer.outcome !== "granted") throw refusalError(this.#settings, answer, nowMs);
    // Released while the answer was on its way.
    if (this.#state === "released") return releaseUnused(answer);
    const { maxTick } = generatorSettings;
    if (answer.from > maxTick) {
      await releaseUnused(answer);
      throw new TimestampOverflowError(nowMs, answer.from, maxTick);
    }
    this.#grant = answer;
    this.#grantedRequests.add(request);
    this.#grantId = grantIdOf(answer.node);
    this.#renewalNonce = "";
    this.#source.open(answer, nowMs);
    this.#state = "held";
    this.#grantCount++;
    this.#succeed(nowMs, answer.storeMs, firstRenewalPause(this.#settings.ttlMs));
    publish("bitflake:lease:acquired", () => ({
      ...this.#event(),
      grants: this.#grantCount,
      skewMs: this.#skewMs,
    }));
    if (this.#grantCount > 1) this.#onReacquired.notify(this.status());
  }

  /** Reads the clock. Throws if a lease cannot begin at its time. */
  #readClock(): number {
    const { clock } = this.#settings.generatorSettings;
    const nowMs = clock();
    if (!Number.isFinite(nowMs)) throw new ArgumentError("clock()", "a finite number", nowMs);
    const { epochMs } = this.#settings.terms;
    if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
    this.#lastReadingMs = Math.floor(nowMs);
    return this.#lastReadingMs;
  }

  /** Returns the current time, or the last reading if the user's clock throws. */
  #currentOrLastMs(): number {
    try {
      return this.#readClock();
    } catch {
      return this.#lastReadingMs;
    }
  }

  #succeed(nowMs: number, storeMs: number, pauseMs: number): void {
    this.#renewedMs = nowMs;
    this.#skewMs = nowMs - storeMs;
    this.#failures = 0;
    this.#lastError = undefined;
    this.#schedule(pauseMs);
  }

  /** Runs {@link LeaseSession.#keepAlive} after a pause, or when the lease has ended before. */
  #schedule(ms: number): void {
    this.#stopTimer();
    // In parts: the timers of a suspended machine stand still, and go on where they stood.
    const partMs = Math.min(ms, MAX_TIMER_PART_MS);
    const wake = () => {
      const isOver = this.#state === "held" && this.#leftMs() <= 0;
      if (partMs === ms || isOver) void this.#keepAlive();
      else this.#schedule(ms - partMs);
    };
    this.#stopTimer = startTimer(wake, partMs, { background: true });
  }

  /** Tries once to renew the grant, or to acquire a new one if it is lost. It never rejects. */
  async #keepAlive(): Promise<void> {
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
    if (this.#state === "held") this.#onRenewalFailed.notify(error);
    const leftMs = this.#state === "held" ? this.#leftMs() : Infinity;
    const pauseMs = pauseAfterFailure(this.#failures, this.#settings.ttlMs, leftMs);
    if (pauseMs === undefined) this.#lose(error);
    else this.#schedule(pauseMs);
  }

  /** Returns the time until the lease ends. The user's clock may throw; then count it as not ended. */
  #leftMs(): number {
    try {
      return this.#untilMs - this.#readClock();
    } catch {
      return Infinity;
    }
  }

  async #renew(): Promise<void> {
    const { terms, ttlMs } = this.#settings;
    const nowMs = this.#readClock();
    // The same nonce until the renewal is granted, so that the store distinguishes a repeated request from a copy of this
    // process.
    this.#renewalNonce ||= freshToken();
    const proof = this.#proof(this.#renewalNonce);
    // Until the lease ends at most, for all statements of an SQL store together, so that the loss is reported in time.
    const options = { background: true, maxWaitMs: this.#untilMs - nowMs + 1 };
    const answer = await this.#port.renew(terms, proof, nowMs, options);
    if (this.#state !== "held") return;
    // An answer with another `from` is about another grant: a late acquire of this owner was executed, and between the
    // two grants another holder may have had the node.
    if (answer.outcome === "granted" && answer.from === this.#grant.from) {
      // Its end may be earlier than before, if the store went back. The store decides.
      this.#grant = answer;
      this.#grantId = { ...proof, generation: proof.generation + 1, grantNonce: proof.nonce };
      this.#renewalNonce = "";
      this.#source.setEnd(answer.until);
      this.#succeed(nowMs, answer.storeMs, renewalPause(ttlMs));
      publish("bitflake:lease:renewed", () => ({ ...this.#event(), skewMs: this.#skewMs }));
    } else if (answer.outcome === "skew" || answer.outcome === "cutOff") {
      throw refusalError(this.#settings, answer, nowMs);
    } else {
      const reason = `node ${this.node} is held by another process, or a copy of this process renewed it, or the store lost it`;
      this.#lose(new BackendError("lease: renew", "answer", reason));
    }
  }

  #lose(cause: unknown): void {
    const nextTick = this.#source.close();
    this.#state = "lost";
    const nowMs = this.#currentOrLastMs();
    // Another holder may have the node before `until`, so the errors and the status show the time of the loss.
    const until = Math.min(this.#grant.until, Math.max(nextTick, tickAt(this.#settings.terms, nowMs)));
    this.#grant = { ...this.#grant, until };
    this.#source.setEnd(until);
    const error = new LeaseExpiredError(this.node, this.#untilMs, nowMs, { cause });
    this.#loss = error;
    this.#lastError = cause;
    this.#onLost.notify(error);
    publish("bitflake:lease:lost", () => ({ ...this.#event(), error }));
    if (this.#settings.reacquires) this.#schedule(retryPause(0, this.#settings.ttlMs));
  }
}

/** Creates a request. Its owner is a random token, and the label that the user gave this process. */
function createRequest(holder: string): LeaseRequest {
  const nonce = freshToken();
  return { owner: holder === "" ? nonce : `${nonce} ${holder}`, nonce };
}
