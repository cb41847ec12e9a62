// Checks the service's OpenAPI document: Redocly and Spectral find nothing in it, and schema.ts is the output of
// openapi-typescript. `node openapi/check.mjs --write` in test/apps writes schema.ts, after the apps were compiled. Not TypeScript, because
// the declarations of these packages have errors.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import spectralCore from "@stoplight/spectral-core";
import spectralRulesets from "@stoplight/spectral-rulesets";
import openapiTS, { astToString } from "openapi-typescript";
import { services } from "../dist/openapi/services.js";

const config = await createConfig({ extends: ["recommended"] });
const spectral = new spectralCore.Spectral();
spectral.setRuleset({ extends: [[spectralRulesets.oas, "recommended"]] });

for (const [name, service] of Object.entries(services)) {
  const source = await (await service(new Request("http://localhost/openapi.json"))).text();
  const problems = await lintFromString({ source, absoluteRef: `/${name}.json`, config });
  const redocly = problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]);
  assert.deepEqual(redocly, [], `Redocly, ${name}`);
  const findings = await spectral.run(JSON.parse(source));
  const found = findings.map(({ code, message, path }) => [code, message, path.join("/")]);
  assert.deepEqual(found, [], `Spectral, ${name}`);
}

const document = await (await services.everything(new Request("http://localhost/openapi.json"))).text();
const schema = `// Written by openapi-typescript from /openapi.json: see check.mjs.\n\n${astToString(await openapiTS(document))}`;
const file = new URL("schema.ts", import.meta.url);
if (process.argv.includes("--write")) await writeFile(file, schema);
assert.equal(await readFile(file, "utf8"), schema);

await import("../dist/openapi/test.js");
