// Routes that decode IDs and describe layouts.

import { capacity, decode, PRESETS, type PresetName } from "../../internal.ts";
import { numberSchema, objectSchema, type QueryParameter, textSchema } from "../operation.ts";
import type { Query } from "../query.ts";
import { jsonResponse, rejectInvalidInput } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

export function inspectRoutes({ settings }: RouteDeps): Route[] {
  const presetParameter: QueryParameter = {
    name: "preset",
    description: "The layout of the ID, with its own epoch. Default: what this service makes.",
    values: Object.keys(PRESETS),
  };
  const presetOf = ({ preset }: Query) => (preset === undefined ? settings.preset : (preset as PresetName));
  return [
    {
      method: "GET",
      path: "/decode/{id}",
      operation: {
        summary: "What a Snowflake ID says: when and where it was made.",
        params: { id: "The ID, in decimal." },
        query: [presetParameter],
        response: objectSchema({
          id: textSchema,
          timestampMs: numberSchema,
          // ISO 8601, but not the format "date-time": after the year 9999 it has six digits, which RFC 3339 excludes.
          generatedAt: textSchema,
          datacenterId: numberSchema,
          machineId: numberSchema,
          sequence: numberSchema,
        }),
      },
      handler: ({ params, query }) => {
        const decoded = rejectInvalidInput(() => decode(params["id"] ?? "", presetOf(query)));
        return jsonResponse({ ...decoded, id: String(decoded.id) });
      },
    },
    {
      method: "GET",
      path: "/capacity",
      operation: {
        summary: "How long a layout lasts, and how much it holds.",
        query: [presetParameter],
        response: objectSchema({
          years: numberSchema,
          expiresAt: textSchema,
          datacenters: numberSchema,
          machinesPerDatacenter: numberSchema,
          nodes: numberSchema,
          idsPerTick: numberSchema,
          idsPerSecond: numberSchema,
        }),
      },
      handler: ({ query }) => jsonResponse(rejectInvalidInput(() => capacity(presetOf(query)))),
    },
  ];
}
