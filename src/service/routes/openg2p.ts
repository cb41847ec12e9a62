// Routes for numeric IDs, with the paths and envelopes of OpenG2P's ID generator, so that its clients work unchanged.

import { documentationLink } from "../../http/problem.ts";
import { fingerprint as sha256Hex } from "../../idempotency/index.ts";
import { KEY_HEADER_DOCS, readKey } from "../../idempotency/key.ts";
import { REPLAYED_HEADER } from "../../idempotency/replay.ts";
import { BackendError, IdPoolEmptyError, IdPoolExhaustedError, IdPoolHistoryError } from "../../internal.ts";
import type { IdPool } from "../../numeric/index.ts";
import { VERSION } from "../../version.ts";
import type { ServiceResponse } from "../message.ts";
import { objectSchema, type Schema, textSchema } from "../operation.ts";
import { HttpError, withHeaders } from "../response.ts";
import type { Route, RouteContext, RouteDeps } from "../route.ts";
import {
  commonRules,
  envelopeSchema,
  failure,
  failureSchema,
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

const TYPE_PARAMS = { type: "The name of the type." };
const KEY_HEADER_DESCRIPTIONS = {
  "Idempotency-Key":
    "The key of the request, 1 to 255 characters: visible ASCII without double quotes, commas and backslashes; or printable ASCII in double quotes, with a backslash before each double quote and backslash.",
  "X-Idempotency-Key": "The same, under an older name. If both headers are sent, their keys must be equal.",
};
const NOT_FOUND = { 404: { description: "IDG-003: there is no such type.", schema: failureSchema } };
const UNAVAILABLE = {
  503: { description: "IDG-001, IDG-005 or IDG-006: no ID can be issued now; retry.", schema: failureSchema },
};
const rulesSchema: Schema = { type: "object" };

/** Returns the response to an issue that failed, with OpenG2P's code. Throws an error for which OpenG2P has none. */
function issueFailure(error: unknown, typeName: string, isStarted: boolean): ServiceResponse {
  // An HttpError is the refusal of a service that stops, not an error for the log.
  if (error instanceof HttpError) return failure(503, "IDG-005", "The service is not ready");
  if (!isStarted) return failure(503, "IDG-005", "The service is not ready", error);
  if (error instanceof IdPoolEmptyError)
    return failure(503, "IDG-001", `No IDs available for ID type '${typeName}'`, error);
  if (error instanceof IdPoolExhaustedError)
    return failure(410, "IDG-002", `All IDs of type '${typeName}' are issued`, error);
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
   * Returns the request key of the pool. It depends on the client and on the service's name, because services of
   * different names may share pools but not clients.
   */
  const requestKeyOf = async ({ request, client }: RouteContext): Promise<string | undefined> => {
    const key = readKey((name) => request.header(name));
    if (typeof key === "object") {
      throw new HttpError(
        400,
        "ERR_IDEMPOTENCY_KEY",
        `${key.brokenRule}.`,
        documentationLink(KEY_HEADER_DOCS),
      );
    }
    return key === undefined
      ? undefined
      : sha256Hex(JSON.stringify([serviceName, client.requestKeyOwner, key]));
  };

  /** Issues an ID. A replay, for a request key that was used before, is marked and not counted. */
  const issue = async (
    context: RouteContext,
    typeName: string,
    respond: (id: string) => ServiceResponse,
  ): Promise<ServiceResponse> => {
    const requestKey = await requestKeyOf(context);
    const pool = (await lifecycle.ensureStarted()).pools[typeName] as IdPool; // Each type has one.
    let isReplay = false;
    const onReplay = () => {
      isReplay = true;
    };
    const id = await pool.issue({ requestKey, onReplay });
    if (isReplay) return withHeaders(respond(id), { [REPLAYED_HEADER]: "true" });
    metrics.countIds("numeric", 1);
    return respond(id);
  };

  const issueId = async (context: RouteContext): Promise<ServiceResponse> => {
    const typeName = context.params["type"] as string;
    if (!types[typeName]) return unknownType(typeName);
    try {
      return await issue(context, typeName, (id) => success({ id }));
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      return issueFailure(error, typeName, lifecycle.resources !== undefined);
    }
  };

  const issueUin = async (context: RouteContext): Promise<ServiceResponse> => {
    try {
      return await issue(context, UIN, (uin) => mosipResponse({ uin }, null));
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      const isNoneLeft = error instanceof IdPoolEmptyError || error instanceof IdPoolExhaustedError;
      const [errorCode, message] = isNoneLeft
        ? (["KER-UIG-001", "UIN could not be found"] as const)
        : (["KER-UIG-005", "Internal Server Error"] as const);
      return mosipResponse(null, [{ errorCode, message }], error instanceof HttpError ? undefined : error);
    }
  };

  const validateId = ({ params }: RouteContext): ServiceResponse => {
    const { type: typeName, id } = params as { readonly type: string; readonly id: string };
    const type = types[typeName];
    if (!type) return unknownType(typeName);
    if (!DIGITS.test(id)) throw new HttpError(422, "ERR_ARGUMENT", `The ID must match ${DIGITS.source}.`);
    return success({ id, valid: type.validate(id).valid });
  };

  const health = async (): Promise<ServiceResponse> => {
    if (lifecycle.phase !== "running") return failure(503, "IDG-005", "The service is not ready");
    if (lifecycle.isDraining) return failure(503, "IDG-005", "The service is stopping");
    if (!(await lifecycle.health.poolBackendDependency.check()))
      return failure(503, "IDG-006", "The database cannot be reached");
    const states = await lifecycle.health.poolStates();
    return states.some(({ status }) => status?.lastError instanceof IdPoolHistoryError)
      ? failure(503, "IDG-006", "The database may have lost IDs, and nobody has accepted it")
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
      usesPoolBackend: true,
      operation: {
        summary: "Issues an ID of a type; the same key gets the same ID.",
        params: TYPE_PARAMS,
        headers: KEY_HEADER_DESCRIPTIONS,
        response: envelopeSchema(objectSchema({ id: textSchema })),
        otherResponses: {
          ...NOT_FOUND,
          ...UNAVAILABLE,
          410: { description: "IDG-002: all IDs of the type are issued.", schema: failureSchema },
        },
      },
      handler: issueId,
    },
    {
      method: "GET",
      path: `${BASE}/{type}/id/validate/{id}`,
      operation: {
        summary: "Says whether an ID keeps the rules of its type; not whether it was issued.",
        params: { ...TYPE_PARAMS, id: "1 to 32 digits." },
        response: envelopeSchema(objectSchema({ id: textSchema, valid: { type: "boolean" } })),
        otherResponses: NOT_FOUND,
      },
      handler: validateId,
    },
    {
      method: "GET",
      path: `${BASE}/health`,
      isPublic: true,
      operation: {
        summary: "Whether numeric IDs can be issued.",
        response: envelopeSchema(objectSchema({ status: { const: "UP" } })),
        otherResponses: UNAVAILABLE,
      },
      handler: health,
    },
    {
      method: "GET",
      path: `${BASE}/version`,
      operation: {
        summary: "The version of this service.",
        response: envelopeSchema(
          objectSchema({ service_version: textSchema, build_time: textSchema, git_commit: textSchema }),
        ),
      },
      // OpenG2P's clients expect strings; the package does not know from which commit it was built.
      handler: () => success({ service_version: VERSION, build_time: "unknown", git_commit: "unknown" }),
    },
    {
      method: "GET",
      path: `${BASE}/config`,
      operation: {
        summary: "The types, and their rules.",
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
        summary: "Issues an ID of the type uin, for clients of MOSIP's ID generator.",
        headers: KEY_HEADER_DESCRIPTIONS,
        response: mosipSchema,
      },
      handler: issueUin,
    });
  }
  return routes.map((route) => ({ ...route, isLenient: true }));
}
