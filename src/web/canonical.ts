// Parsed bodies as bytes, for fingerprints: the same bytes for two bodies that differ only in the order of keys.

import { concatBytes } from "../http/body.ts";

/** A value that no bytes can stand for, such as a stream. */
class NotSeenError extends Error {}

/** How deeply a body may be nested. A cycle is deeper. */
const MAX_DEPTH = 200;

/** Returns the own properties of an object of JSON, sorted by key. */
function sortedEntries(value: object): [string, unknown][] {
  return Object.entries(value)
    .filter(([, field]) => field !== undefined && typeof field !== "function")
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Appends the canonical form of a value: JSON with sorted keys, and bytes as they are, after their length. */
function write(value: unknown, output: (string | Uint8Array)[], depth: number): void {
  if (depth > MAX_DEPTH) throw new NotSeenError("it is nested too deeply");
  if (typeof value === "bigint") output.push(String(value));
  else if (value instanceof Uint8Array) output.push(`bytes(${value.length}):`, value);
  else if (typeof value !== "object" || value === null) {
    if (typeof value === "symbol") throw new NotSeenError("it has a symbol");
    output.push(JSON.stringify(value) ?? "null");
  } else if (Array.isArray(value)) {
    output.push("[");
    for (const [index, item] of value.entries()) {
      if (index > 0) output.push(",");
      write(item, output, depth + 1);
    }
    output.push("]");
  } else if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
    write((value as { toJSON(): unknown }).toJSON(), output, depth + 1);
  } else {
    // A Map, a File or a stream has no content in its properties.
    const isPlain = {}.toString.call(value) === "[object Object]";
    if (!isPlain || typeof (value as { pipe?: unknown }).pipe === "function") {
      throw new NotSeenError(`it has a ${value.constructor?.name ?? "value"} whose content cannot be read`);
    }
    output.push("{");
    for (const [index, [key, field]] of sortedEntries(value).entries()) {
      output.push(`${index > 0 ? "," : ""}${JSON.stringify(key)}:`);
      write(field, output, depth + 1);
    }
    output.push("}");
  }
}

/**
 * Returns a parsed body as bytes. Bytes and strings are themselves; any other value is JSON with sorted keys. Numbers in JSON
 * that a parser has turned into bigints are numbers.
 *
 * @returns `undefined` if the content of the value cannot be read
 */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  const encoder = new TextEncoder();
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value === "string") return encoder.encode(value);
  const output: (string | Uint8Array)[] = [];
  try {
    write(value, output, 0);
  } catch (error) {
    if (error instanceof NotSeenError) return undefined;
    throw error;
  }
  const chunks = output.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  return concatBytes(
    chunks,
    chunks.reduce((sum, { length }) => sum + length, 0),
  );
}
