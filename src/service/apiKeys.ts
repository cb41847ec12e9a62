// The option `apiKeys`, validated: each key with its client's name and scopes.

import { assertName } from "../backend/names.ts";
import { ArgumentError, assertOneOf } from "../internal.ts";
import type { ServiceApiKey, ServiceOptions, ServiceScope } from "./options.ts";

/** All scopes. */
export const SCOPES: readonly ServiceScope[] = ["issue", "watch"];

/** An API key, and the client that it belongs to. */
export interface ConfiguredKey {
  readonly key: string;
  /** Missing for a key that was given without a name. */
  readonly name: string | undefined;
  readonly scopes: ReadonlySet<ServiceScope>;
}

/** Describes a value that may be a key, or hold one: no error shows a key, not even a wrong one. */
function redact(value: unknown): unknown {
  return typeof value === "string" ? `[a string of ${value.length} characters]` : typeof value;
}

/** Asserts that API keys are too long to be guessed, that no key and no name comes twice, and that scopes exist. */
export function resolveApiKeys(apiKeys: ServiceOptions["apiKeys"]): readonly ConfiguredKey[] {
  if (apiKeys === undefined) return [];
  if (!Array.isArray(apiKeys)) throw new ArgumentError("apiKeys", "an array", redact(apiKeys));
  const entries: readonly unknown[] = apiKeys;
  // An empty list may be a mistake, and would authorize every client.
  if (entries.length === 0) {
    const rule = "an array of at least one key; leave it out to admit everyone";
    throw new ArgumentError("apiKeys", rule, "an empty array");
  }
  const configured: ConfiguredKey[] = [];
  const add = (field: string, key: unknown, name: string | undefined, scopes: readonly ServiceScope[]) => {
    if (typeof key !== "string" || !/^[\x21-\x7e]{16,255}$/.test(key)) {
      throw new ArgumentError(field, "16 to 255 characters of visible ASCII", redact(key));
    }
    if (configured.some((other) => other.key === key)) {
      throw new ArgumentError(field, "different from the keys before it", redact(key));
    }
    configured.push({ key, name, scopes: new Set(scopes) });
  };
  for (const [index, entry] of entries.entries()) {
    const field = `apiKeys[${index}]`;
    if (typeof entry !== "object" || entry === null) {
      add(field, entry, undefined, SCOPES);
      continue;
    }
    // The unknown names are not shown: in { [key]: name } one of them is a key.
    if (Object.keys(entry).some((option) => !["name", "keys", "scopes"].includes(option))) {
      throw new ArgumentError(field, "a key, or an object of name, keys and scopes", "[an object]");
    }
    const { name, keys, scopes = SCOPES } = entry as Partial<ServiceApiKey>;
    const clientName = assertName(`${field}.name`, name);
    if (configured.some((other) => other.name === clientName)) {
      throw new ArgumentError(`${field}.name`, "different from the names before it", clientName);
    }
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new ArgumentError(`${field}.keys`, "an array of at least one key", redact(keys));
    }
    if (!Array.isArray(scopes) || scopes.length === 0) {
      throw new ArgumentError(`${field}.scopes`, "an array of at least one scope", scopes);
    }
    for (const scope of scopes) assertOneOf(`${field}.scopes`, scope, SCOPES);
    for (const [keyIndex, key] of keys.entries()) add(`${field}.keys[${keyIndex}]`, key, clientName, scopes);
  }
  return configured;
}
