// State table of the rules about runs: ascending, descending and even digits.

import type { NumericRules } from "./rules.ts";

/**
 * Ten entries for each state, indexed by the next digit: the state after that digit, or -1 if the digit breaks a rule. A
 * state is the index of its first entry, and the initial state is 0.
 */
export type RunTable = Int32Array;

/** The last digit and the lengths of the runs that end with it. A length stays 0 if its rule is off. */
interface RunState {
  readonly last: number;
  readonly up: number;
  readonly down: number;
  readonly even: number;
}

/** Returns the state after one more digit, `null` if that digit breaks a rule. */
function nextRunState(
  rules: NumericRules,
  { last, up, down, even }: RunState,
  digit: number,
): RunState | null {
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

/** Returns the table of a set of rules, with only the states that can be reached. */
export function createRunTable(rules: NumericRules): RunTable {
  const indexes = new Map<string, number>();
  const states: RunState[] = [];
  const table: number[] = [];
  const indexOf = (state: RunState): number => {
    const key = Object.values(state).join();
    const index = indexes.get(key) ?? states.length * 10;
    if (index === states.length * 10) states.push(state);
    indexes.set(key, index);
    return index;
  };
  // -2 is no neighbour of any digit.
  indexOf({ last: -2, up: 0, down: 0, even: 0 });
  for (const state of states) {
    for (let digit = 0; digit < 10; digit++) {
      const next = nextRunState(rules, state, digit);
      table.push(next === null ? -1 : indexOf(next));
    }
  }
  return Int32Array.from(table);
}
