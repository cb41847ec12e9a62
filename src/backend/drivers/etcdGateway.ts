// Calls to the JSON gateway of etcd: endpoints in turn, authentication, and leases for values that end.

import { ArgumentError, assertFunction, assertKnownOptions } from "../../internal.ts";
import { withoutSecrets } from "../portSettings.ts";

/** The parts of a request that {@link EtcdFetch} gets. */
export interface EtcdRequest {
  /** The gateway has only POST. */
  readonly method: "POST";
  /** The type of the body, and the token of the user. */
  readonly headers: Record<string, string>;
  /** JSON. */
  readonly body: string;
  /** Ends the request when its time is over: an `AbortSignal` of the program's own types. */
  readonly signal: typeof globalThis extends Record<"AbortSignal", Record<"prototype", infer Type>>
    ? Type
    : unknown;
}

/** The parts of a response that the adapter for etcd reads. */
export interface EtcdResponse {
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  /** The status. */
  readonly status: number;
  /** Reads the body. */
  text(): Promise<string>;
}

/** A function like `fetch`: the parts that the adapter for etcd uses. */
export type EtcdFetch = (url: string, request: EtcdRequest) => Promise<EtcdResponse>;

/** A user of etcd. */
export interface EtcdUser {
  /** The user's name. */
  readonly name: string;
  /** The password. */
  readonly password: string;
}

/** A key with its value, both in base64. An empty value is left out. */
export interface EtcdPair {
  readonly key: string;
  readonly value?: string;
}

/** What the gateway answers, by path. */
interface Answers {
  "auth/authenticate": { readonly token: string };
  "lease/grant": { readonly ID: string };
  "kv/range": { readonly kvs?: readonly EtcdPair[] };
  "kv/txn": {
    readonly succeeded?: boolean;
    readonly responses?: readonly { readonly response_range?: Answers["kv/range"] }[];
  };
}

/** Calls the gateway. It may send a call again that had no answer. */
export type EtcdCall = <Path extends keyof Answers>(path: Path, body: object) => Promise<Answers[Path]>;

/**
 * Returns a function that calls the gateway: at one endpoint, and at the next one after a failure.
 *
 * @throws {@link ArgumentError} if an option is invalid
 */
export function makeEtcdCall(options: {
  readonly endpoints: string | readonly string[];
  readonly auth?: EtcdUser | undefined;
  readonly fetch?: EtcdFetch | undefined;
  readonly timeoutMs: number;
}): EtcdCall {
  const { endpoints, auth, fetch: send = (url, request) => fetch(url, request), timeoutMs } = options;
  const urls = [endpoints].flat();
  // fetch refuses a URL with a user, and its error has the password.
  const isEndpoint = (url: string) => URL.canParse(url) && /^https?:\/\/[^@]*$/.test(url);
  const wrong = urls.length === 0 ? endpoints : urls.find((url) => !isEndpoint(url));
  if (urls.length === 0 || !urls.every(isEndpoint)) {
    const rule = "the URL of a server, or several, without a user, which is the option auth";
    throw new ArgumentError("endpoints", rule, withoutSecrets(wrong));
  }
  assertFunction("fetch", send);
  if (typeof auth === "string") throw new ArgumentError("auth", "{ name, password }", "string");
  if (auth !== undefined) assertKnownOptions(auth, ["name", "password"]);
  // With a user one more, because a token ends.
  const attempts = urls.length + (auth ? 1 : 0);
  let preferred = 0;
  let token: string | undefined;
  const post = async (base: string, path: string, body: object) => {
    const url = `${base.replace(/\/$/, "")}/v3/${path}`;
    const response = await send(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token !== undefined && { authorization: token }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(Math.ceil(timeoutMs / attempts)),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    throw new Error(`etcd responded with ${response.status}: ${text.slice(0, 500)}`);
  };
  return async (path, body) => {
    for (let attempt = 1, at = preferred; ; attempt++, at = (at + 1) % urls.length) {
      const url = urls[at] as string;
      try {
        if (auth) token ??= ((await post(url, "auth/authenticate", auth)) as { token: string }).token;
        const answer = await post(url, path, body);
        preferred = at;
        return answer;
      } catch (error) {
        if (attempt === attempts) throw error;
        token = undefined;
      }
    }
  };
}

/** How many values share a lease. etcd deletes the values of a lease in one step, which must not take long. */
const VALUES_PER_LEASE = 1000;

/** The longest lease in seconds: a value that is kept for more than 68 years is kept for ever. */
const LONGEST_LEASE = 2 ** 32;

/** Finds leases, with which etcd deletes values some time after their end. Values share leases: a grant is a call. */
export class EtcdLeases {
  readonly #call: EtcdCall;
  /** The last lease of each length in seconds. */
  readonly #leases = new Map<
    number,
    { readonly id: Promise<string>; readonly dateMs: number; readonly monotonicMs: number; values: number }
  >();

  constructor(call: EtcdCall) {
    this.#call = call;
  }

  /** Resolves to the ID of a lease that lasts for at least half a minute longer than a value is kept; "0" means none. */
  find(keepMs: number | undefined): Promise<string> {
    const seconds = keepMs === undefined ? Infinity : 2 ** Math.ceil(Math.log2((2 * keepMs) / 1000 + 60));
    if (seconds > LONGEST_LEASE) return Promise.resolve("0");
    let lease = this.#leases.get(seconds);
    // The later of both clocks: one may step back, and the other may not run while the machine sleeps.
    const ageMs = lease
      ? Math.max(Date.now() - lease.dateMs, performance.now() - lease.monotonicMs)
      : Infinity;
    if (!lease || ageMs > 500 * seconds || lease.values === VALUES_PER_LEASE) {
      const id = this.#call("lease/grant", { TTL: String(seconds) }).then(({ ID }) => ID);
      lease = { id, dateMs: Date.now(), monotonicMs: performance.now(), values: 0 };
      this.#leases.set(seconds, lease);
      id.catch(() => this.forget());
    }
    lease.values++;
    return lease.id;
  }

  /** Forgets all leases, because etcd does not know one of them. */
  forget(): void {
    this.#leases.clear();
  }
}
