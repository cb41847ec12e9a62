// The operations of an OpenAPI document as a flat list, for the forms of the console and for the API reference.

/** A JSON object of the document. */
export type Json = Readonly<Record<string, unknown>>;

/** A parameter of an operation. */
export interface ApiParameter {
  readonly location: string;
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly schema: Json;
  /** A value to begin with: the example or the default of the document; `undefined` without one. */
  readonly example: string | undefined;
}

/** A response of an operation. */
export interface ApiResponse {
  /** A status, a class of them such as `5XX`, or `default`. */
  readonly status: string;
  readonly description: string;
  readonly contentType: string;
  readonly schema: Json | undefined;
  readonly example: unknown;
}

/** An operation. */
export interface ApiOperation {
  readonly method: string;
  readonly path: string;
  /** An identifier for links: the operation's own, or one made of method and path. */
  readonly id: string;
  /** Its first tag; empty without one. */
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  /** Whether it needs an API key. */
  readonly needsKey: boolean;
  readonly parameters: readonly ApiParameter[];
  /** The media type of the request's body; `undefined` if it has none. */
  readonly bodyType: string | undefined;
  readonly responses: readonly ApiResponse[];
}

const METHODS = ["get", "put", "post", "delete", "patch"];

/** Returns a value as an object: an empty one if it is none, because a document may leave out any part. */
function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Returns the object that a `$ref` within the document leads to, or the object itself. */
export function resolveRef(document: Json, value: unknown): Json {
  const object = objectOf(value);
  const ref = textOf(object["$ref"]);
  if (!ref.startsWith("#/")) return object;
  let target: unknown = document;
  for (const part of ref.slice(2).split("/")) {
    target = objectOf(target)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return objectOf(target);
}

/** Returns the first of the document's examples of a parameter or a media type. */
function exampleOf(document: Json, owner: Json): unknown {
  if (owner["example"] !== undefined) return owner["example"];
  const [first] = Object.values(objectOf(owner["examples"]));
  if (first !== undefined) return resolveRef(document, first)["value"];
  const schema = resolveRef(document, owner["schema"]);
  if (Array.isArray(schema["examples"])) return schema["examples"][0];
  return schema["example"];
}

function readParameter(document: Json, given: unknown): ApiParameter {
  const parameter = resolveRef(document, given);
  const schema = resolveRef(document, parameter["schema"]);
  const example = exampleOf(document, parameter);
  return {
    location: textOf(parameter["in"]),
    name: textOf(parameter["name"]),
    description: textOf(parameter["description"]),
    isRequired: parameter["required"] === true,
    schema,
    example: example === undefined ? undefined : String(example),
  };
}

function readResponse(document: Json, status: string, given: unknown): ApiResponse {
  const response = resolveRef(document, given);
  const [[contentType, media] = ["", {}]] = Object.entries(objectOf(response["content"]));
  return {
    status,
    description: textOf(response["description"]),
    contentType,
    schema: objectOf(media)["schema"] as Json | undefined,
    example: exampleOf(document, objectOf(media)),
  };
}

/** Returns the operations of a document, in its order. */
export function readOperations(document: Json): ApiOperation[] {
  const operations: ApiOperation[] = [];
  for (const [path, item] of Object.entries(objectOf(document["paths"]))) {
    const shared = objectOf(item);
    for (const method of METHODS.filter((name) => name in shared)) {
      const operation = objectOf(shared[method]);
      const { security = document["security"], tags, operationId, requestBody } = operation;
      const parameters = [shared["parameters"], operation["parameters"]].flatMap((list) => list ?? []);
      const [bodyType] = Object.keys(objectOf(resolveRef(document, requestBody)["content"]));
      operations.push({
        method: method.toUpperCase(),
        path,
        id: textOf(operationId) || `${method}${path.replace(/\W+/g, "-").replace(/-$/, "")}`,
        tag: Array.isArray(tags) ? textOf(tags[0]) : "",
        summary: textOf(operation["summary"]),
        description: textOf(operation["description"]),
        // An empty requirement among them means that a request without a key passes.
        needsKey: Array.isArray(security) && security.length > 0 && security.every(hasScheme),
        parameters: parameters.map((parameter) => readParameter(document, parameter)),
        bodyType,
        responses: Object.entries(objectOf(operation["responses"])).map(([status, response]) =>
          readResponse(document, status, response),
        ),
      });
    }
  }
  return operations;
}

function hasScheme(requirement: unknown): boolean {
  return Object.keys(objectOf(requirement)).length > 0;
}

/** Returns the operations by their tags, in the order of the tags' first operations. */
export function groupByTag(operations: readonly ApiOperation[]): ReadonlyMap<string, ApiOperation[]> {
  const groups = new Map<string, ApiOperation[]>();
  for (const operation of operations) {
    const group = groups.get(operation.tag) ?? [];
    group.push(operation);
    groups.set(operation.tag, group);
  }
  return groups;
}

/** Describes the values of a parameter in a few words, such as `integer from 1 to 1000`. */
export function describeValues({ schema }: ApiParameter): string {
  const { type, minimum, maximum, minLength, maxLength } = schema;
  const values = schema["enum"];
  if (Array.isArray(values)) return `one of ${values.join(", ")}`;
  const name = Array.isArray(type) ? type.join(" or ") : textOf(type) || "text";
  const [from, to, unit] =
    minimum !== undefined || maximum !== undefined
      ? [minimum, maximum, ""]
      : [minLength, maxLength, " characters"];
  if (from !== undefined && to !== undefined)
    return `${name} ${unit ? "of" : "from"} ${from} to ${to}${unit}`;
  if (from !== undefined) return `${name} of at least ${from}${unit}`;
  if (to !== undefined) return `${name} of at most ${to}${unit}`;
  return name;
}

/**
 * Fills the parameters into a path.
 *
 * @param values the texts of the parameters by location and name, such as `path id`; empty ones are left out of the query
 * @returns path and query
 */
export function buildTarget({ path, parameters }: ApiOperation, values: ReadonlyMap<string, string>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(values.get(`path ${name}`) ?? ""),
  );
  const query = new URLSearchParams();
  for (const { location, name } of parameters) {
    const value = values.get(`${location} ${name}`) ?? "";
    if (location === "query" && value !== "") query.append(name, value);
  }
  const text = query.toString();
  return text === "" ? filled : `${filled}?${text}`;
}
