// Options of a client, and the settings that they resolve to.

import { MAX_TIMER_MS } from "../backend/call.ts";
import { ArgumentError, assertFunction, assertKnownOptions, assertOneOf, assertWhole } from "../internal.ts";
import type { ClientFetch } from "./fetchPort.ts";

/** The most IDs of one request, which is the service's limit. */
export const MAX_COUNT = 1000;

/** The largest `maxAgeMs`: an hour. */
const MAX_AGE_MS = 3_600_000;

/** The most services of a client. */
const MAX_URLS = 100;

/** Options of a {@link BitflakeClient}. An unknown name is refused. */
export interface ClientOptions {
  /**
   * The URL of the service, or the URLs of several services that share their store: `http:` or `https:`, with or without a
   * path, without credentials, query and fragment. Requests go to the first one, and to the next one after a failure. The
   * client stays with the one that answered last.
   */
  readonly url: string | readonly string[];
  /** The API key, if the service has some: 1 to 255 characters of visible ASCII. No error shows it. */
  readonly apiKey?: string | undefined;
  /**
   * The most IDs that {@link BitflakeClient.nextId} fetches ahead at once, from 0 to 1000. Default 1000. It fetches as many as
   * callers used in a quarter of `maxAgeMs`, and not more than this. With 0, nothing is fetched ahead: each ID is made after
   * its call. If the service has a rate limit, keep this below it, because a request counts as many as its IDs.
   */
  readonly prefetch?: number | undefined;
  /**
   * How long an ID may wait in the buffer, in milliseconds from 1 to 3,600,000. Default 1000. Older ones are discarded, because
   * an ID has the time at which it was made, and would sort before IDs that others made since.
   */
  readonly maxAgeMs?: number | undefined;
  /** How long a call may take with all its attempts, in milliseconds from 1 to 2^31 - 1. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** How long one attempt may take, in milliseconds from 1 to 2^31 - 1. Default 3000. */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * Whether a request is repeated after a failure that may pass, within `timeoutMs`. Default `true`. Then it goes to the next
   * service at once, and after a round of all services waits up to 50 ms, 100 ms and so on up to 2 s, at random, and at least
   * as long as a `Retry-After` says.
   */
  readonly retry?: boolean | undefined;
  /**
   * Sends the requests. Default: the `fetch` of the runtime, which is read at each request. Its answer must be of this request:
   * no cache may answer.
   */
  readonly fetch?: ClientFetch | undefined;
}

const OPTIONS: readonly string[] = [
  "url",
  "apiKey",
  "prefetch",
  "maxAgeMs",
  "timeoutMs",
  "attemptTimeoutMs",
  "retry",
  "fetch",
];

/** Validated options, with defaults. */
export interface ClientSettings {
  /** The services, without a slash at the end. */
  readonly urls: readonly string[];
  readonly apiKey: string | undefined;
  readonly prefetch: number;
  readonly maxAgeMs: number;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly retry: boolean;
  readonly fetch: ClientFetch;
}

/** Sends a request by the fetch that the runtime has at this time, which may be a mock of a test. */
const runtimeFetch: ClientFetch = (url, init) => fetch(url, init as RequestInit);

/** Validates options, and fills in the defaults. */
export function resolveClientSettings(options: ClientOptions): ClientSettings {
  assertKnownOptions(options, OPTIONS);
  const {
    url,
    apiKey,
    prefetch = MAX_COUNT,
    maxAgeMs = 1000,
    timeoutMs = 10_000,
    attemptTimeoutMs = 3000,
    retry = true,
    fetch = runtimeFetch,
  } = options;
  return {
    urls: resolveUrls(url),
    apiKey: assertApiKey(apiKey),
    prefetch: assertWhole("prefetch", prefetch, 0, MAX_COUNT),
    maxAgeMs: assertWhole("maxAgeMs", maxAgeMs, 1, MAX_AGE_MS),
    timeoutMs: assertWhole("timeoutMs", timeoutMs, 1, MAX_TIMER_MS),
    attemptTimeoutMs: assertWhole("attemptTimeoutMs", attemptTimeoutMs, 1, MAX_TIMER_MS),
    retry: assertOneOf("retry", retry, [true, false]),
    fetch: assertFunction("fetch", fetch),
  };
}

function resolveUrls(url: ClientOptions["url"]): readonly string[] {
  if (!Array.isArray(url)) return [resolveUrl("url", url)];
  const urls: readonly unknown[] = url;
  if (urls.length === 0 || urls.length > MAX_URLS) {
    throw new ArgumentError(
      "url",
      `a URL, or an array of 1 to ${MAX_URLS} URLs`,
      `an array of ${urls.length}`,
    );
  }
  const resolved = urls.map((each, index) => resolveUrl(`url[${index}]`, each));
  for (const [index, each] of resolved.entries()) {
    if (resolved.indexOf(each) < index) {
      throw new ArgumentError(`url[${index}]`, "different from the URLs before it", each);
    }
  }
  return resolved;
}

/** Asserts that a value is the URL of a service. Returns it without a slash at the end. */
function resolveUrl(field: string, value: unknown): string {
  const rule = "an http or https URL without credentials, query and fragment";
  let url: URL;
  try {
    if (typeof value !== "string") throw new TypeError();
    url = new URL(value);
  } catch {
    // It may have credentials, so its text is not shown.
    throw new ArgumentError(field, rule, typeof value === "string" ? "[a string]" : typeof value);
  }
  const { protocol, username, password, search, hash, origin, pathname } = url;
  const isPlain = username === "" && password === "" && search === "" && hash === "";
  if (!/^https?:$/.test(protocol)) throw new ArgumentError(field, rule, `[a URL with ${protocol}]`);
  if (!isPlain) throw new ArgumentError(field, rule, `${origin}${pathname} with one of these`);
  return `${origin}${pathname}`.replace(/\/+$/, "");
}

/** Asserts that a value can be an API key. The error does not show it. */
function assertApiKey(value: unknown): string | undefined {
  if (value === undefined || (typeof value === "string" && /^[\x21-\x7e]{1,255}$/.test(value))) return value;
  const shown = typeof value === "string" ? `[a string of ${value.length} characters]` : typeof value;
  throw new ArgumentError("apiKey", "1 to 255 characters of visible ASCII", shown);
}
