// The numeric types, by the routes and in the envelope of OpenG2P's ID generator, so that its clients work unchanged.

import { documentationLink } from "../../http/problem.ts";
import { fingerprint } from "../../idempotency/index.ts";
import { KEY_HEADER_DOCS, readKey } from "../../idempotency/key.ts";
import { REPLAYED_HEADER } from "../../idempotency/replay.ts";
import { BackendError, IdPoolEmptyError, IdPoolExhaustedError, IdPoolHistoryError } from "../../internal.ts";
import type { IdPool, NumericRules } from "../../numeric/index.ts";
import { VERSION } from "../../version.ts";
import type { ServiceResponse } from "../message.ts";
import { envelopeSchema, objectSchema, type Schema } from "../openapi.ts";
import { HttpError, jsonResponse, RETRY_SOON, withHeaders } from "../response.ts";
import type { Route, RouteContext, RouteDeps } from "../route.ts";

const BASE = "/v1/idgenerator";

/** What a name of a type can be there; ours can be others too. */
const TYPE = /^[a-z][a-z0-9_]{1,63}$/;

/** The type whose IDs the client of MOSIP's ID generator asks for. */
const UIN = "uin";

/** What is asked to be validated. */
const DIGITS = /^\d{1,32}$/;

function envelope(
  response: unknown,
  errors: readonly { errorCode: string; message: string }[],
  status = 200,
): ServiceResponse {
  const responsetime = new Date().toISOString();
  return jsonResponse({ id: "openg2p.idgenerator", version: "1.0", responsetime, response, errors }, status);
}

/** What went wrong, in their codes. Those that end by themselves say when to come again. */
function fault(status: number, errorCode: string, message: string, error?: unknown): ServiceResponse {
  const reply = { ...envelope(null, [{ errorCode, message }], status), error };
  return status === 503 ? withHeaders(reply, RETRY_SOON) : reply;
}

/** The envelope of MOSIP's ID generator, in which a failure is a 200 as well. */
function mosipEnvelope(response: unknown, errors: unknown, error?: unknown): ServiceResponse {
  const responsetime = new Date().toISOString();
  return {
    ...jsonResponse({ id: null, version: null, responsetime, metadata: null, response, errors }),
    error,
  };
}

/** The names that they have for the rules. */
function rulesOf(rules: NumericRules): Readonly<Record<string, unknown>> {
  return {
    sequence_limit: rules.sequenceLimit,
    repeating_limit: rules.repeatingLimit,
    repeating_block_limit: rules.repeatingBlockLimit,
    conjugative_even_digits_limit: rules.evenDigitsLimit,
    digits_group_limit: rules.digitsGroupLimit,
    reverse_digits_group_limit: rules.reverseDigitsGroupLimit,
    not_start_with: rules.notStartWith,
    restricted_numbers: rules.restrictedNumbers,
  };
}

/** The rules that all types have alike; `null` where they differ. */
function common(all: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  const [first = {}] = all;
  const isCommon = (name: string) =>
    all.every((rules) => JSON.stringify(rules[name]) === JSON.stringify(first[name]));
  return Object.fromEntries(
    Object.entries(first).map(([name, rule]) => [name, isCommon(name) ? rule : null]),
  );
}

const text: Schema = { type: "string" };
const faultSchema: Schema = envelopeSchema({ type: "null" });
const UNKNOWN = { 404: { description: "IDG-003: there is no such type.", schema: faultSchema } };
const AWAY = { 503: { description: "IDG-001, IDG-005 or IDG-006: not at the moment.", schema: faultSchema } };

const nothing: Schema = { type: "null" };
const mosipSchema: Schema = objectSchema({
  id: nothing,
  version: nothing,
  responsetime: { type: "string", format: "date-time" },
  metadata: nothing,
  response: { oneOf: [nothing, objectSchema({ uin: text })] },
  errors: {
    oneOf: [nothing, { type: "array", items: objectSchema({ errorCode: text, message: text }) }],
  },
});

