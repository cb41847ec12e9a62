// Parsers for what stores answer about pools. Each throws on an impossible answer, which becomes a BackendError.

import type { Availability, PoolCounts, StoreHistory } from "./port.ts";

/** Parses exactly `count` IDs. */
export function parseIds(value: unknown, count: number): readonly string[] {
  const isId = (id: unknown) => typeof id === "string" && /^\d{2,32}$/.test(id);
  if (Array.isArray(value) && value.length === count && value.every(isId)) return value;
  throw new Error(`not ${count} IDs`);
}

/** Parses at most `max` IDs. */
export function parseTaken(value: unknown, max: number): readonly string[] {
  return parseIds(value, Array.isArray(value) ? Math.min(value.length, max) : max);
}

/** Parses a number of IDs, given as a number or as a string. */
export function parseCount(value: unknown, max: number = Number.MAX_SAFE_INTEGER): number {
  const count = Number(value);
  if (/^\d{1,16}$/.test(String(value)) && count <= max) return count;
  throw new Error(`not a number of IDs: ${String(value)}`);
}

/** Parses a scan position, which stays a string. */
export function parseScanText(value: unknown): string {
  if (typeof value === "string" && /^(?:\d+ \d+ \d+)?$/.test(value)) return value;
  throw new Error(`not a scan position: ${String(value)}`);
}

/** Parses what can be issued. */
export function parseAvailability(fields: Readonly<Record<keyof Availability, unknown>>): Availability {
  return { available: parseCount(fields.available), scan: parseScanText(fields.scan) };
}

/** Parses the history of a store. */
export function parseHistory(fields: Readonly<Record<keyof StoreHistory, unknown>>): StoreHistory {
  const { recorded, current } = fields;
  if (typeof recorded === "string" && typeof current === "string") return { recorded, current };
  throw new Error(`not a history: ${String(recorded)}, ${String(current)}`);
}

/** Parses the state of a pool. */
export function parsePoolCounts(fields: Readonly<Record<keyof PoolCounts, unknown>>): PoolCounts {
  return {
    ...parseAvailability(fields),
    ...parseHistory(fields),
    taken: parseCount(fields.taken),
    isFilling: parseBoolean(fields.isFilling),
  };
}

/** Parses a boolean. */
export function parseBoolean(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new Error(`not a boolean: ${String(value)}`);
}
