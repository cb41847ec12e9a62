// Routes for numeric IDs, with the paths and envelopes of the ID generator of OpenG2P, an open-source platform for social
// benefits, so that its clients work unchanged. One more route is that of MOSIP, an open-source platform for national
// identity, whose UIN is the number of a person.

import { documentationLink } from "../../http/problem.ts";
import { fingerprint as sha256Hex } from "../../idempotency/index.ts";
import { KEY_HEADER_DOCS, readKey } from "../../idempotency/key.ts";
import { REPLAYED_HEADER } from "../../idempotency/replay.ts";
import { BackendError, IdPoolEmptyError, IdPoolExhaustedError, IdPoolHistoryError } from "../../internal.ts";
import type { IdPool } from "../../numeric/index.ts";
import { VERSION } from "../../version.ts";
import { COUNT, costOf, idsSchema, parseCount } from "../count.ts";
import type { ServiceResponse } from "../message.ts";
import { type OtherResponse, objectSchema, type Parameter, type Schema, textSchema } from "../operation.ts";
import { HttpError, withHeaders } from "../response.ts";
import type { Route, RouteContext, RouteDeps } from "../route.ts";
import {
  commonRules,
  envelopeExample,
  envelopeSchema,
  failure,
  failureSchema,
  mosipExample,
  mosipResponse,
  mosipSchema,
  success,
  toOpenG2pRules,
} from "./openg2pEnvelopes.ts";

const BASE = "/v1/idgenerator";

/** The type names that OpenG2P allows. A configured type may have another name. */
const TYPE_NAME = /^[a-z][a-z0-9_]{1,63}$/;

/** The type of the IDs that clients of MOSIP's ID generator request. */
const UIN = "uin";

const DIGITS = /^\d{1,32}$/;

/** How many IDs of a request with a key are issued at once. Each is a statement of its own. */
const KEYED_AT_ONCE = 16;

const TYPE: Parameter = {
  name: "type",
  description: "The name of the type.",
  schema: { type: "string" },
  example: "farmer",
};

const ID: Parameter = {
  name: "id",
  description: "1 to 32 digits.",
  schema: { type: "string", pattern: DIGITS.source },
  example: "8349257232",
};

const KEY_HEADERS: readonly Parameter[] = [
  {
    name: "Idempotency-Key",
    description:
      "The key of the request, 1 to 255 characters: visible ASCII without double quotes, commas and backslashes; or printable ASCII in double quotes, with a backslash before each double quote and backslash.",
    schema: { type: "string", minLength: 1 },
    example: '"form-41"',
  },
  {
    name: "X-Idempotency-Key",
    description: "The same, under an older name. If both headers are sent, their keys must be equal.",
    schema: { type: "string", minLength: 1 },
  },
];

const REPLAY_HEADERS = {
  "Idempotent-Replayed": "`true` if all IDs of the response were issued before, for the same key.",
};

const UNKNOWN_TYPE: OtherResponse = {
  description: "IDG-003: there is no such type.",
  schema: failureSchema,
  example: envelopeExample(null, [{ errorCode: "IDG-003", message: "Unknown ID type 'goat'" }]),
};

const UNAVAILABLE: OtherResponse = {
  description: "IDG-001, IDG-005 or IDG-006: no ID can be issued now; retry.",
  schema: failureSchema,
  example: envelopeExample(null, [{ errorCode: "IDG-006", message: "The database cannot be reached" }]),
};

const ALL_ISSUED: OtherResponse = {
  description: "IDG-002: all IDs of the type are issued, or fewer are left than requested.",
  schema: failureSchema,
  example: envelopeExample(null, [{ errorCode: "IDG-002", message: "All IDs of type 'farmer' are issued" }]),
};

const TAG = "Numeric IDs";

// OpenG2P's clients expect strings; the package does not know from which commit it was built.
const VERSION_FIELDS = { service_version: VERSION, build_time: "unknown", git_commit: "unknown" };

const digitsSchema: Schema = { type: "string", pattern: "^[0-9]+$" };

