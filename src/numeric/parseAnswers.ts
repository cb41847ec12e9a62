// What stores answer about pools, made sense of: what cannot be is refused here, before anyone gets it.

import type { History, Stock, Supply } from "./port.ts";

/** Lets through IDs: as many as were asked for, and each of them digits. */
export function idsIn(values: unknown, count: number): readonly string[] {
  const isId = (value: unknown) => typeof value === "string" && /^\d{2,32}$/.test(value);
  if (Array.isArray(values) && values.length === count && values.every(isId)) return values;
  throw new Error(`not ${count} IDs`);
}

/** A number of IDs, as a number or in text, up to the most that there can be. */
export function amountIn(value: unknown, most: number = Number.MAX_SAFE_INTEGER): number {
  const amount = Number(value);
  if (/^\d{1,16}$/.test(String(value)) && amount <= most) return amount;
  throw new Error(`no number of IDs: ${String(value)}`);
}

/** Lets through how far a sweep is. */
export function sweepIn(value: unknown): string {
  if (typeof value === "string" && /^(?:\d+ \d+ \d+)?$/.test(value)) return value;
  throw new Error(`no sweep: ${String(value)}`);
}

/** What is there to be issued. */
export function supplyIn({ available, sweep }: Readonly<Record<keyof Supply, unknown>>): Supply {
  return { available: amountIn(available), sweep: sweepIn(sweep) };
}

/** Asserts that an answer is the history of a store. */
export function historyIn({ recorded, current }: Readonly<Record<keyof History, unknown>>): History {
  if (typeof recorded === "string" && typeof current === "string") return { recorded, current };
  throw new Error(`no history: ${String(recorded)}, ${String(current)}`);
}

/** All that is there. */
export function stockIn(row: Readonly<Record<keyof Stock, unknown>>): Stock {
  return {
    ...supplyIn(row),
    ...historyIn(row),
    taken: amountIn(row.taken),
    isFilling: yesNoIn(row.isFilling),
  };
}

/** Lets through a yes or no. */
export function yesNoIn(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new Error(`neither yes nor no: ${String(value)}`);
}
