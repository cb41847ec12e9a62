// Requests to the service, with the API key of the session.

const KEY = "bitflake-key";

/** How long a request may take, in milliseconds. The status is answered within about one second. */
const TIMEOUT_MS = 2500;

/** The folder of the page: the service may be mounted under a path. */
export const base = new URL(".", location.href);

/** The key, if the browser denies the session's storage. */
let unsavedKey = "";

/** Returns the API key; empty without one. */
export function apiKey() {
  try {
    return sessionStorage.getItem(KEY) ?? unsavedKey;
  } catch {
    return unsavedKey;
  }
}

/** Keeps the API key until the tab is closed. An empty one is removed. */
export function keepApiKey(key) {
  unsavedKey = key;
  try {
    if (key === "") sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, key);
  } catch {
    // The key stays in memory.
  }
}

/** Returns a text as a header can carry it, or undefined: fetch throws an error for others. */
function headerSafe(text) {
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined;
}

/** Sends a request to a path below the page's folder, with the key. */
export function send(target, { headers = [], timeoutMs = TIMEOUT_MS, ...init } = {}) {
  const key = headerSafe(apiKey());
  return fetch(new URL(target.replace(/^\//, ""), base), {
    ...init,
    headers: [...headers, ...(key === undefined ? [] : [["authorization", `Bearer ${key}`]])],
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(timeoutMs),
  });
}

/** An answer that is no success. Its message is the problem's detail. */
export class Refused extends Error {
  constructor(status, detail, code) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/**
 * Requests JSON.
 *
 * @throws {@link Refused} if the answer is no success
 */
export async function getJson(target) {
  const response = await send(target, { headers: [["accept", "application/json"]] });
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refused(response.status, `The answer is not JSON: ${text.slice(0, 100)}`);
  }
  if (!response.ok) throw new Refused(response.status, body.detail ?? response.statusText, body.code);
  return body;
}
