// Parses the answers of stores. An invalid answer is refused here, before it reaches a generator.

import type { LeaseAnswer, NodeSpace, NodeState } from "./rule.ts";

/** The nodes that an answer may be about. */
export type NodeRange = Pick<NodeSpace, "first" | "count">;

/** Parses integers from strings or numbers; throws on anything else. */
export function parseIntegers(values: readonly unknown[]): number[] {
  return values.map((value) => {
    const number = Number(value);
    if (!/^-?\d{1,16}$/.test(String(value)) || !Number.isSafeInteger(number))
      throw new Error(`not an integer: ${value}`);
    return number;
  });
}

/** Parses a grant from its node, `from`, `until` and the store's time; throws unless it is a grant of these nodes. */
export function parseGrant({ first, count }: NodeRange, values: readonly unknown[]): LeaseAnswer {
  const [node = -1, from = -1, until = -1, storeMs = -1] = parseIntegers(values);
  if (node < first || node >= first + count || from < 0 || until <= from) {
    throw new Error(`not a grant of these nodes: ${values}`);
  }
  return { outcome: "granted", node, from, until, storeMs };
}

/** Parses a node and its state, whose fields a store returns as strings; an owner may be `null`. */
export function parseNode(
  node: unknown,
  { owner, from, until, generation, nonce }: Readonly<Record<keyof NodeState, unknown>>,
): [number, NodeState] {
  const numbers = parseIntegers([node, from, until, generation]) as [number, number, number, number];
  return [
    numbers[0],
    {
      owner: owner === null ? null : String(owner),
      from: numbers[1],
      until: numbers[2],
      generation: numbers[3],
      nonce: String(nonce),
    },
  ];
}
