// Settings of backends: validates the options of an adapter, and a backend that a user passes to a feature.

import { ArgumentError, assertKnownOptions, assertOneOf, assertWhole } from "../internal.ts";
import { MAX_TIMER_MS } from "./call.ts";
import { assertName } from "./names.ts";
import type { Backend, PortSettings } from "./ports.ts";

/** Returns a value for an error message: a URL without its user and password. */
export function withoutSecrets(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1***@") : value;
}

/** Asserts that a value has at least one of the methods. */
function assertHasMethod<T>(field: string, value: T, methods: readonly string[]): T {
  const has = (method: string) => typeof (Object(value) as Record<string, unknown>)[method] === "function";
  if (methods.some(has)) return value;
  // A URL is a likely mistake.
  throw new ArgumentError(field, `an object with ${methods.join("(), ")}()`, withoutSecrets(value));
}

/**
 * Asserts that a value is a backend: a port of one of the four kinds, from an adapter or written by the user.
 *
 * @returns the backend
 */
export function assertBackend(backend: Backend): Backend {
  type Client = Partial<Record<"multi" | "connect" | "getConnection", unknown>>;
  assertHasMethod("backend", backend, ["eval", "query", "change", "swap"]);
  const { prefix, timeoutMs, multi, connect, getConnection } = backend as Backend & Client;
  // A client also has eval() or query(), but with other parameters.
  if (multi ?? connect ?? getConnection)
    throw new ArgumentError(
      "backend",
      "an adapter's result such as fromIORedis(client), not the client",
      backend,
    );
  if ("query" in backend) assertOneOf("backend.dialect", backend.dialect, ["postgres", "sqlite"]);
  if (prefix !== undefined) assertName("backend.prefix", prefix);
  if (timeoutMs !== undefined) assertWhole("backend.timeoutMs", timeoutMs, 1, MAX_TIMER_MS);
  return backend;
}

/** Settings of an adapter: its options with defaults. */
export interface ResolvedPortSettings {
  readonly prefix: string;
  readonly timeoutMs: number;
}

/**
 * Validates the client and the options of an adapter.
 *
 * @param method the method of the client that the adapter calls
 * @param more names of further options of this adapter
 */
export function resolvePortSettings(
  client: object,
  method: string,
  options: PortSettings,
  ...more: string[]
): ResolvedPortSettings {
  assertHasMethod("client", client, [method]);
  return resolvePortOptions(options, ...more);
}

/**
 * Validates the options of an adapter.
 *
 * @param more names of further options of this adapter
 */
export function resolvePortOptions(options: PortSettings, ...more: string[]): ResolvedPortSettings {
  assertKnownOptions(options, ["prefix", "timeoutMs", ...more]);
  const { prefix = "bitflake", timeoutMs = 5000 } = options;
  return {
    prefix: assertName("prefix", prefix),
    timeoutMs: assertWhole("timeoutMs", timeoutMs, 1, MAX_TIMER_MS),
  };
}
