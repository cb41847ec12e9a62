// The OpenAPI document: valid, complete, and written once.

import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test, vi } from "vitest";
import { fetchOpenApi, openService } from "./openService.ts";

test("/openapi.json is a valid document, with and without API keys", async () => {
  for (const apiKeys of [undefined, ["k".repeat(16)]]) {
    const { service } = await openService({ apiKeys, types: { farmer: { length: 10 } } });
    const document = await fetchOpenApi(service);
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        "/capacity",
        "/decode/{id}",
        "/generate_counter_id",
        "/generate_random_string/{length}",
        "/generate_snowflake_id",
        "/generate_timestamp_id",
        "/generate_uuid",
        "/health",
        "/livez",
        "/metrics",
        "/openapi.json",
        "/v1/idgenerator/config",
        "/v1/idgenerator/health",
        "/v1/idgenerator/version",
        "/v1/idgenerator/{type}/id",
        "/v1/idgenerator/{type}/id/validate/{id}",
      ].sort(),
    );
  }
});

test("/openapi.json describes both headers of a key on the routes that read one", async () => {
  const { service } = await openService({ types: { uin: { length: 10 } } });
  const { paths } = await fetchOpenApi(service);
  for (const [path, method] of [
    ["/v1/idgenerator/{type}/id", "post"],
    ["/v1/idgenerator/uin", "get"],
  ] as const) {
    expect(paths[path]?.[method]).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({
          in: "header",
          name: "Idempotency-Key",
          description: expect.stringContaining("without double quotes, commas and backslashes"),
        }),
        expect.objectContaining({ in: "header", name: "X-Idempotency-Key" }),
      ]),
    });
  }
});

test("/openapi.json is written once, at the first request", async () => {
  const stringify = vi.spyOn(JSON, "stringify");
  const { service } = await openService();
  const text = async () => (await service(new Request("http://localhost/openapi.json"))).text();
  const first = await text();
  stringify.mockClear();
  expect(await text()).toBe(first);
  expect(stringify).not.toHaveBeenCalled();
  stringify.mockRestore();
});
