// The options of createService: invalid ones are refused, by name, and no error shows a key.

import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { PRESET_TWITTER } from "../../src/index.ts";
import { createService, type ServiceOptions, type ServiceRateLimit } from "../../src/service/index.ts";

describe("createService", () => {
  const key = "k".repeat(16);

  test.each<[string, object]>([
    ["backend", { backend: {} }],
    ["backend", { poolBackend: 5 }],
    ["name", { name: "" }],
    ["preset", { preset: "nonsense" }],
    ["machineId", { machineId: 32 }],
    ["datacenterId", { datacenterId: -1 }],
    ["types", { types: [] }],
    ["types", { types: "{" }],
    ["types.farmer.length", { types: { farmer: { length: 1 } } }],
    ["apiKeys", { apiKeys: key }],
    ["apiKeys", { apiKeys: [] }],
    ["apiKeys[0]", { apiKeys: [null] }],
    ["apiKeys[0]", { apiKeys: [{ [key]: "a name" }] }],
    ["apiKeys[0].name", { apiKeys: [{ keys: [key] }] }],
    ["apiKeys[0].name", { apiKeys: [{ name: "", keys: [key] }] }],
    ["apiKeys[0].keys", { apiKeys: [{ name: "orders" }] }],
    ["apiKeys[0].keys", { apiKeys: [{ name: "orders", keys: [] }] }],
    ["apiKeys[0].keys", { apiKeys: [{ name: "orders", keys: key }] }],
    ["apiKeys[0].keys[1]", { apiKeys: [{ name: "orders", keys: [key, "short"] }] }],
    ["apiKeys[1].keys[0]", { apiKeys: [key, { name: "orders", keys: [key] }] }],
    ["apiKeys[0].scopes", { apiKeys: [{ name: "orders", keys: [key], scopes: [] }] }],
    ["apiKeys[0].scopes", { apiKeys: [{ name: "orders", keys: [key], scopes: ["admin"] }] }],
    [
      "apiKeys[1].name",
      {
        apiKeys: [
          { name: "orders", keys: [key] },
          { name: "orders", keys: [`${key}2`] },
        ],
      },
    ],
    ["apiKeys[0]", { apiKeys: ["short"] }],
    ["apiKeys[0]", { apiKeys: ["with a space in it"] }],
    ["apiKeys[0]", { apiKeys: ["k".repeat(256)] }],
    ["apiKeys[1]", { apiKeys: [key, 5] }],
    ["apiKeys[1]", { apiKeys: [key, key] }],
    ["limit", { rateLimit: {} }],
    ["limit", { rateLimit: { limit: 0 } }],
    ["windowMs", { rateLimit: { limit: 1, windowMs: 0 } }],
    ["onStoreError", { rateLimit: { limit: 1, onStoreError: "open" } }],
    ["onFailure", { rateLimit: { limit: 1, onFailure: "fail" } }],
    ["onFailure", { rateLimit: { limit: 1, onStoreError: "fail", onFailure: "closed" } }],
    ["a name in rateLimit", { rateLimit: { limit: 1, window: 5 } }],
    ["proxies", { proxies: -1 }],
    ["proxies", { proxies: true }],
    ["maxBodyBytes", { maxBodyBytes: 2 ** 28 + 1 }],
    ["setup", { setup: 1 }],
    ["log", { log: "json" }],
    ["onEvent", { onEvent: "json" }],
    ["option", { port: 3000 }],
  ])("refuses the option %s in %o", (field, wrong) => {
    const options = { backend: memory(), ...wrong } as ServiceOptions;
    expect(() => createService(options)).toThrow(expect.objectContaining({ field }));
  });

  test("names the rate limit in the error of its options", () => {
    const make = (rateLimit: unknown) => () =>
      createService({ backend: memory(), rateLimit } as ServiceOptions);
    expect(make(5)).toThrow("rateLimit must be an object");
    expect(make({ limit: 5, window: 4 })).toThrow(
      "a name in rateLimit must be one of limit, windowMs, onStoreError",
    );
  });

  test("does not show an invalid key in its error", () => {
    const lists = [
      ["hunter2"],
      "hunter2-hunter2-hunter2",
      new Set(["hunter2"]),
      [{ hunter2: "orders" }],
      [{ name: "orders", keys: "hunter2" }],
      [{ name: "orders", keys: ["hunter2"] }],
    ];
    for (const apiKeys of lists) {
      const options = { backend: memory(), apiKeys: apiKeys as unknown as string[] };
      expect(() => createService(options)).toThrow(/^apiKeys(?!.*hunter2)/);
    }
  });

  test("refuses pools on a Redis, and says what to use", () => {
    const backend = { eval: async () => "" };
    expect(() => createService({ backend, types: { farmer: { length: 10 } } })).toThrow(/PostgreSQL/);
    expect(() =>
      createService({ backend, poolBackend: memory(), types: { farmer: { length: 10 } } }),
    ).not.toThrow();
  });

  test("has the types of its public names, old ones included", () => {
    const rateLimit: ServiceRateLimit = { limit: 10, windowMs: 1000, onStoreError: "allow" };
    const deprecated: ServiceRateLimit = { limit: 10, onFailure: "open" };
    // @ts-expect-error: "open" is a value of the deprecated onFailure
    const mixed: ServiceRateLimit = { limit: 10, onStoreError: "open" };
    const preset: ServiceOptions["preset"] = PRESET_TWITTER;
    for (const each of [rateLimit, deprecated]) {
      expect(() => createService({ backend: memory(), preset, rateLimit: each })).not.toThrow();
    }
    expect(() => createService({ backend: memory(), rateLimit: mixed })).toThrow("onStoreError must be");
  });

  test("refuses a leaseBackend that is not a backend", () => {
    // @ts-expect-error: a number is not a backend
    expect(() => createService({ backend: memory(), leaseBackend: 5 })).toThrow("backend must be");
  });
});
