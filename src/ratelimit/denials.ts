// Denials of a store, remembered so that calls that it would deny again need no call to it.

import type { Backend } from "../backend/ports.ts";
import { type ConsumeResult, consume, type Gcra } from "./rule.ts";

/** How many keys of a backend are remembered at most. The oldest is forgotten first. */
export const MAX_DENIALS = 10_000;

/** A reading of this process's clocks, in milliseconds. */
export interface ClockReading {
  /** Of a clock that is never set. It may stand still while the machine sleeps. */
  readonly steadyMs: number;
  /** Of a clock that goes on while the machine sleeps. It may be set. */
  readonly wallMs: number;
}

export function readClocks(): ClockReading {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

interface Denial {
  readonly result: ConsumeResult;
  /** When the request was sent that was denied. */
  readonly sent: ClockReading;
}

/**
 * The denials of a backend. One object for all limits on it, so that a reset by one limit counts for others of its name.
 *
 * A remembered TAT is never later than the store's, unless another process gives quota back. So a call that it denies, the store
 * would deny too.
 */
export class Denials {
  readonly #denials = new Map<string, Denial>();
  #removals = 0;

  /** How often quota was given back. A denial from before is not remembered. */
  get removals(): number {
    return this.#removals;
  }

  /**
   * Remembers the denial of a request.
   *
   * @param sent when the request was sent
   * @param removals the value of {@link removals} at that time
   */
  remember(name: string, key: string, result: ConsumeResult, sent: ClockReading, removals: number): void {
    if (removals !== this.#removals) return;
    const id = idOf(name, key);
    // Puts a key that is denied again at the end.
    this.#denials.delete(id);
    this.#denials.set(id, { result, sent });
    if (this.#denials.size <= MAX_DENIALS) return;
    const [oldest] = this.#denials.keys();
    this.#denials.delete(oldest as string);
  }

  /** Returns the denial of a call, or `undefined` if the store has to decide. */
  recall(
    gcra: Gcra,
    name: string,
    key: string,
    costUs: number,
    present: ClockReading,
  ): ConsumeResult | undefined {
    const id = idOf(name, key);
    const denial = this.#denials.get(id);
    if (denial === undefined) return undefined;
    const { result, sent } = denial;
    // The store read its clock after the request was sent, so this is never before the store's time, and a denial ends in
    // time. The clock that has moved further is right if the machine slept, or if the wall clock was set back.
    const elapsedMs = Math.max(present.steadyMs - sent.steadyMs, present.wallMs - sent.wallMs, 0);
    const now = result.now + Math.ceil(elapsedMs * 1000);
    const again = consume(gcra, costUs, result.tat, now, Infinity, result.blockedUntil);
    if (!again.allowed) return again;
    if (costUs <= gcra.interval) this.#denials.delete(id);
    return undefined;
  }

  /** Forgets a key, because quota was given back. */
  forget(name: string, key: string): void {
    this.#removals++;
    this.#denials.delete(idOf(name, key));
  }
}

/** Names have no line breaks. */
function idOf(name: string, key: string): string {
  return `${name}\n${key}`;
}

const denialsByBackend = /* @__PURE__ */ new WeakMap<Backend, Denials>();

/** Returns the denials of a backend. */
export function denialsOf(backend: Backend): Denials {
  const known = denialsByBackend.get(backend);
  if (known) return known;
  const denials = new Denials();
  denialsByBackend.set(backend, denials);
  return denials;
}
