// Fixtures of the IdPool tests: stepped time, pools with defaults, and stores that can be inspected, fail, hang or delay.

import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import type { BitflakeError } from "../../src/index.ts";
import {
  IdPool,
  type IdPoolOptions,
  NumericIdType,
  type OwnRules,
  type RuleSet,
} from "../../src/numeric/index.ts";

const NOW: number = Date.UTC(2026, 10, 21);

/** Replaces the clock and timers in each test: time advances to the next timer as soon as nothing else is to be done. */
export function useSteppedTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    vi.setTimerTickMode("nextTimerAsync");
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Stops time: only `advanceTime` advances it. */
export const freezeTime = (): unknown => vi.setTimerTickMode("manual");
/** Fires the timers of the next `ms` milliseconds and settles promises. */
export const advanceTime = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
/** Lets all background work finish. Returns how long that took. */
export async function finishBackground(): Promise<number> {
  const started = Date.now();
  await new Promise((wake) => setTimeout(wake, 10_000));
  return Date.now() - started;
}

export const typeOf = (length: number, rules?: RuleSet | OwnRules, name = "farmer"): NumericIdType =>
  new NumericIdType({ name, length, rules });
/** One type per length, because each counts its IDs once. */
const plain = new Map<number, NumericIdType>();
function plainOf(length: number): NumericIdType {
  const type = plain.get(length) ?? typeOf(length);
  plain.set(length, type);
  return type;
}

/** How many IDs of a few digits exist: see also the tests of types. */
export const ALL = { 2: 8, 3: 54, 4: 465, 5: 3723, 6: 29_593 } as const;
/** So many digits that some thousand draws never repeat an ID. */
export const MANY = 16;
/** Every ID of four digits. */
export const FOURS: string[] = plainOf(4).generateIds(ALL[4]).sort();

/** Creates a pool. By default it has IDs of four digits and its own store. */
export function poolOf({
  length = 4,
  ...options
}: Partial<IdPoolOptions> & { length?: number } = {}): IdPool {
  return new IdPool({ backend: memory(), type: plainOf(length), ...options });
}

/** Returns the error that a call rejects with. */
export const rejection = (call: Promise<unknown>): Promise<BitflakeError> =>
  call.then(
    (value) => {
      throw new Error(`did not reject, but resolved to ${inspect(value)}`);
    },
    (error) => error,
  );

/** Returns the error that a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("did not throw");
}

/** Issues `count` IDs one by one. */
export async function issueEach(pool: IdPool, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await pool.issue());
  return ids;
}

/** Issues IDs until an error. Returns both. */
export async function drain(pool: IdPool): Promise<{ ids: string[]; end: unknown }> {
  const ids: string[] = [];
  for (;;) {
    try {
      ids.push(await pool.issue());
    } catch (end) {
      return { ids, end };
    }
  }
}

/** Asserts that all strings are IDs of a type and differ. */
export function expectDistinct(ids: readonly string[], type: NumericIdType): void {
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
}

/** Returns a generator of numbers below a limit, the same for the same seed: FC_SEED repeats a run. */
export function seeded(): (below: number) => number {
  let state = fc.readConfigureGlobal().seed ?? 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** The step of a store that a call was. A count is one of its own, or an issue of more IDs than are available. */
export type Operation =
  | "register"
  | "issue"
  | "count"
  | "status"
  | "add"
  | "import"
  | "claim"
  | "release"
  | "advance";

/** State of a type in the store. */
export interface PoolState {
  readonly available: readonly string[];
  readonly places: ReadonlyMap<string, number>;
  readonly scan: string;
  readonly refiller: string | undefined;
}

/** A call of a step: by which pool, and how many IDs were available before it. */
export interface Call {
  readonly by: string;
  readonly operation: Operation;
  readonly result: unknown;
  readonly available: number;
}

/** Returns which step was called, judging by its effect. */
function operationOf(
  name: string,
  before: PoolState | undefined,
  after: PoolState,
  result: unknown,
): Operation {
  if (name.startsWith("ids:")) return "register";
  if (Array.isArray(result)) return "issue";
  if (typeof result === "boolean") return before?.scan === after.scan ? "release" : "advance";
  if (typeof result === "number") {
    const taken = (state: PoolState) => state.places.size - state.available.length;
    return taken(after) > (before ? taken(before) : 0) ? "import" : "add";
  }
  if (result === null || typeof result === "string") return "claim";
  return "taken" in (result as object) ? "status" : "count";
}

/** A store in memory whose state and calls are visible, and which fails, hangs or gives a wrong answer on demand. */
export class InspectableStore {
  readonly calls: Call[] = [];
  fails: (operation: Operation) => boolean = () => false;
  hangs: (operation: Operation) => boolean = () => false;
  /** Wrong answers by operation. */
  readonly answers: Map<Operation, unknown> = new Map();
  readonly #states = new Map<string, unknown>();

  /** The current state of the type "farmer". */
  get state(): PoolState {
    return this.#states.get("pool:farmer") as PoolState;
  }

  /** Returns the calls of some operations since the last time, as text. */
  takeCalls(...operations: Operation[]): string[] {
    const calls = this.calls.splice(0);
    return calls.flatMap(({ by, operation }) =>
      operations.includes(operation) ? [`${by} ${operation}`] : [],
    );
  }

  /** Returns the port of one pool. */
  port(by = "pool", timeoutMs = 5000): MemoryPort {
    const change = <State, Result>(
      name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ): Result => {
      const before = this.#states.get(name) as State | undefined;
      // A copy, because a pool changes the state in place, and a step that fails must have no effect.
      const [after, result] = change(structuredClone(before), Date.now());
      const operation = operationOf(name, before as PoolState | undefined, after as PoolState, result);
      const available = (before as Partial<PoolState> | undefined)?.available?.length ?? 0;
      this.calls.push({ by, operation, result, available });
      if (this.fails(operation)) throw new Error(`${operation} refused`);
      this.#states.set(name, after);
      if (this.answers.has(operation)) return this.answers.get(operation) as Result;
      return this.hangs(operation) ? (new Promise(() => {}) as unknown as Result) : result;
    };
    return { change, timeoutMs };
  }
}

/** Returns a store in memory that waits before and after each step. */
export function delayedStore(delayMs: () => number): MemoryPort {
  const store = memory();
  const wait = () => new Promise((wake) => setTimeout(wake, delayMs()));
  return {
    change: (<State, Result>(
      name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ) =>
      wait().then(async () => {
        const result = store.change(name, change);
        await wait();
        return result;
      })) as unknown as MemoryPort["change"],
  };
}
