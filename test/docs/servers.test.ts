// Every example of a server gets its node from where a missing one is an error: required variables, a number, or a lease.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./snippet.ts";

const guides = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
const blocks = ["README.md", ...guides.map((file) => `docs/${file}`)].flatMap((file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/^```(?:ts|js).*?\n(.*?)^```/gms)].map(
    ([, code = ""]) => ({
      file,
      code,
    }),
  ),
);

test("the environment is always required", () => {
  const calls = blocks.flatMap(({ file, code }) =>
    [...code.matchAll(/makeGeneratorFromEnv\([^)]*\)/g)].map(([call]) => `${file}: ${call}`),
  );
  expect(calls.length).toBeGreaterThan(5);
  expect(calls.filter((call) => !call.includes("required: true"))).toEqual([]);
});

test("a server makes no generator without a node", () => {
  const servers = blocks.filter(({ code }) =>
    /\.listen\(|createServer|new Hono\(|export async function POST/.test(code),
  );
  expect(servers.length).toBeGreaterThan(4);
  const careless = servers.filter(({ code }) => /makeGenerator\("\w+"\)|import \{[^}]*\bnextId\b/.test(code));
  expect(careless).toEqual([]);
});
