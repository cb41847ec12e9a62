// Several limits for one call: all of them count it, or none does, and the strictest one speaks.

import { ArgumentError, BackendError } from "../internal.ts";
import type { Decision } from "./decision.ts";

/** Returns the index of the decision that a client should hear: the denial that lasts longest, else the lowest remaining. */
export function strictestOf(decisions: readonly (Decision | undefined)[]): number {
  let strictest = 0;
  for (const [index, decision] of decisions.entries()) {
    const other = decisions[strictest];
    if (decision && (!other || isStricter(decision, other))) strictest = index;
  }
  return strictest;
}

function isStricter(one: Decision, other: Decision): boolean {
  if (one.allowed !== other.allowed) return !one.allowed;
  if (!one.allowed) return one.retryAfterMs > other.retryAfterMs;
  // The numbers of a call that was decided without the store carry no information.
  if (!one.error !== !other.error) return !one.error;
  if (one.remaining !== other.remaining) return one.remaining < other.remaining;
  return one.resetMs > other.resetMs;
}

/** The functions of {@link decideInTurn}. */
export interface CallActions<Call> {
  decide(call: Call): Promise<Decision>;
  /** Gives the quota of a decision back. */
  refund(call: Call, decision: Decision): Promise<void>;
  peek(call: Call): Promise<Decision>;
}

/**
 * Decides calls one after the other, up to the first one that is denied. The quota of the calls before it is given back
 * then, and also if a decision fails. The calls after it are only looked at, because one of them may be denied for longer.
 *
 * @returns the decision of each call; `undefined` if the store failed when it was looked at
 */
export async function decideInTurn<Call>(
  calls: readonly Call[],
  { decide, refund, peek }: CallActions<Call>,
): Promise<(Decision | undefined)[]> {
  const decisions: Decision[] = [];
  const giveBack = () =>
    Promise.all(
      decisions.map((decision, index) => {
        // If this fails, less passes than the limits allow, and never more.
        return decision.allowed && refund(calls[index] as Call, decision).catch(ignoreBackendError);
      }),
    );
  for (const call of calls) {
    try {
      decisions.push(await decide(call));
    } catch (error) {
      await giveBack();
      throw error;
    }
    if (decisions.at(-1)?.allowed) continue;
    const rest = calls.slice(decisions.length);
    const [peeked] = await Promise.all([
      Promise.all(rest.map((each) => peek(each).catch(ignoreBackendError))),
      giveBack(),
    ]);
    return [...decisions, ...peeked];
  }
  return decisions;
}

function ignoreBackendError(error: unknown): undefined {
  if (!(error instanceof BackendError)) throw error;
  return undefined;
}

/** Asserts that no key of a limit is listed twice, because one step cannot count it twice. */
export function assertDistinct(ids: readonly string[]): void {
  for (const [index, id] of ids.entries()) {
    if (ids.indexOf(id) !== index)
      throw new ArgumentError(`calls[${index}]`, "another limit or another key", id);
  }
}
