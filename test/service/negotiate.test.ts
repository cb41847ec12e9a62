// Content negotiation: which Accept headers admit JSON.

import { expect, test } from "vitest";
import { accepts } from "../../src/service/negotiate.ts";
import { openService } from "./openService.ts";

test.each<[string | undefined, boolean]>([
  [undefined, true],
  ["", true],
  ["*/*", true],
  ["application/json", true],
  ["application/*", true],
  ["APPLICATION/JSON", true],
  ["text/html, application/json;q=0.9", true],
  ["text/html;q=0.5, */*;q=0.1", true],
  ["application/json;charset=utf-8", true],
  ["text/html", false],
  ["text/*", false],
  ["application/xml, text/html", false],
  ["application/json;q=0", false],
  ["application/json; q=0.000, */*", false],
  ["*/*;q=0", false],
  ["application/*;q=0, */*", false],
  ["nonsense", false],
  [";;,,", false],
])("Accept: %s admits JSON: %s", async (accept, isAdmitted) => {
  expect(accepts(accept, "application/json")).toBe(isAdmitted);
  const { send } = await openService();
  const headers: Record<string, string> = accept === undefined ? {} : { accept };
  const response = await send("/generate_uuid", { headers });
  expect(response.status).toBe(isAdmitted ? 200 : 406);
});
