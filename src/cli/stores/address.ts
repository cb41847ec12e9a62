// Addresses of stores: which kind of store they name, and how they are printed.

import { UsageError } from "../errors.ts";
import { maskAddress } from "../redact.ts";
import { parseServers, type Servers } from "./servers.ts";

/** The kinds of stores. */
export type StoreKind = "redis" | "postgres" | "mysql" | "nats" | "etcd" | "sqlite" | "memory";

/** The forms of addresses, for help. */
export const STORE_FORMS: string =
  "redis://..., redis+sentinel://..., redis+cluster://..., postgres://..., mysql://..., nats://..., etcd://..., sqlite:PATH or memory:";

/** A rule that an address has to follow, with an example; `undefined` if it does. */
type Rule = (url: string, scheme: string) => string | undefined;

/** Returns the database in the address of a Redis, as a string; empty if there is none. */
export function redisDatabase(url: string): string {
  const from = url.includes("@") ? url.lastIndexOf("@") + 1 : url.indexOf("//") + 2;
  return /^[^/?#]*\/([^?#]*)/.exec(url.slice(from))?.[1] ?? "";
}

const redisRule: Rule = (url, scheme) =>
  /^\d{0,9}$/.test(redisDatabase(url))
    ? undefined
    : `an address whose path is a database number, for example ${scheme}://127.0.0.1:6379/0`;

/** A path of a sentinel: the name of the primary, and the number of a database. */
export const SENTINEL_PATH: RegExp = /^([^/]+)(?:\/(\d{1,9}))?$/;

/**
 * Returns a rule of addresses with servers.
 *
 * @param form the rest of the address after the scheme, in words and as an example
 * @param path the path that is possible
 * @param parameters the names of the parameters that are possible
 */
function serversRule(
  form: readonly [words: string, example: string],
  path: RegExp,
  parameters: Readonly<Record<string, RegExp>> = {},
): Rule {
  return (url, scheme) => {
    const servers = parseServers(url, 1);
    const isValid =
      servers !== undefined &&
      path.test(servers.path) &&
      [...servers.parameters].every(
        ([name, value]) => Object.hasOwn(parameters, name) && parameters[name]?.test(value),
      );
    return isValid ? undefined : `${scheme}:// followed by ${form[0]}, for example ${scheme}://${form[1]}`;
  };
}

const sentinelRule = serversRule(
  ["the sentinels and the name of the primary", "10.0.0.1:26379,10.0.0.2:26379/mymaster"],
  SENTINEL_PATH,
  { sentinelUsername: /./s, sentinelPassword: /./s },
);

// A cluster has one database.
const clusterRule = serversRule(["nodes of the cluster", "10.0.0.1:6379,10.0.0.2:6379"], /^0?$/);

const natsRule = serversRule(["hosts and perhaps a bucket", "10.0.0.1,10.0.0.2/bitflake"], /^[-\w]*$/, {
  replicas: /^[1-5]$/,
});

const etcdRule = serversRule(["hosts", "10.0.0.1:2379,10.0.0.2:2379"], /^$/);

const mysqlRule: Rule = (url, scheme) =>
  URL.canParse(url) && new URL(url).pathname.length > 1
    ? undefined
    : `${scheme}:// followed by a host and a database, for example ${scheme}://127.0.0.1/app`;

const SCHEMES: Readonly<Record<string, readonly [StoreKind, Rule?]>> = {
  redis: ["redis", redisRule],
  rediss: ["redis", redisRule],
  "redis+sentinel": ["redis", sentinelRule],
  "rediss+sentinel": ["redis", sentinelRule],
  "redis+cluster": ["redis", clusterRule],
  "rediss+cluster": ["redis", clusterRule],
  postgres: ["postgres"],
  postgresql: ["postgres"],
  mysql: ["mysql", mysqlRule],
  mariadb: ["mysql", mysqlRule],
  nats: ["nats", natsRule],
  "nats+tls": ["nats", natsRule],
  etcd: ["etcd", etcdRule],
  etcds: ["etcd", etcdRule],
  sqlite: ["sqlite"],
  memory: ["memory"],
};

/**
 * Returns the kind of store that an address names.
 *
 * @param source the setting that has the address, for errors. The address is never shown, because it may have a password
 * @throws {@link UsageError} if the address names no store
 */
export function storeKindOf(url: string, source = "--store"): StoreKind {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const [kind, rule] = (Object.hasOwn(SCHEMES, scheme) && SCHEMES[scheme]) || [];
  const refuse = (broken: string) => new UsageError(`${source} must be ${broken}`);
  if (!kind) {
    const begins = scheme
      ? `that begins with ${JSON.stringify(`${scheme.slice(0, 30)}:`)}`
      : "without a scheme";
    throw refuse(`${STORE_FORMS}, got an address ${begins}`);
  }
  if (kind === "sqlite") {
    if (rest !== "" && !rest.startsWith("//")) return kind;
    throw refuse("sqlite: followed by a path, for example sqlite:ids.db or sqlite:/var/lib/ids.db");
  }
  if (kind === "memory") {
    if (rest === "") return kind;
    throw refuse("memory: with nothing after it");
  }
  if (!rest.startsWith("//")) {
    throw refuse(`${scheme}:// followed by a host, for example ${scheme}://127.0.0.1`);
  }
  const broken = rule?.(url, scheme);
  if (broken !== undefined) throw refuse(broken);
  return kind;
}

/** Returns the scheme of an address: the part before the first colon. */
export function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(":"));
}

/** Returns the parts of an address that {@link storeKindOf} accepts and that names servers. */
export function serversOf(url: string, defaultPort: number): Servers {
  return parseServers(url, defaultPort) as Servers;
}

/** Returns whether services on several machines can share such a store. */
export function isSharedKind(kind: StoreKind): boolean {
  return kind !== "sqlite" && kind !== "memory";
}

/** Returns an address without credentials. */
export function maskedAddress(url: string): string {
  // Everything after a question mark may be a secret too.
  return maskAddress(url).replace(/[?#].*$/s, "");
}
