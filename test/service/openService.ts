// A service for tests. Each of its responses is checked against the service's own OpenAPI document.

import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { vi } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import {
  createService,
  type Service,
  type ServiceContext,
  type ServiceEvent,
  type ServiceEventName,
  type ServiceOptions,
} from "../../src/service/index.ts";

type Schema = Readonly<Record<string, unknown>>;
interface Content {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface WrittenResponse {
  readonly content?: Readonly<Record<string, Content>>;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly schema: Schema; readonly example?: unknown }[];
  readonly responses: Readonly<Record<string, WrittenResponse | { readonly $ref: string }>>;
}
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, WrittenResponse>>;
  };
}

/** Statuses that the document has by name wherever a route can answer them. A server's own guard answers 403 too. */
const NAMED = [400, 401, 404, 406, 413, 415, 422, 429, 503];

/** Returns the response of a status, without references. */
export function responseOf(
  { components }: OpenApiDocument,
  { responses }: Operation,
  status: number,
): WrittenResponse | undefined {
  const written = responses[status] ?? (NAMED.includes(status) ? undefined : responses["default"]);
  if (!written || !("$ref" in written)) return written;
  return components.responses[written.$ref.replace("#/components/responses/", "")];
}

/** Returns a validator of values by a schema of the document, which refers to that of problems alone. */
export function createValidate({
  components,
}: OpenApiDocument): (schema: Schema, value: unknown) => string | undefined {
  const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
  addFormats(ajv);
  const validators = new Map<unknown, ReturnType<typeof ajv.compile>>();
  return (schema, value) => {
    const own = "$ref" in schema ? (components.schemas["Problem"] as Schema) : schema;
    let validate = validators.get(own);
    if (!validate) {
      validate = ajv.compile(own);
      validators.set(own, validate);
    }
    return validate(value) ? undefined : JSON.stringify(validate.errors);
  };
}

async function fetchDocument(service: Service): Promise<string> {
  return (await service(new Request("http://localhost/openapi.json"))).text();
}

/** Resolves to the document that a service publishes. */
export async function fetchOpenApi(service: Service): Promise<OpenApiDocument> {
  return JSON.parse(await fetchDocument(service));
}

/** Asserts that a response is as the document says. */
export type AssertResponse = (method: string, path: string, response: Response) => Promise<void>;

function createAssertResponse(document: OpenApiDocument): AssertResponse {
  const validate = createValidate(document);
  const problem = document.components.schemas["Problem"] as Schema;
  const routes = Object.entries(document.paths).map(([path, operations]) => ({
    pattern: new RegExp(
      `^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]*")}${path.startsWith("/v1/") ? "/?" : ""}$`,
    ),
    operations,
  }));
  return async (method, path, response) => {
    if (method === "HEAD" || method === "OPTIONS") return;
    const { status } = response;
    const type = (response.headers.get("content-type") ?? "").split(";")[0] as string;
    const text = await response.clone().text();
    const operation = routes.find(({ pattern }) => pattern.test(path))?.operations[method.toLowerCase()];
    // A path or a method without a route is not in the document: its response is a problem document.
    const schema = operation ? responseOf(document, operation, status)?.content?.[type]?.schema : problem;
    if (!schema) throw new Error(`${method} ${path}: ${status} ${type} is not in the document: ${text}`);
    const errors = validate(schema, type.endsWith("json") ? JSON.parse(text) : text);
    if (errors)
      throw new Error(`${method} ${path}: ${status} ${text} is not as the document says: ${errors}`);
  };
}

/** By the text of the document: most services of a file have the same, and compiling its schemas is slow. */
const assertions = new Map<string, AssertResponse>();

/** Resolves to a function that asserts that the responses of a service are as its document says. */
export async function assertResponseOf(service: Service): Promise<AssertResponse> {
  const document = await fetchDocument(service);
  let assertResponse = assertions.get(document);
  if (!assertResponse) {
    assertResponse = createAssertResponse(JSON.parse(document));
    assertions.set(document, assertResponse);
  }
  return assertResponse;
}

/** Creates a service on memory, and a function that sends requests and checks the responses. */
export async function openService(options: Partial<ServiceOptions> = {}): Promise<{
  readonly service: Service;
  send(path: string, init?: RequestInit, context?: ServiceContext): Promise<Response>;
}> {
  const service = createService({ backend: memory(), ...options });
  const assertResponse = await assertResponseOf(service);
  return {
    service,
    async send(path, init = {}, context) {
      const response = await service(new Request(`http://localhost${path}`, init), context);
      await assertResponse(init.method ?? "GET", path.split("?")[0] as string, response);
      return response;
    },
  };
}

/** Reads a response. */
export async function statusAndBody(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

/** A memory that can be down, or refuse to change some of its states, as a store that answers and cannot be written. */
export class UnreliableMemory implements MemoryPort {
  isDown = false;
  /** Prefixes of the states that cannot be changed. */
  readOnlyPrefixes: readonly string[] = [];
  /** The names of the states that were changed, or that a caller tried to change. */
  readonly calls: string[] = [];
  readonly timeoutMs = 500;
  readonly #port = memory();

  change<State, Result>(
    name: string,
    change: (state: State | undefined, nowMs: number) => readonly [State, Result],
  ): Result {
    this.calls.push(name);
    if (this.isDown) throw new Error("down at 10.0.0.5");
    if (this.readOnlyPrefixes.some((prefix) => name.startsWith(prefix))) {
      throw new Error("read-only file system");
    }
    return this.#port.change(name, change);
  }
}

/** A service, its events, and its health. */
export interface ObservedService {
  readonly service: Service;
  send(path: string, init?: RequestInit, context?: ServiceContext): Promise<Response>;
  readonly events: readonly ServiceEvent[];
  eventNames(): readonly ServiceEventName[];
  health(): Promise<[number, unknown]>;
}

/** Creates a service that records its events, and starts it. */
export async function startService(options: Partial<ServiceOptions> = {}): Promise<ObservedService> {
  const events: ServiceEvent[] = [];
  const { service, send } = await openService({ onEvent: (event) => void events.push(event), ...options });
  await service.start();
  return {
    service,
    send,
    events,
    eventNames: () => events.map(({ event }) => event),
    health: async () => statusAndBody(await send("/health")),
  };
}

/** Steps the fake timers until an assertion passes, or 20 s of their time have passed. */
export async function stepUntil(assertion: () => unknown): Promise<void> {
  for (let stepMs = 0; ; stepMs += 100) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (stepMs >= 20_000) throw error;
    }
    await vi.advanceTimersByTimeAsync(100);
  }
}

/** Steps the fake timers until a promise is settled: the fill of a pool, and a stop that waits for it, need some. */
export async function stepThrough<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  while (!isSettled) await vi.advanceTimersByTimeAsync(100);
  return promise;
}
