// The options of listen: invalid ones are refused.

import { expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, listen } from "../../../src/service/index.ts";

const service = createService({ backend: memory() });

test.each([
  ["keepAliveTimeoutMs", 0],
  ["headersTimeoutMs", 0],
  ["headersTimeoutMs", 1.5],
  ["requestTimeoutMs", 10],
  ["maxConnections", 0],
  ["allowedHosts", "ids.example"],
  ["allowedHosts", []],
])("listen refuses the option %s with the value %j", async (field, value) => {
  await expect(listen(service, { [field]: value })).rejects.toMatchObject({ field });
});
