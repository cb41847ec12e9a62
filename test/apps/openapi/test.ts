// Calls through a client that openapi-fetch types by the document.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { KEY, services } from "./services.js";

const service = services.everything;
const client = createClient<paths>({
  baseUrl: "http://localhost/",
  headers: { authorization: `Bearer ${KEY}` },
  fetch: (request: Request) => service(request) as Promise<Response>,
});

const one = await client.GET("/generate_snowflake_id");
const id: string | undefined = one.data?.id;
assert.match(String(id), /^\d+$/);

const many = await client.GET("/generate_uuid", { params: { query: { count: 3, version: 7 } } });
const ids: string[] | undefined = many.data?.ids;
assert.equal(ids?.length, 3);

const decoded = await client.GET("/decode/{id}", {
  params: { path: { id: String(id) }, query: { preset: "twitter" } },
});
const timestampMs: number | undefined = decoded.data?.timestampMs;
assert.ok(Number(timestampMs) > 0);

const params = { path: { type: "farmer" }, header: { "Idempotency-Key": "form-41" } };
const issued = await client.POST("/v1/idgenerator/{type}/id", { params });
const again = await client.POST("/v1/idgenerator/{type}/id", { params });
const farmer: string | undefined = issued.data?.response.id;
assert.equal(again.data?.response.id, farmer);
assert.equal(again.response.headers.get("idempotent-replayed"), "true");
const lookup = await client.GET("/v1/idgenerator/{type}/id/issued/{id}", {
  params: { path: { type: "farmer", id: String(farmer) } },
});
assert.equal(lookup.data?.response.issued, true);

// An error is typed too: a problem document, or OpenG2P's envelope.
const refused = await client.GET("/generate_uuid", { params: { query: { count: 0 } } });
assert.equal(refused.error?.code, "ERR_ARGUMENT");
const unknown = await client.POST("/v1/idgenerator/{type}/id", { params: { path: { type: "goat" } } });
assert.equal(unknown.response.status, 404);

for (const each of Object.values(services)) await each.stop();
