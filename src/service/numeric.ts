// The numeric types, by the routes and in the envelope of OpenG2P's ID generator, so that its clients work unchanged.

import { BackendError, IdPoolEmptyError, IdPoolExhaustedError } from "../core.ts";
import { fingerprint } from "../idempotency/index.ts";
import { keyIn } from "../idempotency/key.ts";
import type { IdPool, NumericRules } from "../numeric/index.ts";
import { VERSION } from "../version.ts";
import type { Reply } from "./exchange.ts";
import { envelopeOf, objectOf, type Schema } from "./openapi.ts";
import { json, Refusal, SOON, withHeaders } from "./reply.ts";
import type { Call, Means, Route } from "./route.ts";

const BASE = "/v1/idgenerator";

/** What a name of a type can be there; ours can be others too. */
const TYPE = /^[a-z][a-z0-9_]{1,63}$/;

/** What is asked to be validated. */
const DIGITS = /^\d{1,32}$/;

function envelope(
  response: unknown,
  errors: readonly { errorCode: string; message: string }[],
  status = 200,
): Reply {
  const responsetime = new Date().toISOString();
  return json({ id: "openg2p.idgenerator", version: "1.0", responsetime, response, errors }, status);
}

/** What went wrong, in their codes. Those that end by themselves say when to come again. */
function fault(status: number, errorCode: string, message: string, error?: unknown): Reply {
  const reply = { ...envelope(null, [{ errorCode, message }], status), error };
  return status === 503 ? withHeaders(reply, SOON) : reply;
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
const faultSchema: Schema = envelopeOf({ type: "null" });
const UNKNOWN = { 404: { description: "IDG-003: there is no such type.", schema: faultSchema } };
const AWAY = { 503: { description: "IDG-001, IDG-005 or IDG-006: not at the moment.", schema: faultSchema } };

/** Makes the routes. */
export function numericRoutes({ settings, life, metrics }: Means): Route[] {
  const { types, poolBackend } = settings;
  /** What is said of a name that is no type's. */
  const unknown = (name: string): Reply => {
    if (!TYPE.test(name)) {
      throw new Refusal(422, "ERR_ARGUMENT", `The type must be ${TYPE.source}, or one of those configured.`);
    }
    return fault(404, "IDG-003", `Unknown ID type '${name}'`);
  };

  /** What the ID is for: the same of the same client is the same, for ever. */
  const requestKeyOf = async ({ ask, client }: Call): Promise<string | undefined> => {
    const key = keyIn((name) => ask.header(name));
    if (typeof key === "object") throw new Refusal(400, "ERR_IDEMPOTENCY_KEY", `${key.wrong}.`);
    return key === undefined ? undefined : fingerprint(JSON.stringify([client.apiKey, key]));
  };

  const issue = async (call: Call): Promise<Reply> => {
    const name = call.params["type"] as string;
    if (!types[name]) return unknown(name);
    const requestKey = await requestKeyOf(call);
    let pool: IdPool;
    try {
      pool = (await life.need()).pools[name] as IdPool; // Each type has one.
    } catch (error) {
      return fault(503, "IDG-005", "The service is not ready", error);
    }
    try {
      const id = await pool.issue({ requestKey });
      metrics.issued("numeric", 1);
      return envelope({ id }, []);
    } catch (error) {
      if (error instanceof IdPoolEmptyError)
        return fault(503, "IDG-001", `No IDs available for ID type '${name}'`, error);
      if (error instanceof IdPoolExhaustedError)
        return fault(410, "IDG-002", `All IDs of type '${name}' are issued`);
      if (error instanceof BackendError)
        return fault(503, "IDG-006", "The database cannot be reached", error);
      throw error;
    }
  };

  const validate = ({ params }: Call): Reply => {
    const { type: name, id } = params as { readonly type: string; readonly id: string };
    const type = types[name];
    if (!type) return unknown(name);
    if (!DIGITS.test(id)) throw new Refusal(422, "ERR_ARGUMENT", `The ID must be ${DIGITS.source}.`);
    return envelope({ id, valid: type.validate(id).valid }, []);
  };

  const health = async (): Promise<Reply> => {
    if (life.phase !== "running") return fault(503, "IDG-005", "The service is not ready");
    const isThere = await life.isThere(poolBackend);
    return isThere ? envelope({ status: "ok" }, []) : fault(503, "IDG-006", "The database cannot be reached");
  };

  const config = (): Reply => {
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
  return [
    {
      method: "POST",
      path: `${BASE}/{type}/id`,
      operation: {
        summary: "Issues an ID of a type, once for each key.",
        params: type,
        headers: { "Idempotency-Key": "Of the request: the same key is given the same ID." },
        reply: envelopeOf(objectOf({ id: text })),
        others: {
          ...UNKNOWN,
          ...AWAY,
          410: { description: "IDG-002: there are no more.", schema: faultSchema },
        },
      },
      answer: issue,
    },
    {
      method: "GET",
      path: `${BASE}/{type}/id/validate/{id}`,
      operation: {
        summary: "Says whether an ID keeps the rules of its type; not whether it was issued.",
        params: { ...type, id: "1 to 32 digits." },
        reply: envelopeOf(objectOf({ id: text, valid: { type: "boolean" } })),
        others: UNKNOWN,
      },
      answer: validate,
    },
    {
      method: "GET",
      path: `${BASE}/health`,
      isOpen: true,
      operation: {
        summary: "Whether numeric IDs can be issued.",
        reply: envelopeOf(objectOf({ status: { const: "ok" } })),
        others: AWAY,
      },
      answer: health,
    },
    {
      method: "GET",
      path: `${BASE}/version`,
      operation: {
        summary: "The version of this service.",
        reply: envelopeOf(
          objectOf({ service_version: text, build_time: { type: "null" }, git_commit: { type: "null" } }),
        ),
      },
      answer: () => envelope({ service_version: VERSION, build_time: null, git_commit: null }, []),
    },
    {
      method: "GET",
      path: `${BASE}/config`,
      operation: {
        summary: "The types, and their rules.",
        reply: envelopeOf(
          objectOf({
            id_types: {
              type: "object",
              additionalProperties: objectOf({ id_length: { type: "integer" }, filter_rules: rules }),
            },
            filter_rules: rules,
          }),
        ),
      },
      answer: config,
    },
  ];
}
