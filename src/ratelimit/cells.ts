// Rate limits on any store with compare-and-set: runs the rule itself. A key's cell has its TAT in microseconds, and after
// a space the end of its block if it has one.

import { type CellStep, Cells, cellKey } from "../backend/cells.ts";
import { GRACE_MS, MAX_SKEW_MS } from "../backend/expiry.ts";
import type { CellPort } from "../backend/ports.ts";
import { OPERATION } from "./parseAnswer.ts";
import type { RateLimitPort } from "./port.ts";
import { block, consume, type Gcra, GRACE_US, isChange, peek, refund } from "./rule.ts";

/** The state of a key, as its cell has it. */
interface KeyState {
  readonly tat: number | undefined;
  readonly blockedUntil: number | undefined;
}

/** The time of a step, in microseconds. */
interface Moment {
  readonly now: number;
  /** How far past the tolerance a TAT may be before it is pulled back. */
  readonly graceUs: number;
}

export function cellRateLimitPort(port: CellPort, name: string, gcra: Gcra): RateLimitPort {
  const cells = new Cells(port);
  /** @param step returns the new state, if it is another, and a result */
  const step = <T>(
    operation: string,
    key: string,
    rule: (state: KeyState, moment: Moment) => { readonly state?: KeyState | undefined; readonly result: T },
  ): Promise<T> =>
    cells.step(operation, cellKey(port, "rate", name, key), (value, nowMs, hasClock): CellStep<T> => {
      const now = Math.floor(nowMs * 1000);
      // Otherwise a process whose clock is behind would give the quota back to the others with each call that it denies.
      const graceUs = hasClock ? GRACE_US : MAX_SKEW_MS * 1000;
      const { state, result } = rule(parseState(value), { now, graceUs });
      if (state === undefined) return { result };
      const { tat = 0, blockedUntil = 0 } = state;
      const isBlocked = blockedUntil > now;
      const aheadUs = Math.max(0, tat - now, isBlocked ? blockedUntil - now : 0);
      return {
        value: isBlocked ? `${tat} ${blockedUntil}` : `${tat}`,
        keepMs: Math.ceil(aheadUs / 1000) + GRACE_MS,
        result,
      };
    });

  return {
    consume(key, costUs) {
      return step(OPERATION.consume, key, ({ tat, blockedUntil }, { now, graceUs }) => {
        const result = consume(gcra, costUs, tat, now, graceUs, blockedUntil);
        return { state: isChange(result, tat) ? { tat: result.tat, blockedUntil } : undefined, result };
      });
    },

    peek(key, costUs) {
      return step(OPERATION.peek, key, ({ tat, blockedUntil }, { now, graceUs }) => ({
        result: peek(gcra, costUs, tat, now, graceUs, blockedUntil),
      }));
    },

    refund(key, costUs, callTat) {
      return step(OPERATION.refund, key, ({ tat: before, blockedUntil }, { now }) => {
        const tat = refund(before, costUs, callTat, now);
        return { state: tat === before ? undefined : { tat, blockedUntil }, result: undefined };
      });
    },

    block(key, forUs) {
      return step(OPERATION.block, key, ({ tat, blockedUntil }, { now }) => ({
        state: { tat, blockedUntil: block(blockedUntil, forUs, now) },
        result: undefined,
      }));
    },

    reset(key) {
      return step(OPERATION.reset, key, ({ tat = 0, blockedUntil = 0 }, { now }) => {
        const isUnused = tat <= now && blockedUntil <= now;
        return { state: isUnused ? undefined : { tat: 0, blockedUntil: 0 }, result: undefined };
      });
    },
  };
}

function parseState(value: string | undefined): KeyState {
  if (value === undefined) return { tat: undefined, blockedUntil: undefined };
  const [, tatText, blockText] = /^(-?\d+)(?: (\d+))?$/.exec(value) ?? [];
  const tat = Number(tatText);
  const blockedUntil = blockText === undefined ? undefined : Number(blockText);
  if (!Number.isSafeInteger(tat) || !Number.isSafeInteger(blockedUntil ?? 0)) throw new Error("not a TAT");
  return { tat, blockedUntil };
}
