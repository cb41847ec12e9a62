// The packages of node-idempotency on bitflake: core on `once`, the plugins on bitflake/express and bitflake/fastify. Their
// words for errors are the translation's, and no rule is here.

import { createRequire } from "node:module";
import { join } from "node:path";
import { type Backend, fromNodeRedis, memory } from "bitflake/backend";
import { idempotency as middleware } from "bitflake/express";
import { idempotency as plugin } from "bitflake/fastify";
import {
  FingerprintError,
  InFlightError,
  jsonFingerprint,
  Idempotency as Keys,
  type RequestProblem,
} from "bitflake/idempotency";

export const HTTPHeaderEnum = { idempotentReplayed: "Idempotent-Replayed", retryAfter: "Retry-After" };
export const HttpHeaderKeysEnum = { IDEMPOTENCY_KEY: "Idempotency-Key" };
export const StorageAdapterEnum = { memory: "memory", redis: "redis" };

interface Options {
  readonly storage?: { readonly adapter: string; readonly options?: { readonly url: string } };
  readonly cacheKeyPrefix?: string;
  readonly cacheTTLMS?: number;
  readonly enforceIdempotency?: boolean;
  readonly keyMaxLength?: number;
  readonly inProgressStrategy?: { readonly wait?: boolean; readonly maxWaitMs?: number };
  readonly skipRequest?: (request: CoreRequest) => boolean;
}

/** The options of bitflake for those of the peer. */
function waiting({ inProgressStrategy }: Options) {
  if (!inProgressStrategy?.wait) return {};
  return { inFlight: "wait", waitMs: inProgressStrategy.maxWaitMs ?? 5000 } as const;
}

export class MemoryStorageAdapter {
  readonly backend: Backend = memory();

  async get(): Promise<string> {
    throw new Error("records have no public form");
  }
}

interface CoreRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  readonly body?: unknown;
  readonly method?: string;
  readonly options?: Options;
}

/** The peer's core. A request and its response are two calls, so that the work of `once` lasts from the first to the second. */
export class Idempotency {
  readonly #storage: MemoryStorageAdapter;
  readonly #running = new Map<
    string,
    { finish(response: unknown): void; readonly result: Promise<unknown> }
  >();

  constructor(storage: MemoryStorageAdapter) {
    this.#storage = storage;
  }

  #keyOf({ headers, path, method, options = {} }: CoreRequest): string {
    const key = headers[HttpHeaderKeysEnum.IDEMPOTENCY_KEY];
    return [options.cacheKeyPrefix, method, path, key].join(":");
  }

  async onRequest(request: CoreRequest): Promise<unknown> {
    const { options = {}, body } = request;
    if (options.skipRequest?.(request)) return undefined;
    const { backend } = this.#storage;
    const keys = new Keys({ backend, name: "peer", ...waiting(options) });
    const key = this.#keyOf(request);
    const print = await jsonFingerprint(body ?? null);
    return new Promise((resolve, reject) => {
      const work = () =>
        new Promise((finish) => {
          this.#running.set(key, { finish, result });
          resolve(undefined);
        });
      const result = keys.once(key, print, work);
      result
        .then(({ value, isReplay }) => isReplay && resolve(value))
        .catch((error) => reject(inTheirs(error)));
    });
  }

  async onResponse(request: CoreRequest, response: unknown): Promise<void> {
    const running = this.#running.get(this.#keyOf(request));
    running?.finish(response);
    await running?.result;
  }
}

const IN_PROGRESS = "A request is outstanding for this Idempotency-Key";
const USED = "Idempotency-Key is already used";

function inTheirs(error: unknown): unknown {
  if (error instanceof InFlightError)
    return new Error("Timed out waiting for in-progress request to complete");
  return error instanceof FingerprintError ? new Error(USED) : error;
}

/** The body of an error in each of the peer's plugins. */
type ErrorBody = (status: number, code: string, message: string) => object;

