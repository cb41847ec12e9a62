// Routes that make IDs: UUIDs, timestamps, counter values, Snowflake IDs, random strings.

import { randomString, timestampId, uuid, uuidv7 } from "../../internal.ts";
import { COUNT, costOf, idsSchema, parseCount } from "../count.ts";
import { andThen, type MaybePromise, type ServiceResponse } from "../message.ts";
import type { Parameter, Schema } from "../operation.ts";
import { parseWhole, type Query, quote } from "../query.ts";
import { HttpError, rawJsonResponse } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

/** The capacity below which a wait for the next tick is long enough to be noticed by other requests. */
const MIN_BLOCKING_IDS_PER_SECOND = 100_000;

/** How long a request may wait for its IDs, in seconds. */
const MAX_WAIT_SECONDS = 10;

/** The longest random string. */
const MAX_STRING_LENGTH = 4096;

/** The most characters of random strings in one response. */
const MAX_STRING_CHARACTERS = 65_536;

const VERSION: Parameter = {
  name: "version",
  description: "4: random. 7: random, and in the order of time.",
  schema: { type: "integer", enum: [4, 7], default: 4 },
};

const LENGTH: Parameter = {
  name: "length",
  description: `How many characters. Times \`count\` at most ${MAX_STRING_CHARACTERS}.`,
  schema: { type: "integer", minimum: 1, maximum: MAX_STRING_LENGTH },
  example: 12,
};

/** The schema of a number that JavaScript reads as a BigInt. */
const decimalSchema: Schema = { type: "string", pattern: "^[0-9]+$" };

// The IDs and the alphabet of random strings have no character that JSON escapes.

function writeId(id: string | bigint): ServiceResponse {
  return rawJsonResponse(`{"id":"${id}"}`);
}

function writeIds(ids: readonly (string | bigint)[]): ServiceResponse {
  return rawJsonResponse(`{"ids":["${ids.join('","')}"]}`);
}

function repeat(count: number, generate: () => string): string[] {
  return Array.from({ length: count }, generate);
}

export function generateRoutes({ lifecycle, metrics }: RouteDeps): Route[] {
  /** Answers one ID or, with `count`, many, and counts them. */
  const respond = (
    kind: string,
    query: Query,
    generateOne: () => MaybePromise<string | bigint>,
    generateMany: (count: number) => MaybePromise<readonly (string | bigint)[]>,
  ): MaybePromise<ServiceResponse> => {
    const count = parseCount(query);
    const written =
      count === undefined ? andThen(generateOne(), writeId) : andThen(generateMany(count), writeIds);
    return andThen(written, (response) => {
      metrics.countIds(kind, count ?? 1);
      return response;
    });
  };
  return [
    {
      method: "GET",
      path: "/generate_uuid",
      scope: "issue",
      cost: costOf,
      operation: {
        id: "generateUuid",
        tag: "Generate",
        summary: "Generate UUIDs",
        description: "UUIDs of version 4 (random) or 7 (in the order of time).",
        query: [COUNT, VERSION],
        response: idsSchema({ type: "string", format: "uuid" }),
        examples: {
          one: { id: "9bfaaa0c-892b-4f93-b0f1-c4dc504b94f5" },
          many: { ids: ["01a1fe8c-6ef9-777c-b190-9fb2d23386da", "01a1fe8c-6efa-73b5-9124-0b9663c6cde0"] },
        },
      },
      handler: ({ query }) => {
        const { version = "4" } = query;
        if (version !== "4" && version !== "7") {
          throw new HttpError(400, "ERR_ARGUMENT", `version must be 4 or 7, got ${quote(version)}.`);
        }
        const generate = version === "4" ? uuid : uuidv7;
        return respond("uuid", query, generate, (count) => repeat(count, generate));
      },
    },
    {
      method: "GET",
      path: "/generate_timestamp_id",
      scope: "issue",
      cost: costOf,
      operation: {
        id: "generateTimestampId",
        tag: "Generate",
        summary: "Generate timestamps",
        description:
          "The milliseconds since 1970. Not unique: two requests at the same time get the same one.",
        query: [COUNT],
        response: idsSchema(decimalSchema),
        examples: { one: { id: "1795271978775" }, many: { ids: ["1795271978775", "1795271978775"] } },
      },
      handler: ({ query }) => respond("timestamp", query, timestampId, (count) => repeat(count, timestampId)),
    },
    {
      method: "GET",
      path: "/generate_counter_id",
      scope: "issue",
      cost: costOf,
      operation: {
        id: "generateCounterId",
        tag: "Generate",
        summary: "Generate counter values",
        description:
          "The next values of the service's counter. Services with the same name and store share it.",
        query: [COUNT],
        response: idsSchema(decimalSchema),
        examples: { one: { id: "1" }, many: { ids: ["1", "2", "3"] } },
      },
      handler: ({ query }) =>
        andThen(lifecycle.ensureStarted(), ({ counter }) =>
          respond(
            "counter",
            query,
            () => counter.next(),
            (count) => counter.nextValues(count),
          ),
        ),
    },
    {
      method: "GET",
      path: "/generate_snowflake_id",
      scope: "issue",
      cost: costOf,
      operation: {
        id: "generateSnowflakeId",
        tag: "Generate",
        summary: "Generate Snowflake IDs",
        description: "Snowflake IDs of the service's layout and node, in ascending order.",
        query: [COUNT],
        response: idsSchema(decimalSchema),
        examples: {
          one: { id: "911989240496128000" },
          many: { ids: ["911989240496128000", "911989240496128001"] },
        },
      },
      handler: ({ query }) =>
        andThen(lifecycle.ensureStarted(), ({ generator, idsPerSecond }) =>
          respond(
            "snowflake",
            query,
            // nextId() blocks until the next tick, and with it all other requests.
            () => (idsPerSecond < MIN_BLOCKING_IDS_PER_SECOND ? generator.nextIdAsync() : generator.nextId()),
            (count) => {
              const max = Math.floor(idsPerSecond * MAX_WAIT_SECONDS);
              if (count <= max) return generator.nextIdsAsync(count);
              const detail = `count must be at most ${max}: there are ${idsPerSecond} IDs a second.`;
              throw new HttpError(400, "ERR_ARGUMENT", detail);
            },
          ),
        ),
    },
    {
      method: "GET",
      path: "/generate_random_string/{length}",
      scope: "issue",
      cost: costOf,
      operation: {
        id: "generateRandomString",
        tag: "Generate",
        summary: "Generate random strings",
        description: "Random strings of A-Z, a-z, 0-9, _ and -, with 6 bits of randomness in each character.",
        params: [LENGTH],
        query: [COUNT],
        response: idsSchema({ type: "string", pattern: "^[A-Za-z0-9_-]+$" }),
        examples: { one: { id: "b1Xk_0aZ-9Qw" }, many: { ids: ["b1Xk_0aZ-9Qw", "w7RrTz2m_LeV"] } },
      },
      handler: ({ params, query }) => {
        const length = parseWhole("length", params["length"] as string, MAX_STRING_LENGTH);
        if (length * (parseCount(query) ?? 1) > MAX_STRING_CHARACTERS) {
          const rule = `length times count must be at most ${MAX_STRING_CHARACTERS}.`;
          throw new HttpError(400, "ERR_ARGUMENT", rule);
        }
        const generate = () => randomString(length);
        return respond("random_string", query, generate, (count) => repeat(count, generate));
      },
    },
  ];
}
