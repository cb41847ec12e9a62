// The routes that make IDs.

import { randomString, timestampId, uuid, uuidv7 } from "../../internal.ts";
import { andThen, type MaybePromise, type ServiceResponse } from "../message.ts";
import { idsSchema, MAX_COUNT, type Parameter } from "../openapi.ts";
import { parseWhole, type Query, quote } from "../query.ts";
import { HttpError, rawJsonResponse } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

/** With fewer IDs a second than this, waits for the next tick are long enough for others to notice. */
const PLENTY = 100_000;

/** How long a request may wait for its IDs, in seconds. */
const MAX_WAIT_S = 10;

/** The longest random string. */
const MAX_LENGTH = 4096;

/** The most characters of random strings in one reply. */
const MAX_CHARACTERS = 65_536;

const COUNT = {
  name: "count",
  description: `How many, 1 to ${MAX_COUNT}; they come as \`ids\`, and the rate limit counts each.`,
};

function countOf({ count }: Query): number | undefined {
  return count === undefined ? undefined : parseWhole("count", count, MAX_COUNT);
}

/** What a request takes of the rate limit: as much as it wants IDs. What the route refuses costs as much as one. */
function costOf(search: string): number {
  const count = search === "" ? null : new URLSearchParams(search).get("count");
  return count !== null && /^[1-9]\d{0,3}$/.test(count) && Number(count) <= MAX_COUNT ? Number(count) : 1;
}

/** No ID here has a character that JSON would escape, except random strings: their alphabet has none either. */
function one(id: string | bigint): ServiceResponse {
  return rawJsonResponse(`{"id":"${id}"}`);
}

function many(ids: readonly (string | bigint)[]): ServiceResponse {
  return rawJsonResponse(`{"ids":["${ids.join('","')}"]}`);
}

/** So many of what a function makes. */
function times(count: number, make: () => string): string[] {
  return Array.from({ length: count }, make);
}

/** Makes the routes. */
export function generateRoutes({ lifecycle, metrics }: RouteDeps): Route[] {
  /** Answers with what is made, and counts it. */
  const reply = (
    kind: string,
    query: Query,
    make: () => MaybePromise<string | bigint>,
    makeMany: (count: number) => MaybePromise<readonly (string | bigint)[]>,
  ): MaybePromise<ServiceResponse> => {
    const count = countOf(query);
    const made = count === undefined ? andThen(make(), one) : andThen(makeMany(count), many);
    return andThen(made, (reply) => {
      metrics.countIds(kind, count ?? 1);
      return reply;
    });
  };
  const route = (name: string, summary: string, handle: Route["handle"], ...more: Parameter[]): Route => ({
    method: "GET",
    path: `/generate_${name}`,
    scope: "issue",
    cost: costOf,
    operation: { summary, query: [COUNT, ...more], response: idsSchema },
    handle,
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
        const make = version === "4" ? uuid : uuidv7;
        return reply("uuid", query, make, (count) => times(count, make));
      },
      { name: "version", description: "4, the default, or 7.", values: ["4", "7"] },
    ),
    route("timestamp_id", "The milliseconds since 1970. Not unique.", ({ query }) =>
      reply("timestamp", query, timestampId, (count) => times(count, timestampId)),
    ),
    route("counter_id", "The next value of the service's counter.", ({ query }) =>
      andThen(lifecycle.ensureStarted(), ({ counter }) =>
        reply(
          "counter",
          query,
          () => counter.next(),
          (count) => counter.nextValues(count),
        ),
      ),
    ),
    route("snowflake_id", "A Snowflake ID.", ({ query }) =>
      andThen(lifecycle.ensureStarted(), ({ generator, idsPerSecond }) =>
        reply(
          "snowflake",
          query,
          // Where IDs are scarce, a wait for the next tick is not to block all others.
          () => (idsPerSecond < PLENTY ? generator.nextIdAsync() : generator.nextId()),
          (count) => {
            const most = Math.floor(idsPerSecond * MAX_WAIT_S);
            if (count <= most) return generator.nextIdsAsync(count);
            const detail = `count must be at most ${most}: there are ${idsPerSecond} IDs a second.`;
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
        params: { length: `How long, 1 to ${MAX_LENGTH}; times count at most ${MAX_CHARACTERS}.` },
        query: [COUNT],
        response: idsSchema,
      },
      handle: ({ params, query }) => {
        const length = parseWhole("length", params["length"] as string, MAX_LENGTH);
        if (length * (countOf(query) ?? 1) > MAX_CHARACTERS) {
          throw new HttpError(400, "ERR_ARGUMENT", `length times count must be at most ${MAX_CHARACTERS}.`);
        }
        const make = () => randomString(length);
        return reply("random_string", query, make, (count) => times(count, make));
      },
    },
  ];
}
