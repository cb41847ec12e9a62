// A service for tests, whose answers are all held against the document that it publishes of itself.

import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import {
  createService,
  type Service,
  type ServiceContext,
  type ServiceOptions,
} from "../../src/service/index.ts";

type Schema = Readonly<Record<string, unknown>>;
interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The document that a service publishes. */
export async function documentOf(service: Service): Promise<Document> {
  const response = await service(new Request("http://localhost/openapi.json"));
  return (await response.json()) as Document;
}

/** What a response is held against: throws if it is not as the document says. */
export async function checker(
  service: Service,
): Promise<(method: string, path: string, response: Response) => Promise<void>> {
  const document = await documentOf(service);
  const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
  addFormats(ajv);
  const problem = document.components.schemas["Problem"] as Schema;
  const routes = Object.entries(document.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]*")}$`),
    operations,
  }));
  const schemas = new Map<unknown, ReturnType<typeof ajv.compile>>();
  return async (method, path, response) => {
    if (method === "HEAD" || method === "OPTIONS") return;
    const { status } = response;
    const type = (response.headers.get("content-type") ?? "").split(";")[0] as string;
    const text = await response.clone().text();
    const operations = routes.find(({ pattern }) => pattern.test(path))?.operations;
    const responses = operations?.[method.toLowerCase()]?.responses;
    // A path that there is not has no entry: its answer is a problem like every other.
    const content = (responses?.[status] ?? responses?.["default"])?.content ?? {};
    const isProblem = type === "application/problem+json";
    // The document refers to the one schema of problems.
    const schema = isProblem ? problem : content[type]?.schema;
    if (!schema) throw new Error(`${method} ${path}: ${status} ${type} is not in the document: ${text}`);
    let validate = schemas.get(schema);
    if (!validate) {
      validate = ajv.compile(schema);
      schemas.set(schema, validate);
    }
    const value = type.endsWith("json") ? JSON.parse(text) : text;
    if (!validate(value)) {
      throw new Error(
        `${method} ${path}: ${status} ${text} is not as the document says: ${JSON.stringify(validate.errors)}`,
      );
    }
  };
}

/** A service, and a way to ask it: each answer is checked. */
export async function open(options: Partial<ServiceOptions> = {}): Promise<{
  readonly service: Service;
  ask(path: string, init?: RequestInit, context?: ServiceContext): Promise<Response>;
}> {
  const service = createService({ backend: memory(), ...options });
  const check = await checker(service);
  return {
    service,
    async ask(path, init = {}, context) {
      const response = await service(new Request(`http://localhost${path}`, init), context);
      await check(init.method ?? "GET", path.split("?")[0] as string, response);
      return response;
    },
  };
}

/** What a client reads of an answer. */
export async function read(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

/** A memory that can be down, and then says where it is. */
export class Fragile implements MemoryPort {
  isDown = false;
  readonly #port = memory();

  change<State, Result>(
    name: string,
    change: (state: State | undefined, nowMs: number) => readonly [State, Result],
  ): Result {
    if (this.isDown) throw new Error("down at 10.0.0.5");
    return this.#port.change(name, change);
  }
}
