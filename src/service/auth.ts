// Authentication: the client of a request, by its API key or its address, and what the client may do.

import { fingerprint as sha256Hex } from "../idempotency/index.ts";
import { addressKey } from "../ratelimit/index.ts";
import { consume, gcraOf } from "../ratelimit/rule.ts";
import { type ConfiguredKey, SCOPES } from "./apiKeys.ts";
import type { MaybePromise, ServiceRequest } from "./message.ts";
import type { ServiceScope } from "./options.ts";
import { HttpError } from "./response.ts";
import type { ServiceSettings } from "./settings.ts";

/** The client that sent a request. */
export interface Client {
  /** The name of the client; without API keys, the rate limit's key of its address. For limits and the log. */
  readonly name: string;
  /**
   * Whose space of Idempotency-Keys the client uses: the client's name; empty without API keys, because all clients then
   * share one space.
   */
  readonly requestKeyOwner: string;
  readonly scopes: ReadonlySet<ServiceScope>;
}

/** How many invalid keys an address may send at once, and again in each {@link INVALID_KEY_WINDOW_MS}. */
const MAX_INVALID_KEYS = 20;

const INVALID_KEY_WINDOW_MS = 60_000;

/** How many addresses that sent invalid keys are remembered. The one that was quiet for longest is forgotten first. */
const MAX_ADDRESSES = 10_000;

/** The longest key that can be configured, see `apiKeys.ts`. */
const MAX_KEY_LENGTH = 255;

/** Compares two strings in a time that depends on the length of the first alone. */
function equalInConstantTime(given: string, known: string): boolean {
  let difference = given.length ^ known.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ known.charCodeAt(index % known.length);
  }
  return difference === 0;
}

/** Returns the API key that a request sent, in either header. */
function readApiKey(request: ServiceRequest): string | undefined {
  const [, token] = /^Bearer +([^ ]+) *$/i.exec(request.header("authorization") ?? "") ?? [];
  return token ?? request.header("x-api-key");
}

/** Returns an address without its port and brackets, as proxies write them. */
function stripPort(text: string): string {
  const trimmed = text.trim();
  const [, ipv6] = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed) ?? [];
  const [, ipv4] = /^([\d.]+):\d+$/.exec(trimmed) ?? [];
  return ipv6 ?? ipv4 ?? trimmed;
}

/**
 * Returns the client's address: the connection's other side, or the address that the outermost of the deployment's own
 * proxies saw.
 */
export function clientAddress(request: ServiceRequest, proxies: number): string {
  const direct = request.address ?? "";
  if (proxies === 0) return direct;
  const forwarded = (request.header("x-forwarded-for") ?? "").split(",").filter((part) => part.trim() !== "");
  return stripPort(forwarded[Math.max(0, forwarded.length - proxies)] ?? direct);
}

/** Returns the rate limit's key of an address. All clients without a valid address share one. */
function rateLimitKey(address: string): string {
  // A fetch handler mostly knows no address. Creating an error for each request would take longer than answering it.
  if (address === "") return "unknown";
  try {
    return addressKey(address);
  } catch {
    return "unknown";
  }
}

/** Counts the invalid keys of each address, in this process alone. */
class InvalidKeyThrottle {
  readonly #rate = gcraOf(MAX_INVALID_KEYS, INVALID_KEY_WINDOW_MS);
  /** The theoretical arrival time of each address, see `ratelimit/rule.ts`. */
  readonly #tats = new Map<string, number>();

  /** Counts an invalid key. Returns how many milliseconds the address must wait if it sent too many, else 0. */
  count(address: string): number {
    const { interval, tolerance } = this.#rate;
    const heldTat = this.#tats.get(address);
    const nowUs = Math.floor(performance.now() * 1000);
    const { allowed, tat, now } = consume(this.#rate, interval, heldTat, nowUs);
    // Deleted and set again, because a Map iterates in the order of insertion.
    this.#tats.delete(address);
    this.#tats.set(address, tat);
    if (this.#tats.size > MAX_ADDRESSES) this.#tats.delete(this.#tats.keys().next().value as string);
    return allowed ? 0 : Math.ceil((tat + interval - tolerance - now) / 1000);
  }
}

/** Authenticates requests. */
export class Authenticator {
  readonly #keys: readonly ConfiguredKey[];
  readonly #proxies: number;
  readonly #throttle = new InvalidKeyThrottle();
  readonly #allScopes: ReadonlySet<ServiceScope> = new Set(SCOPES);
  /** The client of each key, in the order of the keys; missing until the names are known. */
  #clients: readonly Client[] | undefined;
  #resolving: Promise<readonly Client[]> | undefined;

  constructor({ apiKeys, proxies }: Pick<ServiceSettings, "apiKeys" | "proxies">) {
    this.#keys = apiKeys;
    this.#proxies = proxies;
  }

  /**
   * Returns the client of a request.
   *
   * @throws {@link HttpError} 401 or 429 if the service has API keys and the request has none of them
   */
  authenticate(request: ServiceRequest): MaybePromise<Client> {
    if (this.#keys.length === 0) {
      const name = rateLimitKey(clientAddress(request, this.#proxies));
      return { name, requestKeyOwner: "", scopes: this.#allScopes };
    }
    const given = readApiKey(request);
    let found = -1;
    // A longer one is wrong, and comparing it would take long. A shorter one is compared with all keys, so that the time does not
    // tell which one it was.
    const compared = given === undefined || given.length > MAX_KEY_LENGTH ? "" : given;
    for (const [index, { key }] of this.#keys.entries()) {
      if (equalInConstantTime(compared, key)) found = index;
    }
    if (found < 0) throw this.#unauthorized(request, given);
    if (this.#clients) return this.#clients[found] as Client;
    return this.#resolveClients().then((clients) => clients[found] as Client);
  }

  /** Resolves to the clients, once. A client without a name gets one from a digest of its key, which is asynchronous. */
  #resolveClients(): Promise<readonly Client[]> {
    this.#resolving ??= Promise.all(
      this.#keys.map(async ({ key, name: given, scopes }) => {
        const name = given ?? `key-${(await sha256Hex(key)).slice(0, 12)}`;
        return { name, requestKeyOwner: name, scopes };
      }),
    ).then(
      (clients) => {
        this.#clients = clients;
        return clients;
      },
      (error) => {
        this.#resolving = undefined;
        throw error;
      },
    );
    return this.#resolving;
  }

  #unauthorized(request: ServiceRequest, given: string | undefined): HttpError {
    // Valid keys of the same address still pass: many clients may share it, and one of them has an old key.
    const waitMs =
      given === undefined ? 0 : this.#throttle.count(rateLimitKey(clientAddress(request, this.#proxies)));
    if (waitMs > 0) {
      const headers = { "retry-after": String(Math.ceil(waitMs / 1000)) };
      return new HttpError(429, "ERR_RATE_LIMITED", "Too many wrong API keys from this address.", headers);
    }
    const detail = "A valid API key is needed, as Authorization: Bearer or X-API-Key.";
    return new HttpError(401, "ERR_UNAUTHORIZED", detail, { "www-authenticate": "Bearer" });
  }
}
