// Cells: runs a pure rule on a store that only has compare-and-set: read, step, swap, and again if another was faster.

import { BackendError } from "../internal.ts";
import { type AnswerOptions, callStore, startTimer } from "./call.ts";
import type { Cell, CellPort, ListedCell } from "./ports.ts";
import { noteClock } from "./storeClock.ts";

/** The outcome of a step. */
export interface CellStep<T> {
  /** The new value; `undefined` if nothing is written. */
  readonly value?: string | undefined;
  /** How long the store has to keep the value. Default: for ever. */
  readonly keepMs?: number | undefined;
  readonly result: T;
}

/**
 * A pure step of a rule.
 *
 * @param value the value of the cell; `undefined` if it has none
 * @param nowMs the store's time; this process's if the store has no clock
 * @param hasClock whether the store has a clock
 */
export type CellRule<T> = (value: string | undefined, nowMs: number, hasClock: boolean) => CellStep<T>;

/** A cell, and when this process saw it. */
export interface SeenCell<C extends Cell = Cell> {
  readonly cell: C;
  /** A reading of `performance.now()`. */
  readonly seenAt: number;
}

/**
 * The age from which a cell that the step before left is read again, unless it is remembered. The store's time is computed
 * from the one that the cell had, by the monotonic clock, which may stand still while the process is suspended. A remembered
 * cell may be older: a grant on it is a compare-and-set, and a refusal reads again.
 */
const MAX_AGE_MS = 1000;

/** The first pause after a lost swap, and the longest. Each is twice the one before, and shortened at random by up to a half. */
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 100;

/** A cell that a step has left for the next one. */
interface QueuedCell extends SeenCell {
  /** When it was requested: the `#order` of {@link Cells} then. A larger number is later. */
  readonly sent: number;
}

/** Options of a step. */
export interface CellOptions<T> extends AnswerOptions<T> {
  /**
   * Whether the cell is remembered for the next step on this key, which then needs one call instead of two. For keys that
   * mostly this process changes. Default false.
   */
  readonly isRemembered?: boolean;
}

/**
 * The cells of one feature in a store. Steps of this process on one key run one after the other, and each begins with the cell
 * that the one before has left. So only processes compete for a key, and not the calls of one process.
 */
export class Cells {
  readonly #port: CellPort;
  /** The last step of each key that is running or remembered, with the cell that it leaves. */
  readonly #steps = new Map<string, Promise<QueuedCell | undefined>>();
  /** Counts steps and requests, so that it orders them. */
  #order = 0;
  /** How long the last two steps that wrote took, from their turns on. */
  #lastMs = 0;
  #beforeLastMs = 0;

  constructor(port: CellPort) {
    this.#port = port;
  }

