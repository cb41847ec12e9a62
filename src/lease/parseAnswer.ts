// Parses the answers of stores. An invalid answer is refused here, before it reaches a generator.

import type { LeaseAnswer, NodeSpace } from "./rule.ts";

/** The nodes that an answer may be about. */
export type NodeRange = Pick<NodeSpace, "first" | "count">;

/** Parses whole numbers from text or numbers; throws on anything else. */
export function parseWholes(values: readonly unknown[]): number[] {
  return values.map((value) => {
    const number = Number(value);
    if (!/^-?\d{1,16}$/.test(String(value)) || !Number.isSafeInteger(number))
      throw new Error(`not a whole number: ${value}`);
    return number;
  });
}

/** Parses a grant from its node, `from`, `until` and the store's time; throws unless it is a grant of these nodes. */
export function parseGrant({ first, count }: NodeRange, values: readonly unknown[]): LeaseAnswer {
  const [node = -1, from = -1, until = -1, storeMs = -1] = parseWholes(values);
  if (node < first || node >= first + count || from < 0 || until <= from) {
    throw new Error(`not a grant of these nodes: ${values}`);
  }
  return { outcome: "granted", node, from, until, storeMs };
}
