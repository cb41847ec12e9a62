// What adapters take besides a client, and the names that come of it: namespaced, quoted and within limits.

import { ArgumentError, assertObject, assertOneOf, assertWhole } from "../internal.ts";
import type { Backend, PortSettings, SqlPort } from "./ports.ts";

/** The longest name of a table or index that PostgreSQL does not cut, in bytes. */
const MAX_NAME = 63;

/** The longest of the names that come after the prefix. */
export const LONGEST_NAME = "nodes_until";

/** The longest timer there is, in every runtime. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Lets through a name of the user's: 1 to 100 characters of one line, none of them a brace. */
export function assertName(field: string, name: unknown): string {
  // Braces would move a key to another slot of a Redis Cluster; control characters no store likes alike.
  if (typeof name !== "string" || !/^[^\p{C}\p{Zl}\p{Zp}{}]{1,100}$/u.test(name)) {
    throw new ArgumentError(field, "a text of 1 to 100 characters in one line, without braces", name);
  }
  // Two processes whose names look the same but differ in their code points would share nothing, and not know.
  if (name.normalize() !== name) {
    throw new ArgumentError(field, "a text in Unicode normalization form C, as normalize() returns it", name);
  }
  return name;
}

/**
 * Lets through a key that comes from outside: 1 to 255 characters that every store keeps as they are. Keys in two
 * normalization forms are two keys: they are the client's, and nobody types them.
 */
export function assertKey(field: string, key: unknown): string {
  if (typeof key === "string" && /^[^\0\p{Cs}]{1,255}$/u.test(key)) return key;
  throw new ArgumentError(field, "a text of 1 to 255 characters, without U+0000 and lone surrogates", key);
}

/** Lets through a function. */
export function assertFunction<T>(field: string, value: T): T {
  if (typeof value === "function") return value;
  throw new ArgumentError(field, "a function", value);
}

/** Refuses options that there are not, so that no typo means a default. */
export function assertKnownOptions(options: object, names: readonly string[]): void {
  for (const name of Object.keys(assertObject("options", options))) assertOneOf("option", name, names);
}

/** Lets through what has one of the methods. */
function having<T>(field: string, value: T, methods: readonly string[]): T {
  const has = (method: string) => typeof (Object(value) as Record<string, unknown>)[method] === "function";
  if (methods.some(has)) return value;
  throw new ArgumentError(field, `an object with ${methods.join("(), ")}()`, value);
}

/** Lets through a backend of one of the three kinds, also one that the user wrote. */
export function assertBackend(backend: Backend): Backend {
  type Client = Partial<Record<"multi" | "connect", unknown>>;
  const port = having("backend", backend, ["eval", "query", "change"]);
  const { prefix, timeoutMs, multi, connect } = port as Backend & Client;
  // A client has methods of these names too, and takes other arguments.
  if (multi ?? connect)
    throw new ArgumentError("backend", "made of its client, as by fromIORedis or fromPg", backend);
  if ("query" in backend) assertOneOf("backend.dialect", backend.dialect, ["postgres", "sqlite"]);
  if (prefix !== undefined) assertName("backend.prefix", prefix);
  if (timeoutMs !== undefined) assertWhole("backend.timeoutMs", timeoutMs, 1, MAX_TIMEOUT);
  return backend;
}

/** An adapter's settings, validated. */
export interface ResolvedPortSettings {
  readonly prefix: string;
  readonly timeoutMs: number;
}

/**
 * Validates what an adapter was given, and returns its settings with defaults.
 *
 * @param method what the client is asked for
 * @param more the names of options besides `prefix` and `timeoutMs`
 */
export function resolvePortSettings(
  client: object,
  method: string,
  given: PortSettings,
  ...more: string[]
): ResolvedPortSettings {
  having("client", client, [method]);
  assertKnownOptions(given, ["prefix", "timeoutMs", ...more]);
  const { prefix = "bitflake", timeoutMs = 5000 } = given;
  return {
    prefix: assertName("prefix", prefix),
    timeoutMs: assertWhole("timeoutMs", timeoutMs, 1, MAX_TIMEOUT),
  };
}

/** The key of something in Redis. What shares a name shares a slot of a cluster. */
export function redisKey(port: PortSettings, name: string, part: string): string {
  return `${port.prefix ?? "bitflake"}:{${name}}:${part}`;
}

/** The name of a table or index. */
export function tableName(port: PortSettings, table: string): string {
  return `${port.prefix ?? "bitflake"}_${table}`;
}

/** The same as SQL wants it. */
export function quotedTable(port: PortSettings, table: string): string {
  return quoted("prefix", tableName(port, table));
}

/** The name of a table with its schema. */
export function qualifiedTable(port: Pick<SqlPort, "schema" | "prefix">, table: string): string {
  const name = quotedTable(port, table);
  return port.schema === undefined ? name : `${quoted("schema", port.schema)}.${name}`;
}

/** SQL for the server's clock: milliseconds since 1970, the same throughout a statement, for an index to search by. */
export function nowMsSql(isPostgres: boolean): string {
  const ms = isPostgres
    ? "FLOOR(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000)"
    : "ROUND((JULIANDAY('now') - 2440587.5) * 86400000)";
  return `CAST(${ms} AS BIGINT)`;
}

/** Quotes a name, and refuses one that PostgreSQL would cut: two cut names can be the same. */
function quoted(field: string, name: string): string {
  if (new TextEncoder().encode(assertName(field, name)).length > MAX_NAME) {
    throw new ArgumentError(field, `short enough for names of ${MAX_NAME} bytes`, name);
  }
  return `"${name.replaceAll('"', '""')}"`;
}
