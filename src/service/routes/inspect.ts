// Routes that decode IDs and describe layouts.

import { capacity, decode, PRESETS, type PresetName } from "../../internal.ts";
import { integerSchema, numberSchema, objectSchema, type Parameter, textSchema } from "../operation.ts";
import type { Query } from "../query.ts";
import { jsonResponse, rejectInvalidInput } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

const EXAMPLE = {
  id: "911780371413233664",
  timestampMs: 1795222180605,
  generatedAt: "2026-11-21T00:49:40.605Z",
  datacenterId: 1,
  machineId: 7,
  sequence: 0,
};

const CAPACITY_EXAMPLE = {
  years: 69.6828420270236,
  expiresAt: "2089-09-06T15:47:35.552Z",
  datacenters: 1,
  machinesPerDatacenter: 32,
  nodes: 32,
  idsPerTick: 128,
  idsPerSecond: 128000,
};

export function inspectRoutes({ settings }: RouteDeps): Route[] {
  const presetParameter: Parameter = {
    name: "preset",
    description: "A layout with its epoch. Without it: the layout of this service.",
    schema: { type: "string", enum: Object.keys(PRESETS) },
  };
  const presetOf = ({ preset }: Query) => (preset === undefined ? settings.preset : (preset as PresetName));
  return [
    {
      method: "GET",
      path: "/decode/{id}",
      operation: {
        id: "decodeId",
        tag: "Inspect",
        summary: "Decode a Snowflake ID",
        description:
          "When and where a Snowflake ID was made, read with the layout of this service or a preset.",
        params: [
          {
            name: "id",
            description: "The ID, in decimal.",
            schema: { type: "string", pattern: "^[0-9]{1,20}$" },
            example: EXAMPLE.id,
          },
        ],
        query: [presetParameter],
        response: objectSchema({
          id: textSchema,
          timestampMs: integerSchema,
          // ISO 8601, but not the format "date-time": after the year 9999 it has six digits, which RFC 3339 excludes.
          generatedAt: textSchema,
          datacenterId: integerSchema,
          machineId: integerSchema,
          sequence: integerSchema,
        }),
        examples: { decoded: EXAMPLE },
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
        id: "getCapacity",
        tag: "Inspect",
        summary: "Read the capacity of a layout",
        description: "How long a layout lasts, how many nodes it has, and how many IDs each can make.",
        query: [presetParameter],
        response: objectSchema({
          years: numberSchema,
          expiresAt: textSchema,
          datacenters: integerSchema,
          machinesPerDatacenter: integerSchema,
          nodes: integerSchema,
          idsPerTick: integerSchema,
          idsPerSecond: numberSchema,
        }),
        examples: { safe_integer: CAPACITY_EXAMPLE },
      },
      handler: ({ query }) => jsonResponse(rejectInvalidInput(() => capacity(presetOf(query)))),
    },
  ];
}
