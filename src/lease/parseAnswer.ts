// An answer as it came from a store, made sense of: what cannot be is refused here, before anyone stamps by it.

import type { LeaseAnswer, NodeSpace } from "./rule.ts";

/** Reads whole numbers, from the text that stores are asked for; throws on anything else. */
export function parseWholes(values: readonly unknown[]): number[] {
  return values.map((value) => {
    const number = Number(value);
    if (!/^-?\d{1,16}$/.test(String(value)) || !Number.isSafeInteger(number))
      throw new Error(`no number: ${value}`);
    return number;
  });
}

/** A grant as a store says it, which must be of one of the nodes that were asked for. */
export function parseGrant(
  space: Pick<NodeSpace, "first" | "count">,
  values: readonly unknown[],
): LeaseAnswer {
  const [node = -1, from = -1, until = -1, storeMs = -1] = parseWholes(values);
  if (node < space.first || node >= space.first + space.count || from < 0 || until <= from) {
    throw new Error(`no grant: ${values}`);
  }
  return { outcome: "granted", node, from, until, storeMs };
}
