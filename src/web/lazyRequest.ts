// Requests that are created when they are read: the Request of the fetch standard for a request of Node.
//
// Creating one takes longer than a small handler of Express, and most requests need only the method and a header of it.

import { CREATE_REQUEST } from "../http/realRequest.ts";
import type { NodeRequest } from "./nodeTypes.ts";

/** The source that a request is created from. */
export interface RequestSource {
  readonly raw: NodeRequest;
  /** Path and query as they came. */
  readonly target: string;
  /** Returns the body. It is read when it is needed. */
  body(): BodyInit | null;
  /** Returns a signal that is aborted when the client goes away. */
  signal(): AbortSignal;
  /** Called when the request is created. */
  created?(): void;
}

/** Returns the absolute URL of a request. The host is the client's word, and only for readers: no rule depends on it. */
function urlOf({ raw, target }: RequestSource): string {
  // Some proxies send an absolute URL.
  const path = target.startsWith("/")
    ? target
    : target.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
  const { host, ":authority": authority } = raw.headers;
  const { encrypted } = ((raw as { socket?: unknown }).socket ?? {}) as { encrypted?: boolean };
  const origin = `http${encrypted ? "s" : ""}://${host ?? authority ?? "localhost"}`;
  // No credentials, with which no Request can be created.
  return !origin.includes("@") && URL.canParse(origin + path) ? origin + path : `http://localhost${path}`;
}

/** Returns a header as fetch has it, or `null`. */
function headerOf({ headers }: NodeRequest, name: string): string | null {
  const key = name.toLowerCase();
  const value = Object.hasOwn(headers, key) ? headers[key] : undefined;
  return (Array.isArray(value) ? value.join(", ") : value) ?? null;
}

/** Creates the headers of a request, without those that begin with a colon in HTTP/2. */
function createHeaders({ headers }: NodeRequest): Headers {
  const created = new Headers();
  for (const [name, value = []] of Object.entries(headers)) {
    if (name.startsWith(":")) continue;
    for (const item of [value].flat()) created.append(name, item);
  }
  return created;
}

/** Makes a class have the properties of another, each read from an object that is created at the first one. */
function delegate(to: object, prototype: object, create: (self: object) => object): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (Object.hasOwn(to, name)) continue;
    const get = function (this: object) {
      const target = create(this);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    };
    Object.defineProperty(to, name, { configurable: true, enumerable: property.enumerable ?? true, get });
  }
  // So that `instanceof` holds, and symbols such as the iterator's are found.
  Object.setPrototypeOf(to, prototype);
}

class LazyHeaders {
  readonly #raw: NodeRequest;
  #created: Headers | undefined;

  constructor(raw: NodeRequest) {
    this.#raw = raw;
  }

  get(name: string): string | null {
    return headerOf(this.#raw, name);
  }

  create(): Headers {
    this.#created ??= createHeaders(this.#raw);
    return this.#created;
  }

  [Symbol.iterator](): Iterator<[string, string]> {
    const entries: [string, string][] = [];
    this.create().forEach((value, name) => {
      entries.push([name, value]);
    });
    return entries[Symbol.iterator]();
  }
}

class LazyRequest {
  readonly #source: RequestSource;
  #headers: LazyHeaders | undefined;
  #created: Request | undefined;

  constructor(source: RequestSource) {
    this.#source = source;
  }

  /** Returns the source of a request, or `undefined` if it is none of this class. */
  static sourceOf(request: object): RequestSource | undefined {
    return #source in request ? request.#source : undefined;
  }

  get method(): string {
    return this.#source.raw.method ?? "GET";
  }

  get url(): string {
    return this.#created?.url ?? urlOf(this.#source);
  }

  get headers(): LazyHeaders {
    this.#headers ??= new LazyHeaders(this.#source.raw);
    return this.#headers;
  }

  [CREATE_REQUEST](): Request {
    this.#created ??= createRequest(this.#source);
    return this.#created;
  }
}

/** Returns the source of a request that is created when it is read; `undefined` of any other request. */
export const sourceOf: (request: object) => RequestSource | undefined = LazyRequest.sourceOf;

/** Creates the request at once. */
export function createRequest(source: RequestSource): Request {
  source.created?.();
  const { method = "GET" } = source.raw;
  const init = {
    method,
    headers: createHeaders(source.raw),
    body: method === "GET" || method === "HEAD" ? null : source.body(),
    signal: source.signal(),
    // Node refuses a body that is a stream without it.
    duplex: "half",
  };
  return new Request(urlOf(source), init);
}

/** Whether the classes have the properties of the standard's. */
let isComplete = false;

/** Returns a request that is created when more than its method, URL or a header is read. */
export function lazyRequest(source: RequestSource): Request {
  // Not at module scope, because importing reads no global.
  if (!isComplete) {
    isComplete = true;
    delegate(LazyHeaders.prototype, Headers.prototype, (self) => (self as LazyHeaders).create());
    delegate(LazyRequest.prototype, Request.prototype, (self) => (self as LazyRequest)[CREATE_REQUEST]());
  }
  return new LazyRequest(source) as unknown as Request;
}
