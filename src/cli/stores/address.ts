// Addresses of stores: which kind of store they name, and how they are printed.

import { UsageError } from "../errors.ts";
import { maskAddress } from "../redact.ts";

/** The kinds of stores. */
export type StoreKind = "redis" | "postgres" | "sqlite" | "memory";

const KINDS: Readonly<Record<string, StoreKind>> = {
  redis: "redis",
  rediss: "redis",
  postgres: "postgres",
  postgresql: "postgres",
  sqlite: "sqlite",
  memory: "memory",
};

const FORMS = "redis://..., rediss://..., postgres://..., postgresql://..., sqlite:PATH or memory:";

/** Returns the database in the address of a Redis, as a string; empty if there is none. */
export function redisDatabase(url: string): string {
  const from = url.includes("@") ? url.lastIndexOf("@") + 1 : url.indexOf("//") + 2;
  return /^[^/?#]*\/([^?#]*)/.exec(url.slice(from))?.[1] ?? "";
}

/**
 * Returns the kind of store that an address names.
 *
 * @param source the setting that has the address, for errors. The address is never shown, because it may have a password
 * @throws {@link UsageError} if the address names no store
 */
export function storeKindOf(url: string, source = "--store"): StoreKind {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  const refuse = (rule: string) => new UsageError(`${source} must be ${rule}`);
  if (!kind) {
    const begins = scheme
      ? `that begins with ${JSON.stringify(`${scheme.slice(0, 30)}:`)}`
      : "without a scheme";
    throw refuse(`${FORMS}, got an address ${begins}`);
  }
  if (kind === "sqlite" && (rest === "" || rest.startsWith("//"))) {
    throw refuse("sqlite: followed by a path, for example sqlite:ids.db or sqlite:/var/lib/ids.db");
  }
  if ((kind === "redis" || kind === "postgres") && !rest.startsWith("//")) {
    throw refuse(`${scheme}:// followed by a host, for example ${scheme}://127.0.0.1`);
  }
  if (kind === "redis" && !/^\d{0,9}$/.test(redisDatabase(url))) {
    throw refuse(`an address whose path is a database number, for example ${scheme}://127.0.0.1:6379/0`);
  }
  if (kind === "memory" && rest !== "") throw refuse("memory: with nothing after it");
  return kind;
}

/** Returns an address without credentials. */
export function maskedAddress(url: string): string {
  // Everything after a question mark may be a secret too.
  return maskAddress(url).replace(/[?#].*$/s, "");
}
