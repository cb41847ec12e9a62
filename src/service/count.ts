// The query parameter `count`: how many IDs a request asks for.

import type { Parameter, Schema } from "./operation.ts";
import { parseWhole, type Query } from "./query.ts";

/**
 * The most IDs of one request. Those that are made in the process take about a millisecond, for which other requests wait. IDs of a
 * pool for a request with a key are a statement each.
 */
const MAX_COUNT = 1000;

export const COUNT: Parameter = {
  name: "count",
  description:
    "How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`.",
  schema: { type: "integer", minimum: 1, maximum: MAX_COUNT },
};

/** Returns the count of a request, or `undefined` without one. */
export function parseCount({ count }: Query): number | undefined {
  return count === undefined ? undefined : parseWhole("count", count, MAX_COUNT);
}

/** Returns the cost of a request: its count. A count that the route refuses costs 1. */
export function costOf(search: string): number {
  const count = search === "" ? null : new URLSearchParams(search).get("count");
  return count !== null && /^[1-9]\d{0,3}$/.test(count) && Number(count) <= MAX_COUNT ? Number(count) : 1;
}

/** Returns the schema of a response with `id` or, for a request with a count, with `ids`. */
export function idsSchema(id: Schema): Schema {
  return {
    type: "object",
    properties: { id, ids: { type: "array", items: id, minItems: 1, maxItems: MAX_COUNT } },
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  };
}