function webOptions(options: Options, backend: Backend, body: ErrorBody) {
  const { cacheTTLMS, enforceIdempotency = false, keyMaxLength } = options;
  return {
    backend,
    name: "peer",
    tenant: () => "",
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    required: enforceIdempotency,
    keeps: () => true,
    ...(cacheTTLMS && { ttlMs: cacheTTLMS }),
    ...(keyMaxLength && { maxKeyLength: keyMaxLength }),
    ...waiting(options),
    errorResponse: ({ status, code, headers }: RequestProblem) => {
      const [theirs, message] =
        code === "ERR_IN_FLIGHT"
          ? ["REQUEST_IN_PROGRESS", IN_PROGRESS]
          : code === "ERR_FINGERPRINT"
            ? ["IDEMPOTENCY_FINGERPRINT_MISSMATCH", USED]
            : [code, code];
      return Response.json(body(status, theirs as string, message as string), { status, headers });
    },
  };
}

export async function idempotencyAsMiddleware(options: Options) {
  return middleware(webOptions(options, memory(), (_, code, message) => ({ code, message })) as never);
}

const TITLES: Readonly<Record<number, string>> = { 409: "Conflict", 422: "Unprocessable Entity" };

export async function idempotencyAsPlugin(instance: never, options: Options) {
  const body: ErrorBody = (statusCode, code, message) => ({
    statusCode,
    code,
    error: TITLES[statusCode],
    message,
  });
  await plugin(instance, webOptions(options, memory(), body) as never);
}

/** A module that the tests use as well, so that it is loaded from their folder. */
const load = (name: string) => createRequire(join(process.env.PEER_FOLDER ?? "", "tests.js"))(name);

/** A Redis for each test: the server of this run, emptied. */
export class RedisMemoryServer {
  async getHost(): Promise<string> {
    return "127.0.0.1";
  }
  async getPort(): Promise<number> {
    const client = load("redis").createClient({ url: `redis://127.0.0.1:${process.env.PEER_REDIS_PORT}` });
    await client.connect();
    await client.flushAll();
    await client.quit();
    return Number(process.env.PEER_REDIS_PORT);
  }
  async stop(): Promise<void> {}
}

/** The options of the decorator on the peer's test controller. They are for all routes of the app. */
let decorated: Options = {};

export const Idempotent = (options: Options) => {
  decorated = options;
  return () => {};
};

type Registered = Options & {
  readonly imports?: unknown[];
  readonly inject?: unknown[];
  readonly useFactory?: (...parameters: unknown[]) => Options | Promise<Options>;
};

/** The peer's Nest module: middleware on Express, the plugin on Fastify. */
export class NodeIdempotencyModule {
  readonly #options: Options;
  readonly #host: { readonly httpAdapter: { getType(): string; getInstance(): { register: unknown } } };
  #close = async () => {};

  constructor(options: Options, host: never) {
    this.#options = { ...options, ...decorated };
    this.#host = host;
  }

  async configure(consumer: { apply(...all: unknown[]): { forRoutes(path: string): void } }): Promise<void> {
    const { storage } = this.#options;
    let backend: Backend = memory();
    if (storage?.adapter === "redis") {
      const client = load("redis").createClient(storage.options);
      await client.connect();
      this.#close = () => client.quit();
      backend = fromNodeRedis(client);
    }
    const options = webOptions(this.#options, backend, (statusCode, _, message) => ({
      message,
      statusCode,
    })) as never;
    const { httpAdapter } = this.#host;
    if (httpAdapter.getType() === "express") consumer.apply(middleware(options)).forRoutes("{*all}");
    else await (httpAdapter.getInstance().register as (...all: unknown[]) => unknown)(plugin, options);
  }

  onModuleDestroy(): Promise<void> {
    return this.#close();
  }

  static forRootAsync({ imports = [], inject = [], useFactory, ...options }: Registered) {
    const { Inject, Module } = load("@nestjs/common");
    const { HttpAdapterHost } = load("@nestjs/core");
    class Configured extends NodeIdempotencyModule {}
    Module({})(Configured);
    Inject("OPTIONS")(Configured, undefined, 0);
    Inject(HttpAdapterHost)(Configured, undefined, 1);
    const provider = useFactory ? { useFactory, inject } : { useValue: options };
    return { global: true, module: Configured, imports, providers: [{ provide: "OPTIONS", ...provider }] };
  }
}
