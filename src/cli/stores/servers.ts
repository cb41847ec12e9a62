// Addresses with one or more servers: user, hosts, path and parameters.

/** The host and port of a server. */
export interface Host {
  readonly host: string;
  readonly port: number;
}

/** The parts of an address with servers. */
export interface Servers {
  /** The part before `://`. */
  readonly scheme: string;
  /** Empty if there is none. */
  readonly username: string;
  /** Empty if there is none. */
  readonly password: string;
  readonly hosts: readonly Host[];
  /** The path without the slash before it; empty if there is none. */
  readonly path: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Decodes percent encoding. Returns text that is not encoded correctly as it is, because a password may contain `%`. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns a host with its port, `undefined` if the text is neither. */
function parseHost(text: string, defaultPort: number): Host | undefined {
  const [, bracketed, name, port = defaultPort] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:@[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/**
 * Parses an address such as `nats://user:password@host:4222,host2/path?name=value`. The user and the password end at the last
 * `@`, because a password may contain `@` and `/` unencoded.
 *
 * @param defaultPort the port of a host without one
 * @returns `undefined` if the address has another form
 */
export function parseServers(url: string, defaultPort: number): Servers | undefined {
  const [, scheme = "", user = "", list = "", path = "", query = ""] =
    /^([^:]+):\/\/(?:(.*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s.exec(url) ?? [];
  const hosts = list.split(",").map((text) => parseHost(text, defaultPort));
  if (!hosts.every((host) => host !== undefined)) return undefined;
  const parameters = new Map<string, string>();
  new URLSearchParams(query).forEach((value, name) => void parameters.set(name, value));
  const [, username = "", password = ""] = /^([^:]*):?(.*)$/s.exec(user) ?? [];
  return {
    scheme,
    username: decodeText(username),
    password: decodeText(password),
    hosts,
    path: decodeText(path),
    parameters,
  };
}