  /**
   * Applies a rule to the cell of a key. A step whose turn comes so late that the store would probably answer after its time is
   * refused without a call. Otherwise a process that makes more calls than the store can answer would send only calls whose
   * answers come too late.
   *
   * @param operation the operation's name in errors, such as `"counter: reserve"`
   * @throws {@link BackendError} if the store fails, or if earlier steps or other processes took the call's time
   */
  step<T>(operation: string, key: string, rule: CellRule<T>, options: CellOptions<T> = {}): Promise<T> {
    const before = this.#steps.get(key);
    const began = ++this.#order;
    let left: QueuedCell | undefined;
    /** What this step leaves if it fails. If its time ends before its turn, the next step waits for the one before. */
    let leftByFailure: QueuedCell | undefined | typeof before = before;
    const run = async (leftMs: () => number): Promise<T> => {
      const limitMs = leftMs();
      let seen = await before;
      leftByFailure = undefined;
      const turnAt = performance.now();
      let isFirstCall = before !== undefined;
      /** Refuses a step that has waited for others, if its first call would probably be answered after its time. */
      const assertInTime = (queued: QueuedCell | undefined) => {
        // One slow step says nothing about the next. A step with half of its time is sent in any case.
        const neededMs = Math.min(2 * Math.min(this.#lastMs, this.#beforeLastMs), limitMs / 2);
        if (isFirstCall && (leftMs() === 0 || leftMs() < neededMs)) {
          leftByFailure = queued;
          throw queuedTooLong(operation);
        }
        isFirstCall = false;
      };
      if (!options.isRemembered && seen && performance.now() - seen.seenAt > MAX_AGE_MS) seen = undefined;
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
        if (!seen) {
          assertInTime(undefined);
          seen = { sent: ++this.#order, ...(await seeCell(this.#port, operation, key)) };
        }
        const { value, keepMs, result } = apply(operation, rule, seen);
        if (value === undefined) {
          left = seen;
          // A refusal counts only if its cell was read after this step began, because another process may have changed it
          // before. Steps that wait in one queue may share that read, so one read answers a flood of refused calls.
          if (seen.sent > began) return result;
          seen = undefined;
          continue;
        }
        assertInTime(seen);
        // The caller has its timeout already: a write now would surprise it.
        if (leftMs() === 0) throw contended(operation);
        const sent = ++this.#order;
        const outcome = await swapCell(this.#port, operation, key, seen.cell.version, value, keepMs);
        left = { ...outcome, sent };
        this.#beforeLastMs = this.#lastMs;
        this.#lastMs = performance.now() - turnAt;
        if (outcome.isSwapped) return result;
        await new Promise<void>((wake) => startTimer(wake, pauseMs * (0.5 + Math.random() / 2), options));
        // Among many processes, a cell from before the pause is stale nearly always.
        seen = undefined;
        if (leftMs() === 0) throw contended(operation);
      }
    };
    const result = callStore(this.#port, operation, run, (answer) => ({ result: answer as T }), {
      ...options,
      onLateAnswer: ({ result }) => options.onLateAnswer?.(result),
    });
    const step = result.then(
      () => left,
      () => leftByFailure,
    );
    this.#steps.set(key, step);
    step.then(() => {
      if (!options.isRemembered && this.#steps.get(key) === step) this.#steps.delete(key);
    });
    return result.then(({ result }) => result);
  }

  /** Remembers a cell for the next step on its key. */
  remember(key: string, seen: SeenCell): void {
    this.#steps.set(key, Promise.resolve({ ...seen, sent: 0 }));
  }
}

/** Reads a cell. */
export async function seeCell(port: CellPort, operation: string, key: string): Promise<SeenCell> {
  const cell = assertCell(operation, await port.read(key));
  noteClock(port, cell);
  return seenNow(cell);
}

/** Lists the cells whose keys begin with a prefix. */
export async function listCells(
  port: CellPort,
  operation: string,
  prefix: string,
): Promise<readonly SeenCell<ListedCell>[]> {
  const listed = await port.list?.(prefix);
  if (!Array.isArray(listed)) throw unexpected(operation, listed);
  return listed.map((cell: ListedCell) => {
    if (!String(cell?.key).startsWith(prefix)) throw unexpected(operation, cell);
    return seenNow(assertCell(operation, cell));
  });
}

/** Swaps a cell. */
export async function swapCell(
  port: CellPort,
  operation: string,
  key: string,
  version: string,
  value: string,
  keepMs?: number,
): Promise<SeenCell & { readonly isSwapped: boolean }> {
  const answer = await port.swap(key, version, value, keepMs);
  const cell = assertCell(operation, answer);
  if (typeof answer.swapped !== "boolean") throw unexpected(operation, answer);
  return { ...seenNow(cell), isSwapped: answer.swapped };
}

/** Applies a rule to a cell. It throws on a value that is not the rule's own. */
function apply<T>(operation: string, rule: CellRule<T>, seen: SeenCell): CellStep<T> {
  try {
    return rule(seen.cell.value, timeAt(seen), seen.cell.nowMs !== undefined);
  } catch (cause) {
    throw unexpected(operation, cause);
  }
}

function seenNow<C extends Cell>(cell: C): SeenCell<C> {
  return { cell, seenAt: performance.now() };
}

/**
 * Returns the store's time now in whole milliseconds, from the time it had when the cell was seen; or this process's. Rounded
 * down, so that it is never later than the time of a later answer.
 */
export function timeAt({ cell, seenAt }: SeenCell): number {
  return Math.floor(cell.nowMs === undefined ? Date.now() : cell.nowMs + (performance.now() - seenAt));
}

/** Asserts that a port has returned a cell, because a port that a user wrote may return anything. */
function assertCell<T extends Cell>(operation: string, cell: T): T {
  const { value, version, nowMs } = Object(cell) as Record<keyof Cell, unknown>;
  const isValid =
    typeof version === "string" &&
    (value === undefined ? version === "" : typeof value === "string" && version !== "") &&
    (nowMs === undefined || Number.isFinite(nowMs));
  if (!isValid) throw unexpected(operation, cell);
  return cell;
}

export function unexpected(operation: string, cause: unknown): BackendError {
  return new BackendError(operation, "answer", "unexpected response", { cause });
}

function queuedTooLong(operation: string): BackendError {
  return new BackendError(
    operation,
    "timeout",
    "earlier calls of this process on the same key took the time",
  );
}

export function contended(operation: string): BackendError {
  return new BackendError(operation, "timeout", "other processes were faster until the time was over");
}

/**
 * Returns the key of a cell. The name is encoded, so that no two keys of features, names and keys are written alike.
 *
 * @param feature such as `"counter"`
 * @param key the key under the name, if the feature has several
 */
export function cellKey(port: Pick<CellPort, "prefix">, feature: string, name: string, key?: string): string {
  const start = `${port.prefix ?? "bitflake"}:${feature}:${encodeURIComponent(name)}`;
  return key === undefined ? start : `${start}:${key}`;
}
