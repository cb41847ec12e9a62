// hono-idempotency's interface on bitflake/hono. It translates names, problems and store keys, and implements no rule.

import { memory } from "bitflake/backend";
import { idempotency as middleware } from "bitflake/hono";
import { Idempotency, type KeyEvent, type RequestProblem, storedKey } from "bitflake/idempotency";

/** The context of Hono, as far as it is used here. */
interface Context {
  readonly req: { readonly raw: Request; readonly path: string; readonly method: string };
}

/** An option that is a value, or a function of the context. */
type OfContext<T> = (c: Context) => T | Promise<T>;

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
}

interface Options {
  readonly store: ReturnType<typeof memoryStore>;
  readonly headerName?: string;
  readonly fingerprint?: OfContext<string>;
  readonly required?: boolean;
  readonly methods?: string[];
  readonly maxBodySize?: number;
  readonly maxKeyLength?: number;
  readonly skipRequest?: OfContext<boolean>;
  readonly onError?: (problem: Problem, c: Context) => Response | Promise<Response>;
  readonly cacheKeyPrefix?: string | OfContext<string>;
  readonly onCacheHit?: (key: string, c: unknown) => unknown;
  readonly onCacheMiss?: (key: string, c: unknown) => unknown;
}

const NAME = "peer";

/** The same problem in the peer's words: status of ours, code and title of theirs. */
const PROBLEMS: Readonly<Record<string, readonly [code: string, type: string, title: string]>> = {
  ERR_CONTENT_TOO_LARGE: ["BODY_TOO_LARGE", "body-too-large", "Request body is too large"],
  ERR_FINGERPRINT: ["FINGERPRINT_MISMATCH", "fingerprint-mismatch", "The key was used for another request"],
  ERR_IN_FLIGHT: ["CONFLICT", "conflict", "A request is outstanding"],
};
const MISSING = ["MISSING_KEY", "missing-key", "Idempotency-Key header is required"] as const;
const TOO_LONG = ["KEY_TOO_LONG", "key-too-long", "Idempotency-Key is too long"] as const;

function toTheirs({ status, code, detail }: RequestProblem, key: string | null, maxLength = 255): Problem {
  const ofKey = key === null ? MISSING : key.length > maxLength ? TOO_LONG : undefined;
  const words = code === "ERR_IDEMPOTENCY_KEY" ? ofKey : PROBLEMS[code];
  const [theirs, type, title] = words ?? [code, "other", code];
  return { type: `https://peer.example/${type}`, title, status, detail, code: theirs };
}

export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  const type = { "content-type": "application/problem+json; charset=utf-8" };
  return Response.json(problem, { status: problem.status, headers: { ...type, ...headers } });
}

/** The peer's store: reads and writes records of bitflake under the peer's names of keys. */
export function memoryStore() {
  const backend = memory();
  const keys = new Idempotency({ backend, name: NAME });
  const find = (text: string) => {
    const [key = "", path = "", method = "", tenant = ""] = text.split(":").reverse().map(decodeURIComponent);
    return storedKey({ tenant, method, path, key });
  };
  return {
    backend,
    async get(text: string) {
      const found = await keys.peek<[number, string, [string, string][], string]>(await find(text));
      if (found.state === "absent") return undefined;
      if (found.state === "in-progress") return { status: "processing" };
      if (!found.value) return { status: "completed" };
      const [status, , headers, body] = found.value;
      return { status: "completed", response: { status, headers: Object.fromEntries(headers), body } };
    },
    async lock(text: string, record: { fingerprint: string; status: string }) {
      const work = () => (record.status === "completed" ? "" : new Promise<never>(() => {}));
      // Without room for a result, so that a completed record has none.
      void new Idempotency({ backend, name: NAME, maxBytes: 0 }).once(
        await find(text),
        record.fingerprint,
        work,
      );
      return true;
    },
  };
}

export function idempotency({ store, cacheKeyPrefix = "", skipRequest, onError, ...options }: Options) {
  const {
    headerName,
    fingerprint,
    onCacheHit,
    onCacheMiss,
    maxBodySize,
    maxKeyLength,
    required = false,
    methods,
  } = options;
  const contextOf = ({ url, method }: Request) => ({ req: { path: new URL(url).pathname, method } });
  const handle = middleware<never>({
    backend: store.backend,
    name: NAME,
    required,
    tenant: (_: Request, c: Context) =>
      typeof cacheKeyPrefix === "function" ? cacheKeyPrefix(c) : cacheKeyPrefix,
    keeps: (status: number) => status >= 200 && status < 300,
    errorResponse: async (problem: RequestProblem, request: Request, c: Context) => {
      const theirs = toTheirs(problem, request.headers.get(headerName ?? "idempotency-key"), maxKeyLength);
      return onError ? onError(theirs, c) : problemResponse(theirs, problem.headers);
    },
    ...(methods && { methods }),
    ...(headerName && { header: headerName }),
    ...(maxKeyLength !== undefined && { maxKeyLength: Math.min(maxKeyLength, 255) }),
    ...(maxBodySize !== undefined && { maxRequestBytes: maxBodySize }),
    ...(fingerprint && { fingerprint: (_: Request, c: Context) => fingerprint(c) }),
    ...(onCacheHit && {
      onHit: (event: KeyEvent) => onCacheHit(event.key, contextOf(event.request as Request)),
    }),
    ...(onCacheMiss && {
      onMiss: (event: KeyEvent) => onCacheMiss(event.key, contextOf(event.request as Request)),
    }),
  } as never) as unknown as (c: Context, next: () => Promise<void>) => Promise<Response | undefined>;
  return async (c: Context, next: () => Promise<void>) => {
    if (await skipRequest?.(c)) return next();
    const response = await handle(c, next);
    // The peer's name of the header that marks a replay.
    if (response?.headers.has("idempotent-replayed")) response.headers.set("idempotency-replayed", "true");
    return response;
  };
}