/** Makes the routes. */
export function openg2pRoutes({ settings, lifecycle, metrics }: RouteDeps): Route[] {
  const { name: service, types } = settings;
  /** What is said of a name that is no type's. */
  const unknown = (name: string): ServiceResponse => {
    if (!TYPE.test(name)) {
      throw new HttpError(
        422,
        "ERR_ARGUMENT",
        `The type must be ${TYPE.source}, or one of those configured.`,
      );
    }
    return fault(404, "IDG-003", `Unknown ID type '${name}'`);
  };

  /**
   * What the ID is for: the same of the same client is the same, for ever. Services of different names share pools and
   * not clients, so the name of the service is part of it.
   */
  const requestKeyOf = async ({ request, client }: RouteContext): Promise<string | undefined> => {
    const key = readKey((name) => request.header(name));
    if (typeof key === "object") {
      throw new HttpError(400, "ERR_IDEMPOTENCY_KEY", `${key.wrong}.`, documentationLink(KEY_HEADER_DOCS));
    }
    return key === undefined ? undefined : fingerprint(JSON.stringify([service, client.owner, key]));
  };

  /** Issues an ID; one that the client has had before for the same request key is marked, and not counted. */
  const take = async (
    call: RouteContext,
    name: string,
    reply: (id: string) => ServiceResponse,
  ): Promise<ServiceResponse> => {
    const requestKey = await requestKeyOf(call);
    const pool = (await lifecycle.ensureStarted()).pools[name] as IdPool; // Each type has one.
    let isReplay = false;
    const onReplay = () => {
      isReplay = true;
    };
    const id = await pool.issue({ requestKey, onReplay });
    if (isReplay) return withHeaders(reply(id), { [REPLAYED_HEADER]: "true" });
    metrics.countIds("numeric", 1);
    return reply(id);
  };

  const issue = async (call: RouteContext): Promise<ServiceResponse> => {
    const name = call.params["type"] as string;
    if (!types[name]) return unknown(name);
    try {
      return await take(call, name, (id) => envelope({ id }, []));
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      if (!lifecycle.resources || error instanceof HttpError)
        return fault(503, "IDG-005", "The service is not ready", error);
      if (error instanceof IdPoolEmptyError)
        return fault(503, "IDG-001", `No IDs available for ID type '${name}'`, error);
      if (error instanceof IdPoolExhaustedError)
        return fault(410, "IDG-002", `All IDs of type '${name}' are issued`);
      if (error instanceof BackendError)
        return fault(503, "IDG-006", "The database cannot be reached", error);
      if (error instanceof IdPoolHistoryError)
        return fault(503, "IDG-006", "The database may have lost IDs that were issued", error);
      throw error;
    }
  };

  const issueUin = async (call: RouteContext): Promise<ServiceResponse> => {
    try {
      return await take(call, UIN, (uin) => mosipEnvelope({ uin }, null));
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      const [errorCode, message] =
        error instanceof IdPoolEmptyError || error instanceof IdPoolExhaustedError
          ? ["KER-UIG-001", "UIN could not be found"]
          : ["KER-UIG-005", "Internal Server Error"];
      return mosipEnvelope(null, [{ errorCode, message }], error);
    }
  };

  const validate = ({ params }: RouteContext): ServiceResponse => {
    const { type: name, id } = params as { readonly type: string; readonly id: string };
    const type = types[name];
    if (!type) return unknown(name);
    if (!DIGITS.test(id)) throw new HttpError(422, "ERR_ARGUMENT", `The ID must be ${DIGITS.source}.`);
    return envelope({ id, valid: type.validate(id).valid }, []);
  };

  const health = async (): Promise<ServiceResponse> => {
    if (lifecycle.phase !== "running") return fault(503, "IDG-005", "The service is not ready");
    if (lifecycle.isDraining) return fault(503, "IDG-005", "The service is about to end");
    if (!(await lifecycle.poolBackend.check()))
      return fault(503, "IDG-006", "The database cannot be reached");
    const states = await lifecycle.poolStates();
    return states.some(({ status }) => status?.lastError instanceof IdPoolHistoryError)
      ? fault(503, "IDG-006", "The database may have lost IDs, and nobody has accepted it")
      : envelope({ status: "UP" }, []);
  };

  const config = (): ServiceResponse => {
    const entries = Object.entries(types).map(
      ([name, { length, rules }]) => [name, length, rulesOf(rules)] as const,
    );
    return envelope(
      {
        id_types: Object.fromEntries(
          entries.map(([name, id_length, filter_rules]) => [name, { id_length, filter_rules }]),
        ),
        filter_rules: common(entries.map(([, , rules]) => rules)),
      },
      [],
    );
  };

  const type = { type: "The name of the type." };
  const rules: Schema = { type: "object" };
  const routes: Route[] = [
    {
      method: "POST",
      path: `${BASE}/{type}/id`,
      scope: "issue",
      usesPoolBackend: true,
      operation: {
        summary: "Issues an ID of a type, once for each key.",
        params: type,
        headers: { "Idempotency-Key": "Of the request: the same key is given the same ID." },
        response: envelopeSchema(objectSchema({ id: text })),
        otherResponses: {
          ...UNKNOWN,
          ...AWAY,
          410: { description: "IDG-002: there are no more.", schema: faultSchema },
        },
      },
      handle: issue,
    },
    {
      method: "GET",
      path: `${BASE}/{type}/id/validate/{id}`,
      operation: {
        summary: "Says whether an ID keeps the rules of its type; not whether it was issued.",
        params: { ...type, id: "1 to 32 digits." },
        response: envelopeSchema(objectSchema({ id: text, valid: { type: "boolean" } })),
        otherResponses: UNKNOWN,
      },
      handle: validate,
    },
    {
      method: "GET",
      path: `${BASE}/health`,
      isPublic: true,
      operation: {
        summary: "Whether numeric IDs can be issued.",
        response: envelopeSchema(objectSchema({ status: { const: "UP" } })),
        otherResponses: AWAY,
      },
      handle: health,
    },
    {
      method: "GET",
      path: `${BASE}/version`,
      operation: {
        summary: "The version of this service.",
        response: envelopeSchema(objectSchema({ service_version: text, build_time: text, git_commit: text })),
      },
      // Their clients want strings, and what a package was built from is not known where it runs.
      handle: () => envelope({ service_version: VERSION, build_time: "unknown", git_commit: "unknown" }, []),
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
              additionalProperties: objectSchema({ id_length: { type: "integer" }, filter_rules: rules }),
            },
            filter_rules: rules,
          }),
        ),
      },
      handle: config,
    },
  ];
  if (types[UIN]) {
    routes.push({
      method: "GET",
      path: `${BASE}/${UIN}`,
      scope: "issue",
      usesPoolBackend: true,
      consumes: true,
      operation: {
        summary: "Issues an ID of the type uin, for clients of MOSIP's ID generator.",
        headers: { "Idempotency-Key": "Of the request: the same key is given the same ID." },
        response: mosipSchema,
      },
      handle: issueUin,
    });
  }
  return routes.map((route) => ({ ...route, isLenient: true }));
}