const rulesSchema: Schema = { type: "object" };

/** Returns the response to an issue that failed, with OpenG2P's code. Throws an error for which OpenG2P has none. */
function issueFailure(error: unknown, typeName: string, isStarted: boolean): ServiceResponse {
  // An HttpError is the refusal of a service that stops, not an error for the log.
  if (error instanceof HttpError) return failure(503, "IDG-005", "The service is not ready");
  if (!isStarted) return failure(503, "IDG-005", "The service is not ready", error);
  if (error instanceof IdPoolEmptyError)
    return failure(503, "IDG-001", `No IDs available for ID type '${typeName}'`, error);
  if (error instanceof IdPoolExhaustedError) {
    const rule =
      error.remaining === 0
        ? `All IDs of type '${typeName}' are issued`
        : `Only ${error.remaining} IDs of type '${typeName}' are left`;
    return failure(410, "IDG-002", rule, error);
  }
  if (error instanceof BackendError) return failure(503, "IDG-006", "The database cannot be reached", error);
  if (error instanceof IdPoolHistoryError)
    return failure(503, "IDG-006", "The database may have lost IDs that were issued", error);
  throw error;
}

export function openg2pRoutes({ settings, lifecycle, metrics }: RouteDeps): Route[] {
  const { name: serviceName, types } = settings;

  const unknownType = (name: string): ServiceResponse => {
    if (!TYPE_NAME.test(name)) {
      const rule = `The type must match ${TYPE_NAME.source}, or be one of those configured.`;
      throw new HttpError(422, "ERR_ARGUMENT", rule);
    }
    return failure(404, "IDG-003", `Unknown ID type '${name}'`);
  };

  /**
   * Makes request keys of the request's `Idempotency-Key`, one for each ID. They depend on the client and on the service's
   * name, because services of different names may share pools but not clients. The first is that of a request for one ID.
   */
  const requestKeysOf = async ({ request, client }: RouteContext, count: number): Promise<string[]> => {
    const key = readKey((name) => request.header(name));
    if (typeof key === "object") {
      throw new HttpError(
        400,
        "ERR_IDEMPOTENCY_KEY",
        `${key.brokenRule}.`,
        documentationLink(KEY_HEADER_DOCS),
      );
    }
    if (key === undefined) return [];
    const fields = [serviceName, client.requestKeyOwner, key];
    return Promise.all(
      Array.from({ length: count }, (_, at) =>
        sha256Hex(JSON.stringify(at === 0 ? fields : [...fields, at])),
      ),
    );
  };

  /**
   * Issues IDs: without a key in one step, with a key one for each request key made of it. Then a request that failed half-way
   * gets the same IDs when it is repeated, and the rest. An ID that its key got before is a replay, and is not counted; the
   * response is marked if all of its IDs are.
   */
  const issue = async (
    context: RouteContext,
    typeName: string,
    count: number,
    respond: (ids: readonly string[]) => ServiceResponse,
  ): Promise<ServiceResponse> => {
    const requestKeys = await requestKeysOf(context, count);
    const pool = (await lifecycle.ensureStarted()).pools[typeName] as IdPool; // Each type has one.
    if (requestKeys.length === 0) {
      const ids = await pool.issueIds(count);
      metrics.countIds("numeric", count);
      return respond(ids);
    }
    const ids: string[] = [];
    let replays = 0;
    // Counted one by one, because those of a request that fails half-way are replays when it is repeated.
    const issueOne = async (requestKey: string): Promise<string> => {
      let isReplay = false;
      const onReplay = () => {
        isReplay = true;
      };
      const id = await pool.issue({ requestKey, onReplay });
      if (isReplay) replays++;
      else metrics.countIds("numeric", 1);
      return id;
    };
    for (let at = 0; at < count; at += KEYED_AT_ONCE) {
      ids.push(...(await Promise.all(requestKeys.slice(at, at + KEYED_AT_ONCE).map(issueOne))));
    }
    return replays < count ? respond(ids) : withHeaders(respond(ids), { [REPLAYED_HEADER]: "true" });
  };

  const issueId = async (context: RouteContext): Promise<ServiceResponse> => {
    const typeName = context.params["type"] as string;
    if (!types[typeName]) return unknownType(typeName);
    const count = parseCount(context.query);
    const respond = (ids: readonly string[]) => success(count === undefined ? { id: ids[0] } : { ids });
    try {
      return await issue(context, typeName, count ?? 1, respond);
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      return issueFailure(error, typeName, lifecycle.resources !== undefined);
    }
  };

  const issueUin = async (context: RouteContext): Promise<ServiceResponse> => {
    try {
      return await issue(context, UIN, 1, ([uin]) => mosipResponse({ uin: uin as string }, null));
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      const isNoneLeft = error instanceof IdPoolEmptyError || error instanceof IdPoolExhaustedError;
      const [errorCode, message] = isNoneLeft
        ? (["KER-UIG-001", "UIN could not be found"] as const)
        : (["KER-UIG-005", "Internal Server Error"] as const);
      return mosipResponse(null, [{ errorCode, message }], error instanceof HttpError ? undefined : error);
    }
  };

  /** Asserts that an ID consists of digits, and returns it. */
  const assertId = (id: string): string => {
    if (DIGITS.test(id)) return id;
    throw new HttpError(422, "ERR_ARGUMENT", `The ID must match ${DIGITS.source}.`);
  };

  const validateId = ({ params }: RouteContext): ServiceResponse => {
    const { type: typeName, id } = params as { readonly type: string; readonly id: string };
    const type = types[typeName];
    if (!type) return unknownType(typeName);
    return success({ id, valid: type.validate(assertId(id)).valid });
  };

  const isIssued = async ({ params }: RouteContext): Promise<ServiceResponse> => {
    const { type: typeName, id } = params as { readonly type: string; readonly id: string };
    if (!types[typeName]) return unknownType(typeName);
    assertId(id);
    try {
      const pool = (await lifecycle.ensureStarted()).pools[typeName] as IdPool; // Each type has one.
      return success({ id, issued: await pool.isTaken(id) });
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      return issueFailure(error, typeName, lifecycle.resources !== undefined);
    }
  };

  const health = async (): Promise<ServiceResponse> => {
    if (lifecycle.phase !== "running") return failure(503, "IDG-005", "The service is not ready");
    if (lifecycle.isDraining) return failure(503, "IDG-005", "The service is stopping");
    if (!(await lifecycle.health.poolBackendDependency.check()))
      return failure(503, "IDG-006", "The database cannot be reached");
    const states = await lifecycle.health.poolStates();
    return states.some(({ status }) => status?.lastError instanceof IdPoolHistoryError)
      ? failure(503, "IDG-006", "The database may have lost IDs that were issued")
      : success({ status: "UP" });
  };

  const config = (): ServiceResponse => {
    const entries = Object.entries(types).map(
      ([name, { length, rules }]) => [name, length, toOpenG2pRules(rules)] as const,
    );
    const idTypes = entries.map(([name, id_length, filter_rules]) => [name, { id_length, filter_rules }]);
    return success({
      id_types: Object.fromEntries(idTypes),
      filter_rules: commonRules(entries.map(([, , rules]) => rules)),
    });
  };

  const routes: Route[] = [
    {
      method: "POST",
      path: `${BASE}/{type}/id`,
      scope: "issue",
      cost: costOf,
      usesPoolBackend: true,
      operation: {
        id: "issueNumericId",
        tag: TAG,
        summary: "Issue numeric IDs",
        description:
          "IDs of a type, each issued once. A request that is repeated with the same key gets the same IDs.",
        params: [TYPE],
        query: [COUNT],
        headers: KEY_HEADERS,
        response: envelopeSchema(idsSchema(digitsSchema)),
        examples: {
          one: envelopeExample({ id: "3259585719" }),
          many: envelopeExample({ ids: ["3259585719", "8349257232"] }),
        },
        responseHeaders: REPLAY_HEADERS,
        otherResponses: { 404: UNKNOWN_TYPE, 410: ALL_ISSUED, 503: UNAVAILABLE },
        problems: [422],
      },
      handler: issueId,
    },
    {
      method: "GET",
      path: `${BASE}/{type}/id/validate/{id}`,
      operation: {
        id: "validateNumericId",
        tag: TAG,
        summary: "Validate a numeric ID",
        description: "Whether an ID keeps the rules of its type; not whether it was issued.",
        params: [TYPE, ID],
        response: envelopeSchema(objectSchema({ id: digitsSchema, valid: { type: "boolean" } })),
        examples: { valid: envelopeExample({ id: "8349257232", valid: true }) },
        otherResponses: { 404: UNKNOWN_TYPE },
        problems: [422],
      },
      handler: validateId,
    },
    {
      method: "GET",
      path: `${BASE}/{type}/id/issued/{id}`,
      scope: "watch",
      usesPoolBackend: true,
      operation: {
        id: "isNumericIdIssued",
        tag: TAG,
        summary: "Look up whether a numeric ID was issued",
        description: "Whether an ID was issued from the pool of its type, or imported into it.",
        params: [TYPE, ID],
        response: envelopeSchema(objectSchema({ id: digitsSchema, issued: { type: "boolean" } })),
        examples: { issued: envelopeExample({ id: "8349257232", issued: true }) },
        otherResponses: { 404: UNKNOWN_TYPE, 503: UNAVAILABLE },
        problems: [422],
      },
      handler: isIssued,
    },
    {
      method: "GET",
      path: `${BASE}/health`,
      isPublic: true,
      operation: {
        id: "getNumericHealth",
        tag: TAG,
        summary: "Check that numeric IDs can be issued",
        description: "For clients of OpenG2P's ID generator. `/health` says more.",
        response: envelopeSchema(objectSchema({ status: { const: "UP" } })),
        examples: { up: envelopeExample({ status: "UP" }) },
        otherResponses: { 503: UNAVAILABLE },
      },
      handler: health,
    },
    {
      method: "GET",
      path: `${BASE}/version`,
      operation: {
        id: "getVersion",
        tag: TAG,
        summary: "Read the version",
        description: "The version of the service. The time and the commit of its build are unknown.",
        response: envelopeSchema(
          objectSchema({ service_version: textSchema, build_time: textSchema, git_commit: textSchema }),
        ),
        examples: { version: envelopeExample(VERSION_FIELDS) },
      },
      handler: () => success(VERSION_FIELDS),
    },
    {
      method: "GET",
      path: `${BASE}/config`,
      operation: {
        id: "getNumericConfig",
        tag: TAG,
        summary: "Read the types and their rules",
        description: "The types of numeric IDs, and the rules that all of them share.",
        response: envelopeSchema(
          objectSchema({
            id_types: {
              type: "object",
              additionalProperties: objectSchema({
                id_length: { type: "integer" },
                filter_rules: rulesSchema,
              }),
            },
            filter_rules: rulesSchema,
          }),
        ),
        examples: {
          config: envelopeExample({
            id_types: { farmer: { id_length: 10, filter_rules: { sequence_limit: 3 } } },
            filter_rules: { sequence_limit: 3 },
          }),
        },
      },
      handler: config,
    },
  ];
  if (types[UIN]) {
    routes.push({
      method: "GET",
      path: `${BASE}/${UIN}`,
      scope: "issue",
      usesPoolBackend: true,
      issuesOnGet: true,
      operation: {
        id: "issueUin",
        tag: TAG,
        summary: "Issue an ID of the type uin",
        description: "For clients of MOSIP's ID generator. A failure has the status 200 too, with `errors`.",
        headers: KEY_HEADERS,
        response: mosipSchema,
        examples: { issued: mosipExample("3259585719") },
        responseHeaders: REPLAY_HEADERS,
      },
      handler: issueUin,
    });
  }
  return routes.map((route) => ({ ...route, isLenient: true }));
}
