// The query of a request: parameters that the route declares, each at most once.

import type { Parameter } from "./operation.ts";
import { HttpError } from "./response.ts";

/** The parameters of a query by name. */
export type Query = Readonly<Partial<Record<string, string>>>;

const EMPTY: Query = {};

/**
 * Parses a query.
 *
 * @param text the query without its question mark
 * @param isLenient whether unknown parameters are ignored instead of refused
 */
export function parseQuery(text: string, parameters: readonly Parameter[] = [], isLenient = false): Query {
  if (text === "") return EMPTY;
  const names = parameters.map(({ name }) => name);
  const query: Record<string, string> = Object.create(null);
  new URLSearchParams(text).forEach((value, name) => {
    if (!names.includes(name)) {
      if (isLenient) return;
      const rule = names.length > 0 ? `be one of ${names.join(", ")}` : "be left out";
      throw new HttpError(400, "ERR_ARGUMENT", `A query parameter must ${rule}, got ${quote(name)}.`);
    }
    if (name in query) {
      throw new HttpError(400, "ERR_ARGUMENT", `The query parameter ${name} must appear once, got it again.`);
    }
    query[name] = value;
  });
  return query;
}

/** Quotes a value from outside for an error message, cut at 64 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

/** Parses a whole number from 1 to `max`, written in digits alone. */
export function parseWhole(name: string, text: string, max: number): number {
  const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  const rule = `${name} must be a whole number from 1 to ${max}, got ${quote(text)}.`;
  throw new HttpError(400, "ERR_ARGUMENT", rule);
}
