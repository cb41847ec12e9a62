// Who sends a request: the holder of an API key, or an address.

import { fingerprint } from "../idempotency/index.ts";
import { addressKey } from "../ratelimit/index.ts";
import { consume, gcraOf } from "../ratelimit/rule.ts";
import type { MaybePromise, ServiceRequest } from "./message.ts";
import type { ServiceScope } from "./options.ts";
import { HttpError } from "./response.ts";
import { type ConfiguredKey, SCOPES, type ServiceSettings } from "./settings.ts";

/** Who sends a request. */
export interface Client {
  /** For limits and the log: the name of the API key, or the key of the address. */
  readonly name: string;
  /** Whose request keys are whose: the name of the API key; empty where there are no keys. */
  readonly owner: string;
  /** What it may ask for. */
  readonly scopes: ReadonlySet<ServiceScope>;
}

/** How many wrong keys an address may send at once, and again in each {@link WRONG_WINDOW_MS}. */
const MAX_WRONG = 20;

const WRONG_WINDOW_MS = 60_000;

/** How many addresses that sent wrong keys are remembered: the one that was quiet for longest is forgotten first. */
const MAX_ADDRESSES = 10_000;

/** Whether two texts are equal, in a time that depends on the first alone. */
function equalInConstantTime(given: string, known: string): boolean {
  let difference = given.length ^ known.length;
  for (let at = 0; at < given.length; at++) {
    difference |= given.charCodeAt(at) ^ known.charCodeAt(at % known.length);
  }
  return difference === 0;
}

/** The key that a request has, wherever it has it. */
function readApiKey(ask: ServiceRequest): string | undefined {
  const [, token] = /^Bearer +([^ ]+) *$/i.exec(ask.header("authorization") ?? "") ?? [];
  return token ?? ask.header("x-api-key");
}

/** An address without port and brackets, as proxies write them. */
function stripPort(text: string): string {
  const trimmed = text.trim();
  const [, inside] = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed) ?? [];
  const [, v4] = /^([\d.]+):\d+$/.exec(trimmed) ?? [];
  return inside ?? v4 ?? trimmed;
}

/** The address that counts: what the first of one's own proxies saw, or the other end of the connection. */
export function clientAddress(ask: ServiceRequest, proxies: number): string {
  const direct = ask.address ?? "";
  if (proxies === 0) return direct;
  const seen = (ask.header("x-forwarded-for") ?? "").split(",").filter((part) => part.trim() !== "");
  return stripPort(seen[Math.max(0, seen.length - proxies)] ?? direct);
}

/** The key that an address counts under; all that have none share one. */
function rateLimitKey(address: string): string {
  try {
    return addressKey(address);
  } catch {
    return "unknown";
  }
}

/** Counts the wrong keys of each address, in this process alone. */
class InvalidKeyThrottle {
  readonly #rate = gcraOf(MAX_WRONG, WRONG_WINDOW_MS);
  readonly #ends = new Map<string, number>();

  /** Counts one; returns how many milliseconds to wait where there were too many, else 0. */
  count(address: string): number {
    const { interval, tolerance } = this.#rate;
    const held = this.#ends.get(address);
    const {
      allowed,
      tat: ends,
      now,
    } = consume(this.#rate, interval, held, Math.floor(performance.now() * 1000));
    // Put in anew, for a Map keeps the order in which its keys came.
    this.#ends.delete(address);
    this.#ends.set(address, ends);
    if (this.#ends.size > MAX_ADDRESSES) this.#ends.delete(this.#ends.keys().next().value as string);
    return allowed ? 0 : Math.ceil((ends + interval - tolerance - now) / 1000);
  }
}

/** Finds out who sends a request. */
export class Authenticator {
  readonly #keys: readonly ConfiguredKey[];
  readonly #proxies: number;
  readonly #wrong = new InvalidKeyThrottle();
  readonly #anyone: ReadonlySet<ServiceScope> = new Set(SCOPES);
  /** The clients of the keys, in their order; missing until the names of keys without one are known. */
  #clients: readonly Client[] | undefined;
  #naming: Promise<readonly Client[]> | undefined;

  constructor({ apiKeys, proxies }: Pick<ServiceSettings, "apiKeys" | "proxies">) {
    this.#keys = apiKeys;
    this.#proxies = proxies;
  }

  /**
   * Says who sends a request.
   *
   * @throws {@link Refusal} if there are API keys, and it has none of them
   */
  authenticate(ask: ServiceRequest): MaybePromise<Client> {
    if (this.#keys.length === 0) {
      const name = rateLimitKey(clientAddress(ask, this.#proxies));
      return { name, owner: "", scopes: this.#anyone };
    }
    const given = readApiKey(ask);
    let found = -1;
    // All of them, so that the time does not tell which one it was.
    for (const [at, { key }] of this.#keys.entries()) if (equalInConstantTime(given ?? "", key)) found = at;
    if (found < 0) throw this.#refusal(ask, given);
    if (this.#clients) return this.#clients[found] as Client;
    return this.#named().then((clients) => clients[found] as Client);
  }

  /** A digest takes its time in some runtimes, so names are made with the first request, and kept. */
  #named(): Promise<readonly Client[]> {
    this.#naming ??= Promise.all(
      this.#keys.map(async ({ key, name: given, scopes }) => {
        const name = given ?? `key-${(await fingerprint(key)).slice(0, 12)}`;
        return { name, owner: name, scopes };
      }),
    ).then(
      (clients) => {
        this.#clients = clients;
        return clients;
      },
      (error) => {
        this.#naming = undefined;
        throw error;
      },
    );
    return this.#naming;
  }

  #refusal(ask: ServiceRequest, given: string | undefined): HttpError {
    // Right keys of the same address pass all the same: behind it may be many clients, and one has an old key.
    const waitMs =
      given === undefined ? 0 : this.#wrong.count(rateLimitKey(clientAddress(ask, this.#proxies)));
    if (waitMs > 0) {
      const headers = { "retry-after": String(Math.ceil(waitMs / 1000)) };
      return new HttpError(429, "ERR_RATE_LIMITED", "Too many wrong API keys from this address.", headers);
    }
    return new HttpError(
      401,
      "ERR_UNAUTHORIZED",
      "A valid API key is needed, as Authorization: Bearer or X-API-Key.",
      { "www-authenticate": "Bearer" },
    );
  }
}
