// Rate limits in the memory of this process: the rule itself.

import { callMemory } from "../backend/call.ts";
import { putExpiring } from "../backend/expiry.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { areAllowed, areTogetherOrUndefined, OPERATION, plausibleOrUndefined } from "./parseAnswer.ts";
import type { KeyCall, RateLimitPort } from "./port.ts";
import { block, type ConsumeResult, consume, type Gcra, isChange, peek, refund } from "./rule.ts";

/** The TATs of a limit's keys, by key. Changed in place, because a copy for each call would be slow. */
type Entries = Map<string, { readonly ends: number }>;

/**
 * The ends of blocks, by key. Apart from the TATs, because a long block at the head of their map would keep the entries
 * after it from being deleted.
 */
interface Blocks {
  readonly ends: Map<string, number>;
  /** The size at which ended blocks are deleted: twice the number that was left the last time. */
  readonly sweepSize: number;
}

const MIN_SWEEP_SIZE = 100;

/** The keys of a limit. */
class MemoryKeys {
  readonly #backend: MemoryPort;
  readonly #name: string;
  readonly #gcra: Gcra;

  constructor(backend: MemoryPort, name: string, gcra: Gcra) {
    this.#backend = backend;
    this.#name = name;
    this.#gcra = gcra;
  }

  consume(key: string, costUs: number): ConsumeResult {
    const blockedUntil = this.#blockedUntil(key);
    return this.#changeTats((entries, now) => {
      const before = entries.get(key)?.ends;
      const result = consume(this.#gcra, costUs, before, now, undefined, blockedUntil);
      if (isChange(result, before)) putExpiring(entries, key, { ends: result.tat }, now);
      return result;
    });
  }

  peek(key: string, costUs: number): ConsumeResult {
    const blockedUntil = this.#blockedUntil(key);
    return this.#changeTats((entries, now) =>
      peek(this.#gcra, costUs, entries.get(key)?.ends, now, undefined, blockedUntil),
    );
  }

  refund(key: string, costUs: number, callTat: number): void {
    this.#changeTats((entries, now) => {
      const before = entries.get(key)?.ends;
      const tat = refund(before, costUs, callTat, now);
      if (tat !== undefined && tat !== before) putExpiring(entries, key, { ends: tat }, now);
    });
  }

  block(key: string, forUs: number): void {
    this.#changeBlocks((blocks = { ends: new Map(), sweepSize: MIN_SWEEP_SIZE }, now) => {
      blocks.ends.set(key, block(blocks.ends.get(key), forUs, now));
      return [sweep(blocks, now), undefined];
    });
  }

  reset(key: string): void {
    this.#changeTats((entries) => entries.delete(key));
    this.#changeBlocks((blocks) => [blocks, blocks?.ends.delete(key)]);
  }

  #blockedUntil(key: string): number | undefined {
    return this.#changeBlocks((blocks) => [blocks, blocks?.ends.get(key)]);
  }

  #changeTats<T>(change: (entries: Entries, now: number) => T): T {
    return this.#backend.change<Entries, T>(`rate:${this.#name}`, (entries = new Map(), nowMs) => [
      entries,
      change(entries, toMicroseconds(nowMs)),
    ]);
  }

  #changeBlocks<T>(change: (blocks: Blocks | undefined, now: number) => readonly [Blocks | undefined, T]): T {
    return this.#backend.change<Blocks | undefined, T>(`block:${this.#name}`, (blocks, nowMs) =>
      change(blocks, toMicroseconds(nowMs)),
    );
  }
}

function toMicroseconds(ms: number): number {
  return Math.floor(ms * 1000);
}

/** Deletes the blocks that have ended, if there are many. */
function sweep(blocks: Blocks, now: number): Blocks {
  const { ends, sweepSize } = blocks;
  if (ends.size < sweepSize) return blocks;
  for (const [key, end] of ends) if (end <= now) ends.delete(key);
  return { ends, sweepSize: Math.max(MIN_SWEEP_SIZE, 2 * ends.size) };
}

/** Counts a call of several keys, or none. No other call comes in between, because there is no pause. */
export function consumeTogetherInMemory(
  backend: MemoryPort,
  calls: readonly KeyCall[],
): Promise<readonly ConsumeResult[]> {
  const step = () => {
    const opened = calls.map(({ name, gcra, ...call }) => ({
      ...call,
      keys: new MemoryKeys(backend, name, gcra),
    }));
    const peeked = opened.map(({ keys, key, costUs }) => keys.peek(key, costUs));
    return areAllowed(peeked) ? opened.map(({ keys, key, costUs }) => keys.consume(key, costUs)) : peeked;
  };
  return callMemory(backend, OPERATION.consume, step, (answer) =>
    areTogetherOrUndefined(calls, answer as ConsumeResult[]),
  );
}

export function memoryRateLimitPort(backend: MemoryPort, name: string, gcra: Gcra): RateLimitPort {
  const keys = new MemoryKeys(backend, name, gcra);
  const change = async (operation: string, call: () => void) => {
    await callMemory(backend, operation, call, () => true);
  };
  return {
    consume(key, costUs) {
      return callMemory(
        backend,
        OPERATION.consume,
        () => keys.consume(key, costUs),
        (answer) => plausibleOrUndefined(gcra, costUs, answer as ConsumeResult),
      );
    },
    peek(key, costUs) {
      return callMemory(
        backend,
        OPERATION.peek,
        () => keys.peek(key, costUs),
        (answer) => answer as ConsumeResult,
      );
    },
    refund: (key, costUs, callTat) => change(OPERATION.refund, () => keys.refund(key, costUs, callTat)),
    block: (key, forUs) => change(OPERATION.block, () => keys.block(key, forUs)),
    reset: (key) => change(OPERATION.reset, () => keys.reset(key)),
  };
}
