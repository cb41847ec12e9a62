// Response formats of OpenG2P's and of MOSIP's ID generator.

import type { NumericRules } from "../../numeric/index.ts";
import type { ServiceResponse } from "../message.ts";
import { objectSchema, type Schema, textSchema } from "../operation.ts";
import { jsonResponse, RETRY_SOON, withHeaders } from "../response.ts";

interface EnvelopeError {
  readonly errorCode: string;
  readonly message: string;
}

const nullSchema: Schema = { type: "null" };
const timeSchema: Schema = { type: "string", format: "date-time" };
const errorsSchema: Schema = {
  type: "array",
  items: objectSchema({ errorCode: textSchema, message: textSchema }),
};

/** Returns the schema of OpenG2P's envelope around a response. */
export function envelopeSchema(response: Schema): Schema {
  return objectSchema({
    id: { const: "openg2p.idgenerator" },
    version: { const: "1.0" },
    responsetime: timeSchema,
    response,
    errors: errorsSchema,
  });
}

export const failureSchema: Schema = envelopeSchema(nullSchema);

export const mosipSchema: Schema = objectSchema({
  id: nullSchema,
  version: nullSchema,
  responsetime: timeSchema,
  metadata: nullSchema,
  response: { oneOf: [nullSchema, objectSchema({ uin: textSchema })] },
  errors: { oneOf: [nullSchema, errorsSchema] },
});

/** The time in examples. */
const EXAMPLE_TIME = "2026-11-21T00:49:40.605Z";

/** Returns OpenG2P's envelope as an example. */
export function envelopeExample(response: unknown, errors: readonly EnvelopeError[] = []): unknown {
  return envelopeBody(response, errors, EXAMPLE_TIME);
}

/** Returns MOSIP's envelope around an ID as an example. */
export function mosipExample(uin: string): unknown {
  return mosipBody({ uin }, null, EXAMPLE_TIME);
}

function envelopeBody(response: unknown, errors: readonly EnvelopeError[], responsetime: string): unknown {
  return { id: "openg2p.idgenerator", version: "1.0", responsetime, response, errors };
}

function mosipBody(
  response: { readonly uin: string } | null,
  errors: readonly EnvelopeError[] | null,
  responsetime: string,
): unknown {
  return { id: null, version: null, responsetime, metadata: null, response, errors };
}

function envelope(response: unknown, errors: readonly EnvelopeError[], status: number): ServiceResponse {
  return jsonResponse(envelopeBody(response, errors, new Date().toISOString()), status);
}

/** Creates a 200 in OpenG2P's envelope. */
export function success(response: unknown): ServiceResponse {
  return envelope(response, [], 200);
}

/**
 * Creates a failure in OpenG2P's envelope. A 503 has `Retry-After`.
 *
 * @param errorCode OpenG2P's code: `"IDG-001"`
 * @param error the cause, for the log and the health checks
 */
export function failure(
  status: number,
  errorCode: string,
  message: string,
  error?: unknown,
): ServiceResponse {
  const response = { ...envelope(null, [{ errorCode, message }], status), code: errorCode, error };
  return status === 503 ? withHeaders(response, RETRY_SOON) : response;
}

/** Creates a response in MOSIP's envelope, in which a failure has the status 200 too. */
export function mosipResponse(
  response: { readonly uin: string } | null,
  errors: readonly EnvelopeError[] | null,
  error?: unknown,
): ServiceResponse {
  const code = errors?.[0]?.errorCode;
  return {
    ...jsonResponse(mosipBody(response, errors, new Date().toISOString())),
    ...(code !== undefined && { code }),
    error,
  };
}

/** Returns the rules under OpenG2P's names. */
export function toOpenG2pRules(rules: NumericRules): Readonly<Record<string, unknown>> {
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

/** Returns the rules that all types share; `null` for a rule that differs. */
export function commonRules(
  all: readonly Readonly<Record<string, unknown>>[],
): Readonly<Record<string, unknown>> {
  const [first = {}] = all;
  const isCommon = (name: string) =>
    all.every((rules) => JSON.stringify(rules[name]) === JSON.stringify(first[name]));
  return Object.fromEntries(
    Object.entries(first).map(([name, rule]) => [name, isCommon(name) ? rule : null]),
  );
}
