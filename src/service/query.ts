// The query of a request: only what the route knows, and each of it once.

import type { Parameter } from "./openapi.ts";
import { HttpError } from "./response.ts";

export type Query = Readonly<Partial<Record<string, string>>>;

const NONE: Query = {};

/**
 * Reads a query, without its question mark.
 *
 * @param isLenient whether parameters that are not known are ignored
 */
export function parseQuery(text: string, parameters: readonly Parameter[] = [], isLenient = false): Query {
  if (text === "") return NONE;
  const known = parameters.map(({ name }) => name);
  const query: Record<string, string> = Object.create(null);
  new URLSearchParams(text).forEach((value, name) => {
    if (!known.includes(name)) {
      if (isLenient) return;
      const rule = known.length > 0 ? `one of ${known.join(", ")}` : "left out";
      throw new HttpError(
        400,
        "ERR_ARGUMENT",
        `A parameter of the query must be ${rule}, got ${quote(name)}.`,
      );
    }
    if (name in query) {
      throw new HttpError(400, "ERR_ARGUMENT", `The parameter ${name} must be there once, got it again.`);
    }
    query[name] = value;
  });
  return query;
}

/** What came from outside, never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

/** Reads a number of the client's, as digits and nothing else. */
export function parseWhole(name: string, text: string, most: number): number {
  const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw new HttpError(
    400,
    "ERR_ARGUMENT",
    `${name} must be a whole number from 1 to ${most}, got ${quote(text)}.`,
  );
}
