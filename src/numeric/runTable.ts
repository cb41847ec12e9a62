// The rules of runs, up, down and of even digits, as one table: what is left of the past is a number.

import type { NumericRules } from "./rules.ts";

/**
 * For each state ten entries, by the next digit: the state after it, or -1 if it breaks a rule. A state is where its
 * entries begin, and the one before all digits is 0.
 */
export type RunTable = Int32Array;

/** What of the past the rules ask for. Runs under a rule that is off stay 0. */
interface Past {
  readonly last: number;
  readonly up: number;
  readonly down: number;
  readonly even: number;
}

/** The past after one digit more, `null` if that breaks a rule. */
function step(rules: NumericRules, { last, up, down, even }: Past, digit: number): Past | null {
  const { sequenceLimit, sequenceWraps, evenDigitsLimit, zeroIsEven } = rules;
  const follows = (a: number, b: number) => b === a + 1 || (sequenceWraps && a === 9 && b === 0);
  const isEven = digit % 2 === 0 && (digit > 0 || zeroIsEven);
  const next = { last: digit, up: 0, down: 0, even: 0 };
  if (sequenceLimit !== null) {
    next.up = follows(last, digit) ? up + 1 : 1;
    next.down = follows(digit, last) ? down + 1 : 1;
    if (next.up >= sequenceLimit || next.down >= sequenceLimit) return null;
  }
  if (evenDigitsLimit !== null && isEven) next.even = even + 1;
  return next.even >= (evenDigitsLimit ?? Infinity) ? null : next;
}

/** The table of a set of rules. */
export function runTable(rules: NumericRules): RunTable {
  const known = new Map<string, number>();
  const pasts: Past[] = [];
  const table: number[] = [];
  const stateOf = (past: Past): number => {
    const name = Object.values(past).join();
    const state = known.get(name) ?? pasts.length * 10;
    if (state === pasts.length * 10) pasts.push(past);
    known.set(name, state);
    return state;
  };
  // Nothing follows -2, and it follows nothing.
  stateOf({ last: -2, up: 0, down: 0, even: 0 });
  for (const past of pasts) {
    for (let digit = 0; digit < 10; digit++) {
      const next = step(rules, past, digit);
      table.push(next === null ? -1 : stateOf(next));
    }
  }
  return Int32Array.from(table);
}
