// A rule of the contract of `CellPort`, and the tools of its check.

import type { CellPort } from "../../backend/ports.ts";
import type { CheckedPort } from "./checkedPort.ts";
import type { Random } from "./random.ts";

/** How much the suite does. */
export interface Amounts {
  /** The random operations of each rule that has some. */
  readonly operations: number;
  /** The cells of the longest list. */
  readonly listedCells: number;
  /** The bytes of the longest key, in UTF-8, if it is less than the longest one of bitflake. */
  readonly keyBytes: number;
  /** The bytes of the largest value, in UTF-8. */
  readonly valueBytes: number;
}

/** The port and the tools that a check gets. */
export interface Trial extends Amounts {
  /** The port under test. */
  readonly port: CellPort;
  /** The same port, with checked answers. */
  readonly cells: CheckedPort;
  /** Another connection to the same store, with checked answers; the same port if there is none. */
  readonly otherCells: CheckedPort;
  readonly random: Random;
  /** A name that no other check and no other run uses. */
  readonly name: string;
  /** Returns the key of a cell, formed as those of bitflake. */
  keyOf(key: string, name?: string): string;
}

/** A rule of the contract. */
export interface Rule {
  /** The rule in words. */
  readonly name: string;
  /** The optional method of the port that the rule is about. */
  readonly needs?: "list" | "setup";
  /** Asserts that the port keeps the rule. */
  check(trial: Trial): Promise<void>;
}

/** How long the store has to keep the cells that the suite writes, unless a rule is about that: an hour. */
export const KEEP_MS = 3_600_000;

/** Calls a function for each item, for at most 50 at once. */
export async function forEach<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      for (const item of rest) await run(item);
    }),
  );
}
