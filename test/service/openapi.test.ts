// The OpenAPI document: valid, complete, and written once.

import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test, vi } from "vitest";
import type { ServiceOptions } from "../../src/service/index.ts";
import { createValidate, fetchOpenApi, openService, responseOf } from "./openService.ts";

const EVERYTHING: Partial<ServiceOptions> = {
  apiKeys: ["k".repeat(16)],
  rateLimit: { limit: 10 },
  types: { farmer: { length: 10 }, uin: { length: 10 } },
};

test("/openapi.json is a valid document, with and without API keys", async () => {
  for (const apiKeys of [undefined, ["k".repeat(16)]]) {
    const { service } = await openService({ apiKeys, types: { farmer: { length: 10 } } });
    const document = await fetchOpenApi(service);
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        "/",
        "/capacity",
        "/decode/{id}",
        "/docs",
        "/generate_counter_id",
        "/generate_random_string/{length}",
        "/generate_snowflake_id",
        "/generate_timestamp_id",
        "/generate_uuid",
        "/health",
        "/livez",
        "/metrics",
        "/openapi.json",
        "/status",
        "/v1/idgenerator/config",
        "/v1/idgenerator/health",
        "/v1/idgenerator/version",
        "/v1/idgenerator/{type}/id",
        "/v1/idgenerator/{type}/id/issued/{id}",
        "/v1/idgenerator/{type}/id/validate/{id}",
      ].sort(),
    );
  }
});

test("/openapi.json has examples that its own schemas admit, and each operation an ID of its own", async () => {
  const { service } = await openService(EVERYTHING);
  const document = await fetchOpenApi(service);
  const validate = createValidate(document);
  const ids = new Set<string>();
  let examples = 0;
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const operation of Object.values(operations)) {
      ids.add(operation.operationId);
      for (const { schema, example } of operation.parameters) {
        if (example !== undefined) expect([path, validate(schema, example)]).toEqual([path, undefined]);
      }
      for (const status of Object.keys(operation.responses)) {
        const { content = {} } = responseOf(document, operation, Number(status)) ?? {};
        for (const { schema, example, examples: named = {} } of Object.values(content)) {
          const values = [...Object.values(named).map(({ value }) => value), example];
          for (const value of values.filter((value) => value !== undefined)) {
            examples++;
            expect([path, status, validate(schema, value)]).toEqual([path, status, undefined]);
          }
        }
      }
    }
  }
  expect(ids.size).toBe(
    Object.values(document.paths).flatMap((operations) => Object.keys(operations)).length,
  );
  expect(examples).toBeGreaterThan(100);
});

test("/openapi.json names the problems that a route can answer by the settings of the service", async () => {
  const statusesOf = async (options: Partial<ServiceOptions>, path: string) => {
    const { service } = await openService(options);
    const { paths } = await fetchOpenApi(service);
    return Object.keys(Object.values(paths[path] ?? {})[0]?.responses ?? {}).sort();
  };
  const uuid = "/generate_uuid";
  expect(await statusesOf({}, uuid)).toEqual(["200", "400", "406", "503", "default"]);
  expect(await statusesOf({ rateLimit: { limit: 1 } }, uuid)).toEqual([
    ...["200", "400", "406", "429", "503", "default"],
  ]);
  const withKeys = ["200", "400", "401", "403", "406", "429", "503", "default"];
  expect(await statusesOf({ apiKeys: ["k".repeat(16)] }, uuid)).toEqual(withKeys);
  expect(await statusesOf(EVERYTHING, "/decode/{id}")).toEqual(withKeys.filter((status) => status !== "403"));
  expect(await statusesOf(EVERYTHING, "/livez")).toEqual(["200", "400", "406", "default"]);
  expect(await statusesOf(EVERYTHING, "/v1/idgenerator/{type}/id")).toEqual([
    ...["200", "400", "401", "403", "404", "406", "410", "413", "415", "422", "429", "503", "default"],
  ]);
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
