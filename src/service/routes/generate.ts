// Routes that make IDs: UUIDs, timestamps, counter values, Snowflake IDs, random strings.

import { randomString, timestampId, uuid, uuidv7 } from "../../internal.ts";
import { andThen, type MaybePromise, type ServiceResponse } from "../message.ts";
import { objectSchema, type QueryParameter, type Schema, textSchema } from "../operation.ts";
import { parseWhole, type Query, quote } from "../query.ts";
import { HttpError, rawJsonResponse } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

/** The most IDs of one request: about a millisecond of work, which is how long it delays other requests. */
const MAX_COUNT = 1000;

/** The capacity below which a wait for the next tick is long enough to be noticed by other requests. */
const MIN_BLOCKING_IDS_PER_SECOND = 100_000;

/** How long a request may wait for its IDs, in seconds. */
const MAX_WAIT_SECONDS = 10;

/** The longest random string. */
const MAX_STRING_LENGTH = 4096;

/** The most characters of random strings in one response. */
const MAX_STRING_CHARACTERS = 65_536;

const COUNT: QueryParameter = {
  name: "count",
  description: `How many, 1 to ${MAX_COUNT}; they come as \`ids\`, and the rate limit counts each.`,
};

const idsSchema: Schema = {
  oneOf: [
    objectSchema({ id: textSchema }),
    objectSchema({ ids: { type: "array", items: textSchema, minItems: 1, maxItems: MAX_COUNT } }),
  ],
};

function parseCount({ count }: Query): number | undefined {
  return count === undefined ? undefined : parseWhole("count", count, MAX_COUNT);
}

/** Returns the cost of a request: its count. A count that the route refuses costs 1. */
function costOf(search: string): number {
  const count = search === "" ? null : new URLSearchParams(search).get("count");
  return count !== null && /^[1-9]\d{0,3}$/.test(count) && Number(count) <= MAX_COUNT ? Number(count) : 1;
}

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
  const route = (
    name: string,
    summary: string,
    handler: Route["handler"],
    ...parameters: QueryParameter[]
  ): Route => ({
    method: "GET",
    path: `/generate_${name}`,
    scope: "issue",
    cost: costOf,
    operation: { summary, query: [COUNT, ...parameters], response: idsSchema },
    handler,
  });
  return [
    route(
      "uuid",
      "A UUID: random (version 4), or in the order of time (version 7).",
      ({ query }) => {
        const { version = "4" } = query;
        if (version !== "4" && version !== "7") {
          throw new HttpError(400, "ERR_ARGUMENT", `version must be 4 or 7, got ${quote(version)}.`);
        }
        const generate = version === "4" ? uuid : uuidv7;
        return respond("uuid", query, generate, (count) => repeat(count, generate));
      },
      { name: "version", description: "4, the default, or 7.", values: ["4", "7"] },
    ),
    route("timestamp_id", "The milliseconds since 1970. Not unique.", ({ query }) =>
      respond("timestamp", query, timestampId, (count) => repeat(count, timestampId)),
    ),
    route("counter_id", "The next value of the service's counter.", ({ query }) =>
      andThen(lifecycle.ensureStarted(), ({ counter }) =>
        respond(
          "counter",
          query,
          () => counter.next(),
          (count) => counter.nextValues(count),
        ),
      ),
    ),
    route("snowflake_id", "A Snowflake ID.", ({ query }) =>
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
    ),
    {
      method: "GET",
      path: "/generate_random_string/{length}",
      scope: "issue",
      cost: costOf,
      operation: {
        summary: "A random string of A-Z, a-z, 0-9, _ and -.",
        params: {
          length: `How long, 1 to ${MAX_STRING_LENGTH}; times count at most ${MAX_STRING_CHARACTERS}.`,
        },
        query: [COUNT],
        response: idsSchema,
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
