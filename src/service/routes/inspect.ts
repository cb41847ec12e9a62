// The routes that read IDs and layouts.

import { capacity, decode, PRESETS, type PresetName } from "../../internal.ts";
import { objectSchema, type Schema } from "../openapi.ts";
import type { Query } from "../query.ts";
import { jsonResponse, toClientError } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

const number: Schema = { type: "number" };
const text: Schema = { type: "string" };

/** Makes the routes. */
export function inspectRoutes({ settings }: RouteDeps): Route[] {
  const PRESET = {
    name: "preset",
    description: "The layout of the ID, with its own epoch. Default: what this service makes.",
    values: Object.keys(PRESETS),
  };
  /** The layout that is asked for, or the service's. */
  const layoutOf = ({ preset }: Query) => (preset === undefined ? settings.preset : (preset as PresetName));
  return [
    {
      method: "GET",
      path: "/decode/{id}",
      operation: {
        summary: "What a Snowflake ID says: when and where it was made.",
        params: { id: "The ID, in decimal." },
        query: [PRESET],
        response: objectSchema({
          id: text,
          timestampMs: number,
          // ISO 8601, of more than four digits after the year 9999, which RFC 3339 has not.
          generatedAt: text,
          datacenterId: number,
          machineId: number,
          sequence: number,
        }),
      },
      handle: ({ params, query }) => {
        const decoded = toClientError(() => decode(params["id"] ?? "", layoutOf(query)));
        return jsonResponse({ ...decoded, id: String(decoded.id) });
      },
    },
    {
      method: "GET",
      path: "/capacity",
      operation: {
        summary: "How long a layout lasts, and how much it holds.",
        query: [PRESET],
        response: objectSchema({
          years: number,
          expiresAt: text,
          datacenters: number,
          machinesPerDatacenter: number,
          nodes: number,
          idsPerTick: number,
          idsPerSecond: number,
        }),
      },
      handle: ({ query }) => jsonResponse(toClientError(() => capacity(layoutOf(query)))),
    },
  ];
}
